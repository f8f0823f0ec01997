"""A fabric in memory, under a virtual clock: clusters whose workers a test kills, pauses and cuts off.

    ground = SimulatedGround(env, partitions=8)
    one, two = ground.worker(), ground.worker()
    await one.open({})
    await two.open({})
    ...
    ground.kill(one.worker)
    await clock.jump(1)      # noticed, and two may claim what one had

Each fabric has an environment of its own, ``fabric.env``, for the hosts of its worker: a worker that is killed runs nothing any more, one
that is paused runs what it missed once it is resumed.  Journals are fenced as the real ones are: whoever opened a partition last commits
to it, everybody before is deposed.  A commit under way when its worker is killed is durable or not, by chance.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from itertools import count
from random import Random
from typing import Any, Final

from natant.errors import FabricError
from natant.fabric.assign import assign
from natant.fabric.contract import Member, Owner, PartitionStore, deposed
from natant.fabric.mesh import Mesh
from natant.store.contract import PUT, Operation
from natant.store.memory import MemoryStore
from natant.testing.clock import VirtualEnv

__all__ = ["MemoryFabric", "MemoryPartitionStore", "SimulatedGround", "WorkerEnv"]

#: how long after its death or its last sign of life a worker ceases to be a member
DEAD_AFTER_S: Final = 0.5
SILENT_AFTER_S: Final = 2.5
#: how often unconfirmed messages are asked for
TICK_S: Final = 0.25


class WorkerEnv:
    """The environment of one worker: the shared virtual clock, and callbacks that end with the worker.

    What a coroutine does between two awaits cannot be held up, so a paused worker's coroutines go on until they wait for a callback.
    """

    def __init__(self, env: VirtualEnv, seed: int) -> None:
        self.random = Random(seed)
        self.jump_hooks: list[Callable[[], None]] = []
        self.is_dead = False
        self.is_paused = False
        self._env = env
        self._held: list[tuple[Callable[..., object], tuple[Any, ...]]] = []
        self._jobs: set[asyncio.Task[Any]] = set()

    def now(self) -> float:
        """The virtual time in seconds since 1970-01-01 UTC."""
        return self._env.now()

    def call_soon(self, function: Callable[..., object], *args: Any) -> object:
        """Call in the next turn of the loop."""
        return self._env.call_soon(self._run, function, args)

    def call_threadsafe(self, function: Callable[..., object], *args: Any) -> object:
        """As :meth:`call_soon`."""
        return self._env.call_threadsafe(self._run, function, args)

    def call_at(self, when_s: float, function: Callable[..., object], *args: Any) -> Any:
        """Call when the clock has been turned to ``when_s``."""
        return self._env.call_at(when_s, self._run, function, args)

    def spawn(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine on the loop."""
        job = self._env.spawn(work)
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)
        return job

    def current(self) -> Any:
        """The task that runs now."""
        return self._env.current()

    def future(self) -> Any:
        """A new future of the loop."""
        return self._env.future()

    async def run_blocking(self, function: Callable[..., Any], *args: Any) -> Any:
        """Run in a thread."""
        return await self._env.run_blocking(function, *args)

    def write(self, function: Callable[[], None], done: Callable[[BaseException | None], None]) -> None:
        """Run now, tell in the next turn of the loop."""
        self._env.write(function, lambda error: self._run(done, (error,)))

    def pause(self) -> None:
        """Hold all callbacks."""
        self.is_paused = True

    def resume(self) -> None:
        """Run what was held, in its order, then go on."""
        self.is_paused = False
        held, self._held = self._held, []
        for function, args in held:
            self.call_soon(function, *args)

    def kill(self) -> None:
        """Run nothing any more."""
        self.is_dead = True
        self._held.clear()
        for job in list(self._jobs):
            job.cancel()

    def _run(self, function: Callable[..., object], args: tuple[Any, ...]) -> None:
        if self.is_paused:
            self._held.append((function, args))
        elif not self.is_dead:
            function(*args)


class _Journal:
    """What the ground holds of one partition."""

    def __init__(self) -> None:
        self.epoch = 0
        self.state = MemoryStore()
        self.commits = 0


