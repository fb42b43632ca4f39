"""Public DNS records that are born on a host: how they get from there into the zone.

Keys are born on the host that uses them and never leave it; what the world may know of them (TLSA,
DKIM) is pushed to the name servers over SSH. Both ends are known by the host keys that the operators
have pinned, so there is no shared secret, and a host's key opens nothing but taking that host's
records for the names that are its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from deploy.ops import Egress, Resource, Role, config, directory, ensure, packages, program, service
from postvakt.inventory import Host, Kind

PUBLISHED = "/var/lib/postvakt/published"
USER = "publisher"
SETS = "/var/lib/postvakt/records"
PUBLISH = "/usr/lib/postvakt/publish"
WAIT_SECONDS = 150


def published(name: str, make: str) -> Resource:
    """A set of records of this host: what the shell command ``make`` prints, on every name server.

    One line a record, ``OWNER. TTL TYPE DATA``, with owners that ``names_of`` gives the host.
    """
    return ensure(
        f"records {name}",
        unless=f"{make} | {PUBLISH} --is {name}",
        # Hosts are deployed side by side: the name server may not be ready yet.
        run=(
            f"for try in $(seq {WAIT_SECONDS}); do\n"
            f"said=$({make} | {PUBLISH} {name} 2>&1) && exit 0\nsleep 1; done\n"
            'echo "$said"; exit 1'
        ),
        seconds=2 * WAIT_SECONDS,
    )


def names_of(host: Host) -> tuple[tuple[str, str], ...]:
    """What a host may publish: the record's type, and everything of its name after the first label."""
    if host.kind != Kind.MAIL:
        return ()
    signing = (host.estate.domain, host.fqdn)
    keys = tuple(("TXT", f"._domainkey.{name}.") for name in signing)
    return (("TLSA", f"._tcp.{host.fqdn}."), *keys)


def publishing(hosts: tuple[Host, ...]) -> Role:
    """A host that publishes records of its own on the name servers among these hosts."""
    servers = tuple(one for one in hosts if one.kind == Kind.DNS)

    def declare(host: Host) -> Iterator[Resource]:
        yield packages("openssh-client")
        yield directory("/etc/postvakt")
        yield config("records/etc/postvakt/nameservers", servers=servers)
        yield config("records/etc/postvakt/nameservers.keys", servers=servers, host=host)
        yield program("publish.py", PUBLISH)
        # A name server that was made anew, or was away, gets the records again by itself.
        yield config("records/etc/systemd/system/postvakt-publish.service")
        yield config("records/etc/systemd/system/postvakt-publish.timer")
        yield service("postvakt-publish.timer")

    return Role("records", declare, egress=egress, state=(SETS,))


def egress(host: Host) -> tuple[Egress, ...]:
    return (Egress("root", 22, "tcp", "public records, to our name servers"),)


def receiving(hosts: tuple[Host, ...]) -> Role:
    """A name server that takes the records of those of these hosts that have any."""
    publishers = tuple(one for one in hosts if names_of(one))

    def declare(host: Host) -> Iterator[Resource]:
        yield packages("openssh-server")
        yield ensure(
            f"user {USER}",
            unless=f"id -nG {USER} | grep -qx {USER}s",
            run=(
                f"getent group {USER}s || groupadd --system {USER}s\n"
                f"useradd --system --gid {USER}s --password '*' --shell /bin/sh "
                f"--home-dir /nonexistent --no-create-home {USER}"
            ),
        )
        yield directory("/etc/postvakt/publishers")
        for one in publishers:
            yield config(
                "records/etc/postvakt/publishers/host",
                to=f"/etc/postvakt/publishers/{one.name}",
                names=names_of(one),
            )
        yield directory(PUBLISHED, owner=USER, group=f"{USER}s")
        for one in publishers:
            # Empty until the host's own first word: the zone's file includes it.
            path = f"{PUBLISHED}/{one.name}"
            yield ensure(
                f"records of {one.name}",
                unless=f"test -f {path}",
                run=f"install -o {USER} -g {USER}s -m 644 /dev/null {path}",
            )
        yield program("take_records.py", "/usr/lib/postvakt/take-records")
        yield directory("/etc/ssh/publishers")
        yield config("records/etc/ssh/publishers/publisher", publishers=publishers, host=host)

    return Role("records", declare, state=(PUBLISHED,))


UNITS = tuple(f"/etc/systemd/system/postvakt-published{suffix}" for suffix in (".socket", "@.service"))


def reloading(host: Host) -> Iterator[Resource]:
    """After Knot: it reads the zone's file again when a host's records have changed."""
    for unit in UNITS:
        yield config(f"records{unit}", host=host, user=USER)
    yield service("postvakt-published.socket", reads=UNITS)


RELOADING = Role("records_reload", reloading)
