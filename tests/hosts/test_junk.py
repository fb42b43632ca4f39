from __future__ import annotations

from testinfra.host import Host as Nouns

from postvakt.inventory import Host, Kind

KINDS = {Kind.MAIL}


def test_spam_goes_to_junk_before_anything_else(host: Nouns, declared: Host) -> None:
    """Tried with Dovecot's own tester, under the scripts that are in force."""
    said = host.check_output("doveconf -h protocol/lmtp/mail_plugins 2>/dev/null; doveconf -n")
    assert "sieve_script junk" in said
    for header, place in (("X-Spam: Yes", "Junk"), ("X-Spam: No", "INBOX")):
        message = f"From: a@elsewhere.example\\nSubject: x\\n{header}\\n\\nhei\\n"
        test = host.check_output(
            f"f=$(mktemp -d); chmod 755 $f; printf '{message}' > $f/m; "
            "cp /etc/dovecot/junk/file.sieve $f/s.sieve; "
            "sieve-test -C $f/s.sieve $f/m; rm -r $f"
        )
        stored = "Junk" if "store message in folder: Junk" in test else "INBOX"
        assert stored == place, test


def test_programs_are_compiled(host: Nouns, declared: Host) -> None:
    for name in ("file", "learn-spam", "learn-ham"):
        made = f"/etc/dovecot/junk/{name}"
        assert host.run(f"test {made}.svbin -nt {made}.sieve").rc == 0


def test_a_subscribers_script_runs_no_program(host: Nouns, declared: Host) -> None:
    assert "pipe" not in host.check_output("doveconf -h sieve_extensions")
    assert host.check_output("ls /usr/lib/postvakt/sieve") == "teach"


def test_the_mailboxes_may_teach_and_nobody_else(host: Nouns, declared: Host) -> None:
    assert host.check_output("doveconf -h mail_access_groups") == "spam-teachers"
    assert host.check_output("getent group spam-teachers").split(":")[3] == ""
