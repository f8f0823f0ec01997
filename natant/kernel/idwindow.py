"""Command ids: a command that comes twice is done once.

Each agent remembers the last ``Config.id_window`` ids with their answers; they are journaled in the same unit as the effect.
Ids are read from the store when an agent first meets one.

A command whose handler goes on after ``await self.task(...)`` has done its first part by then, so its id is journaled with
that part, without an answer.  Who sends it again meanwhile waits for the answer; who sends it again after a crash, or after the
later part failed, is told that it was begun and not finished.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from natant.codec import recon
from natant.codec.recon.value import Absent, Extant
from natant.errors import CodecError, NatantError, TurnError
from natant.kernel import key
from natant.kernel.turn import Outcome, Reply, Turn, Work

if TYPE_CHECKING:
    from natant.kernel.cell import Cell
    from natant.kernel.kernel import Kernel

__all__ = ["IdWindows", "unfinished"]

#: how the record of an id begins: was the command answered, or only begun?
_ANSWERED: Final = "+"
_BEGUN: Final = "~"


class _Window:
    __slots__ = ("answers", "next", "waiting")

    def __init__(self) -> None:
        #: by id: its number, and its answer, or the error that its sender is to be told
        self.answers: dict[str, tuple[int, Any]] = {}
        self.next = 1
        #: by id of a command whose handler runs on after its first part: who else waits for the answer
        self.waiting: dict[str, list[Reply]] = {}


class IdWindows:
    """The windows of all agents that have met a command with an id."""

    def __init__(self, host: Kernel) -> None:
        self._host = host
        self._windows: dict[str, _Window] = {}

    def _window(self, cell: Cell) -> _Window:
        window = self._windows.get(cell.node)
        if window is None:
            window = _Window()
            prefix = key.id_prefix(cell.node)
            for stored, record in self._host.store.scan(prefix):
                count = int.from_bytes(stored[len(prefix) :], "big")
                head, _, name = record.decode("utf-8", "surrogatepass").partition("\0")
                if head[:1] == _BEGUN:
                    window.answers[name] = (count, unfinished(cell))
                else:
                    window.answers[name] = (count, recon.decode(head[1:]) if head[1:] else None)
                window.next = count + 1
            self._windows[cell.node] = window
        return window

    def forget(self, node: str) -> None:
        """The agent is stopped; its ids stay in the store."""
        if not self._host.is_volatile:
            self._windows.pop(node, None)

    def renew(self, node: str) -> None:
        """The agent is removed: its ids are gone, and those of a new one at its node are not to be looked up in the store."""
        old = self._windows.get(node)
        window = self._windows[node] = _Window()
        if old is not None:
            window.waiting = old.waiting  # handlers of the old one that have not ended

    def end(self, node: str) -> None:
        """The end of a removed agent is durable: its ids are gone from the store as well."""
        window = self._windows.get(node)
        if window is not None and not window.waiting:
            del self._windows[node]

    def answer_duplicate(self, cell: Cell, work: Work) -> bool:
        """True where the command was done before; its answer is given once that is durable."""
        assert work.command_id is not None
        window = self._window(cell)
        known = window.answers.get(work.command_id)
        waiting = window.waiting.get(work.command_id)
        if known is None and waiting is None:
            return False
        host = self._host
        host.counter.duplicates += 1
        reply = work.reply
        if reply is None:
            return True
        if waiting is not None:
            waiting.append(reply)
        elif known is not None and isinstance(known[1], NatantError):
            error = known[1]
            host.journal.after(lambda _sequence: reply(None, error))
        elif known is not None:
            value = known[1]
            host.journal.after(lambda sequence: reply(Outcome(value, sequence, True), None))
        return True

    def begin(self, turn: Turn, command_id: str) -> None:
        """The first part of a command ends with ``turn``: journal that it must not be begun again."""
        window = self._window(turn.cell)
        if command_id not in window.waiting:
            window.waiting[command_id] = []
            self._write(turn, command_id, unfinished(turn.cell), _BEGUN)

    def remember(self, turn: Turn) -> None:
        """Journal the id of the turn's command with its effect and answer."""
        name = turn.work.command_id
        assert name is not None
        self.leave(turn.work, turn.cell)
        self._write(turn, name, turn.value, _ANSWERED + _answer(turn.value))

    def fail(self, turn: Turn) -> None:
        """The command failed; where a part of it stands, it is not done again."""
        name = turn.work.command_id
        assert name is not None
        window = self._windows.get(turn.cell.node)
        if window is not None and name in window.waiting:
            self.leave(turn.work, turn.cell)
            known = window.answers.get(name)
            if known is not None:
                window.answers[name] = (known[0], turn.error)

    def leave(self, work: Work, cell: Cell) -> None:
        """The handler of a command ends: whoever else waited is answered together with its sender."""
        assert work.command_id is not None
        window = self._windows.get(cell.node)
        waiting = None if window is None else window.waiting.pop(work.command_id, None)
        if waiting:
            work.reply = _to_all(work.reply, waiting)

    def _write(self, turn: Turn, name: str, answer: Any, head: str) -> None:
        cell = turn.cell
        is_kept = not self._host.is_volatile
        window = self._window(cell)
        known = window.answers.get(name)
        if known is None:
            count = window.next
            window.next += 1
        else:
            count = known[0]
        window.answers[name] = (count, answer)
        if is_kept:
            turn.records.append((0, key.id_key(cell.node, count), f"{head}\0{name}".encode("utf-8", "surrogatepass")))
        if len(window.answers) > self._host.config.id_window:
            oldest = next(iter(window.answers))
            gone, _ = window.answers.pop(oldest)
            if is_kept:
                turn.records.append((1, key.id_key(cell.node, gone), b""))


def unfinished(cell: Cell) -> TurnError:
    """The error for a command whose first part was done, and the rest was not."""
    return TurnError(
        "NT-TURN-016",
        f"this command of {cell.node} was begun and not finished: what it did before its self.task stands, the rest did not "
        "happen; see what is there, then send what is missing",
        http_status=409,
    )


def _to_all(first: Reply | None, others: list[Reply]) -> Reply:
    def reply(outcome: Outcome | None, error: NatantError | None) -> None:
        again = None if outcome is None else outcome._replace(is_duplicate=True)
        for other in others:
            other(again, error)
        if first is not None:
            first(outcome, error)

    return reply


def _answer(value: Any) -> str:
    if value is None or value is Extant or value is Absent:
        return ""
    try:
        return recon.encode(value, exact=True)
    except (CodecError, TypeError):
        return recon.encode(repr(value).encode("utf-8", "replace").decode())
