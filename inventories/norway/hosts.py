"""The hosts in Norway: everything that holds mail, accounts, tickets or backups."""

from inventories.estate import ESTATE
from postvakt.inventory import Country, DataSet, Kind, Site, host

OSLO = Site(
    name="oslo-1",
    country=Country.NO,
    facility="Fjellhallen datasenter, Oslo",
    legal_entity="Fjellhallen Drift AS",
    contract="DC-2026-03",
)
BERGEN = Site(
    name="bergen-1",
    country=Country.NO,
    facility="Vestkanten datasenter, Bergen",
    legal_entity="Vestkanten Hosting AS",
    contract="DC-2026-07",
)

mail = [
    host(
        "mail1.no",
        kind=Kind.MAIL,
        site=OSLO,
        estate=ESTATE,
        ipv4="198.51.100.10/24",
        ipv6="2001:db8:47::10/64",
        holds=[
            DataSet.ACCOUNT_INFORMATION,
            DataSet.LOGIN_CREDENTIALS,
            DataSet.MAIL_CONTENT,
            DataSet.SEARCH_INDEXES,
            DataSet.DELIVERY_LOGS,
            DataSet.USAGE_LOGS,
            DataSet.WEB_SESSIONS,
            DataSet.DOMAIN_REGISTRATIONS,
        ],
        team="mail",
    ),
]

support = [
    host(
        "support1.no",
        kind=Kind.SUPPORT,
        site=OSLO,
        estate=ESTATE,
        ipv4="198.51.100.20/24",
        ipv6="2001:db8:47::20/64",
        holds=[
            DataSet.ACCOUNT_INFORMATION,
            DataSet.SUPPORT_TICKETS,
            DataSet.CORRESPONDENCE,
            DataSet.USAGE_LOGS,
            DataSet.WEB_SESSIONS,
        ],
        team="support",
    ),
]

backup = [
    host(
        "backup1.no",
        kind=Kind.BACKUP,
        site=BERGEN,
        estate=ESTATE,
        ipv4="198.51.100.30/24",
        ipv6="2001:db8:47::30/64",
        holds=[DataSet.BACKUPS],
        team="backup",
    ),
]

web = [
    host(
        "web1.no",
        kind=Kind.WEB,
        site=OSLO,
        estate=ESTATE,
        ipv4="198.51.100.40/24",
        ipv6="2001:db8:47::40/64",
        holds=[DataSet.WEB_UPLOADS, DataSet.WEB_LOGS],
        team="web",
    ),
]

dns = [
    host(
        "dns1.no",
        kind=Kind.DNS,
        site=OSLO,
        estate=ESTATE,
        ipv4="198.51.100.53/24",
        ipv6="2001:db8:47::53/64",
        holds=[DataSet.DNS_ZONES],
        team="mail",
    ),
]