class MemoryPartitionStore:
    """A partition's state as its owner sees it; :class:`natant.fabric.contract.PartitionStore` says the rest."""

    is_durable = True

    def __init__(self, fabric: MemoryFabric, partition: int, journal: _Journal) -> None:
        journal.epoch += 1
        self.partition = partition
        self.epoch = journal.epoch
        self._fabric = fabric
        self._journal = journal
        self._seen = MemoryStore()
        self._seen.apply([(PUT, key, value) for key, value in journal.state.scan(b"")])
        self._is_busy = False
        self._is_closed = False

    def get(self, key: bytes) -> bytes | None:
        """The value of ``key``."""
        return self._seen.get(key)

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """All pairs whose key starts with ``prefix``."""
        return self._seen.scan(prefix)

    def commit(self, batch: Sequence[Operation], done: Callable[[BaseException | None], None]) -> None:
        """Begin to make ``batch`` true."""
        assert not self._is_busy, f"two commits at a time to partition {self.partition}"
        self._is_busy = True
        batch = list(batch)

        def told(error: BaseException | None) -> None:
            self._is_busy = False
            if self._is_closed:
                return
            if error is None:
                self._seen.apply(batch)
            done(error)

        self._fabric._reach(self._append, batch, told)

    def barrier(self, done: Callable[[BaseException | None], None]) -> None:
        """Find out whether the partition is still ours."""
        self._fabric._reach(self._append, None, lambda error: None if self._is_closed else done(error))

    def close(self) -> None:
        """Let go; what was appended stays."""
        if not self._is_closed:
            self._is_closed = True
            self._seen.close()

    def _append(self, batch: list[Operation] | None) -> FabricError | None:
        """What the journal does and answers; runs at the ground."""
        if self._journal.epoch != self.epoch:
            return deposed(self.partition)
        if batch is not None:
            self._journal.state.apply(batch)
            self._journal.commits += 1
        return None


class SimulatedGround:
    """What stands for the servers: the tables, the journals, the wires; and the faults.

    :param latency_s: how long a message, a commit or a claim takes; nothing takes time where it is 0.
    """

    def __init__(self, env: VirtualEnv, *, partitions: int = 64, latency_s: float = 0.0, seed: int = 0) -> None:
        self.env = env
        self.latency_s = latency_s
        self.random = Random(seed)
        self.fabrics: dict[str, MemoryFabric] = {}
        self.members: dict[str, Member] = {}
        self.owners: list[Owner | None] = [None] * partitions
        self.claims = count(1)
        self.journals = [_Journal() for _ in range(partitions)]
        self._cuts: set[frozenset[str]] = set()
        self._losses: dict[tuple[str, str], int] = {}

    def worker(self) -> MemoryFabric:
        """The fabric of a new worker; it is no member before it is opened."""
        number = len(self.fabrics) + 1
        fabric = MemoryFabric(self, f"w{number}", self.random.randrange(2**32))
        self.fabrics[fabric.worker] = fabric
        return fabric

    def kill(self, worker: str) -> None:
        """End a worker as SIGKILL would; the others notice ``DEAD_AFTER_S`` later."""
        self.fabrics[worker].env.kill()
        self._suspect(worker, DEAD_AFTER_S)

    def pause(self, worker: str) -> None:
        """Hold a worker up as SIGSTOP would; the others take it for dead ``SILENT_AFTER_S`` later."""
        self.fabrics[worker].env.pause()
        self._suspect(worker, SILENT_AFTER_S)

    def resume(self, worker: str) -> None:
        """Let it go on, as SIGCONT would; it does not know how long it was away."""
        fabric = self.fabrics[worker]
        fabric.env.resume()
        fabric._return()

    def isolate(self, worker: str) -> None:
        """Cut a worker off from everything: its commits and claims wait, its messages are lost, its view stands still."""
        self.fabrics[worker].is_isolated = True
        self._suspect(worker, DEAD_AFTER_S)

    def rejoin(self, worker: str) -> None:
        """End :meth:`isolate`."""
        fabric = self.fabrics[worker]
        fabric.is_isolated = False
        waiting, fabric._waiting = fabric._waiting, []
        for work, argument, done in waiting:
            fabric._reach(work, argument, done)
        fabric._return()

    def cut(self, one: str, other: str) -> None:
        """Lose every message between two workers."""
        self._cuts.add(frozenset((one, other)))

    def mend(self, one: str, other: str) -> None:
        """End :meth:`cut`."""
        self._cuts.discard(frozenset((one, other)))

    def lose(self, sender: str, receiver: str, count: int = 1) -> None:
        """Lose the next ``count`` frames from one worker to another."""
        self._losses[sender, receiver] = self._losses.get((sender, receiver), 0) + count

    def content(self, partition: int) -> dict[bytes, bytes]:
        """What a partition durably holds."""
        return dict(self.journals[partition].state.scan(b""))

    def _later(self, function: Callable[..., object], *args: Any, after_s: float = 0.0) -> None:
        after_s = after_s or self.latency_s
        if after_s:
            self.env.call_at(self.env.now() + after_s, function, *args)
        else:
            self.env.call_soon(function, *args)

    def _carry(self, sender: str, receiver: str, frame: bytes) -> None:
        one, other = self.fabrics[sender], self.fabrics.get(receiver)
        if other is None or one.is_isolated or one.env.is_dead or not other.is_open:
            return
        if frozenset((sender, receiver)) in self._cuts:
            return
        if (left := self._losses.get((sender, receiver), 0)) > 0:
            self._losses[sender, receiver] = left - 1
            return
        self._later(other._arrive, frame)

    def _suspect(self, worker: str, after_s: float) -> None:
        fabric = self.fabrics[worker]
        fabric._suspicion += 1
        self._later(self._judge, fabric, fabric._suspicion, after_s=after_s)

    def _judge(self, fabric: MemoryFabric, suspicion: int) -> None:
        is_away = fabric.env.is_dead or fabric.env.is_paused or fabric.is_isolated
        if is_away and fabric._suspicion == suspicion:
            self._remove(fabric.worker)

    def _remove(self, worker: str) -> None:
        if self.members.pop(worker, None) is not None:
            self._tell()

    def _tell(self) -> None:
        for fabric in self.fabrics.values():
            self._later(fabric._look)


