from __future__ import annotations

import pytest
from testinfra.host import Host as Nouns

from postvakt.clauses import Recorder
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


@pytest.mark.clause("SEC-01")
def test_settings_are_in_force(host: Nouns, declared: Host, observe: Recorder) -> None:
    own_kernel = host.run("systemd-detect-virt --container").rc != 0
    wanted = NETWORK | (KERNEL if own_kernel else {})
    found = {name: host.check_output(f"sysctl -n {name}") for name in wanted}
    same = sum(found[name] == wanted[name] for name in wanted)
    observe(f"{len(wanted)} settings as declared", f"{same} of {len(wanted)}")
    assert found == wanted
