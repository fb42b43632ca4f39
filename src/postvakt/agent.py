"""Runs on a host, as root: runs one shell command after another, and tells what became of each.

It is sent over standard input and lives as long as its connection. A command then costs a process and
not a session, a login and a sudo. Requests and answers are JSON, one a line; bytes are in Base64.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys

for line in sys.stdin.buffer:
    ask = json.loads(line)
    try:
        done = subprocess.run(
            ["sh", "-c", ask["command"]],
            input=base64.b64decode(ask["stdin"]),
            capture_output=True,
            timeout=ask["seconds"],
            check=False,
        )
        answer = [done.returncode, *(base64.b64encode(text).decode() for text in (done.stdout, done.stderr))]
    except subprocess.TimeoutExpired:
        answer = [None, "", ""]
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
