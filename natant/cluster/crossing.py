"""Commands between partitions: each has its effect once, in the order in which its partition sent them.

The sending partition keeps a command in its outbox, durable with the turn that sent it, until the receiving one has said that it is
durable there.  Commands go out in the order of their numbers, each message saying which number came before; the receiver takes a
message only where it has everything up to that number, and what it has had it takes no second time.  How far it got is journaled in
the very group that holds the effects (or the receiver's own outbox records), as the position of a source is.

So whoever dies, and however often messages are lost or come again: nothing is lost and nothing is done twice.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from natant.cluster.message import CROSS, CROSSED
from natant.codec import recon
from natant.codec.recon.value import Extant, Record
from natant.kernel import key
from natant.kernel.outbox import Outbox
from natant.kernel.turn import Send

if TYPE_CHECKING:
    from natant.cluster.trunk import Trunk
    from natant.kernel.env import Handle
    from natant.kernel.kernel import Kernel

__all__ = ["Arrivals", "Departures", "Item", "Router"]

#: commands under way from one partition to another
WINDOW: Final = 2048
#: how long a sender waits for word before it sends again
RETRY_S: Final = 2.0
#: how long it waits where the receiver was not there
AWAY_S: Final = 0.05

#: number, and the command: as it is in this process, as bytes from another
Item = tuple[int, "Send | bytes"]


class _Lane:
    """What goes from one partition to one other."""

    __slots__ = ("flying", "is_due", "last", "target", "timer", "waiting")

    def __init__(self, target: int) -> None:
        self.target = target
        #: sent and not known to be durable, by number
        self.flying: deque[Send] = deque()
        self.waiting: deque[Send] = deque()
        #: the number of the last that is flying, or 0: everything before the next has been taken
        self.last = 0
        self.is_due = False
        self.timer: Handle | None = None


class Departures:
    """Commands that leave one partition; the outbox's way ``across``.

    :param post: ``(target, previous number, items) -> bool`` brings commands to a partition; False where nobody has it now.
    """

    def __init__(
        self, kernel: Kernel, partition_of: Callable[[str], int], post: Callable[[int, int, list[Item]], bool]
    ) -> None:
        self._kernel = kernel
        self.identity: str = kernel.identity
        self._partition_of = partition_of
        self._post = post
        self._lanes: dict[int, _Lane] = {}
        self._due: list[_Lane] = []
        self._is_stopped = False
        #: commands that were sent more than once
        self.repeated = 0

    def take(self, send: Send) -> None:
        """Bring a durable command on its way."""
        target = self._partition_of(send.node)
        lane = self._lanes.get(target)
        if lane is None:
            lane = self._lanes[target] = _Lane(target)
        lane.waiting.append(send)
        self._mark(lane)

    def _mark(self, lane: _Lane) -> None:
        if not lane.is_due:
            lane.is_due = True
            self._due.append(lane)
            if len(self._due) == 1:
                self._kernel.env.call_soon(self._send)

    def _send(self) -> None:
        due, self._due = self._due, []
        for lane in due:
            lane.is_due = False
            if not self._is_stopped:
                self._send_lane(lane)

    def _send_lane(self, lane: _Lane) -> None:
        items: list[Item] = []
        previous = lane.last
        while lane.waiting and len(lane.flying) < WINDOW:
            send = lane.waiting.popleft()
            lane.flying.append(send)
            lane.last = send.number
            items.append((send.number, send))
        if not items:
            return
        if lane.timer is None:
            self._arm(lane, RETRY_S)
        if not self._post(lane.target, previous, items):
            self._back(lane)
            self._arm(lane, AWAY_S)

    def _arm(self, lane: _Lane, wait_s: float) -> None:
        if lane.timer is not None:
            lane.timer.cancel()
        env = self._kernel.env
        lane.timer = env.call_at(env.now() + wait_s, self._again, lane)

    def _again(self, lane: _Lane) -> None:
        lane.timer = None
        if (lane.flying or lane.waiting) and not self._is_stopped:
            self.repeated += len(lane.flying)
            self._back(lane)
            self._mark(lane)

    def _back(self, lane: _Lane) -> None:
        """What is flying has to be sent again."""
        lane.waiting.extendleft(reversed(lane.flying))
        lane.flying.clear()
        lane.last = 0

    def again(self, target: int) -> None:
        """Somebody else has a partition now, or messages to it were lost: send again what it may not have."""
        lane = self._lanes.get(target)
        if lane is not None and (lane.flying or lane.waiting):
            self.repeated += len(lane.flying)
            self._back(lane)
            self._mark(lane)

    def crossed(self, target: int, number: int, is_gap: bool) -> None:
        """The receiver has everything up to ``number`` durably.

        :param is_gap: it lacks something that came before what it was sent; number -1: it is not there.
        """
        lane = self._lanes.get(target)
        if lane is None or self._is_stopped:
            return
        if number < 0:
            self._back(lane)
            self._arm(lane, AWAY_S)
            return
        done = []
        while lane.flying and lane.flying[0].number <= number:
            done.append(lane.flying.popleft())
        while not lane.flying and lane.waiting and lane.waiting[0].number <= number:
            done.append(lane.waiting.popleft())
        if done:
            self._kernel.outbox.drop_all(done)
            self._kernel.pressure.look()
        if lane.timer is not None:
            lane.timer.cancel()
            lane.timer = None
        if is_gap:
            self._back(lane)
        elif lane.flying:
            self._arm(lane, RETRY_S)
        if lane.waiting:
            self._mark(lane)

    @property
    def is_idle(self) -> bool:
        """True where nothing is under way."""
        return not any(lane.flying or lane.waiting for lane in self._lanes.values())

    def stop(self) -> None:
        """Send no more; what was not taken stands in the outbox."""
        self._is_stopped = True
        for lane in self._lanes.values():
            if lane.timer is not None:
                lane.timer.cancel()


class _Source:
    """What comes from one other partition."""

    __slots__ = ("answer", "durable", "identity", "journaled", "position", "waiting")

    def __init__(self, identity: str, position: int, answer: Callable[[int, bool], None]) -> None:
        self.identity = identity
        #: number of the last command taken in, of the last whose group has been cut, of the last that is durable
        self.position = self.journaled = self.durable = position
        self.answer = answer
        #: while the host takes no more
        self.waiting: deque[tuple[int, list[Item]]] = deque()


class Arrivals:
    """Commands that come to one partition from others."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._sources: dict[str, _Source] = {}
        self._is_waiting = False
        self._is_stopped = False
        #: commands that came a second time
        self.repeated = 0
        kernel.cut_hooks.append(self._journal)

    def take(self, identity: str, previous: int, items: list[Item], answer: Callable[[int, bool], None]) -> None:
        """Take commands of another partition in.

        :param identity: the name of its store.
        :param previous: the number before the first of them.
        :param answer: ``(number, is_gap)``: told how far everything is durable.
        """
        if self._is_stopped:
            return
        source = self._sources.get(identity)
        if source is None:
            stored = self._kernel.store.get(key.received_key(identity))
            source = _Source(identity, int.from_bytes(stored or b"", "big"), answer)
            self._sources[identity] = source
        source.answer = answer
        if self._is_waiting or source.waiting:
            source.waiting.append((previous, items))  # bounded by the sender's window
            return
        self._take(source, previous, items)

    def _take(self, source: _Source, previous: int, items: list[Item]) -> None:
        kernel = self._kernel
        if previous > source.position:
            source.answer(source.durable, True)
            return
        outbox = kernel.outbox
        is_new = False
        for number, item in items:
            if number <= source.position:
                self.repeated += 1
                continue
            # The sender's own object has a number and a record there; here it is another one.
            outbox.take_in(Send(item.node, item.lane, item.body) if isinstance(item, Send) else _read(item))
            source.position = number
            is_new = True
        if not is_new:
            source.answer(source.durable, False)
        elif kernel.is_volatile:
            source.durable = source.position
            source.answer(source.position, False)
        if kernel.pressure.is_high and not self._is_waiting:
            self._is_waiting = True
            kernel.pressure.wait(self, self._go_on)

    def _go_on(self) -> None:
        self._is_waiting = False
        for source in list(self._sources.values()):
            while source.waiting and not self._is_waiting and not self._is_stopped:
                self._take(source, *source.waiting.popleft())

    def _journal(self, batch: list[tuple[int, bytes, bytes]]) -> None:
        cut = []
        for source in self._sources.values():
            if source.position != source.journaled:
                source.journaled = source.position
                batch.append((0, key.received_key(source.identity), key.number(source.position)))
                cut.append((source, source.position))
        if cut:
            self._kernel.journal.after(lambda _sequence: self._tell(cut))

    @staticmethod
    def _tell(cut: list[tuple[_Source, int]]) -> None:
        for source, number in cut:
            source.durable = number
            source.answer(number, False)

    def stop(self) -> None:
        """Take nothing more."""
        self._is_stopped = True
        self._kernel.pressure.forget(self)


