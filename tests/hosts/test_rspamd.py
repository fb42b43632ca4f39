"""The spam filter's configuration is looked at as the filter itself sees it (rspamadm configdump)."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from testinfra.host import Host as Nouns

from postvakt.inventory import Host, Kind

KINDS = {Kind.MAIL}

MODULES = {
    "antivirus", "arc", "bayes_expiry", "dkim", "dkim_signing", "dmarc", "force_actions",
    "forged_recipients", "hfilter", "maillist", "milter_headers", "mime_types", "once_received",
    "phishing", "regexp", "spf",
}  # fmt: skip
"""What may be on. A module that an upgrade brings is not here, and turns the check red."""

OTHERS = {
    "actions", "classifier", "composites", "group", "lang_detection", "logging", "lua", "metric",
    "modules", "options", "redis", "worker",
}  # fmt: skip
"""Sections that are no modules."""

SOCKETS = {"/run/valkey/valkey.sock", "/run/clamav/clamd.ctl"}
"""Whom the filter asks."""


def dump(host: Nouns) -> dict[str, Any]:
    found = json.loads(host.check_output("rspamadm configdump --json --compact 2>/dev/null"))
    assert isinstance(found, dict)
    return found


def enabled(host: Nouns) -> set[str]:
    """The modules that run, as the filter says it itself."""
    said = host.check_output("rspamadm configdump --modules-state 2>/dev/null")
    (line,) = [one for one in said.splitlines() if one.startswith("Modules enabled: ")]
    return set(line.removeprefix("Modules enabled: ").split(", "))


def strings(value: object) -> list[str]:
    """Every string of the configuration, however deep."""
    if isinstance(value, dict):
        return [text for one in value.values() for text in strings(one)]
    if isinstance(value, list):
        return [text for one in value for text in strings(one)]
    return [value] if isinstance(value, str) else []


def test_nothing_is_on_that_is_not_listed(host: Nouns, declared: Host) -> None:
    found = set(dump(host))
    assert found <= MODULES | OTHERS, found - MODULES - OTHERS
    assert {"antivirus", "dmarc", "milter_headers", "spf"} <= found
    assert enabled(host) <= MODULES


def test_nobody_outside_is_asked(host: Nouns, declared: Host) -> None:
    """SCN-01: no address and no URL of anybody in the configuration but the local resolver's."""
    texts = strings({name: part for name, part in dump(host).items() if name not in ("group", "metric")})
    assert len(texts) > 50
    assert not [text for text in texts if re.search(r"https?://|rspamd\.com|:\d{2,5}$", text)]
    servers = [text for text in texts if text.startswith("/run/") and "mode=" not in text]
    assert set(servers) >= SOCKETS
    assert {text for text in servers if text.endswith((".sock", ".ctl"))} == SOCKETS
    assert dump(host)["options"]["dns"]["nameserver"] in ("127.0.0.1", ["127.0.0.1"])


def test_it_cannot_ask_anybody_either(host: Nouns, declared: Host) -> None:
    """Tried for real, as the filter's user."""
    probe = "import socket; socket.create_connection(('192.0.2.1', 443), 3)"
    done = host.run("runuser -u _rspamd -- python3 -c %s", probe)
    assert "No route to host" in done.stderr
    assert host.check_output("nft list chain inet postvakt outward").count("skuid")
    uid = host.check_output("id -u _rspamd")
    assert f"skuid {uid} " not in host.check_output("nft list chain inet postvakt outward")


@pytest.mark.parametrize(("name", "group"), [("milter.sock", "postfix"), ("teach.sock", "spam-teachers")])
def test_sockets_are_for_those_who_need_them(host: Nouns, declared: Host, name: str, group: str) -> None:
    socket = host.file(f"/run/rspamd/{name}")
    assert socket.is_socket
    assert (socket.user, socket.group, socket.mode) == ("_rspamd", group, 0o660)
    listening = host.check_output("ss -Hlntup")
    assert "sshd" in listening
    assert "rspamd" not in listening


def test_postfix_lets_nothing_by(host: Nouns, declared: Host) -> None:
    for name in ("smtpd_milters", "non_smtpd_milters"):
        assert host.check_output(f"postconf -xh {name}") == "unix:/run/rspamd/milter.sock"
    assert host.check_output("postconf -h milter_default_action") == "tempfail"
    assert host.check_output("postconf -h internal_mail_filter_classes") == "bounce"
    assert "milters" not in host.check_output("postconf -P")


def test_no_history_is_kept(host: Nouns, declared: Host) -> None:
    """LOG-02: neither in a file nor in the store; the journal alone forgets in time."""
    assert host.check_output("find /var/lib/rspamd -name '*history*' -o -name '*.rrd'") == ""
    assert host.check_output("find /var/log/rspamd -type f -size +0 | head -n 1") == ""
    keys = host.check_output("valkey-cli -s /run/valkey/valkey.sock --scan --pattern '*history*'")
    assert keys == ""


def test_log_lines_hold_no_subject_and_no_address(host: Nouns, declared: Host) -> None:
    form = str(dump(host)["logging"]["log_format"])
    assert "$mid" in form
    assert set(re.findall(r"\$(\w+)", form)) <= {
        "mid", "if_qid", "is_spam", "action", "scores", "symbols_scores", "len", "time_real",
    }  # fmt: skip


def test_its_memory_is_bounded(host: Nouns, declared: Host) -> None:
    assert host.service("rspamd").is_running
    assert host.check_output("systemctl show --value --property MemoryMax rspamd") == str(2**30)
