from __future__ import annotations

from testinfra.host import Host as Nouns

from postvakt.inventory import Host

NETWORK = {
    "net.ipv4.ip_forward": "0",
    "net.ipv6.conf.all.forwarding": "0",
    "net.ipv4.conf.all.rp_filter": "1",
    "net.ipv4.conf.all.accept_redirects": "0",
    "net.ipv4.conf.all.accept_source_route": "0",
    "net.ipv4.tcp_syncookies": "1",
}
KERNEL = {
    "kernel.kptr_restrict": "2",
    "kernel.dmesg_restrict": "1",
    "kernel.yama.ptrace_scope": "2",
    "fs.suid_dumpable": "0",
    "fs.protected_symlinks": "1",
}


def test_settings_are_in_force(host: Nouns, declared: Host) -> None:
    own_kernel = host.run("systemd-detect-virt --container").rc != 0
    for name, value in (NETWORK | (KERNEL if own_kernel else {})).items():
        assert host.check_output(f"sysctl -n {name}") == value, name
