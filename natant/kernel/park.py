"""Parked work: what could not be done, kept with its cause until somebody looks.

Each agent has a built-in map lane ``parked`` (``Config.parked_limit`` entries, the oldest go first) and two built-in
command lanes: ``parked.retry`` and ``parked.drop`` take the key of an entry.
"""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any, Final

from natant.codec import recon
from natant.codec.recon.value import Absent, Extant, Record
from natant.errors import CodecError, NatantError, TurnError

if TYPE_CHECKING:
    from natant.kernel.cell import Cell
    from natant.kernel.kernel import Kernel
    from natant.kernel.turn import Turn

__all__ = ["PARKED", "drop", "park", "retry"]

PARKED: Final = "parked"
#: characters of a message that are kept
MESSAGE_LIMIT: Final = 2000


def park(host: Kernel, turn: Turn, error: Exception) -> NatantError:
    """Write the failure of ``turn.work`` into the agent's ``parked`` lane, within ``turn``; returns what to tell the asker."""
    cell, work = turn.cell, turn.work
    host.counter.parked += 1
    lane: Any = cell._schema.lanes[PARKED]
    now_ms = int(host.env.now() * 1000)
    number = host.counter.parked % 100_000
    name = f"p{now_ms}-{number:05d}"
    kind, what = work.again if work.again is not None else ("none", work.label)
    entry = {
        "kind": kind,
        "name": what,
        "input": _storable(work.argument if work.again is not None else None),
        "code": error.code if isinstance(error, NatantError) else "NT-TURN-001",
        "error": type(error).__name__,
        "message": (error.message if isinstance(error, NatantError) else str(error))[:MESSAGE_LIMIT],
        "where": _where(error),
        "at": now_ms,
        "attempt": work.attempt,
    }
    lane.put(cell, name, Record.of(entry))
    host.log.parked(cell.node, work.label, name, error)
    if isinstance(error, TurnError):
        return TurnError(error.code, f"{error.message}; rolled back and parked as {name}", http_status=500, parked=name)
    return TurnError(
        "NT-TURN-001",
        f'handler "{work.label}" of {cell.node} raised {type(error).__name__}: {error}; '
        f"the turn was rolled back and parked as {name}",
        http_status=500,
        parked=name,
    )


def _storable(argument: Any) -> Any:
    try:
        return recon.decode(recon.encode(argument, exact=True))
    except (CodecError, TypeError):
        return repr(argument)[:MESSAGE_LIMIT]


def _where(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return ""
    last = frames[-1]
    return f"{last.filename.rsplit('/', 1)[-1]}:{last.lineno} in {last.name}"


def retry(cell: Cell, name: Any) -> None:
    """Do parked work again, in a turn of its own; it leaves the lane now and comes back should it fail again."""
    lane: Any = cell._schema.lanes[PARKED]
    entry = lane.get(cell, name)
    if not isinstance(entry, Record):
        raise TurnError("NT-TURN-010", f"{cell.node} has nothing parked as {name!r}", http_status=404)
    host = cell._host
    work = host.again(cell, entry)
    attempt = entry.get("attempt", 1)
    work.attempt = (attempt if isinstance(attempt, int) else 1) + 1
    lane.remove(cell, name)
    turn = cell._turn
    assert turn is not None
    turn.then(lambda: host.post(lambda: host.deliver(cell, work)))


def drop(cell: Cell, name: Any) -> None:
    """Forget parked work; with no name, all of it."""
    lane: Any = cell._schema.lanes[PARKED]
    if name is Extant or name is Absent or name is None:
        lane.clear(cell)
        return
    if lane.get(cell, name) is None:
        raise TurnError("NT-TURN-010", f"{cell.node} has nothing parked as {name!r}", http_status=404)
    lane.remove(cell, name)
