from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from testinfra.host import Host as Nouns

from postvakt.clauses import Recorder
from postvakt.inventory import Host
from postvakt.policy import DELIVERY_LOGS

PLACES = (
    "/var/log",
    "/run/log",
    "/var/lib",
    "/var/backups",
    "/var/cache",
    "/var/tmp",
    "/tmp",
    "/root",
    "/home",
)
FORWARDERS = (
    "rsyslog", "syslog-ng-core", "systemd-journal-remote", "vector", "filebeat", "fluent-bit", "promtail",
)  # fmt: skip
DAY = 86400


@pytest.mark.clause("LOG-02")
def test_the_oldest_record_of_delivery_is_young(
    look: Callable[..., str], declared: Host, observe: Recorder
) -> None:
    """By what lies there, in whatever file, and not by any setting. Of the journal every record counts."""
    said = json.loads(look("delivery_records.py", *PLACES))
    sources = said["sources"]
    assert any(".journal" in path for path in sources), "no journal was found: the scan is blind"
    path, oldest = min(((path, one["oldest"]) for path, one in sources.items()), key=lambda pair: pair[1])
    age = (said["now"] - oldest) / DAY
    observe(
        f"no record older than {DELIVERY_LOGS.max_age_days} d, no file unread",
        f"{len(sources)} files with records, the oldest {age:.2f} d in {path}, {len(said['unread'])} unread",
    )
    assert said["unread"] == []
    assert 0 < age <= DELIVERY_LOGS.max_age_days


@pytest.mark.clause("LOG-04")
def test_it_is_the_only_log(host: Nouns, declared: Host, observe: Recorder) -> None:
    """Nothing copies or carries it away."""
    files = host.check_output("find /var/log/journal -name '*.journal' | wc -l")
    others = [
        name
        for name in ("syslog", "mail.log", "mail.err", "messages")
        if host.file(f"/var/log/{name}").exists
    ]
    installed = host.check_output("dpkg-query -W -f '${Package} ${db:Status-Status}\\n'").splitlines()
    carriers = [name for name in FORWARDERS if f"{name} installed" in installed]
    config = host.check_output("systemd-analyze cat-config systemd/journald.conf")
    # Of a key that is said several times, the last counts.
    said = dict(line.strip().split("=", 1) for line in config.splitlines() if line.startswith("Forward"))
    forwarded = [name for name, value in said.items() if value != "no"]
    observe(
        "journal files, no other log, no forwarder, nothing forwarded",
        f"{files} journal files, {len(others)} other logs, {len(carriers)} forwarders, "
        f"{len(forwarded)} of {len(said)} ways out open",
    )
    assert int(files) > 0
    assert (others, carriers, forwarded) == ([], [], [])
    assert "ForwardToSyslog" in said
