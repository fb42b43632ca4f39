"""Every message is looked at, in and out; what is found is refused while its sender still listens."""

from __future__ import annotations

import base64
import imaplib
import io
import json
import random
import smtplib
import string
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from email.message import EmailMessage

import pytest

from postvakt.lab import deliver
from postvakt.lab.deliver import Provider
from postvakt.lab.lab import Lab
from postvakt.target import LAB

Shell = Callable[..., str]

EICAR = r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-" + "ANTIVIRUS-TEST-FILE!$H+H*"
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*" + "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
SECONDS = 60

SPEAK = """
import base64, json, smtplib, sys
sender, to, body = json.load(sys.stdin)
with smtplib.SMTP("mail1.no.postvakt.example", 25, "world.elsewhere.example", timeout=120) as smtp:
    smtp.ehlo()
    code, reply = smtp.mail(sender)
    if code == 250:
        code, reply = smtp.rcpt(to)
    if code == 250:
        try:
            code, reply = smtp.data(base64.b64decode(body))
        except smtplib.SMTPDataError as refused:
            code, reply = refused.args
print(json.dumps([code, reply.decode(errors="replace")]))
"""


@pytest.fixture(scope="module")
def providers(lab: Lab) -> tuple[Provider, Provider]:
    return deliver.providers(LAB)


@pytest.fixture
def speak(sh: Shell, providers: tuple[Provider, Provider]) -> Callable[..., tuple[int, str]]:
    """Speak SMTP from the other provider's address: what our server says at the message's end."""

    def run(message: EmailMessage | bytes, *, sender: str = "ellen@elsewhere.example") -> tuple[int, str]:
        data = message if isinstance(message, bytes) else message.as_bytes()
        said = json.dumps([sender, "kari@postvakt.example", base64.b64encode(data).decode()])
        path = f"/tmp/{uuid.uuid4()}"
        for start in range(0, len(said), 100_000):
            sh("world", f"printf %s '{said[start : start + 100_000]}' >> {path}")
        program = SPEAK.replace("'", '"')
        answer = sh("world", f"runuser -u postfix -- python3 -c '{program}' < {path}; rm {path}")
        code, reply = json.loads(answer)
        return int(code), str(reply)

    return run


def message(
    text: str, *, sender: str = "ellen@elsewhere.example", to: str = "kari@postvakt.example"
) -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, to, "Møtet i morgen"
    made["Date"] = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime())
    made["Message-ID"] = f"<{uuid.uuid4()}@{sender.split('@')[1]}>"
    made.set_content(f"Hei,\n\n{text}\n\nHilsen\n")
    return made


def submit(ours: Provider, made: EmailMessage) -> None:
    with smtplib.SMTP_SSL(ours.server, 465, context=ours.trust, timeout=SECONDS) as smtp:
        smtp.login(ours.person.address, ours.person.password)
        smtp.send_message(made)


def found(provider: Provider, folder: str, message_id: str, *, seconds: float = SECONDS) -> bytes:
    """The message in this folder, or nothing after this time."""
    end = time.monotonic() + seconds
    imap = deliver.login(provider)
    try:
        while True:
            imap.select(folder, readonly=True)
            _, rows = imap.search(None, "HEADER", "Message-ID", message_id)
            if rows and rows[0]:
                _, parts = imap.fetch(rows[0].split()[0].decode(), "(BODY.PEEK[])")
                assert isinstance(parts[0], tuple)
                return parts[0][1]
            if time.monotonic() > end:
                return b""
            time.sleep(0.2)
    finally:
        imap.logout()


def infected(**people: str) -> EmailMessage:
    made = message("Regningen ligger ved.", **people)
    made.add_attachment(
        EICAR.encode(), maintype="application", subtype="octet-stream", filename="faktura.com"
    )
    return made


def test_a_virus_is_refused_on_its_way_in(speak: Callable[..., tuple[int, str]]) -> None:
    code, reply = speak(infected())
    assert code == 554
    assert "Eicar" in reply
    assert speak(message("Regningen kommer."))[0] == 250


def test_a_virus_is_refused_on_its_way_out(providers: tuple[Provider, Provider]) -> None:
    ours, theirs = providers
    made = infected(sender=ours.person.address, to=theirs.person.address)
    with pytest.raises(smtplib.SMTPDataError, match="Eicar") as refused:
        submit(ours, made)
    assert refused.value.smtp_code == 554


def test_sure_spam_is_refused_both_ways(
    providers: tuple[Provider, Provider], speak: Callable[..., tuple[int, str]]
) -> None:
    ours, theirs = providers
    assert speak(message(GTUBE))[0] == 554
    with pytest.raises(smtplib.SMTPDataError) as refused:
        submit(ours, message(GTUBE, sender=ours.person.address, to=theirs.person.address))
    assert refused.value.smtp_code == 554


