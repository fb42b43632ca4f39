"""Runs on a host, as root: runs one shell command after another, and tells what became of each.

It is sent over standard input and lives as long as its connection. A command then costs a process and
not a session, a login and a sudo. Requests and answers are JSON, one a line; bytes are in Base64.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys

for line in sys.stdin.buffer:
    ask = json.loads(line)
    run = subprocess.Popen(
        ["sh", "-c", ask["command"]],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        wrote = run.communicate(base64.b64decode(ask["stdin"]), ask["seconds"])
        answer = [run.returncode, *(base64.b64encode(text).decode() for text in wrote)]
    except subprocess.TimeoutExpired:
        # The command and all that it started: what is given up must not go on by itself.
        os.killpg(run.pid, signal.SIGKILL)
        run.communicate()
        answer = [None, "", ""]
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
