"""The contender that is ours: apply files to hosts as ``./postvakt apply`` does.

ours.py SSH_CONFIG KNOWN_HOSTS HOSTS FILES
"""

from gevent import monkey

monkey.patch_all()

if __name__ == "__main__":
    import sys
    from pathlib import Path

    from benchmarks.estate import names
    from deploy.connection import CONNECT
    from inventories.estate import ESTATE
    from inventories.norway.hosts import OSLO
    from postvakt.deployment import Deployment, Mode, run
    from postvakt.inventory import DataSet, Host, Kind, host
    from postvakt.lab.lab import quiet

    config, known, count, files = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]

    def declared(name: str, index: int) -> Host:
        made = host(
            name,
            kind=Kind.WEB,
            site=OSLO,
            estate=ESTATE,
            ipv4=f"198.51.{100 + index // 200}.{index % 200 + 20}/16",
            ipv6=f"2001:db8:47::{index + 20:x}/64",
            holds=[DataSet.WEB_UPLOADS],
            team="benchmarks",
        )
        found: Host = made[1]["declared"]
        return found

    data = {
        "ssh_config_file": config,
        "ssh_known_hosts_file": known,
        "ssh_strict_host_key_checking": "yes",
        "ssh_paramiko_connect_kwargs": CONNECT,
        "files": files,
    }
    hosts = tuple(declared(name, index) for index, name in enumerate(names(count)))
    site = Path(__file__).with_name("site.py")
    # An inventory's host is reached under its full name; these are known by their short ones.
    outcomes = run(
        [Deployment(hosts, site, lambda one: data | {"ssh_hostname": one.name})], Mode.APPLY, quiet
    )
    for one in outcomes:
        if one.error:
            sys.exit(f"{one.host}: {one.error}")
    print(sum(len(one.changed) for one in outcomes), "changed")