def test_a_forged_sender_is_refused(sh: Shell, speak: Callable[..., tuple[int, str]]) -> None:
    """DMARC (RFC 7489): the other provider may speak for itself, and not for us; we not for it."""
    own = message("Bytt passord her.", sender="postmaster@postvakt.example")
    assert speak(own)[0] == 554
    line = sh("mail1.no", f"journalctl -q -u rspamd -g '{own['Message-ID']}' -n 1 -o cat")
    assert "DMARC_POLICY_REJECT" in line


def test_a_stranger_does_not_speak_for_the_other_provider(lab: Lab) -> None:
    """The controller is no mail server of theirs (SPF), and their policy is to refuse."""
    with smtplib.SMTP("mail1.no.postvakt.example", 25, timeout=SECONDS) as smtp:
        smtp.ehlo("probe.example")
        assert smtp.mail("ellen@elsewhere.example")[0] == 250
        assert smtp.rcpt("kari@postvakt.example")[0] == 250
        assert smtp.data(message("Hei.").as_bytes())[0] == 554


def test_likely_spam_goes_to_junk(
    providers: tuple[Provider, Provider], speak: Callable[..., tuple[int, str]]
) -> None:
    ours, _ = providers
    suspect, plain = message("Åpne vedlegget."), message("Vi sees.")
    suspect.add_attachment(b"hei", maintype="application", subtype="octet-stream", filename="faktura.com")
    for made in (suspect, plain):
        assert speak(made)[0] == 250
    assert b"X-Spam: Yes" in found(ours, "Junk", str(suspect["Message-ID"]))
    assert found(ours, "INBOX", str(plain["Message-ID"]))


def test_what_others_say_in_our_name_is_taken_away(
    providers: tuple[Provider, Provider], speak: Callable[..., tuple[int, str]]
) -> None:
    """A forged verdict neither makes junk nor makes true (RFC 8601 section 5)."""
    ours, _ = providers
    made = message("Stol på meg.")
    made["X-Spam"] = "Yes"
    made["Authentication-Results"] = "mail1.no.postvakt.example; dmarc=pass header.from=bank.example"
    assert speak(made)[0] == 250
    text = found(ours, "INBOX", str(made["Message-ID"])).decode()
    assert "X-Spam" not in text
    assert "bank.example" not in text
    assert text.count("\nAuthentication-Results: mail1.no.postvakt.example") == 1
    assert "spf=pass" in text
    assert "dmarc=pass" in text


def nested(depth: int) -> bytes:
    head = (
        "From: ellen@elsewhere.example\r\nTo: kari@postvakt.example\r\nSubject: x\r\n"
        f"Message-ID: <{uuid.uuid4()}@elsewhere.example>\r\nDate: Tue, 24 Nov 2026 10:00:00 +0000\r\n"
        "MIME-Version: 1.0\r\n"
    )
    parts = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n" for n in range(depth))
    ends = "".join(f"\r\n--b{n}--\r\n" for n in reversed(range(depth)))
    return f"{head}{parts}Content-Type: text/plain\r\n\r\nhei\r\n{ends}".encode()


