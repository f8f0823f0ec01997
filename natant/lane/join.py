"""What join lanes share: sources that are remembered, and downlinks that follow the agent's life.

Which lanes are joined is durable; what they show is a view and comes anew when the agent comes to life.  An agent that
joins is brought to life when its plane starts, and is not stopped for idleness.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from natant.codec import recon
from natant.codec.recon.value import Extant, Record
from natant.errors import LaneError
from natant.kernel import key
from natant.kernel.cell import Cell
from natant.kernel.turn import Turn

__all__ = ["JOIN", "Origin", "forget_origin", "keep_origin", "origins", "read_only"]

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


def keep_origin(prefix: bytes, cell: Cell, turn: Turn, name: str, origin: Origin) -> None:
    """Journal that ``origin`` is joined under ``name``, and that the agent is to be woken at start."""
    if cell._host.is_volatile:
        return
    record = Record.of(
        {"node": origin.node, "lane": origin.lane, "host": Extant if origin.host is None else origin.host}
    )
    turn.records.append((0, prefix + JOIN + name.encode(), recon.encode(record).encode()))
    turn.records.append((0, key.wake_key(cell.node), b""))


def forget_origin(prefix: bytes, cell: Cell, turn: Turn, name: str) -> None:
    """Journal that ``name`` is joined no more."""
    if not cell._host.is_volatile:
        turn.records.append((1, prefix + JOIN + name.encode(), b""))


def origins(prefix: bytes, cell: Cell) -> list[tuple[str, Origin]]:
    """What the store knows to be joined, by name."""
    if cell._host.is_volatile:
        return []
    found: list[tuple[str, Origin]] = []
    start = len(prefix) + len(JOIN)
    for stored, text in cell._host.store.scan(prefix + JOIN):
        record: Any = recon.decode(text)
        host = record.get("host")
        origin = Origin(record.get("node"), record.get("lane"), host if isinstance(host, str) else None)
        found.append((stored[start:].decode(), origin))
    return found
