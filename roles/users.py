"""Operators: one account a person, with keys only, and sudo. Nobody shares root."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from deploy.ops import Resource, Role, config, directory, ensure, packages
from postvakt.inventory import Host, Operator

GROUP = "operators"


def operators_of(host: Host) -> tuple[Operator, ...]:
    """The operators whose time has not run out."""
    everyone = host.estate.operators
    if host.outside.operator is not None:
        everyone = (*everyone, host.outside.operator)
    return tuple(one for one in everyone if one.valid_until >= date.today())


def declare(host: Host) -> Iterator[Resource]:
    yield packages("sudo")
    yield ensure(
        f"group {GROUP}",
        unless=f"getent group {GROUP}",
        run=f"groupadd --system {GROUP}",
    )
    yield config("users/etc/sudoers.d/operators", mode=0o440, validate="visudo -cf %s", operators=GROUP)
    yield config("users/etc/locale.conf")
    # Debian's own systemd-tmpfiles makes it this link at every boot.
    yield ensure(
        "/etc/default/locale",
        unless='[ "$(readlink /etc/default/locale)" = ../locale.conf ]',
        run="ln -sfT ../locale.conf /etc/default/locale",
    )
    yield directory("/etc/ssh/authorized_keys")
    current = operators_of(host)
    for one in current:
        yield ensure(
            f"operator {one.name}",
            unless=(
                f"id -nG {one.name} | grep -qw {GROUP} && "
                f"getent shadow {one.name} | cut -d: -f8 | grep -qx ''"
            ),
            run=(
                f"id {one.name} 2>/dev/null || useradd --create-home --shell /bin/bash "
                f"--comment '{one.full_name}' --password '!*' {one.name}\n"
                f"usermod --append --groups {GROUP} --expiredate '' {one.name}"
            ),
        )
        yield config(
            "users/etc/ssh/authorized_keys/operator",
            to=f"/etc/ssh/authorized_keys/{one.name}",
            operator=one,
        )
    names = " ".join(one.name for one in current)
    others = (
        f"for one in $(getent group {GROUP} | cut -d: -f4 | tr , ' ') "
        "$(ls /etc/ssh/authorized_keys); do\n"
        f'case " {names} " in *" $one "*) continue;; esac\n'
    )
    yield ensure(
        "no other operators",
        unless=f"{others} exit 1\ndone",
        # Shut out, not removed: what the person's account owned keeps its owner for the record.
        run=(
            f"{others} rm -f /etc/ssh/authorized_keys/$one\n"
            f"gpasswd --delete $one {GROUP} || true\n"
            "usermod --expiredate 1 $one || true\n"
            "loginctl terminate-user $one || true\ndone"
        ),
    )


ROLE = Role("users", declare)
