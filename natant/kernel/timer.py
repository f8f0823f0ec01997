"""Timers: one heap for all agents.

A periodic timer belongs to a class (``@every``, ``@after``, ``@cron``); a one-shot timer is set by a turn (``self.at``).  The
timers of an agent that has been journaled are records themselves, so they survive restarts and wake agents that are not
resident.  What was missed while the process was down or the agent was busy fires once.  A timer that fires is journaled in the same
unit as what its handler did: it fires once, or again after a crash that lost the effect too.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any, Final

from natant.codec import recon
from natant.codec.recon.value import Record
from natant.errors import TurnError
from natant.kernel import key
from natant.kernel.call import call
from natant.kernel.env import Handle
from natant.kernel.outbox import Note
from natant.kernel.schema import Periodic
from natant.kernel.turn import Turn, Work

if TYPE_CHECKING:
    from natant.kernel.cell import Cell
    from natant.kernel.kernel import Kernel

__all__ = ["TimerTable"]

#: one-shot timers that one agent may have
AGENT_LIMIT: Final = 10_000
#: start of the name of a mark: a timer that fires once has fired; names that authors give hold no zero byte
FIRED: Final = "\0"
#: how long timers wait while the store cannot take what they do, or when an agent cannot be had
RETRY_AFTER_S: Final = 1.0
#: entries of the heap, beside two for each timer, before what was replaced or cancelled is cleared away
SLACK: Final = 1000


class _Timer:
    """``method`` is empty for a periodic timer, whose name is the method's."""

    __slots__ = ("arguments", "due_s", "method", "name", "node")

    def __init__(self, node: str, name: str, due_s: float, method: str = "", arguments: tuple[Any, ...] = ()) -> None:
        self.node = node
        self.name = name
        self.due_s = due_s
        self.method = method
        self.arguments = arguments

    def text(self) -> bytes:
        due_ms = round(self.due_s * 1000)
        if not self.method:
            return str(due_ms).encode()
        record = Record.of({"due": due_ms, "method": self.method, "args": Record(self.arguments)})
        return recon.encode(record, exact=True).encode()


