"""The hosts in the United States: customers' web sites, and nothing personal by itself."""

from inventories.estate import ESTATE
from postvakt.inventory import Country, DataSet, Kind, Site, host

ASHBURN = Site(
    name="ashburn-1",
    country=Country.US,
    facility="Potomac Data Hall, Ashburn, Virginia",
    legal_entity="Potomac Hosting LLC",
    contract="DC-2026-11",
)

web = [
    host(
        "web1.us",
        kind=Kind.WEB,
        site=ASHBURN,
        estate=ESTATE,
        ipv4="203.0.113.40/24",
        ipv6="2001:db8:1::40/64",
        holds=[DataSet.WEB_UPLOADS, DataSet.WEB_LOGS],
        team="web",
    ),
]
