"""What a subscriber does with a mailbox: other addresses, devices, rules, room, search."""

from __future__ import annotations

import email
import imaplib
import smtplib
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

import pytest

from postvakt.accounts import Store
from postvakt.lab import deliver
from postvakt.lab.deliver import Provider
from postvakt.lab.lab import Lab
from postvakt.ssh import Connection
from postvakt.target import LAB
from tests.journeys.mailbox import (
    OPEN,
    REFUSED,
    Sieve,
    SieveError,
    imap,
    pop,
    smtp,
    subscriber,
    until,
    with_device,
)

Shell = Callable[[str, str], str]
FULL = 452
"""Insufficient storage (RFC 5321, 4.2.3): the sender's server tries again."""


@pytest.fixture(scope="module")
def providers(lab: Lab) -> tuple[Provider, Provider]:
    return deliver.providers(LAB)


@pytest.fixture(scope="module")
def store(connect: Callable[[str], Connection]) -> Store:
    return Store(connect("mail1.no"))


@pytest.fixture(scope="module")
def nina(providers: tuple[Provider, Provider], store: Store) -> Provider:
    """A subscriber whose mailbox these journeys are about."""
    return subscriber(store, providers[0], "nina")


@pytest.fixture(autouse=True)
def sessions() -> Iterator[None]:
    with OPEN:
        yield