class TimerTable:
    """All timers of a host."""

    def __init__(self, host: Kernel) -> None:
        self._host = host
        self._timers: dict[str, dict[str, _Timer]] = {}
        self._heap: list[tuple[float, int, _Timer]] = []
        self._count = 0
        self._number = 0
        self._handle: Handle | None = None
        self._armed_s = float("inf")
        self._is_stopped = False

    def load(self) -> None:
        """Take up the timers that an earlier life left."""
        for stored, text in self._host.store.scan(key.TIMER):
            node_bytes, _, name_bytes = stored[1:].partition(b"\0")
            value = recon.decode(text)
            node, name = node_bytes.decode(), name_bytes.decode()
            if name.startswith(FIRED):
                continue  # the mark of a timer that fires once and has fired
            if isinstance(value, Record):
                due_ms, arguments = value.get("due"), value.get("args")
                assert isinstance(due_ms, int)
                items = arguments.items if isinstance(arguments, Record) else ()
                self._add(_Timer(node, name, due_ms / 1000, str(value.get("method")), tuple(items)))
            else:
                assert isinstance(value, int)
                self._add(_Timer(node, name, value / 1000))

    def stop(self) -> None:
        """Fire no more."""
        self._is_stopped = True
        if self._handle is not None:
            self._handle.cancel()

    def look(self) -> None:
        """The clock has jumped: what has fallen due fires now, the rest is waited for anew."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        self._armed_s = float("inf")
        self._wake()

    # --- setting --------------------------------------------------------------------------------------------------

    def arm_periodic(self, cell: Cell, periodic: Periodic, records: list[tuple[int, bytes, bytes]]) -> None:
        """Start a timer of the class, unless an earlier life of the agent left it running.

        One that is due later than it would be if it began now is set anew: the program has changed its period, or
        somebody has put a wrong clock right.  Where the agent has been journaled, ``records`` gets the timer.
        """
        node, name = cell.node, periodic.name
        running = self._timers.get(node, {}).get(name)
        is_kept = cell._is_known and not self._host.is_volatile
        if running is None and is_kept and self._host.store.get(key.timer_key(node, FIRED + name)):
            return
        due_s = periodic.next_after(self._host.env.now(), None)
        if due_s is None or (running is not None and running.due_s <= due_s):
            return
        timer = _Timer(node, name, due_s)
        self._add(timer)
        if is_kept:
            records.append((0, key.timer_key(node, name), timer.text()))

    def set(self, turn: Turn, name: str, due_s: float, method: str, arguments: tuple[Any, ...]) -> None:
        """Set a one-shot timer as an effect of ``turn``; one of the same name is replaced.

        :raises TurnError: ``NT-TURN-013`` where the agent has too many, ``NT-TURN-017`` for a name that it cannot have.
        """
        cell = turn.cell
        node = cell.node
        timers = self._timers.get(node, {})
        if len(timers) + len(turn.after or ()) >= AGENT_LIMIT and name not in timers:
            raise TurnError(
                "NT-TURN-013", f"{node} has {AGENT_LIMIT} timers already; cancel some, or let one timer do more"
            )
        if "\0" in name or any(periodic.name == name for periodic in cell._schema.periodic):
            raise TurnError(
                "NT-TURN-017",
                f"a timer of {node} cannot have the name {name!r}: a method that runs by the clock has it, or it holds a zero "
                "byte; take another name",
            )
        timer = _Timer(node, name, due_s, method, arguments)
        text = timer.text()
        if not self._host.is_volatile:
            turn.records.append((0, key.timer_key(node, name), text))
        turn.then(lambda: self._add(timer))

    def cancel(self, turn: Turn, name: str) -> None:
        """Cancel a timer as an effect of ``turn``, one of the class for good; nothing happens where there is none."""
        node = turn.cell.node
        if not self._host.is_volatile:
            turn.records.append((1, key.timer_key(node, name), b""))
            if any(periodic.name == name for periodic in turn.cell._schema.periodic):
                turn.records.append(_mark(node, name))
        turn.then(lambda: self._remove(node, name))

    def has(self, node: str, name: str) -> bool:
        """True where such a timer is set."""
        return name in self._timers.get(node, ())

    def next_name(self, node: str) -> str:
        """A name for a timer that got none; counting begins anew with each start, so it is looked whether it is free."""
        while True:
            self._number += 1
            name = f"at{int(self._host.env.now() * 1000)}-{self._number}"
            if not self.has(node, name):
                return name

    def persist(self, cell: Cell, records: list[tuple[int, bytes, bytes]]) -> None:
        """The agent is journaled for the first time: its timers with it."""
        if self._host.is_volatile:
            return
        node = cell.node
        timers = self._timers.get(node, {})
        records.extend((0, key.timer_key(node, timer.name), timer.text()) for timer in timers.values())
        # What the class has and the table has not fires once, and did so before there was anything to journal.
        records.extend(_mark(node, periodic.name) for periodic in cell._schema.periodic if periodic.name not in timers)

    def forget(self, cell: Cell) -> None:
        """An agent that was never journaled is gone, and so are its timers."""
        if not cell._is_known:
            self._count -= len(self._timers.pop(cell.node, ()))

    def drop(self, node: str) -> None:
        """The agent is removed, and so are its timers."""
        self._count -= len(self._timers.pop(node, ()))

    def of(self, node: str) -> list[dict[str, Any]]:
        """The timers of an agent, for people."""
        return [
            {"name": timer.name, "method": timer.method or timer.name, "due": timer.due_s}
            for timer in self._timers.get(node, {}).values()
        ]

    # --- firing ---------------------------------------------------------------------------------------------------

    def _add(self, timer: _Timer) -> None:
        timers = self._timers.setdefault(timer.node, {})
        self._count += timer.name not in timers
        timers[timer.name] = timer
        self._number += 1
        heapq.heappush(self._heap, (timer.due_s, self._number, timer))
        if len(self._heap) > 2 * self._count + SLACK:
            self._heap = [entry for entry in self._heap if self._is_set(entry[2])]
            heapq.heapify(self._heap)
        self._wake()

    def _is_set(self, timer: _Timer) -> bool:
        """True where it has been neither replaced nor cancelled, and has not fired."""
        return self._timers.get(timer.node, {}).get(timer.name) is timer

    def _remove(self, node: str, name: str) -> None:
        timers = self._timers.get(node)
        if timers is not None:
            self._count -= timers.pop(name, None) is not None
            if not timers:
                del self._timers[node]

    def _wake(self, not_before_s: float = 0.0) -> None:
        if self._is_stopped or not self._heap:
            return
        due_s = max(self._heap[0][0], not_before_s)
        if due_s < self._armed_s:
            if self._handle is not None:
                self._handle.cancel()
            self._armed_s = due_s
            self._handle = self._host.env.call_at(due_s, self._fire_due)

    def _fire_due(self) -> None:
        host = self._host
        self._armed_s = float("inf")
        self._handle = None
        now = host.env.now()
        while self._heap and self._heap[0][0] <= now:
            if host.journal.is_congested:
                self._wake(now + RETRY_AFTER_S)
                return
            timer = heapq.heappop(self._heap)[2]
            if self._is_set(timer):
                try:
                    self._fire(timer, now)
                except Exception as error:  # its agent cannot be brought to life, most likely for a damaged record
                    host.broken(f"timer {timer.name} of {timer.node}", error)
                    self._number += 1
                    heapq.heappush(self._heap, (now + RETRY_AFTER_S, self._number, timer))
        self._wake()

    def _fire(self, timer: _Timer, now: float) -> None:
        host = self._host
        cell = host.find(timer.node)
        if not self._is_set(timer):
            return  # the agent came to life only now, and the program has changed the timer
        method = timer.method or timer.name
        is_periodic = not timer.method
        if (
            cell is None
            or not callable(getattr(cell, method, None))
            or (is_periodic and not any(periodic.name == timer.name for periodic in cell._schema.periodic))
        ):
            self._remove(timer.node, timer.name)  # the route, the method or its timer is gone from the program
            if not host.is_volatile:
                host.journal.add(Note([(1, key.timer_key(timer.node, timer.name), b"")]))
            return
        host.counter.timers_fired += 1
        cell._touched = host.tick
        # It may have to wait for its agent, and be cancelled or replaced meanwhile.
        work = Work(
            lambda agent, arguments: call(agent, method, arguments) if self._is_set(timer) else None,
            timer.arguments,
            f"timer:{method}",
            again=("call", method),
        )
        if is_periodic:
            next_s = self._next(cell, timer, now)
            work.settle = lambda turn: self._tick_done(turn, timer, next_s)
        else:
            work.settle = lambda turn: self._once_done(turn, timer)
        host.deliver(cell, work)

    def _next(self, cell: Cell, timer: _Timer, now: float) -> float | None:
        for periodic in cell._schema.periodic:
            if periodic.name == timer.name:
                return periodic.next_after(now, timer.due_s)
        return None

    def _once_done(self, turn: Turn, timer: _Timer) -> None:
        node = timer.node
        if self._is_set(timer):
            self._remove(node, timer.name)
            if not self._host.is_volatile:
                turn.records.insert(0, (1, key.timer_key(node, timer.name), b""))

    def _tick_done(self, turn: Turn, timer: _Timer, next_s: float | None) -> None:
        node = timer.node
        is_kept = turn.cell._is_known and not self._host.is_volatile
        if not self._is_set(timer):
            return
        if next_s is None:
            self._remove(node, timer.name)
            if is_kept:
                turn.records.append((1, key.timer_key(node, timer.name), b""))
                turn.records.append(_mark(node, timer.name))
            return
        now = self._host.env.now()
        if next_s <= now:  # the turn took longer than the period: what was missed is one tick
            later = self._next(turn.cell, timer, now)
            next_s = later if later is not None else next_s
        following = _Timer(node, timer.name, next_s)
        self._add(following)
        if is_kept:
            turn.records.append((0, key.timer_key(node, timer.name), following.text()))


def _mark(node: str, name: str) -> tuple[int, bytes, bytes]:
    """The record that says that a timer of the class is not to be started any more."""
    return 0, key.timer_key(node, FIRED + name), b"0"
