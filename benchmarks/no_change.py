"""A deploy that has nothing to do: the same files on the same hosts, by four tools in turn.

    sudo .venv/bin/python -m benchmarks.no_change [--files 100] [--hosts 1] [--rtt 30] [--rounds 5]

Prints the seconds of whole processes (median, least, most) and how many times longer than ours each took.
Every tool gets the same list of files and the same SSH configuration, and is told to keep connections and
to go to hosts side by side. Its first run makes the files; what is measured changes nothing, and a run
that does change something is an error.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from benchmarks import estate
from postvakt.lab.lab import Lab
from postvakt.target import ROOT

BIN = Path(sys.executable).parent
Run = tuple[list[str], dict[str, str], Callable[[str], bool]]
"""The command of a contender, its environment, and whether its output says that nothing was changed."""


def listing(count: int) -> list[dict[str, str]]:
    """Files of the size and number of a host's configuration."""
    return [
        {
            "path": f"/srv/benchmark/{index:03}.conf",
            "content": f"# file {index}\n" + "setting = value\n" * (index % 60),
            "owner": "root",
            "group": "root",
            "mode": "640" if index % 3 else "644",
        }
        for index in range(count)
    ]


def ours(folder: Path, config: Path, hosts: int, files: list[dict[str, str]]) -> Run:
    (folder / "files.json").write_text(json.dumps(files))
    known = config.with_name("known")
    argv = [
        sys.executable, "-m", "benchmarks.ours", str(config), str(known), str(hosts),
        str(folder / "files.json"),
    ]  # fmt: skip
    return argv, {}, lambda said: said == "0 changed\n"


def stock_pyinfra(folder: Path, config: Path, hosts: int, files: list[dict[str, str]]) -> Run:
    for one in files:
        source = folder / "files" / one["path"].lstrip("/")
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_text(one["content"])
    data = {"ssh_config_file": str(config), "ssh_known_hosts_file": str(config.with_name("known"))}
    (folder / "inventory.py").write_text(f"hosts = [(name, {data!r}) for name in {estate.names(hosts)!r}]\n")
    (folder / "deploy.py").write_text(
        "from pyinfra.operations import files\n"
        f"for one in {[{key: one[key] for key in one if key != 'content'} for one in files]!r}:\n"
        "    files.put(name=one['path'], src='files' + one['path'], dest=one['path'], user=one['owner'],\n"
        "        group=one['group'], mode=one['mode'], _sudo=True)\n"
    )
    argv = [str(BIN / "pyinfra"), "-y", "--chdir", str(folder), "inventory.py", "deploy.py"]
    return argv, {}, lambda said: bool(re.search(r"Grand total\s+(\d+)\s+-\s+-\s+\1\s", said))


def ansible(folder: Path, config: Path, hosts: int, files: list[dict[str, str]], strategy: str = "") -> Run:
    (folder / "hosts.ini").write_text("\n".join(estate.names(hosts)) + "\n")
    tasks = [
        {
            "name": one["path"],
            "ansible.builtin.copy": {
                "content": one["content"],
                "dest": one["path"],
                "owner": one["owner"],
                "group": one["group"],
                "mode": f"0{one['mode']}",
            },
        }
        for one in files
    ]
    play = {"hosts": "all", "become": True, "gather_facts": False, "tasks": tasks}
    (folder / "play.yml").write_text(json.dumps([play]))
    lines = [
        "[defaults]", f"inventory = {folder / 'hosts.ini'}", "forks = 50", "host_key_checking = True",
        "interpreter_python = /usr/bin/python3", "stdout_callback = default", "nocows = 1",
    ]  # fmt: skip
    if strategy:
        spec = find_spec("ansible_mitogen")
        assert spec is not None
        assert spec.origin is not None
        lines += [f"strategy_plugins = {Path(spec.origin).parent}/plugins/strategy", f"strategy = {strategy}"]
    lines += [
        "[connection]", "pipelining = True", "[ssh_connection]", "pipelining = True",
        f"ssh_args = -F {config} -o ControlMaster=auto -o ControlPersist=60s",
    ]  # fmt: skip
    (folder / "ansible.cfg").write_text("\n".join(lines) + "\n")
    environment = {
        "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
        "ANSIBLE_HOME": str(folder),
        "NO_COLOR": "1",
    }

    def unchanged(said: str) -> bool:
        rows = re.findall(r"ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", said)
        return rows == [(str(len(files)), "0", "0", "0")] * hosts

    return [str(BIN / "ansible-playbook"), str(folder / "play.yml")], environment, unchanged


def mitogen(folder: Path, config: Path, hosts: int, files: list[dict[str, str]]) -> Run:
    return ansible(folder, config, hosts, files, "mitogen_linear")


CONTENDERS = {"postvakt": ours, "pyinfra": stock_pyinfra, "ansible": ansible, "ansible+mitogen": mitogen}


def once(lab: Lab, run: Run, *, measured: bool) -> float:
    """Seconds of one run. Raises SystemExit for a run that fails, or changes what it must not."""
    argv, environment, unchanged = run
    began = time.monotonic()
    done = subprocess.run(
        lab.inside(argv), cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    seconds = time.monotonic() - began
    said = done.stdout + done.stderr
    if done.returncode or (measured and not unchanged(said)):
        raise SystemExit(f"{argv[0]} {'failed' if done.returncode else 'changed something'}:\n{said[-2000:]}")
    return seconds


def measure(
    lab: Lab, hosts: int, count: int, rtt: float, rounds: int, only: list[str]
) -> dict[str, list[float]]:
    """{contender: seconds of each round}. Rounds go through all contenders in turn, so that what else the
    machine does meets all of them."""
    config = estate.ssh_config(lab, hosts, rtt)
    runs: dict[str, Run] = {}
    with estate.relayed(lab, rtt, hosts):
        for name in only:
            folder = lab.state / "contenders" / name
            folder.mkdir(parents=True, exist_ok=True)
            runs[name] = CONTENDERS[name](folder, config, hosts, listing(count))
            once(lab, runs[name], measured=False)
        taken: dict[str, list[float]] = {name: [] for name in only}
        for _ in range(rounds):
            for name in only:
                taken[name].append(once(lab, runs[name], measured=True))
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=100)
    parser.add_argument("--hosts", type=int, default=1)
    parser.add_argument("--rtt", type=float, default=30, help="milliseconds")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    options = parser.parse_args()
    lab = estate.the_lab()
    try:
        estate.prepare(lab, options.hosts)
        taken = measure(lab, options.hosts, options.files, options.rtt / 1000, options.rounds, options.only)
    finally:
        lab.down(discard=True)
    base = statistics.median(taken[options.only[0]])
    print(
        f"no change, {options.files} files, {options.hosts} hosts, RTT {options.rtt:g} ms, "
        f"{options.rounds} rounds"
    )
    for name, seconds in taken.items():
        median = statistics.median(seconds)
        print(
            f"{name:16} {median:7.2f} s  ({min(seconds):.2f} to {max(seconds):.2f})  {median / base:5.1f} x"
        )


if __name__ == "__main__":
    main()
