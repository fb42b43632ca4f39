"""Apply to hosts with a site file and connection data of a test's own, and tell the outcomes as JSON.

deploy_with.py '[{"host": NAME, "site": FILE, "data": {...}}, ...]'
"""

from gevent import monkey

monkey.patch_all()

if __name__ == "__main__":
    import json
    import sys
    from dataclasses import asdict
    from pathlib import Path

    from inventories.hosts import HOSTS
    from postvakt.deployment import Deployment, Mode, run
    from postvakt.inventory import Host, select
    from postvakt.lab.lab import quiet
    from postvakt.target import LAB

    def deployment(part: dict[str, object]) -> Deployment:
        own = part["data"]
        assert isinstance(own, dict)

        def data(host: Host) -> dict[str, object]:
            return LAB.data(host) | own

        return Deployment(select(HOSTS, [str(part["host"])]), Path(str(part["site"])), data)

    outcomes = run([deployment(part) for part in json.loads(sys.argv[1])], Mode.APPLY, quiet)
    print(json.dumps([asdict(one) for one in outcomes]))
