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
from natant.kernel.call import call
from natant.kernel.turn import Work

if TYPE_CHECKING:
    from natant.kernel.cell import Cell
    from natant.kernel.kernel import Kernel
    from natant.kernel.turn import Turn

__all__ = ["PARKED", "drop", "park", "retry"]

PARKED: Final = "parked"
#: characters of a message that are kept
MESSAGE_LIMIT: Final = 2000


def park(host: Kernel, turn: Turn, error: BaseException) -> NatantError:
    """Write the failure of ``turn.work`` into the agent's ``parked`` lane, within ``turn``; returns what to tell the asker."""
    cell, work = turn.cell, turn.work
    host.counter.parked += 1
    lane: Any = cell._schema.lanes[PARKED]
    now_ms = int(host.env.now() * 1000)
    name = _new_name(lane, cell, now_ms, host.counter.parked)
    message = _message(error)
    kind, what = work.again if work.again is not None else ("none", work.label)
    entry = {
        "kind": kind,
        "name": what,
        "input": _storable(work.argument if work.again is not None else None),
        "code": error.code if isinstance(error, NatantError) else "NT-TURN-001",
        "error": type(error).__name__,
        "message": message,
        "where": _where(error),
        "at": now_ms,
        "attempt": work.attempt,
    }
    lane.put(cell, name, Record.of(entry))
    told = f"{error.code}  {message}" if isinstance(error, NatantError) else message
    host.log.parked(cell.node, work.label, name, error)
    if isinstance(error, TurnError):
        return TurnError(error.code, f"{error.message}; rolled back and parked as {name}", http_status=500, parked=name)
    return TurnError(
        "NT-TURN-001",
        f'handler "{work.label}" of {cell.node} raised {type(error).__name__}: {told}; '
        f"the turn was rolled back and parked as {name}",
        http_status=500,
        parked=name,
    )


def _new_name(lane: Any, cell: Cell, now_ms: int, number: int) -> str:
    """A name that no entry has; counting begins anew with each start, and a clock may stand still."""
    while True:
        name = f"p{now_ms}-{number % 100_000:05d}"
        if lane.get(cell, name) is None:
            return name
        number += 1


def _message(error: BaseException) -> str:
    """What the error says, also where that cannot be stored or said."""
    try:
        text = error.message if isinstance(error, NatantError) else str(error)
    except Exception as worse:
        text = f"its text cannot be had: {type(worse).__name__}"
    return text[:MESSAGE_LIMIT].encode("utf-8", "replace").decode()


def _storable(argument: Any) -> Any:
    try:
        return recon.decode(recon.encode(argument, exact=True))
    except (CodecError, TypeError):
        return repr(argument)[:MESSAGE_LIMIT].encode("utf-8", "replace").decode()


def _where(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return ""
    last = frames[-1]
    return f"{last.filename.rsplit('/', 1)[-1]}:{last.lineno} in {last.name}"


def retry(cell: Cell, name: Any) -> None:
    """Do parked work again, in a turn of its own, right after this one.

    The entry goes in the very unit that holds the effect, so a crash in between loses nothing.  Should the work fail again it
    comes back as a new entry; should its input be refused, the entry stays.
    """
    lane: Any = cell._schema.lanes[PARKED]
    entry = lane.get(cell, name)
    if not isinstance(entry, Record):
        raise TurnError("NT-TURN-010", f"{cell.node} has nothing parked as {name!r}", http_status=404)
    work = _again(cell, entry)
    attempt = entry.get("attempt", 1)
    work.attempt = (attempt if isinstance(attempt, int) else 1) + 1
    run: Any = work.run
    work.run = lambda agent, argument: run(agent, argument) if lane.get(agent, name) is entry else None

    def settle(turn: Turn) -> None:
        if (turn.error is None or "parked" in turn.error.context) and lane.get(cell, name) is entry:
            cell._turn = turn
            try:
                lane.remove(cell, name)
            finally:
                cell._turn = None

    work.settle = settle
    turn = cell._turn
    assert turn is not None
    host = cell._host
    turn.then(lambda: host.post(lambda: host.deliver(cell, work)))


def _again(cell: Cell, entry: Record) -> Work:
    """The work that a parked entry describes.

    :raises TurnError: ``NT-TURN-006`` where it cannot be done again.
    """
    kind, name = str(entry.get("kind")), str(entry.get("name"))
    if kind == "command":
        lane = cell._lane(name)
        if lane is None:
            raise TurnError("NT-TURN-006", f'{cell.node} has no lane "{name}" any more; drop the parked entry')
        return Work(lane.receive, entry.get("input"), name, again=("command", name))
    if kind == "call" and callable(getattr(cell, name, None)):
        arguments = entry.get("input")
        items = tuple(arguments.items) if isinstance(arguments, Record) else ()
        return Work(lambda agent, values: call(agent, name, values), items, name, again=("call", name))
    raise TurnError("NT-TURN-006", f"{cell.node} cannot do {name!r} again; drop the parked entry")


def drop(cell: Cell, name: Any) -> None:
    """Forget parked work; with no name, all of it."""
    lane: Any = cell._schema.lanes[PARKED]
    if name is Extant or name is Absent or name is None:
        lane.clear(cell)
        return
    if lane.get(cell, name) is None:
        raise TurnError("NT-TURN-010", f"{cell.node} has nothing parked as {name!r}", http_status=404)
    lane.remove(cell, name)
