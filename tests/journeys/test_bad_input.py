"""What goes wrong is said in one line that names the host, and the other hosts go on to their end."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from postvakt.inventory import Host
from postvakt.lab.lab import Lab
from postvakt.ssh import SshError
from postvakt.target import LAB, ROOT, Target

SITE = ROOT / "deploy" / "site.py"
DEPLOY = Path(__file__).with_name("deploy_with.py")


def deploy(*parts: Mapping[str, object]) -> list[dict[str, Any]]:
    argv = [sys.executable, str(DEPLOY), json.dumps(parts)]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert isinstance(answer, list)
    return answer


def error_of(data: dict[str, str], site: Path = SITE) -> str:
    """What is said of a host that is in trouble, while one that is not goes on to its end."""
    bad, good = deploy(
        {"host": "backup1.no", "site": str(site), "data": data},
        {"host": "support1.no", "site": str(SITE), "data": {}},
    )
    assert (good["error"], good["changed"]) == ("", [])
    error = str(bad["error"])
    assert len(error.splitlines()) == 1
    return error


def elsewhere(tmp_path: Path, lab: Lab, name: str, old: str, new: str) -> dict[str, str]:
    """The lab's way to a host, with one word of an SSH file changed."""
    text = (lab.state / "ssh" / name).read_text()
    assert old in text
    (tmp_path / name).write_text(text.replace(old, new))
    key = {"config": "ssh_config_file", "known_hosts": "ssh_known_hosts_file"}[name]
    return {key: str(tmp_path / name)}


def test_a_host_that_is_not_there(lab: Lab, tmp_path: Path) -> None:
    data = elsewhere(tmp_path, lab, "config", "HostName 198.51.100.30", "HostName 198.51.100.31")
    assert "cannot be reached by SSH" in error_of(data)


def test_a_host_with_another_key(lab: Lab, hosts: dict[str, Host], tmp_path: Path) -> None:
    """Somebody stands in between, or the host was exchanged: nothing is sent to it."""
    known = (lab.state / "ssh" / "known_hosts").read_text().splitlines()
    keys = {line.split(",")[0]: line.split()[2] for line in known}
    data = elsewhere(tmp_path, lab, "known_hosts", keys["backup1.no"], keys["web1.no"])
    assert "host key" in error_of(data).lower()
    other = Target(lab.state).connect(hosts["backup1.no"])
    other.known_hosts = tmp_path / "known_hosts"
    with pytest.raises(SshError, match="shows another host key"):
        other.run("true")


def test_a_package_that_cannot_be_installed(lab: Lab, tmp_path: Path, sh: Callable[[str, str], str]) -> None:
    site = tmp_path / "site.py"
    site.write_text(
        "from deploy.converge import converge\n"
        "from deploy.ops import Role, packages\n"
        "converge(lambda host: (Role('x', lambda host: iter([packages('no-such-package')])),))\n"
    )
    assert error_of({}, site) == "packages: E: Unable to locate package no-such-package"
    assert sh("backup1.no", "ls /usr/sbin/policy-rc.d 2>/dev/null || echo gone") == "gone"


def test_a_defect_of_a_role_is_one_line(lab: Lab, tmp_path: Path) -> None:
    site = tmp_path / "site.py"
    site.write_text("def role() -> None:\n    raise KeyError('a [/defect]')\n\n\nrole()\n")
    assert error_of({}, site) == "KeyError: 'a [/defect]' (site.py, line 2)"


def test_kind_by_kind_stops_at_the_first_that_fails(lab: Lab, sh: Callable[[str, str], str]) -> None:
    """A name server that cannot be deployed keeps mail hosts from being touched."""
    sh("dns1.no", "mv /usr/bin/python3 /usr/bin/python3.away")
    sh("mail1.no", "chmod 600 /etc/locale.conf")
    try:
        argv = [sys.executable, "-m", "postvakt.cli", "apply", "--kind-by-kind", "dns1", "mail1", "web1.us"]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        failed, *others = done.stderr.splitlines()
        assert failed.startswith("postvakt: dns1.no: ")
        assert [line.partition(": not begun")[0] for line in others] == [
            "postvakt: mail1.no",
            "postvakt: web1.us",
        ]
        assert sh("mail1.no", "stat -c %a /etc/locale.conf") == "600"
    finally:
        sh("dns1.no", "mv /usr/bin/python3.away /usr/bin/python3")
    done = subprocess.run([*argv[:4], "dns1", "mail1"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert sh("mail1.no", "stat -c %a /etc/locale.conf") == "644"


def test_a_stop_that_is_only_tried_stops_nothing(lab: Lab) -> None:
    argv = [sys.executable, "-m", "postvakt.cli", "down", "--discard", "--dry-run"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert sorted(done.stdout.splitlines()) == sorted(
        f"{one.name}: stopped, its disk thrown away" for one in lab.status()
    )
    assert lab.is_up()


def test_no_host_waits_for_another(lab: Lab, tmp_path: Path) -> None:
    site = tmp_path / "site.py"
    site.write_text(
        "from deploy.converge import converge\n"
        "from deploy.ops import Role, ensure\n"
        "slow = ensure('slow', unless='false', run='sleep 3')\n"
        "converge(lambda host: (Role('x', lambda host: iter([slow])),))\n"
    )
    began = time.monotonic()
    hosts = ("backup1.no", "support1.no", "web1.no", "web1.us")
    done = deploy(*({"host": name, "site": str(site), "data": {}} for name in hosts))
    assert [one["changed"] for one in done] == [["slow"]] * len(hosts)
    assert 3 < time.monotonic() - began < 7


def test_a_command_without_end_is_ended(lab: Lab, hosts: dict[str, Host]) -> None:
    connection = LAB.connect(hosts["backup1.no"])
    with pytest.raises(SshError, match="no end within 1 s"):
        connection.run("sleep 61.5; true", seconds=1)
    assert connection.run("echo still here").out == "still here\n"
    assert connection.run("pgrep -c -f 'sleep 61[.]5'").out == "0\n", "with all that it had started"
    connection.close()


def test_words_that_name_no_host() -> None:
    for word, said in (("mial1", "no host or kind is called mial1"), ("web1", "web1 is not one host")):
        argv = [sys.executable, "-m", "postvakt.cli", "plan", word]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert done.stderr.startswith(f"postvakt: {said}")
        assert done.stderr.count("\n") == 1


def test_a_wrong_command_line_has_its_own_exit_code() -> None:
    for words in (["aply"], ["apply", "--dry"], ["account", "add"], []):
        argv = [sys.executable, "-m", "postvakt.cli", *words]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert done.returncode == 64
        assert "--help" in done.stderr


def test_accounts_are_refused_in_one_line(lab: Lab) -> None:
    for address, said in (
        ("kari+x@postvakt.example", "not one that a mailbox can have"),
        ("kari@elsewhere.example", "is not a domain of this host"),
        ("abuse@postvakt.example", "is taken"),
    ):
        argv = [sys.executable, "-m", "postvakt.cli", "account", "add", address]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert said in done.stderr
        assert done.stderr.count("\n") == 1
