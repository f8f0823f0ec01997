"""A world of agents at work, driven by a seed, and what must be true of it at every crash and at the end.

* An order that was acknowledged was done once; one that was not, at most once, and once after it was sent again under its id.
* What all accounts hold, the outbox and the parked lanes together are what the source has brought: in the store, at every crash.
* What one agent gives another arrives once and in its order.
* Whoever is linked is shown nothing that the store does not hold, and in the end just what the lanes hold.
* A timer that was acknowledged fires once.
* What memory holds is what the store brings back.
* Nothing raises where nothing should.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from natant import Extant, Outcome, Record
from natant.codec import recon
from natant.errors import NatantError
from natant.host import Host
from natant.kernel import key
from natant.lane.base import to_value
from natant.testing import VirtualClock
from tests.simulation.cast import ACCOUNTS, FED, LONG, SCRIBBLES, Account, Mood, Order, make_plane
from tests.simulation.harness import Disk, Facade, SlowEnv, Watcher, stored_int

__all__ = ["World", "run"]

STEPS: Final = 60
#: lanes that come back as they were
DURABLE: Final = (
    "balance",
    "version",
    "done",
    "given",
    "taken",
    "wrong",
    "history",
    "newest",
    "notes",
    "row",
    "fired",
    "began",
    "ended",
    "once",
)
#: what a host answers that has done nothing
REFUSALS: Final = frozenset(("NT-TURN-007", "NT-TURN-008", "NT-TURN-009", "NT-STORE-005", "NT-STORE-006"))
#: what it answers where that cannot be known
UNKNOWN: Final = "NT-TURN-018"


@dataclass
class Asked:
    """One order and what became of it."""

    node: str
    lane: str
    order: Order
    acknowledged: int = 0
    codes: list[str] = field(default_factory=list)

    @property
    def fails(self) -> bool:
        """True where it can never be acknowledged."""
        return self.order.must_fail or self.lane == "hang"


class World:
    """One run.  ``say`` gets a line for each step, for whoever looks for the cause of a failure."""

    def __init__(self, seed: int, *, steps: int = STEPS, say: Callable[[str], object] = lambda line: None) -> None:
        self.random = Random(seed)
        self.seed = seed
        self.steps = steps
        self.say = say
        self.disk = Disk()
        self.mood = Mood()
        self.asked: list[Asked] = []
        self.tasks: set[asyncio.Task[None]] = set()
        self.raised: list[str] = []
        self.lives = 0
        self.now_s = 1_000_000.0
        #: nobody is linked, so agents are stopped when they are idle
        self.is_lonely = self.random.random() < 0.35
        self.watchers = [Watcher(self.disk, ACCOUNTS) for _ in range(2)]
        self.host: Host
        self.env: SlowEnv
        self.clock: VirtualClock
        self.facade: Facade

    # --- life of the host

    async def start(self) -> None:
        """A host on what the disk holds."""
        self.lives += 1
        self.env = SlowEnv(self.now_s, self.random.randrange(2**32))
        self.clock = VirtualClock(self.env)
        self.facade = Facade(self.disk)
        self.host = Host(make_plane(self.mood), store=self.facade, env=self.env)
        await self.host.start()

    def lose(self) -> None:
        """The process is killed: nothing of it reaches anybody any more."""
        self.facade.is_lost = self.env.is_dead = True
        self.now_s = self.env.time_s
        for watcher in self.watchers:
            watcher.lose()
        for task in self.tasks:
            task.cancel()
        self.tasks.clear()
        self._look_for_faults()
        self.host.kernel.shut()
        self.host.kernel.halt()
        for pump in self.host.pumps:
            pump.stop()

    async def crash(self) -> None:
        """Kill it and start another one; the disk must make sense in between."""
        self.lose()
        self.check_disk()
        await self.start()

    async def restart(self) -> None:
        """Stop it as SIGTERM does, and start another one."""
        for watcher in self.watchers:
            watcher.lose()
        await self._through_time(self.host.stop())
        self._look_for_faults()
        self.now_s = self.env.time_s
        self.check_disk()
        await self.start()

    async def _through_time(self, work: Coroutine[Any, Any, None]) -> None:
        """Wait for something that needs time to pass."""
        task = asyncio.ensure_future(work)
        for _ in range(100):
            await self.clock.settle()
            if task.done():
                break
            await self.clock.jump(1)
        await task

    def _look_for_faults(self) -> None:
        if self.host.counters.faults:
            self.raised.append(f"{self.host.counters.faults} faults in life {self.lives}")

    # --- clients

    def ask(self, asked: Asked, times: int = 1) -> None:
        """Send an order, under its own id each time."""
        for _ in range(times):
            task = asyncio.ensure_future(self._ask(asked, self.host))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def _ask(self, asked: Asked, host: Host) -> None:
        order = asked.order
        try:
            outcome: Outcome = await host.command(asked.node, asked.lane, to_value(order), command_id=order.name)
        except NatantError as error:
            asked.codes.append(error.code)
            return
        asked.acknowledged += 1
        assert isinstance(outcome, Outcome)
        held = stored_int(self.disk, asked.node, "done", recon.encode(order.name))
        assert held == 1, f"{order.name} was acknowledged, and the disk says that it was done {held} times"

    def new_order(self) -> Asked:
        """Something that a client may want."""
        random = self.random
        node = random.choice(ACCOUNTS)
        lane = random.choice(
            ("give", "give", "give_slowly", "give_slowly", "give_in_parts", "remind", "offend", "hang")
        )
        moves = [(random.choice(ACCOUNTS), random.randrange(1, 9)) for _ in range(random.randrange(5))]
        must_fail = lane.startswith("give") and random.random() < 0.15
        scribbles = [
            (random.choice(SCRIBBLES), random.randrange(6), random.randrange(6))
            for _ in range(random.choice((0, 0, 3, 12)))
        ]
        naps = random.choice((0, 2, LONG, LONG)) if lane == "give_in_parts" else random.randrange(6)
        order = Order(f"o{len(self.asked)}", moves, must_fail, naps, scribbles)
        if lane == "offend" and random.random() < 0.8:
            self.mood.refused.add(order.name)
        return self.add(node, lane, order)

    def add(self, node: str, lane: str, order: Order) -> Asked:
        """Remember an order."""
        asked = Asked(node, lane, order)
        self.asked.append(asked)
        return asked

    # --- steps

    async def step(self) -> None:
        """One thing happens."""
        actions: dict[str, int] = {
            "order": 12, "again": 4, "feed": 4, "turns": 8, "settle": 3, "jump": 3, "crash": 3, "restart": 1, "full": 1, "room": 3,
            "pause": 2, "resume": 2, "lose": 1, "connect": 3, "calm": 1, "retry": 2, "board": 1, "burst": 2, "gate": 1, "hurry": 1,
        }  # fmt: skip
        name = self.random.choices(list(actions), list(actions.values()))[0]
        self.say(f"{name} (at {self.env.time_s:g} s, commit {self.disk.commits})")
        result = getattr(self, f"do_{name}")()
        if result is not None:
            await result

    def do_order(self) -> None:
        self.ask(self.new_order(), self.random.choice((1, 1, 1, 2)))

    def do_again(self) -> None:
        if self.asked:
            self.ask(self.random.choice(self.asked))

    async def do_burst(self) -> None:
        """Several agents want something of one that is busy, and it has work of its own."""
        target = self.random.choice(ACCOUNTS)
        for number in range(self.random.randrange(3, 10)):
            node = target if number % 3 == 2 else self.random.choice(ACCOUNTS)
            order = Order(f"o{len(self.asked)}", [(target, 1)] * self.random.randrange(1, 3))
            self.ask(self.add(node, "give", order))
            if self.random.random() < 0.2:
                self.retry_parked(target)
            if self.random.random() < 0.4:
                await asyncio.sleep(0)

    async def do_hurry(self) -> None:
        """Do parked work again on an agent that is busy, and crash while that is under way."""
        for node in ACCOUNTS:
            self.ask(self.add(node, "give_slowly", Order(f"o{len(self.asked)}", naps=2)))
            await asyncio.sleep(0)
            if self.retry_parked(node):
                self.ask(self.add(node, "give_slowly", Order(f"o{len(self.asked)}", naps=2)))
                for _ in range(self.random.randrange(8, 20)):
                    await asyncio.sleep(0)
                await self.crash()
                return

    def do_gate(self) -> None:
        self.mood.gate.set()
        self.mood.gate = asyncio.Event()

    def do_feed(self) -> None:
        self.mood.feed += self.random.randrange(1, 20)
        self.mood.is_fed.set()

    async def do_turns(self) -> None:
        for _ in range(self.random.randrange(1, 8)):
            await asyncio.sleep(0)

    async def do_settle(self) -> None:
        await self.clock.settle()

    async def do_jump(self) -> None:
        await self.clock.jump(self.random.choice((0.5, 5.0, 40.0, 100.0)))

    async def do_crash(self) -> None:
        await self.crash()

    async def do_restart(self) -> None:
        await self.restart()

    def do_full(self) -> None:
        self.disk.is_full = True

    def do_room(self) -> None:
        self.disk.is_full = False

    def do_pause(self) -> None:
        self.random.choice(self.watchers).is_paused = True

    def do_resume(self) -> None:
        self.random.choice(self.watchers).resume()

    def do_lose(self) -> None:
        self.random.choice(self.watchers).lose()

    def do_connect(self) -> None:
        if self.is_lonely:
            return
        self.random.choice(self.watchers).connect(self.host)

    def do_calm(self) -> None:
        self.mood.refused.clear()

    def do_retry(self) -> None:
        self.retry_parked(self.random.choice(ACCOUNTS))

    def do_board(self) -> None:
        kernel = self.host.kernel
        if self.is_lonely:
            return
        board = kernel.require("/board/1")
        if self.random.random() < 0.7:
            kernel.command(board, board._schema.lanes["watch"], Extant)
        else:
            kernel.command(board, board._schema.lanes["leave"], self.random.choice(ACCOUNTS))

    def retry_parked(self, node: str) -> int:
        """Do again what an agent has parked of what others gave it; returns how much that is."""
        kernel = self.host.kernel
        cell: Any = kernel.require(node)
        names = [
            name for name, entry in cell._lane("parked").state(cell).items() if entry.get("name") in ("take", "grudge")
        ]
        for name in names:
            kernel.command(cell, cell._schema.lanes["parked.retry"], name)
        return len(names)

    # --- what must be true

    def check_disk(self) -> None:
        """Nothing is lost and nothing is there twice, in what would be found after a power cut at this moment."""
        held = sum(stored_int(self.disk, node, "balance") for node in ACCOUNTS)
        for _, sent in self.disk.scan(key.OUTBOX):
            held += _amount(recon.decode(sent).get("body"))
        for node in ACCOUNTS:
            for sub, record in self.disk.scan(key.lane_prefix(node, "parked")):
                if not sub.endswith(b"\0lost"):
                    entry: Any = recon.decode(record[9:])
                    if entry.get("name") in ("take", "grudge"):
                        held += _amount(entry.get("input"))
        text = self.disk.get(key.source_key("feed"))
        position = 0 if text is None else recon.decode(text)
        assert held == FED * position, f"the disk holds {held}, the source has brought {FED * position}"
        for asked in self.asked:
            done = stored_int(self.disk, asked.node, "done", recon.encode(asked.order.name))
            assert done <= 1, f"{asked.order.name} was done {done} times"
            assert done or not asked.acknowledged, f"{asked.order.name} was acknowledged and is gone"

    async def heal(self) -> None:
        """Let all that was under way come to its end."""
        self.disk.is_full = False
        self.mood.refused.clear()
        self.mood.gate.set()
        await self.clock.jump(100)
        for asked in self.asked:
            if not asked.acknowledged and not asked.fails:
                self.ask(asked)
                await self.clock.settle()
        for _ in range(20):
            await self.clock.jump(10)
            if not sum(self.retry_parked(node) for node in ACCOUNTS):
                break
        for watcher in self.watchers:
            watcher.connect(self.host)
            watcher.resume()
        await self.clock.jump(100)

    async def check_end(self) -> None:
        """Everything that was asked for has happened, and everybody sees it."""
        for asked in self.asked:
            self._check_order(asked)
        for node in ACCOUNTS:
            cell: Any = self.host.kernel.require(node)
            assert isinstance(cell, Account)
            assert list(cell.wrong) == [], f"{node} got {list(cell.wrong)}"
            assert cell.ended <= cell.began
            assert cell.once <= 1
            assert list(cell.history) == list(cell.history)[-5:]
            assert len(cell.newest) <= 4
        assert not self.tasks, f"{len(self.tasks)} commands were never answered"
        assert [*self.disk.scan(key.OUTBOX)] == []
        self.check_disk()
        self._check_views()
        for watcher in self.watchers:
            assert watcher.ahead == []
        before = await self._all_lanes()
        await self.crash()
        assert await self._all_lanes() == before, "memory held something else than the store"
        self._look_for_faults()
        assert self.raised == []

    def _check_order(self, asked: Asked) -> None:
        order = asked.order
        done = stored_int(self.disk, asked.node, "done", recon.encode(order.name))
        codes = set(asked.codes)
        what = f"{asked.lane} {order.name} of {asked.node}: done {done}, acknowledged {asked.acknowledged}, {sorted(codes)}"
        if asked.lane == "hang" or (order.must_fail and asked.lane != "give_in_parts"):
            assert not asked.acknowledged, what
            assert done == 0, what
        elif order.must_fail:
            assert not asked.acknowledged, what
        elif "NT-TURN-016" in codes:
            assert asked.lane == "give_in_parts", what
            assert done == 1, what
        else:
            assert asked.acknowledged, what
            assert done == 1, what
            if asked.lane == "remind":
                fired = stored_int(self.disk, asked.node, "fired", recon.encode(order.name))
                assert fired == 1, f"{what}, fired {fired}"
        assert codes <= REFUSALS | {UNKNOWN, "NT-TURN-001", "NT-TURN-004", "NT-TURN-016"}, what

    def _check_views(self) -> None:
        board: Any = self.host.kernel.require("/board/1")
        first: Any = self.host.kernel.require(ACCOUNTS[0])
        assert board.copied == first.version
        if board.all_done.origins:
            assert dict(board.all_done) == dict(first.newest)
        assert set(board.balances) == set(board.balances.origins)
        for node, balance in board.balances.items():
            shown: Any = self.host.kernel.require(node)
            assert balance == shown.balance, f"the board shows {balance} of {node}, which has {shown.balance}"
        for watcher in self.watchers:
            for node in ACCOUNTS:
                cell: Any = self.host.kernel.require(node)
                assert watcher.values[node].get() == cell.balance, node
                assert watcher.versions[node].get() == cell.version, node
                assert dict(watcher.done[node]) == dict(cell.done), node
                assert dict(watcher.newest[node]) == dict(cell.newest), node
                assert dict(watcher.notes[node]) == watcher.plain[node] == dict(cell.notes), node
                assert list(watcher.history[node]) == list(cell.history), node
                assert list(watcher.row[node]) == list(cell.row), node
            assert dict(watcher.board) == dict(board.balances)

    async def _all_lanes(self) -> dict[tuple[str, str], Any]:
        held: dict[tuple[str, str], Any] = {
            (node, lane): await self.host.read(node, lane) for node in ACCOUNTS for lane in (*DURABLE, "parked")
        }
        for node in ACCOUNTS:
            cell: Any = self.host.kernel.require(node)
            held[node, "order of newest"] = list(cell.newest.stamp)
            held[node, "lost"] = [cell.notes.has_lost, cell.row.has_lost]
        return held


def _amount(move: Any) -> int:
    amount = move.get("amount") if isinstance(move, Record) else None
    return amount if isinstance(amount, int) else 0


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    logger = logging.getLogger("natant")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)


async def run(seed: int, *, steps: int = STEPS, say: Callable[[str], object] = lambda line: None) -> World:
    """Run one world from its seed to its end.

    :raises AssertionError: where something is not true that must be.
    """
    world = World(seed, steps=steps, say=say)
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: world.raised.append(repr(context)))
    with _quiet():
        await world.start()
        try:
            for _ in range(world.steps):
                await world.step()
            say("heal")
            await world.heal()
            await world.check_end()
        finally:
            world.lose()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
    return world
