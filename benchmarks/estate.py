"""One stock Debian host that answers as many: an SSH daemon on many ports, each port a host of its own.

It stands in a lab of its own (``.lab-benchmarks``), so the machine's own network is not touched. A relay
in front of it adds the round-trip time that is asked for.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Interface, IPv6Interface
from pathlib import Path

from postvakt.lab.lab import Lab
from postvakt.lab.process import wait_for
from postvakt.lab.topology import Machine, Segment
from postvakt.target import ROOT

FOLDER = ".lab-benchmarks"
MACHINE = Machine(
    "bench",
    "bench.postvakt.example",
    IPv4Interface("198.51.100.10/24"),
    IPv6Interface("2001:db8:47::10/64"),
    Segment("br0", IPv4Interface("198.51.100.1/24"), IPv6Interface("2001:db8:47::1/64")),
)
DIRECT, RELAYED = 2200, 3200
"""The first port of the hosts themselves, and of the relay."""

SSHD = """MaxStartups 1000:1:1000
MaxSessions 100
PerSourcePenalties no
{ports}
"""


def names(count: int) -> list[str]:
    return [f"host{index}" for index in range(count)]


def the_lab() -> Lab:
    return Lab(ROOT, FOLDER, [MACHINE], str(MACHINE.segment.gateway4.ip), "lab")


def prepare(lab: Lab, hosts: int) -> None:
    """Boot the host and have it answer on a port for each of its names."""
    lab.up()
    ports = "\n".join(f"Port {port}" for port in (22, *range(DIRECT, DIRECT + hosts)))
    script = (
        "sudo sh -c 'cat > /etc/ssh/sshd_config.d/benchmarks.conf && systemctl disable --now --quiet "
        "ssh.socket 2>/dev/null; systemctl restart ssh'"
    )
    subprocess.run(lab.ssh("bench", [script]), input=SSHD.format(ports=ports), text=True, check=True)


def ssh_config(lab: Lab, hosts: int, rtt: float) -> Path:
    """The SSH configuration by which every contender reaches the hosts."""
    own = lab.keys.config.read_text()
    key = next(line.split()[1] for line in lab.keys.known_hosts.read_text().splitlines())
    public = next(line.split()[2] for line in lab.keys.known_hosts.read_text().splitlines())
    lines, known = [], []
    for index, name in enumerate(names(hosts)):
        where = "127.0.0.1" if rtt else str(MACHINE.ipv4.ip)
        port = (RELAYED if rtt else DIRECT) + index
        lines.append(f"Host {name}\n    HostName {where}\n    Port {port}\n    HostKeyAlias {name}\n")
        known.append(f"{name},[{where}]:{port} {key} {public}\n")
    common = own[own.index("Host *") :].replace(str(lab.keys.known_hosts), str(lab.state / "known"))
    (lab.state / "known").write_text("".join(known))
    path = lab.state / "ssh_config"
    path.write_text("".join(lines) + common)
    return path


async def _relay(seconds: float, listen: int, port: int) -> None:
    """Hand bytes on, each way half a round trip later, in order and without a limit on their rate."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def deliver() -> None:
            while True:
                due, data = await queue.get()
                await asyncio.sleep(max(0.0, due - loop.time()))
                if not data:
                    break
                writer.write(data)
                await writer.drain()
            writer.close()

        delivery = asyncio.create_task(deliver())
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 16):
                queue.put_nowait((loop.time() + seconds / 2, data))
        queue.put_nowait((loop.time() + seconds / 2, b""))
        with contextlib.suppress(OSError):
            await delivery

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A connection costs its own round trip before the first byte.
        await asyncio.sleep(seconds)
        to, back = None, None
        with contextlib.suppress(OSError):
            to, back = await asyncio.open_connection(str(MACHINE.ipv4.ip), port)
            await asyncio.gather(carry(reader, back), carry(to, writer))

    server = await asyncio.start_server(accept, "127.0.0.1", listen)
    async with server:
        await server.serve_forever()


async def _relays(seconds: float, hosts: int) -> None:
    await asyncio.gather(*(_relay(seconds, RELAYED + i, DIRECT + i) for i in range(hosts)))


@contextmanager
def relayed(lab: Lab, rtt: float, hosts: int) -> Iterator[None]:
    """The relays, for as long as they are needed; none for a round-trip time of nothing."""
    if not rtt:
        yield
        return
    argv = lab.inside([sys.executable, "-m", "benchmarks.estate", str(rtt), str(hosts)])
    child = subprocess.Popen(argv, cwd=ROOT)
    try:
        ready = lab.inside(["sh", "-c", f"ss -ltn | grep -q :{RELAYED + hosts - 1}"])
        assert wait_for(lambda: subprocess.run(ready, check=False).returncode == 0, 10)
        yield
    finally:
        child.terminate()
        child.wait()


if __name__ == "__main__":
    asyncio.run(_relays(float(sys.argv[1]), int(sys.argv[2])))
