"""Workers in processes of their own that stand on a NATS fabric, for tests that kill and stop them.

Run as a program this is such a worker: it reads one JSON command a line and answers each with one JSON line.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from types import TracebackType
from typing import Any, Final, Self

from natant.errors import NatantError
from natant.fabric.contract import Fabric, PartitionStore
from natant.fabric.nats.engine import Engine, EngineSpec
from natant.fabric.nats.fabric import NatsFabric
from natant.store.contract import PUT
from natant.testing.fabric_kit import barrier, commit
from tests.support.process import ROOT

__all__ = ["WorkerProcess", "vanished"]

#: time for a worker to answer
ANSWER_S: Final = 30.0


class WorkerProcess:
    """A worker that holds partitions.

    ::

        async with WorkerProcess(engine.remote) as worker:
            assert await worker.ask("claim", 3)
            worker.signal(signal.SIGKILL)
    """

    def __init__(self, spec: EngineSpec) -> None:
        self.worker = ""
        self._spec = {"plane": spec.plane, "url": spec.url, "partitions": spec.partitions}
        self._process: asyncio.subprocess.Process

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.support.fabric",
            json.dumps(self._spec),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=ROOT,
        )
        self.worker = await self._answer()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    async def ask(self, verb: str, *arguments: Any) -> Any:
        """Have it do something and answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([verb, *arguments]).encode() + b"\n")
        return await self._answer()

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    async def _answer(self) -> Any:
        assert self._process.stdout is not None
        async with asyncio.timeout(ANSWER_S):
            line = await self._process.stdout.readline()
        assert line, "the worker has ended"
        return json.loads(line)


async def vanished(fabric: Fabric, worker: str, limit_s: float = 20.0) -> float:
    """After how many seconds from now ``fabric`` does not see a worker any more."""
    begun, gone = time.perf_counter(), asyncio.Event()

    def look() -> None:
        if worker not in fabric.members:
            gone.set()

    fabric.on_change = look
    look()
    async with asyncio.timeout(limit_s):
        await gone.wait()
    return time.perf_counter() - begun


class _Worker:
    """What a worker does when asked."""

    def __init__(self, fabric: NatsFabric) -> None:
        self.fabric = fabric
        self.stores: dict[int, PartitionStore] = {}
        self.messages: list[tuple[str, str]] = []
        self.gaps: list[str] = []
        fabric.on_message = lambda worker, payload: self.messages.append((worker, payload.decode()))
        fabric.on_gap = self.gaps.append

    async def claim(self, *partitions: int) -> list[int]:
        won = await asyncio.gather(*map(self.fabric.claim, partitions))
        return [partition for partition, is_won in zip(partitions, won, strict=True) if is_won]

    async def open(self, *partitions: int) -> int:
        for partition in partitions:
            self.stores[partition] = await self.fabric.open_store(partition)
        return len(self.stores)

    async def commit(self, partition: int, key: str, value: str) -> str:
        return await _told(commit(self.stores[partition], [(PUT, key.encode(), value.encode())]))

    async def barrier(self, partition: int) -> str:
        return await _told(barrier(self.stores[partition]))

    async def view(self) -> dict[str, Any]:
        owners = [owner.worker if owner else None for owner in self.fabric.owners]
        return {"members": sorted(self.fabric.members), "owners": owners}

    async def heard(self) -> dict[str, Any]:
        return {"messages": self.messages, "gaps": self.gaps}

    async def send(self, worker: str, text: str) -> bool:
        self.fabric.send(worker, text.encode())
        return True

    async def cpu_s(self) -> float:
        return sum(os.times()[:2])

    async def leave(self) -> bool:
        await self.fabric.leave()
        return True

    async def close(self) -> bool:
        await self.fabric.close()
        return True


async def _told(work: Any) -> str:
    try:
        await work
    except NatantError as error:
        return error.code
    return "done"


async def main(spec: dict[str, Any]) -> None:
    """Be a worker until the input ends."""
    engine = await Engine.start(EngineSpec(**spec))
    fabric = NatsFabric(engine)
    worker = _Worker(fabric)
    await fabric.open({"pid": os.getpid()})
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    sys.stdout.write(json.dumps(fabric.worker) + "\n")
    sys.stdout.flush()
    while line := await lines.readline():
        verb, *arguments = json.loads(line)
        answer = await getattr(worker, verb)(*arguments)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(main(json.loads(sys.argv[1])))
