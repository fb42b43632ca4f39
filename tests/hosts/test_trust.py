from __future__ import annotations

from testinfra.host import Host as Nouns

from postvakt.inventory import Host


def test_certificates_of_the_world_are_trusted(host: Nouns, declared: Host) -> None:
    count = host.check_output("grep -c BEGIN /etc/ssl/certs/ca-certificates.crt")
    assert int(count) > 100


def test_no_own_authority_but_the_labs(host: Nouns, declared: Host) -> None:
    """A provider's host trusts whom Debian trusts; only a lab adds its own authority."""
    in_lab = host.check_output("systemd-detect-virt || true") == "systemd-nspawn"
    found = host.check_output("ls /usr/local/share/ca-certificates").split()
    assert found == (["outside.crt"] if in_lab else [])
