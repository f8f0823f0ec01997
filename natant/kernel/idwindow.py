"""Command ids: a command that comes twice is done once.

Each agent remembers the last ``Config.id_window`` ids with their answers; they are journaled in the same unit as the effect.
Ids are read from the store when an agent first meets one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from natant.codec import recon
from natant.codec.recon.value import Absent, Extant
from natant.errors import CodecError
from natant.kernel import key
from natant.kernel.turn import Outcome, Turn, Work

if TYPE_CHECKING:
    from natant.kernel.cell import Cell
    from natant.kernel.kernel import Kernel

__all__ = ["IdWindows"]


class _Window:
    __slots__ = ("answers", "next")

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, Any]] = {}
        self.next = 1


class IdWindows:
    """The windows of all agents that have met a command with an id."""

    def __init__(self, host: Kernel) -> None:
        self._host = host
        self._windows: dict[str, _Window] = {}

    def _window(self, cell: Cell) -> _Window:
        window = self._windows.get(cell.node)
        if window is None:
            window = self._windows[cell.node] = _Window()
            prefix = key.id_prefix(cell.node)
            for stored, text in self._host.store.scan(prefix):
                count = int.from_bytes(stored[len(prefix) :], "big")
                name, _, answer = text.decode().partition("\0")
                window.answers[name] = (count, recon.decode(answer) if answer else None)
                window.next = count + 1
        return window

    def forget(self, node: str) -> None:
        """The agent is stopped; its ids stay in the store."""
        if not self._host.is_volatile:
            self._windows.pop(node, None)

    def answer_duplicate(self, cell: Cell, work: Work) -> bool:
        """True where the command was done before; its answer is given once that is durable."""
        assert work.command_id is not None
        known = self._window(cell).answers.get(work.command_id)
        if known is None:
            return False
        host = self._host
        host.counter.duplicates += 1
        reply = work.reply
        if reply is not None:
            host.journal.after(lambda sequence: reply(Outcome(known[1], sequence, True), None))
        return True

    def remember(self, cell: Cell, turn: Turn) -> None:
        """Journal the id of the turn's command with its effect."""
        name = turn.work.command_id
        assert name is not None
        window = self._window(cell)
        count = window.next
        window.next += 1
        window.answers[name] = (count, turn.value)
        if not self._host.is_volatile:
            turn.records.append((0, key.id_key(cell.node, count), f"{name}\0{_answer(turn.value)}".encode()))
        if len(window.answers) > self._host.config.id_window:
            oldest = next(iter(window.answers))
            gone, _ = window.answers.pop(oldest)
            if not self._host.is_volatile:
                turn.records.append((1, key.id_key(cell.node, gone), b""))


def _answer(value: Any) -> str:
    if value is None or value is Extant or value is Absent:
        return ""
    try:
        return recon.encode(value, exact=True)
    except (CodecError, TypeError):
        return recon.encode(repr(value))
