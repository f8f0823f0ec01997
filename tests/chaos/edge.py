"""An edge that is offline twice and killed once, and its hub: all that it acknowledged is there, once, in order.

    python -m tests.chaos.edge --captures 50000
    python -m tests.chaos.edge --captures 50000 --kill-hub

Two ``natant run`` with a TCP proxy as the cable between them.  Writers send captures for agents of the hub to the edge, by HTTP
with an ``Idempotency-Key``, and send again what got no answer.  A tenth of the captures goes while the cable is whole, the rest while it is
cut; in the second cut the edge is killed with SIGKILL under load and started again.  ``--kill-hub`` kills the hub as well, while it
takes in what comes after the second cut.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.chaos.writer import Connection, Unanswered, request
from tests.support.cable import Cable
from tests.support.process import free_port

ROOT: Final = Path(__file__).resolve().parents[2]
PLANE: Final = Path(__file__).with_name("edge_plane.py")
WRITERS: Final = 16
START_WAIT_S: Final = 60.0
ARRIVE_WAIT_S: Final = 120.0
LOOK_S: Final = 0.05
RETRY_S: Final = 0.02


@dataclass
class Report:
    """What came of it.

    :ivar arrival_s: by cut: seconds from the mending of the cable until everything was at the hub.
    """

    captures: int = 0
    retries: int = 0
    offline_per_s: float = 0.0
    arrival_s: list[float] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


class Node:
    """``natant run``, as a hub or as an edge."""

    def __init__(self, data: Path, *words: str) -> None:
        self.port = free_port()
        self.data = data
        self._words = words
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as this object
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it, and wait until it is ready."""
        words = ["run", str(PLANE), "--port", str(self.port), "--data", str(self.data), "--json", *self._words]
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "natant.cli", *words, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=self._log
        )
        assert self._process.stdout is not None
        async with asyncio.timeout(START_WAIT_S):
            line = await self._process.stdout.readline()
        if not line:
            self._log.seek(0)
            raise AssertionError(f"{self._words} ended with {await self._process.wait()}:\n{self._log.read().decode()}")

    async def end(self, number: signal.Signals) -> None:
        """Send it a signal and wait for its end."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.send_signal(number)
            await process.wait()


class Writer:
    """Sends the captures of one sensor, one after the other."""

    def __init__(self, number: int, port: int) -> None:
        self._number = number
        self._connection = Connection(port)
        self.sent = 0
        self.retries = 0

    async def send(self, count: int) -> None:
        """Send so many more; returns when all are acknowledged."""
        for _ in range(count):
            body = json.dumps({"node": f"/depot/{self._number}", "lane": "take", "value": self.sent}).encode()
            headers = f"content-type: application/json\r\nidempotency-key: {self._number}-{self.sent}\r\n"
            while True:
                try:
                    status, answer = await self._connection.request("POST", "/natant/hub?lane=forward", body, headers)
                except Unanswered:
                    self.retries += 1
                    await asyncio.sleep(RETRY_S)
                    continue
                if status == 200:
                    break
                assert status == 503, f"{status} {answer.decode()}"
                self.retries += 1
                await asyncio.sleep(RETRY_S)
            self.sent += 1


async def _arrived(hub: Node, writers: Sequence[Writer]) -> None:
    """Wait until all that was sent is at the hub."""
    async with asyncio.timeout(ARRIVE_WAIT_S):
        for number, writer in enumerate(writers):
            while True:
                try:
                    if await request(hub.port, f"/depot/{number}?lane=count") == writer.sent:
                        break
                except Unanswered:  # it is down
                    pass
                await asyncio.sleep(LOOK_S)


@asynccontextmanager
async def _pair(folder: Path) -> AsyncIterator[tuple[Node, Node, Cable]]:
    leaf = free_port()
    hub = Node(folder / "hub", "--edges", str(leaf))
    await hub.start()
    try:
        async with Cable(leaf) as cable:
            words = ("edge", "add", "e1", "--data", str(hub.data), "--at", f"127.0.0.1:{cable.port}", "--json")
            adding = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "natant.cli",
                *words,
                cwd=ROOT,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
            url = json.loads((await adding.communicate())[0])["url"]
            edge = Node(folder / "edge", "--leaf", url)
            await edge.start()
            try:
                yield hub, edge, cable
            finally:
                await edge.end(signal.SIGKILL)
    finally:
        await hub.end(signal.SIGKILL)


async def run(captures: int, *, is_hub_killed: bool = False) -> Report:
    """Do it once."""
    report = Report(captures)
    share = captures // WRITERS
    with tempfile.TemporaryDirectory(prefix="natant-edge-") as folder:
        async with _pair(Path(folder)) as (hub, edge, cable):
            writers = [Writer(number, edge.port) for number in range(WRITERS)]

            async def send(part: float) -> float:
                begun_s = time.monotonic()
                await asyncio.gather(*(writer.send(int(share * part)) for writer in writers))
                return time.monotonic() - begun_s

            await send(0.1)
            await _arrived(hub, writers)

            await cable.cut()
            report.offline_per_s = WRITERS * int(share * 0.4) / await send(0.4)
            report.arrival_s.append(await _mend(hub, cable, writers))

            await cable.cut()
            under_load = asyncio.create_task(send(0.4))
            await asyncio.sleep(1.0)
            await edge.end(signal.SIGKILL)
            await edge.start()
            await under_load
            await asyncio.gather(*(writer.send(share - writer.sent) for writer in writers))
            killing = asyncio.create_task(_kill(hub)) if is_hub_killed else None
            report.arrival_s.append(await _mend(hub, cable, writers))
            if killing is not None:
                await killing
                await _arrived(hub, writers)
            report.retries = sum(writer.retries for writer in writers)
            for number, writer in enumerate(writers):
                count = await request(hub.port, f"/depot/{number}?lane=count")
                wrong = await request(hub.port, f"/depot/{number}?lane=wrong")
                if (count, wrong) != (share, 0) or writer.sent != share:
                    report.complaints.append(f"/depot/{number} has {count} of {writer.sent}, {wrong} out of order")
    return report


async def _mend(hub: Node, cable: Cable, writers: Sequence[Writer]) -> float:
    begun_s = time.monotonic()
    await cable.mend()
    await _arrived(hub, writers)
    return time.monotonic() - begun_s


async def _kill(hub: Node) -> None:
    """Kill the hub while it takes in, and start it again."""
    while await request(hub.port, "/depot/0?lane=wrong") is None:
        await asyncio.sleep(LOOK_S)
    await asyncio.sleep(1.2)
    await hub.end(signal.SIGKILL)
    await hub.start()


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--captures", type=int, default=50_000)
    parser.add_argument("--kill-hub", action="store_true")
    options = parser.parse_args()
    report = asyncio.run(run(options.captures, is_hub_killed=options.kill_hub))
    print(
        f"{report.captures} captures, {report.retries} sent again, {report.offline_per_s:.0f}/s acknowledged while offline; "
        f"all at the hub {' and '.join(f'{each:.2f} s' for each in report.arrival_s)} after the cable was mended"
    )
    for complaint in report.complaints:
        print(complaint)
    print("lost or repeated or out of order: " + ("none" if not report.complaints else str(len(report.complaints))))
    return 1 if report.complaints else 0


if __name__ == "__main__":
    sys.exit(main())