def subjects(one: Provider, folder: str = "INBOX") -> list[str]:
    session = imap(one)
    code, _ = session.select(f'"{folder}"', readonly=True)
    if code != "OK":
        return []
    _, found = session.search(None, "ALL")
    said = []
    for number in found[0].split():
        _, parts = session.fetch(number.decode(), "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
        assert isinstance(parts[0], tuple)
        said.append(str(email.message_from_bytes(parts[0][1])["Subject"]))
    session.logout()
    return said


def strangers(ours: Provider, theirs: Provider) -> smtplib.SMTP:
    """A session of the other provider's server, from outside."""
    made = smtplib.SMTP(ours.server, 25, timeout=30)
    made.starttls(context=theirs.trust)
    made.ehlo(theirs.server)
    return made


def test_an_alias_is_received_and_sent_as(
    providers: tuple[Provider, Provider], store: Store, nina: Provider
) -> None:
    _, theirs = providers
    alias = f"n.berg@{nina.person.address.split('@')[1]}"
    if alias not in store.aliases(nina.person.address):
        store.add_alias(nina.person.address, alias)
    sent = deliver.send(theirs, alias, "til alias", "hei\n")
    assert deliver.wait_for(nina, sent)
    with smtp(nina) as session:
        assert session.mail(alias)[0] == 250
        assert session.rcpt(theirs.person.address)[0] == 250
    store.remove_alias(nina.person.address, alias)
    with smtp(nina) as session:
        session.mail(alias)
        assert session.rcpt(theirs.person.address)[0] == 553
    with strangers(nina, theirs) as session:
        session.mail(theirs.person.address)
        assert session.rcpt(alias)[0] == 550


def test_mail_is_fetched_by_pop(providers: tuple[Provider, Provider], nina: Provider) -> None:
    sent = deliver.send(providers[1], nina.person.address, "med POP", "hei\n")
    deliver.wait_for(nina, sent)
    session = pop(nina)
    texts = [b"\n".join(session.retr(n + 1)[1]).decode() for n in range(session.stat()[0])]
    session.quit()
    assert any(sent in text for text in texts)


def test_rules_come_and_go_by_managesieve(nina: Provider) -> None:
    session = Sieve(nina)
    assert any("STARTTLS" in line for line in session.greeting)
    # Nothing is asked for in clear: no mechanism before TLS.
    assert not any("PLAIN" in line for line in session.greeting)
    with pytest.raises(SieveError):
        session.ask('PUTSCRIPT "bad"', "this is no rule")
    session.activate('require "fileinto";\nif header :contains "Subject" "faktura" { fileinto "Archive"; }\n')
    assert 'fileinto "Archive"' in "".join(session.ask('GETSCRIPT "rules"'))
    session.close()


def test_a_rule_sorts_mail(providers: tuple[Provider, Provider], nina: Provider) -> None:
    session = Sieve(nina)
    session.activate('require "fileinto";\nif header :contains "Subject" "faktura" { fileinto "Archive"; }\n')
    before = subjects(nina, "Archive").count("Din faktura")
    deliver.send(providers[1], nina.person.address, "Din faktura", "kr 10\n")
    until("the invoice is in the archive", lambda: subjects(nina, "Archive").count("Din faktura") > before)
    session.ask('SETACTIVE ""')
    session.close()


def test_a_vacation_reply_comes_once(providers: tuple[Provider, Provider], nina: Provider) -> None:
    """RFC 5230: one reply a sender, however much they write."""
    _, theirs = providers
    reply = f"Ferie {time.time_ns()}"
    session = Sieve(nina)
    session.activate(
        f'require "vacation";\nvacation :days 7 :subject "{reply}" :handle "{reply}" "Borte.";\n'
    )
    for text in ("først", "igjen", "sist"):
        deliver.wait_for(nina, deliver.send(theirs, nina.person.address, text, "hei\n"))
    until("the reply is there", lambda: reply in subjects(theirs))
    # What comes after all of them is there: a second reply would have come before.
    session.ask('SETACTIVE ""')
    session.close()
    deliver.wait_for(theirs, deliver.send(nina, theirs.person.address, "etter ferien", "hei\n"))
    assert subjects(theirs).count(reply) == 1


def test_a_device_has_a_password_of_its_own(store: Store, nina: Provider) -> None:
    phone = with_device(store, nina, "phone")
    imap(phone).logout()
    pop(phone).quit()
    Sieve(phone).close()
    smtp(phone).quit()
    (found,) = [one for one in store.devices(nina.person.address) if one.name == "phone"]
    assert found.used == found.created
    # By a device's password one may send as the account, and as nobody else.
    with smtp(phone) as session:
        session.mail(nina.person.address)
        assert session.rcpt("ellen@elsewhere.example")[0] == 250
        session.rset()
        session.mail(f"kari@{nina.person.address.split('@')[1]}")
        assert session.rcpt("ellen@elsewhere.example")[0] == 553


def test_a_revoked_device_is_out_everywhere_within_seconds(store: Store, nina: Provider) -> None:
    """Also where it is in already: an IMAP client that idles, a session that sends."""
    phone = with_device(store, nina, "phone")
    idling = imap(phone)
    idling.select("INBOX")
    idling.send(b"x IDLE\r\n")
    assert idling.readline().startswith(b"+")
    fetching, ruling, sending = pop(phone), Sieve(phone), smtp(phone)
    assert sending.mail(nina.person.address)[0] == 250
    assert sending.rcpt("ellen@elsewhere.example")[0] == 250
    sending.rset()

    store.revoke_device(nina.person.address, "phone")
    began = time.monotonic()
    idling.socket().settimeout(5)
    # What comes before the end of the connection is the server's farewell at most.
    rest = idling.file.read()
    assert rest == b"" or b"BYE" in rest
    for said in (fetching.stat, lambda: ruling.ask("LISTSCRIPTS")):
        with pytest.raises(REFUSED):
            said()
    sending.mail(nina.person.address)
    assert sending.rcpt("ellen@elsewhere.example")[0] == 421
    # What was open is shut; of what is tried anew, each refusal takes longer, so that guessing does.
    assert time.monotonic() - began < 5
    for attempt in (imap, pop, Sieve, smtp):
        with pytest.raises(REFUSED):
            attempt(phone)
    # The account's own password opens as before.
    imap(nina).logout()


def test_a_new_password_ends_what_the_old_one_opened(
    providers: tuple[Provider, Provider], store: Store
) -> None:
    old = subscriber(store, providers[0], "per")
    idling, sending = imap(old), smtp(old)
    new = subscriber(store, providers[0], "per")
    with pytest.raises(REFUSED):
        idling.noop()
    sending.mail(old.person.address)
    assert sending.rcpt("ellen@elsewhere.example")[0] == 421
    imap(new).logout()


def test_a_suspended_account_is_shut_and_keeps_its_mail(
    providers: tuple[Provider, Provider], store: Store
) -> None:
    _, theirs = providers
    per = subscriber(store, providers[0], "per")
    phone = with_device(store, per, "phone")
    idling, sending = imap(per), smtp(phone)
    store.suspend(per.person.address)
    with pytest.raises(REFUSED):
        idling.noop()
    sending.mail(per.person.address)
    assert sending.rcpt(theirs.person.address)[0] == 421
    for attempt, one in ((imap, per), (pop, phone), (Sieve, phone), (smtp, per)):
        with pytest.raises(REFUSED):
            attempt(one)
    sent = deliver.send(theirs, per.person.address, "i mellomtiden", "hei\n")
    store.resume(per.person.address)
    assert deliver.wait_for(per, sent)


def test_a_copy_goes_on_from_an_address_that_leads_back(
    providers: tuple[Provider, Provider], store: Store, nina: Provider, sh: Shell
) -> None:
    """SRS: the copy's sender is ours, and a bounce of it finds who wrote it."""
    _, theirs = providers
    store.forward(nina.person.address, [theirs.person.address])
    sent = deliver.send(theirs, nina.person.address, "videre", "hei\n")
    assert deliver.wait_for(nina, sent)
    find = f"grep -rlF 'Delivered-To: {nina.person.address}' /var/vmail | xargs -r grep -lF '{sent}'"
    until("the copy is there", lambda: bool(sh("world", f"{find} || true")))
    copy = email.message_from_string(sh("world", f"cat $({find})"))
    path = copy["Return-Path"].strip("<>")
    assert path.startswith("SRS0=")
    assert path.endswith(f"=ellen@{nina.person.address.split('@')[1]}")
    assert copy["From"] == theirs.person.address
    # To an address that is not there: the bounce comes to who wrote the message.
    store.forward(nina.person.address, ["nobody-of-this-name@elsewhere.example"])
    sent = deliver.send(theirs, nina.person.address, "tilbake", "hei\n")
    bounce = f"grep -rlF '{sent}' /var/vmail | xargs -r grep -lF 'nobody-of-this-name'"
    until("the bounce is there", lambda: bool(sh("world", f"{bounce} || true")))
    store.forward(nina.person.address, [])
    assert store.forward(nina.person.address) == []


def test_a_forward_that_comes_back_ends(
    providers: tuple[Provider, Provider], store: Store, nina: Provider, sh: Shell
) -> None:
    """What has been sent on before stays: by its header, and (SEC-03) by a sender that is ours."""
    _, theirs = providers
    name = f"rundt-{time.time_ns()}"
    store.forward(nina.person.address, [theirs.person.address, "round@elsewhere.example"])
    for mark, header in (("once", ""), ("again", f"Delivered-To: {nina.person.address}\r\n")):
        letter = message(theirs.person.address, nina.person.address, 10, f"{name}-{mark}")
        with smtp(theirs) as session:
            session.sendmail(theirs.person.address, [nina.person.address], header.encode() + bytes(letter))
    until("both are there", lambda: sum(name in one for one in subjects(nina)) == 2)
    until("the copy is there", lambda: f"{name}-once" in subjects(theirs))
    until("no queue of ours holds more", lambda: sh("mail1.no", "postqueue -j | wc -l") == "0")
    until("nor one of theirs", lambda: sh("world", "postqueue -j | wc -l") == "0")
    store.forward(nina.person.address, [])
    assert f"{name}-again" not in subjects(theirs)
    assert sum(name in one for one in subjects(nina)) == 2


def message(sender: str, to: str, size: int, subject: str) -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, to, subject
    made["Date"], made["Message-ID"] = formatdate(), make_msgid(domain=sender.partition("@")[2])
    made.set_content("Hei, her er bildene fra turen.\n")
    made.add_attachment(b"\0" * size, maintype="image", subtype="png", filename="tur.png")
    return made


def test_a_full_mailbox_warns_its_owner_and_its_senders(
    providers: tuple[Provider, Provider], store: Store, sh: Shell
) -> None:
    """The owner hears at 80 and 95 %; then senders hear at once, and nobody gets a bounce."""
    ours, theirs = providers
    liv = subscriber(store, ours, "liv")
    address = liv.person.address
    sh("mail1.no", f"doveadm expunge -u {address} mailbox '*' all")
    store.quota(address, 1)
    letter = message(theirs.person.address, address, 110_000, "stort brev")
    for _ in range(6):
        with smtp(theirs) as session:
            session.send_message(letter)
    until("the letters are there", lambda: subjects(liv).count("stort brev") == 6)
    until("the 80 % warning is there", lambda: any("80 %" in one for one in subjects(liv)))
    with smtp(theirs) as session:
        session.send_message(message(theirs.person.address, address, 70_000, "lite brev"))
    until("the 95 % warning is there", lambda: any("95 %" in one for one in subjects(liv)))
    assert sum("80 %" in one for one in subjects(liv)) == 1
    alias = f"l.full@{address.split('@')[1]}"
    if alias not in store.aliases(address):
        store.add_alias(address, alias)
    with strangers(ours, theirs) as session:
        for to in (address, alias):
            session.ehlo(theirs.server)
            session.docmd(f"MAIL FROM:<{theirs.person.address}> SIZE=400000")
            code, reply = session.rcpt(to)
            assert code == FULL, reply
            assert b"full" in reply
            session.rset()
    with smtp(ours) as session:
        session.docmd(f"MAIL FROM:<{ours.person.address}> SIZE=400000")
        assert session.rcpt(address)[0] == FULL
    client = imap(liv)
    _, found = client.getquotaroot("INBOX")
    assert b" 1024)" in found[1][0]
    client.logout()
    store.quota(address, 100)
    with strangers(ours, theirs) as session:
        session.docmd(f"MAIL FROM:<{theirs.person.address}> SIZE=400000")
        assert session.rcpt(address)[0] == 250


def test_all_of_an_account_lies_under_its_id(store: Store, nina: Provider, sh: Shell) -> None:
    """Mail, index of words, rules and what they remember: one directory, and nothing beside it."""
    home = f"/var/vmail/{store.show(nina.person.address).id}"
    found = sh("mail1.no", f"find {home} -mindepth 1 -maxdepth 3 -printf '%P\\n'").splitlines()
    assert "mail" in found
    assert "sieve/rules.sieve" in found
    assert any("fts-flatcurve" in one for one in found)
    entries = sh("mail1.no", "ls -A /var/vmail").split()
    assert entries
    assert all(len(one) == 36 for one in entries)


def test_nothing_is_shared(nina: Provider) -> None:
    session = imap(nina)
    _, found = session.namespace()
    # Personal, other users', shared: RFC 2342.
    assert found[0] == b'(("" "/")) NIL NIL'
    assert b"ACL" not in session.capability()[1][0]
    session.logout()


WORDS = ("Blåbærsyltetøy", "BLÅBÆRSYLTETØY", "blåbærsyltetøy")
MANY = 10_000
FILL = """
import os, uuid
home = {home!r}
os.setgid({gid}); os.setuid({uid})
os.umask(0o077)
box = home + '/mail/.Mange/cur'
for part in ('cur', 'new', 'tmp'):
    os.makedirs(home + '/mail/.Mange/' + part, exist_ok=True)
words = 'fjord fjell skog elv vidde hytte kaffe brygge lykt vinter sommer vår høst'.split()
for n in range({many}):
    body = ' '.join(words[(n * k) % len(words)] + str(n * k % 997) for k in range(1, 40))
    if n in (17, 4711, 9999):
        body += ' ' + {words!r}[(17, 4711, 9999).index(n)] + ' '
    text = ('From: ellen@elsewhere.example\\nTo: sol@postvakt.example\\nSubject: Brev %d\\n'
        'Message-ID: <%s@elsewhere.example>\\nDate: Mon, 5 Jan 2026 10:00:00 +0100\\nMIME-Version: 1.0\\n'
        'Content-Type: text/plain; charset=utf-8\\nContent-Transfer-Encoding: 8bit\\n\\n%s\\n'
        % (n, uuid.uuid4(), body)).encode()
    with open('%s/%d.M%dP1.lab:2,S' % (box, 1767600000 + n, n), 'wb') as file:
        file.write(text)
"""


def found_by(session: imaplib.IMAP4_SSL, word: str) -> int:
    """How many messages hold a word, asked as RFC 9051 asks for text beyond ASCII: by a literal."""
    text = word.encode()
    session.send(b"q SEARCH CHARSET UTF-8 BODY {%d+}\r\n%s\r\n" % (len(text), text))
    hits = -1
    while not (line := session.readline()).startswith(b"q "):
        if line.startswith(b"* SEARCH"):
            hits = len(line.split()) - 2
    assert line.startswith(b"q OK"), line
    return hits


def test_search_finds_a_norwegian_word_among_ten_thousand_messages(
    providers: tuple[Provider, Provider], store: Store, sh: Shell, connect: Callable[[str], Connection]
) -> None:
    sol = subscriber(store, providers[0], "sol")
    imap(sol).logout()
    home = f"/var/vmail/{store.show(sol.person.address).id}"
    user, group = sh("mail1.no", "id -u vmail; id -g vmail").split()
    sh("mail1.no", f"rm -rf {home}/mail/.Mange")
    script = FILL.format(home=home, many=MANY, words=WORDS, uid=user, gid=group)
    done = connect("mail1.no").run(["python3", "-"], stdin=script, sudo=True)
    assert done.code == 0, done.err
    filled = connect("mail1.no").run(
        ["doveadm", "index", "-u", sol.person.address, "Mange"], sudo=True, seconds=300
    )
    assert filled.code == 0, filled.err

    session = imap(sol)
    assert session.select("Mange", readonly=True)[1] == [str(MANY).encode()]
    for word in WORDS:
        times = []
        for _ in range(2):
            began = time.monotonic()
            hits = found_by(session, word)
            times.append(time.monotonic() - began)
            assert hits == len(WORDS), word
        assert times[1] < 0.5, times
        print(f"{word}: {times[0]:.3f} s, then {times[1]:.3f} s")
    # A letter is a letter: this is another word.
    assert found_by(session, "blabærsyltetøy") == 0
    session.logout()
