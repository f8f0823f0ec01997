"""Timers: one heap for all agents.

A periodic timer belongs to a class (``@every``, ``@after``, ``@cron``); a one-shot timer is set by a turn (``self.at``).  The
timers of an agent that has been journaled are records themselves, so they survive restarts and wake agents that are not
resident.  What was missed while the process was down or the agent was busy fires once.  A timer that fires is journaled in the same
unit as what its handler did: it fires once, or again after a crash that lost the effect too.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from natant.codec import recon
from natant.codec.recon.value import Record
from natant.errors import TurnError
from natant.kernel import key
from natant.kernel.call import call
from natant.kernel.env import Handle
from natant.kernel.schema import Periodic
from natant.kernel.turn import Turn, Work

if TYPE_CHECKING:
    from natant.kernel.cell import Cell
    from natant.kernel.kernel import Kernel

__all__ = ["TimerTable"]

#: one-shot timers that one agent may have
AGENT_LIMIT: Final = 10_000


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
            if name.startswith("!"):
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

    # --- setting --------------------------------------------------------------------------------------------------

    def arm_periodic(self, cell: Cell, periodic: Periodic) -> None:
        """Start a timer of the class, unless an earlier life of the agent left it running."""
        if periodic.name in self._timers.get(cell.node, ()):
            return
        if (
            cell._is_known
            and not self._host.is_volatile
            and self._host.store.get(key.timer_key(cell.node, "!" + periodic.name))
        ):
            return  # a timer that fires once and has fired
        due_s = periodic.next_after(self._host.env.now(), None)
        if due_s is not None:
            self._add(_Timer(cell.node, periodic.name, due_s))

    def set(self, turn: Turn, name: str, due_s: float, method: str, arguments: tuple[Any, ...]) -> None:
        """Set a one-shot timer as an effect of ``turn``; one of the same name is replaced.

        :raises TurnError: ``NT-TURN-013`` where the agent has too many.
        """
        node = turn.cell.node
        if len(self._timers.get(node, ())) >= AGENT_LIMIT:
            raise TurnError(
                "NT-TURN-013", f"{node} has {AGENT_LIMIT} timers already; cancel some, or let one timer do more"
            )
        timer = _Timer(node, name, due_s, method, arguments)
        text = timer.text()
        if not self._host.is_volatile:
            turn.records.append((0, key.timer_key(node, name), text))
        turn.then(lambda: self._add(timer))

    def cancel(self, turn: Turn, name: str) -> None:
        """Cancel a timer as an effect of ``turn``; nothing happens where there is none."""
        node = turn.cell.node
        if not self._host.is_volatile:
            turn.records.append((1, key.timer_key(node, name), b""))
        turn.then(lambda: self._remove(node, name))

    def has(self, node: str, name: str) -> bool:
        """True where such a timer is set."""
        return name in self._timers.get(node, ())

    def next_name(self) -> str:
        """A name for a timer that got none."""
        self._number += 1
        return f"at{int(self._host.env.now() * 1000)}-{self._number}"

    def persist(self, cell: Cell, records: list[tuple[int, bytes, bytes]]) -> None:
        """The agent is journaled for the first time: its timers with it."""
        if self._host.is_volatile:
            return
        timers = self._timers.get(cell.node, {}).values()
        records.extend((0, key.timer_key(cell.node, timer.name), timer.text()) for timer in timers)

    def forget(self, cell: Cell) -> None:
        """An agent that was never journaled is gone, and so are its timers."""
        if not cell._is_known:
            self._timers.pop(cell.node, None)

    def of(self, node: str) -> list[dict[str, Any]]:
        """The timers of an agent, for people."""
        return [
            {"name": timer.name, "method": timer.method or timer.name, "due": timer.due_s}
            for timer in self._timers.get(node, {}).values()
        ]

    # --- firing ---------------------------------------------------------------------------------------------------

    def _add(self, timer: _Timer) -> None:
        self._timers.setdefault(timer.node, {})[timer.name] = timer
        self._number += 1
        heapq.heappush(self._heap, (timer.due_s, self._number, timer))
        self._wake()

    def _remove(self, node: str, name: str) -> None:
        timers = self._timers.get(node)
        if timers is not None:
            timers.pop(name, None)
            if not timers:
                del self._timers[node]

    def _wake(self) -> None:
        if self._is_stopped or not self._heap:
            return
        due_s = self._heap[0][0]
        if due_s < self._armed_s:
            if self._handle is not None:
                self._handle.cancel()
            self._armed_s = due_s
            self._handle = self._host.env.call_at(due_s, self._fire_due)

    def _fire_due(self) -> None:
        self._armed_s = float("inf")
        self._handle = None
        now = self._host.env.now()
        heap = self._heap
        while heap and heap[0][0] <= now:
            timer = heapq.heappop(heap)[2]
            if self._timers.get(timer.node, {}).get(timer.name) is timer:
                self._fire(timer, now)
        self._wake()

    def _fire(self, timer: _Timer, now: float) -> None:
        host = self._host
        cell = host.find(timer.node)
        method = timer.method or timer.name
        if cell is None or not callable(getattr(cell, method, None)):
            self._remove(timer.node, timer.name)  # the route or the method is gone from the program
            return
        host.counter.timers_fired += 1
        cell._touched = host.idle.tick
        work = Work(_method(method), timer.arguments, f"timer:{method}", again=("call", method))
        if timer.method:
            work.settle = lambda turn: self._once_done(turn, timer)
        else:
            next_s = self._next(cell, timer, now)
            work.settle = lambda turn: self._tick_done(turn, timer, next_s)
        host.deliver(cell, work)

    def _next(self, cell: Cell, timer: _Timer, now: float) -> float | None:
        for periodic in cell._schema.periodic:
            if periodic.name == timer.name:
                return periodic.next_after(now, timer.due_s)
        return None

    def _once_done(self, turn: Turn, timer: _Timer) -> None:
        node = timer.node
        if self._timers.get(node, {}).get(timer.name) is timer:
            self._remove(node, timer.name)
            if not self._host.is_volatile:
                turn.records.insert(0, (1, key.timer_key(node, timer.name), b""))

    def _tick_done(self, turn: Turn, timer: _Timer, next_s: float | None) -> None:
        node = timer.node
        is_kept = turn.cell._is_known and not self._host.is_volatile
        if self._timers.get(node, {}).get(timer.name) is not timer:
            return
        if next_s is None:
            self._remove(node, timer.name)
            if is_kept:
                turn.records.append((1, key.timer_key(node, timer.name), b""))
                turn.records.append((0, key.timer_key(node, "!" + timer.name), b"0"))
            return
        now = self._host.env.now()
        if next_s <= now:  # the turn took longer than the period: what was missed is one tick
            later = self._next(turn.cell, timer, now)
            next_s = later if later is not None else next_s
        following = _Timer(node, timer.name, next_s)
        self._add(following)
        if is_kept:
            turn.records.append((0, key.timer_key(node, timer.name), following.text()))


def _method(name: str) -> Callable[[Any, Any], Any]:
    return lambda cell, arguments: call(cell, name, arguments)