def _read(text: bytes) -> Send:
    record = recon.decode(text)
    assert isinstance(record, Record)
    return Send(str(record.get("node")), str(record.get("lane")), record.get("body", Extant))


class Router:
    """Brings commands from partition to partition, over the trunk where the other one is on another worker.

    :param arrivals: by partition: those of hosts that take work here.
    :param departures: by partition, likewise.
    :param owner: who has a partition; None where nobody is known to.
    """

    def __init__(
        self,
        trunk: Trunk,
        worker: str,
        *,
        arrivals: dict[int, Arrivals],
        departures: dict[int, Departures],
        owner: Callable[[int], str | None],
    ) -> None:
        self._trunk = trunk
        self._worker = worker
        self._arrivals = arrivals
        self._departures = departures
        self._owner = owner
        trunk.handlers[CROSS] = self._cross
        trunk.handlers[CROSSED] = self._crossed

    def post(self, partition: int, identity: str, target: int, previous: int, items: list[Item]) -> bool:
        """Bring commands of one partition to another; False where nobody has that now."""
        arrivals = self._arrivals.get(target)
        if arrivals is not None:

            def answer(number: int, is_gap: bool) -> None:
                departures = self._departures.get(partition)
                if departures is not None:
                    departures.crossed(target, number, is_gap)

            arrivals.take(identity, previous, items, answer)
            return True
        owner = self._owner(target)
        if owner is None or owner == self._worker:
            return False
        packed = []
        size = 64
        for number, send in items:
            assert isinstance(send, Send)
            text = send.text
            if text is None:
                text = send.text = Outbox.text(send)
            size += len(text) + 12
            packed.append((number, text))
        self._trunk.send(owner, (CROSS, target, identity, partition, previous, packed), size)
        return True

    def _cross(self, worker: str, item: list[Any]) -> None:
        _, target, identity, partition, previous, items = item
        arrivals = self._arrivals.get(target)
        if arrivals is None:
            self._trunk.send(worker, (CROSSED, partition, identity, target, -1, False))
            return

        def answer(number: int, is_gap: bool) -> None:
            self._trunk.send(worker, (CROSSED, partition, identity, target, number, is_gap))

        arrivals.take(identity, previous, items, answer)

    def _crossed(self, worker: str, item: list[Any]) -> None:
        _, partition, identity, target, number, is_gap = item
        departures = self._departures.get(partition)
        if departures is not None and departures.identity == identity:
            departures.crossed(target, number, is_gap)

    def again(self, targets: list[int]) -> None:
        """Partitions have other owners, or messages to them were lost."""
        for departures in self._departures.values():
            for target in targets:
                departures.again(target)
