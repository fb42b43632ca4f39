"""The words in which inventories and promises are said. They belong to both, so neither imports the other."""

from __future__ import annotations

from enum import StrEnum


class Country(StrEnum):
    """ISO 3166-1 alpha-2 codes of the countries in which hosts may stand.

    ``ZZ`` is the standard's code for no country: where the lab's outside world stands.
    """

    NO = "NO"
    US = "US"
    NOWHERE = "ZZ"


class Kind(StrEnum):
    """What a machine is for. ``deploy/kinds.py`` lists the roles of each kind."""

    MAIL = "mail"
    SUPPORT = "support"
    BACKUP = "backup"
    WEB = "web"
    DNS = "dns"


class DataSet(StrEnum):
    """A set of data that the privacy policy speaks of."""

    ACCOUNT_INFORMATION = "account-information"
    LOGIN_CREDENTIALS = "login-credentials"
    MAIL_CONTENT = "mail-content"
    SEARCH_INDEXES = "search-indexes"
    DELIVERY_LOGS = "delivery-logs"
    USAGE_LOGS = "usage-logs"
    WEB_SESSIONS = "web-sessions"
    DOMAIN_REGISTRATIONS = "domain-registrations"
    SUPPORT_TICKETS = "support-tickets"
    CORRESPONDENCE = "correspondence"
    BACKUPS = "backups"
    WEB_UPLOADS = "web-uploads"
    WEB_LOGS = "web-logs"
    DNS_ZONES = "dns-zones"


HOLDS: dict[Kind, frozenset[DataSet]] = {
    Kind.MAIL: frozenset(
        {
            DataSet.ACCOUNT_INFORMATION,
            DataSet.LOGIN_CREDENTIALS,
            DataSet.MAIL_CONTENT,
            DataSet.SEARCH_INDEXES,
            DataSet.DELIVERY_LOGS,
            DataSet.USAGE_LOGS,
        }
    ),
    Kind.SUPPORT: frozenset(
        {
            DataSet.ACCOUNT_INFORMATION,
            DataSet.SUPPORT_TICKETS,
            DataSet.CORRESPONDENCE,
            DataSet.USAGE_LOGS,
        }
    ),
    Kind.BACKUP: frozenset({DataSet.BACKUPS}),
    Kind.WEB: frozenset({DataSet.WEB_UPLOADS}),
    Kind.DNS: frozenset({DataSet.DNS_ZONES}),
}
"""What a machine of a kind holds whether its inventory says so or not: it has to be said."""
