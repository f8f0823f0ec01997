"""What join lanes share: sources that are remembered, and downlinks that follow the agent's life.

Which lanes are joined is durable; what they show is a view and comes anew when the agent comes to life.  An agent that
joins is brought to life when its plane starts, and is not stopped for idleness.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from natant.codec import recon, uri
from natant.codec.recon.value import Extant, Record
from natant.errors import LaneError
from natant.kernel import key
from natant.kernel.cell import Cell
from natant.kernel.turn import Turn

__all__ = ["JOIN", "Origin", "forget_origin", "keep_origin", "open_again", "origin_of", "origins", "read_only"]

#: start of the sub-keys under which a join lane keeps its sources; no Recon text starts with a zero byte
JOIN: Final = b"\0join"


def read_only(lane: str) -> LaneError:
    """The error for writing to a view."""
    return LaneError("NT-LANE-013", f'join lane "{lane}" shows what others own; join and leave, or command its source')


class Origin(NamedTuple):
    """A lane that is joined."""

    node: str
    lane: str
    host: str | None


def origin_of(node: str, lane: str, host: str | None) -> Origin:
    """The lane that an author speaks of, spelled in the one way that tells it from others.

    :raises WarpError: ``NT-WARP-004`` where ``node`` is no URI.
    """
    echo, path = uri.resolve(node)
    return Origin(path if host is None else echo, lane, host)


def keep_origin(prefix: bytes, cell: Cell, turn: Turn, name: str, origin: Origin) -> None:
    """Journal that ``origin`` is joined under ``name``, and that the agent is to be woken at start."""
    if cell._host.is_volatile:
        return
    record = Record.of(
        {"node": origin.node, "lane": origin.lane, "host": Extant if origin.host is None else origin.host}
    )
    turn.records.append((0, prefix + JOIN + name.encode(), recon.encode(record).encode()))
    turn.records.append((0, key.wake_key(cell.node), b""))


def open_again(cell: Cell, lane: str, origin: Origin, function: Callable[..., None], *args: Any) -> None:
    """Link to a source when the agent comes to life; one that cannot be had does not keep the others away."""
    try:
        function(cell, *args)
    except Exception as error:
        cell._host.broken(f'join of "{lane}" of {cell.node} with "{origin.lane}" of {origin.node}', error)


def forget_origin(prefix: bytes, cell: Cell, turn: Turn, name: str) -> None:
    """Journal that ``name`` is joined no more."""
    if not cell._host.is_volatile:
        turn.records.append((1, prefix + JOIN + name.encode(), b""))


def origins(prefix: bytes, cell: Cell) -> list[tuple[str, Origin]]:
    """What the store knows to be joined, by name."""
    if cell._host.is_volatile or not cell._is_known:
        return []
    found: list[tuple[str, Origin]] = []
    start = len(prefix) + len(JOIN)
    for stored, text in cell._host.store.scan(prefix + JOIN):
        record: Any = recon.decode(text)
        host = record.get("host")
        origin = Origin(record.get("node"), record.get("lane"), host if isinstance(host, str) else None)
        found.append((stored[start:].decode(), origin))
    return found
