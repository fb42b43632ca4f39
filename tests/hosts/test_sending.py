from __future__ import annotations

from testinfra.host import Host as Nouns

from postvakt.inventory import Host, Kind

KINDS = {Kind.MAIL}


def test_operators_are_told_within_a_minute(host: Nouns, declared: Host) -> None:
    assert host.service("sending-alert.timer").is_running
    assert host.service("sending-alert.timer").is_enabled
    shown = host.check_output("systemctl show -P Result -P ExecMainStatus sending-alert.service")
    assert shown.split() == ["success", "0"]


def test_both_submission_ports_count(host: Nouns, declared: Host) -> None:
    listed = host.check_output("postconf -P")
    for service in ("submission", "submissions"):
        (line,) = [
            one for one in listed.splitlines() if one.startswith(f"{service}/inet/smtpd_recipient_restrict")
        ]
        for map_ in ("check_sasl_access proxy:pgsql:/etc/postfix/pgsql/sending.cf", "sending_as.cf"):
            assert map_ in line.split(" permit_sasl_authenticated")[0]


def test_what_is_counted_is_of_one_day_and_holds_no_recipient(host: Nouns, declared: Host) -> None:
    """LOG-01: numbers in ten minutes, by account and by our own address."""
    ask = "cd / && runuser -u postgres -- psql -XqtA accounts -c"
    columns = host.check_output(
        f"{ask} \"SELECT column_name FROM information_schema.columns WHERE table_name = 'sent'\""
    )
    assert set(columns.split()) == {"who", "began", "recipients"}
    old = "SELECT count(*) FROM sent WHERE began < now() - interval '1 day 10 minutes'"
    assert host.check_output(f'{ask} "{old}"') == "0"
    others = (
        "SELECT count(*) FROM sent WHERE who NOT IN (SELECT id::text FROM account) AND who NOT LIKE ALL"
        " (SELECT '%@' || name FROM domain)"
    )
    assert host.check_output(f'{ask} "{others}"') == "0"
