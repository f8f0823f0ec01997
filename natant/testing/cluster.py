"""A plane on several workers in memory, for tests: real turns, real hand-overs, virtual time, faults at will.

async with natant.testing.cluster(app, workers=2) as c:
    await c.command("/counter/1", "add", 5)
    c.kill(c.workers[0])
    await c.clock.jump(5)
    assert await c.get("/counter/1", "count") == 5
"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any

from natant.cluster.peer import GateSession
from natant.cluster.worker import Worker
from natant.codec.recon.value import Absent
from natant.errors import FabricError
from natant.host import Attachment
from natant.kernel.turn import Outcome
from natant.lane.base import to_value
from natant.plane import Plane
from natant.testing.clock import VirtualClock, VirtualEnv
from natant.testing.fabric import SimulatedGround
from natant.testing.plane import Peer

__all__ = ["TestCluster", "cluster"]


class TestCluster:
    """A plane on several workers; made by :func:`cluster`.

    :ivar workers: those that were started and neither killed nor stopped.
    :ivar ground: the faults; see :class:`natant.testing.fabric.SimulatedGround`.
    """

    __test__ = False

    def __init__(
        self, app: Plane, workers: int, partitions: int, seed: int, latency_s: float, attachments: Sequence[Attachment]
    ) -> None:
        self.app = app
        self.env = VirtualEnv(1_000_000_000.0, seed)
        self.clock = VirtualClock(self.env)
        self.ground = SimulatedGround(self.env, partitions=partitions, latency_s=latency_s, seed=seed)
        self.workers: list[Worker] = []
        self._first = workers
        self._attachments = attachments

    async def __aenter__(self) -> TestCluster:
        for _ in range(self._first):
            await self.add()
        await self.settle()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in list(self.workers):
            if kind is None:
                await self.stop(worker)
            else:
                self.kill(worker)

    async def add(self) -> Worker:
        """Start one more worker."""
        fabric = self.ground.worker()
        worker = Worker(self.app, fabric=fabric, env=fabric.env, attachments=self._attachments)
        self.workers.append(worker)
        await self._await(worker.start())
        return worker

    async def stop(self, worker: Worker) -> None:
        """Stop a worker as SIGTERM would."""
        self.workers.remove(worker)
        await self._await(worker.stop())

    def kill(self, worker: Worker) -> None:
        """End a worker as SIGKILL would."""
        self.workers.remove(worker)
        self.ground.kill(worker.fabric.worker)

    def pause(self, worker: Worker) -> None:
        """Hold a worker up as SIGSTOP would."""
        self.ground.pause(worker.fabric.worker)

    def resume(self, worker: Worker) -> None:
        """Let it go on, as SIGCONT would."""
        self.ground.resume(worker.fabric.worker)

    async def settle(self, limit_s: float = 60.0) -> None:
        """Turn the clock until every partition works somewhere.

        :raises FabricError: ``NT-FABRIC-304`` where that takes longer than ``limit_s``.
        """
        until_s = self.env.now() + limit_s
        while True:
            await self.clock.settle()
            held = [p for worker in self.workers for p in worker.hosts]
            if sorted(held) == list(range(len(self.ground.owners))):
                return
            if self.env.now() >= until_s:
                raise FabricError("NT-FABRIC-304", f"after {limit_s:g} s only {len(set(held))} partitions are at work")
            await self.clock.jump(0.05)

    async def _await(self, work: Any) -> Any:
        """Wait for ``work`` while the clock turns."""
        job = self.env.spawn(work)
        await self.clock.settle()
        while not job.done():
            await self.clock.jump(0.05)
        return job.result()

    async def command(
        self, node: str, lane: str, value: Any = None, *, command_id: str | None = None, through: int = 0
    ) -> Outcome:
        """Command a lane through one of the workers and wait for the commit.

        :raises NatantError: where it was refused or failed.
        """
        worker = self.workers[through]
        outcome: Outcome = await self._await(worker.command(node, lane, to_value(value), command_id=command_id))
        return outcome

    async def get(self, node: str, lane: str, *, fresh: bool = False, through: int = 0) -> Any:
        """The state of a lane: a typed value, a dict or a list."""
        worker = self.workers[through]
        declared = worker.lane(node, lane)
        value: Any = await self._await(worker.read(node, lane, fresh=fresh))
        forms = declared.types()
        form = forms["value"]
        if "key" in forms:
            return {forms["key"].decode(slot.key): form.decode(slot.value) for slot in value.items}
        if declared.kind == "list":
            return [form.decode(item) for item in value.items]
        return None if value is Absent else form.decode(value)

    def connect(self, through: int = 0, remote: str = "test") -> Peer[GateSession]:
        """A client of one of the workers."""
        return Peer(self.workers[through], remote)

    def owner(self, node: str) -> Worker | None:
        """The worker that has ``node``, None where it is on its way."""
        for worker in self.workers:
            if worker.gate.partition(node) in worker.hosts:
                return worker
        return None


def cluster(
    app: Plane,
    *,
    workers: int = 2,
    partitions: int = 8,
    seed: int = 0,
    latency_s: float = 0.0,
    attachments: Sequence[Attachment] = (),
) -> TestCluster:
    """A context manager that runs ``app`` on several workers in memory under a virtual clock.

    :param latency_s: how long a message, a commit or a claim takes.
    :param seed: of all randomness.
    """
    return TestCluster(app, workers, partitions, seed, latency_s, attachments)