def bomb() -> bytes:
    """A zip archive of 300 KB in which 300 MB of zeros lie."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("0", "w") as file:
        for _ in range(300):
            file.write(bytes(2**20))
    return packed.getvalue()


def onion(depth: int) -> bytes:
    """A zip archive in a zip archive, and so on."""
    inner = b"hei"
    for _ in range(depth):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("0.zip", inner)
        inner = packed.getvalue()
    return inner


def test_what_is_made_to_choke_a_scanner_does_not(sh: Shell, speak: Callable[..., tuple[int, str]]) -> None:
    """Refused or taken, but answered, with the services up and their memory bounded."""
    units = ("rspamd", "clamav-daemon")
    started = [sh("mail1.no", f"systemctl show --value -p MainPID {unit}") for unit in units]
    for archive, codes in ((onion(40), (554,)), (bomb(), (250, 554))):
        made = message("Alt er pakket.")
        made.add_attachment(archive, maintype="application", subtype="zip", filename="alt.zip")
        assert speak(made)[0] in codes
    assert speak(nested(2000))[0] in (250, 554)
    assert [sh("mail1.no", f"systemctl show --value -p MainPID {unit}") for unit in units] == started
    for program in ("rspamd", "clamd"):
        peaks = f"for p in $(pgrep {program}); do grep VmHWM /proc/$p/status; done"
        kib = [int(line.split()[1]) for line in sh("mail1.no", peaks).splitlines()]
        assert kib
        assert max(kib) < 2**20, f"{program} took {max(kib)} KiB"
    assert speak(message("Fortsatt oppe."))[0] == 250


@pytest.fixture
def killed(sh: Shell) -> Iterator[Callable[[str], None]]:
    """Kill a service and keep it down for the test."""
    down: list[str] = []

    def kill(*units: str) -> None:
        down.extend(units)
        for unit in units:
            sh("mail1.no", f"systemctl kill -s KILL {unit} || true; systemctl stop {unit} 2>&1")

    yield kill
    for unit in reversed(down):
        sh("mail1.no", f"systemctl reset-failed {unit} 2>/dev/null || true; systemctl start {unit}")


@pytest.mark.parametrize("unit", ["rspamd.service", "clamav-daemon.service"])
def test_nothing_passes_while_a_scanner_is_down(
    unit: str,
    providers: tuple[Provider, Provider],
    sh: Shell,
    speak: Callable[..., tuple[int, str]],
    killed: Callable[..., None],
) -> None:
    """The sender is told to come again, keeps the message, and delivers it when the scanner is back."""
    ours, theirs = providers
    socket = ["clamav-daemon.socket"] if unit.startswith("clamav") else []
    killed(*socket, unit)
    code, reply = speak(message("Er noen der?"))
    assert 400 <= code < 500, reply
    sent = deliver.send(theirs, ours.person.address, "Senere", f"Det haster ikke: {uuid.uuid4()}.\n")

    def deferred() -> bool:
        return "elsewhere.example" in sh("world", "postqueue -j | grep deferred || true")

    end = time.monotonic() + SECONDS
    while not deferred():
        assert time.monotonic() < end, "the other provider's queue holds nothing back"
        time.sleep(0.5)
    assert not found(ours, "INBOX", sent, seconds=0)
    for name in (*socket, unit):
        sh("mail1.no", f"systemctl reset-failed {name} 2>/dev/null || true; systemctl start {name}")
    assert found(ours, "INBOX", sent, seconds=120)


def words(vocabulary: list[str]) -> str:
    """A text of its own that shares its words with others of its kind."""
    return " ".join(random.choices(vocabulary, k=80))


def vocabulary() -> list[str]:
    """Forty words that nobody has seen before."""
    return ["".join(random.choices(string.ascii_lowercase, k=7)) for _ in range(40)]


def learned(sh: Shell) -> tuple[int, int]:
    """How many messages the filter has learned as spam and as ham, by its own store."""
    ask = "valkey-cli -s /run/valkey/valkey.sock hmget RS learns_spam learns_ham"
    spam, ham = (int(number or 0) for number in sh("mail1.no", f"{ask} | sed 's/^$/0/'").split())
    return spam, ham


def move(imap: imaplib.IMAP4_SSL, made: EmailMessage, here: str, there: str) -> None:
    """Put a message into a folder and move it to another, as a mail program does."""
    imap.append(here, "", imaplib.Time2Internaldate(time.time()), made.as_bytes())
    imap.select(here)
    _, rows = imap.uid("SEARCH", "HEADER", "Message-ID", str(made["Message-ID"]))
    code, _ = imap.uid("MOVE", rows[0].decode(), there)
    assert code == "OK"


def test_moving_mail_teaches_the_filter(
    providers: tuple[Provider, Provider], sh: Shell, speak: Callable[..., tuple[int, str]]
) -> None:
    """What a subscriber moves into Junk makes the filter know its like; what comes out of it, too."""
    ours, _ = providers
    imap = deliver.login(ours)
    advert, family, unknown = vocabulary(), vocabulary(), vocabulary()
    before = learned(sh)
    # The filter judges by what it learned once it has seen thirty of each.
    for _ in range(35):
        move(imap, message(words(advert)), "INBOX", "Junk")
        move(imap, message(words(family)), "Junk", "INBOX")
    after = learned(sh)
    assert after[0] > before[0]
    assert after[1] > before[1]
    assert min(after) >= 30
    # What is thrown away from Junk is no ham; the same taken back to the inbox is.
    move(imap, message(words(unknown)), "Junk", "Trash")
    assert learned(sh) == after
    move(imap, message(words(unknown)), "Junk", "INBOX")
    assert learned(sh) == (after[0], after[1] + 1)
    imap.logout()
    # It knows that after a restart of its store as well.
    sh("mail1.no", "systemctl restart valkey-server")
    assert learned(sh) == (after[0], after[1] + 1)
    for text, verdict in ((words(advert), "BAYES_SPAM"), (words(family), "BAYES_HAM")):
        made = message(text)
        assert speak(made)[0] == 250
        line = sh("mail1.no", f"journalctl -q -u rspamd -g '{made['Message-ID']}' -n 1 -o cat")
        assert verdict in line
