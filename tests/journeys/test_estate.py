"""What holds for the estate as a whole."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

from postvakt.inventory import Host
from postvakt.lab.lab import Lab, State
from postvakt.lab.system import LabError

GIB = 2**30
OURS = (
    "certbot", "chrony", "clamav-daemon", "clamav-freshclam", "dane-first", "dovecot", "knot", "nftables",
    "nginx", "postfix", "postfix-mta-sts-resolver", "postgresql@17-main", "postsrsd", "postvakt-dkim",
    "postvakt-publish", "postvakt-tls-keys", "rspamd", "ssh", "systemd-journald", "unbound",
    "unattended-upgrades", "valkey-server",
)  # fmt: skip
QUIET_SECONDS = 60


def postvakt(*words: str) -> CompletedProcess[str]:
    argv = [sys.executable, "-m", "postvakt.cli", *words]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def test_every_host_runs_within_its_memory(lab: Lab) -> None:
    rows = lab.status()
    assert {one.state for one in rows} == {State.RUNNING}
    assert 0 < sum(one.memory for one in rows) < 8 * GIB


def test_a_host_comes_back_from_a_power_cycle_as_declared(lab: Lab) -> None:
    """What only holds until the next boot would be found here: settings, services, the firewall."""
    lab.stop(["mail1.no", "web1.us"])
    with pytest.raises(LabError, match=r"mail1\.no, web1\.us"):
        lab.require_up()
    lab.up()
    done = postvakt("plan", "mail1.no", "web1.us")
    assert done.returncode == 0, done.stdout
    done = postvakt("check", "mail1.no", "web1.us")
    assert done.returncode == 0, done.stdout
    assert re.search(r"\d{2,} passed", done.stdout)


def test_a_quiet_minute_leaves_no_warning(
    lab: Lab, hosts: dict[str, Host], sh: Callable[[str, str], str]
) -> None:
    """Nothing is asked of the estate for a minute; its services have nothing to complain of."""
    began = int(time.time()) + 1
    time.sleep(QUIET_SECONDS)
    units = " ".join(f"-u {name}" for name in OURS)
    for name in hosts:
        # The control: the journal does hold records of these services.
        assert sh(name, f"journalctl -q -n 1 {units}")
        said = sh(name, f"journalctl -q -p warning --since @{began} {units}")
        assert said == "", f"{name}: {said}"