class MemoryFabric:
    """One worker's fabric on a :class:`SimulatedGround`; :class:`natant.fabric.contract.Fabric` says the rest.

    :ivar env: the environment of this worker.
    """

    def __init__(self, ground: SimulatedGround, worker: str, seed: int) -> None:
        self.worker = worker
        self.env = WorkerEnv(ground.env, seed)
        self.is_open = False
        self.is_isolated = False
        self.members: Mapping[str, Member] = {}
        self.owners: Sequence[Owner | None] = [None] * len(ground.owners)
        self.on_change: Callable[[], None] = lambda: None
        self.on_message: Callable[[str, bytes], None] = lambda worker, payload: None
        self.on_gap: Callable[[str], None] = lambda worker: None
        self.mesh = Mesh(worker, self._send, self._heard, self._missed)
        self._ground = ground
        self._member = Member(worker)
        self._waiting: list[tuple[Callable[[Any], Any], Any, Callable[[Any], None]]] = []
        self._suspicion = 0
        self._is_ticking = False

    async def open(self, info: Mapping[str, Any]) -> None:
        """Become a member."""
        self._member = Member(self.worker, dict(info))
        self.is_open = True
        await self._ask(self._enter, self._member)

    async def leave(self) -> None:
        """Be assigned nothing more."""
        self._member = Member(self.worker, self._member.info, is_leaving=True)
        await self._ask(self._enter, self._member)

    async def close(self) -> None:
        """Cease to be a member."""
        if not self.is_open:
            return
        await self._ask(self._exit, None)
        self.is_open = False

    def send(self, worker: str, payload: bytes) -> None:
        """Send to a worker, at most once."""
        if self.is_open:
            self.mesh.send(worker, payload)
            self._tick_later()

    async def open_store(self, partition: int) -> PartitionStore:
        """Take a partition's journal over."""
        store: PartitionStore = await self._ask(
            lambda _: MemoryPartitionStore(self, partition, self._ground.journals[partition]), None
        )
        return store

    async def claim(self, partition: int) -> bool:
        """Enter ourselves as owner."""
        return bool(await self._ask(self._claim, partition))

    async def release(self, partition: int) -> None:
        """Take ourselves out of the table of owners."""
        await self._ask(self._release, partition)

    def counts(self) -> dict[str, int]:
        """What metrics show."""
        return {"verdicts": 0, "gaps": self.mesh.gaps}

    def wanted(self) -> list[int]:
        """The partitions we should own."""
        staying = [name for name, member in self.members.items() if not member.is_leaving]
        owners = [owner.worker if owner else None for owner in self.owners]
        return assign(staying, owners).get(self.worker, [])

    async def _ask(self, work: Callable[[Any], Any], argument: Any) -> Any:
        answer = self.env.future()

        def told(result: Any) -> None:
            if not answer.done():
                self._look()
                answer.set_result(result)

        self._reach(work, argument, told)
        return await answer

    def _reach(self, work: Callable[[Any], Any], argument: Any, done: Callable[[Any], None]) -> None:
        """Have the ground do ``work(argument)``, then ``done(result)`` here; waits while we are cut off."""
        if self.is_isolated:
            self._waiting.append((work, argument, done))
            return

        def arrive() -> None:
            if self.env.is_dead and self._ground.random.random() < 0.5:
                return
            self._ground._later(self.env._run, done, (work(argument),))

        if not self.env.is_dead:
            self._ground._later(arrive)

    def _enter(self, member: Member) -> None:
        self._ground.members[self.worker] = member
        self._ground._tell()

    def _exit(self, nothing: None) -> None:
        owners = self._ground.owners
        for partition, owner in enumerate(owners):
            if owner is not None and owner.worker == self.worker:
                owners[partition] = None
        self._ground._remove(self.worker)

    def _claim(self, partition: int) -> bool:
        owner = self._ground.owners[partition]
        if owner is not None and owner.worker == self.worker:
            return True
        if owner is not None and owner.worker in self._ground.members:
            return False
        self._ground.owners[partition] = Owner(self.worker, next(self._ground.claims))
        self._ground._tell()
        return True

    def _release(self, partition: int) -> None:
        owner = self._ground.owners[partition]
        if owner is not None and owner.worker == self.worker:
            self._ground.owners[partition] = None
            self._ground._tell()

    def _return(self) -> None:
        """We were away: be a member again where the others took us for dead."""
        if self.is_open and self.worker not in self._ground.members:
            self._reach(self._enter, self._member, lambda _: self._look())
        self._ground._later(self._look)

    def _heard(self, worker: str, payload: bytes) -> None:
        self.on_message(worker, payload)

    def _missed(self, worker: str) -> None:
        self.on_gap(worker)

    def _send(self, worker: str, frame: bytes) -> None:
        self._ground._carry(self.worker, worker, frame)

    def _arrive(self, frame: bytes) -> None:
        if not self.is_isolated:
            self.env._run(self._take, (frame,))

    def _take(self, frame: bytes) -> None:
        if self.is_open:
            self.mesh.receive(frame)
            self._tick_later()

    def _tick_later(self) -> None:
        if not self._is_ticking:
            self._is_ticking = True
            self.env.call_at(self.env.now() + TICK_S, self._tick)

    def _tick(self) -> None:
        self._is_ticking = False
        if self.is_open:
            self.mesh.tick()
            if self.mesh.is_waiting:
                self._tick_later()

    def _look(self) -> None:
        """Take the ground's tables over, as far as we can see them; who was paused sees the present ones, not what was between."""
        if self.is_open and not self.is_isolated and not self.env.is_paused:
            self.env._run(self._see, (dict(self._ground.members), list(self._ground.owners)))

    def _see(self, members: dict[str, Member], owners: list[Owner | None]) -> None:
        # What nobody claimed while the others took us for dead is still ours.
        members[self.worker] = self._member
        owners = [owner if owner and owner.worker in members else None for owner in owners]
        if members == self.members and owners == self.owners:
            return
        gone, come = self.members.keys() - members.keys(), members.keys() - self.members.keys()
        self.members, self.owners = members, owners
        for worker in sorted(come):
            self.mesh.admit(worker)
        for worker in sorted(gone):
            self.mesh.drop(worker)
        if self.mesh.is_waiting:
            self._tick_later()
        self.on_change()
