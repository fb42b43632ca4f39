"""The report's own words, in English and in Norwegian (bokmål). Promises bring theirs from the catalog."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from postvakt.status import Status
from postvakt.terms import Country


class Language(StrEnum):
    """BCP 47."""

    ENGLISH = "en"
    NORWEGIAN = "nb"


FILES = {Language.ENGLISH: "report.html", Language.NORWEGIAN: "rapport.html"}
SYMBOLS = {
    Status.SATISFIED: "✓",
    Status.ATTESTED: "§",
    Status.NOT_APPLICABLE: "=",
    Status.WAIVED: "~",
    Status.ATTESTATION_EXPIRED: "…",
    Status.NOT_TESTED: "?",
    Status.ERROR: "!",
    Status.VIOLATED: "✗",
}

_BOTH: Mapping[str, tuple[str, str]] = {
    "title": ("Evidence report", "Rapport med bevis"),
    "other": ("På norsk", "In English"),
    "skip": ("Go to the content", "Gå til innholdet"),
    "contents": ("Contents", "Innhold"),
    "summary": ("Summary", "Sammendrag"),
    "retention": ("How long data is kept", "Hvor lenge data beholdes"),
    "map": ("Where data lies", "Hvor data ligger"),
    "matrix": ("Promises and hosts", "Løfter og maskiner"),
    "changes": ("Since the last run", "Siden forrige kjøring"),
    "waivers": ("What people answer for", "Det mennesker svarer for"),
    "hosts": ("Hosts", "Maskiner"),
    "clauses": ("Every promise", "Hvert løfte"),
    "verify": ("Check this report", "Kontroller denne rapporten"),
    "asked": ("Hosts reached", "Maskiner nådd"),
    "of": ("of", "av"),
    "policy": ("Privacy policy of", "Personvernerklæring av"),
    "began": ("Begun", "Begynt"),
    "ended": ("Ended", "Avsluttet"),
    "code": ("Code that looked", "Koden som undersøkte"),
    "signed": ("Signed by", "Signert av"),
    "unsigned": (
        "This bundle is not signed: anybody may have made it.",
        "Denne pakken er ikke signert: hvem som helst kan ha laget den.",
    ),
    "narrowed": (
        "This run was narrowed. It says nothing about what it did not ask.",
        "Denne kjøringen var avgrenset. Den sier ingenting om det den ikke spurte om.",
    ),
    "lost": ("Not reached", "Ikke nådd"),
    "technical": ("Promises about which hosts are asked", "Løfter som maskinene blir spurt om"),
    "organisational": ("Promises that people attest", "Løfter som mennesker bekrefter"),
    "counted": (
        "Each promise is counted once, as the worst that is known of it on any host.",
        "Hvert løfte telles én gang, som det verste som er kjent om det på noen maskin.",
    ),
    "retention_text": (
        (
            "The bar is the oldest record that lies on the host, whatever any setting says; the line is "
            "the promise. The link leads to the proof."
        ),
        (
            "Søylen er den eldste oppføringen som ligger på maskinen, uansett innstillinger; streken er "
            "løftet. Lenken fører til beviset."
        ),
    ),
    "promised": ("promised", "lovet"),
    "no_age": ("No check has recorded an age in this run.", "Ingen kontroll har målt en alder her."),
    "oldest": ("oldest record", "eldste oppføring"),
    "days": ("days", "døgn"),
    "months": ("months", "måneder"),
    "hours": ("hours after a request", "timer etter en forespørsel"),
    "map_text": (
        (
            "Drawn from the inventory from which the hosts are deployed. A filled mark: the policy keeps "
            "this in Norway. An arrow: what the firewall lets out, for whom and why."
        ),
        (
            "Tegnet fra inventaret som maskinene settes opp fra. Et fylt merke: erklæringen holder dette i "
            "Norge. En pil: det brannmuren slipper ut, for hvem og hvorfor."
        ),
    ),
    "matrix_text": (
        "A row is a promise, a column a host. An empty field: the promise does not bind the host.",
        "En rad er et løfte, en kolonne en maskin. Et tomt felt: løftet gjelder ikke maskinen.",
    ),
    "provider": ("provider", "tilbyder"),
    "first": ("This is the first bundle of its kind.", "Dette er den første pakken av sitt slag."),
    "same": ("No verdict is different from", "Ingen vurdering er annerledes enn i"),
    "compared": ("Compared with", "Sammenlignet med"),
    "before": ("before", "før"),
    "after": ("now", "nå"),
    "no_waivers": ("Nothing is waived.", "Det er ingen unntak."),
    "no_attestations": ("Nothing has been attested.", "Ingenting er bekreftet."),
    "clause": ("Promise", "Løfte"),
    "host": ("Host", "Maskin"),
    "status": ("Status", "Status"),
    "why": ("Why", "Hvorfor"),
    "expires": ("Ends", "Slutter"),
    "owner": ("Owner", "Eier"),
    "approver": ("Approved by", "Godkjent av"),
    "by": ("By", "Av"),
    "where": ("Where", "Hvor"),
    "holds": ("Holds", "Har"),
    "system": ("System", "System"),
    "clock": ("Clock ahead", "Klokken foran"),
    "understood": ("Understood as", "Forstått som"),
    "section": ("In the policy", "I erklæringen"),
    "sentence": ("sentence", "setning"),
    "about": ("About", "Gjelder"),
    "only_in": ("May lie only in", "Kan bare ligge i"),
    "numbers": ("Parameters", "Parametre"),
    "maps": ("Maps to", "Svarer til"),
    "law": ("Law today", "Loven i dag"),
    "severity": ("Severity", "Alvorlighet"),
    "set_in": ("Set in", "Satt i"),
    "expected": ("Expected", "Ventet"),
    "observed": ("Observed", "Observert"),
    "when": ("Time (UTC)", "Tid (UTC)"),
    "check": ("Check", "Kontroll"),
    "again": ("Repeat it by hand", "Gjenta for hånd"),
    "top": ("Back to the contents", "Tilbake til innholdet"),
    "verify_text": (
        "In the bundle's folder, with the list of signers that you got another way than with the bundle:",
        "I pakkens mappe, med listen over underskrivere som du har fått på en annen måte enn med pakken:",
    ),
    "limits": (
        (
            "A signature proves who put this together, not that they were honest. Where a host stands cannot "
            "be proved from afar; the country is what the inventory declares."
        ),
        (
            "En signatur beviser hvem som satte dette sammen, ikke at de var ærlige. Hvor en maskin står, "
            "kan ikke bevises på avstand; landet er det inventaret oppgir."
        ),
    ),
}
_STATUS: Mapping[Status, tuple[str, str]] = {
    Status.SATISFIED: ("satisfied", "oppfylt"),
    Status.ATTESTED: ("attested", "bekreftet"),
    Status.NOT_APPLICABLE: ("not applicable", "ikke aktuelt"),
    Status.WAIVED: ("waived", "unntatt"),
    Status.ATTESTATION_EXPIRED: ("attestation expired", "bekreftelse utløpt"),
    Status.NOT_TESTED: ("not tested", "ikke prøvd"),
    Status.ERROR: ("error", "feil"),
    Status.VIOLATED: ("violated", "brutt"),
}
_COUNTRY: Mapping[Country, tuple[str, str]] = {
    Country.NO: ("Norway", "Norge"),
    Country.US: ("United States", "USA"),
    Country.NOWHERE: ("Nowhere", "Ingen steder"),
}


def words(language: Language) -> dict[str, str]:
    at = list(Language).index(language)
    return {key: both[at] for key, both in _BOTH.items()}


def statuses(language: Language) -> dict[Status, str]:
    at = list(Language).index(language)
    return {key: both[at] for key, both in _STATUS.items()}


def countries(language: Language) -> dict[Country, str]:
    at = list(Language).index(language)
    return {key: both[at] for key, both in _COUNTRY.items()}
