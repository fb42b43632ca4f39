from __future__ import annotations

from testinfra.host import Host as Nouns

from postvakt.inventory import Host
from postvakt.policy import DELIVERY_LOGS


def test_the_journal_forgets_in_time(host: Nouns, declared: Host) -> None:
    """LOG-02, by the oldest record that is there."""
    first = host.check_output("journalctl --quiet --lines=+1 --output=short-unix | head -n 1")
    age = float(host.check_output("date +%s.%N")) - float(first.split()[0])
    assert 0 < age < DELIVERY_LOGS.max_age_days * 86400


def test_it_is_the_only_log(host: Nouns, declared: Host) -> None:
    assert host.check_output("find /var/log/journal -name '*.journal' | head -n 1")
    for name in ("syslog", "mail.log", "mail.err", "messages"):
        assert not host.file(f"/var/log/{name}").exists
    assert not host.package("rsyslog").is_installed
