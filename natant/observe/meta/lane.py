"""The lanes of meta nodes: tables that are computed when asked for, a pulse, logs.  None of them keeps state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from natant.codec import recon
from natant.codec.form import form
from natant.codec.warp import operation
from natant.kernel.cell import Cell
from natant.kernel.change import SET, Event
from natant.kernel.turn import offer
from natant.lane.base import Lane
from natant.lane.supply_lane import SupplyLane

__all__ = ["LogLane", "PulseLane", "TableLane"]

#: how often a pulse is told, and a table looked at again, while somebody is linked
PULSE_S: Final = 1.0

Rows = Callable[[Any, str], Iterable[tuple[Any, Any]]]


class _Watched(Lane):
    """A lane that does something every second while it has links."""

    has_state = False

    def __init__(self) -> None:
        super().__init__(is_volatile=True)
        self._armed: set[Cell] = set()

    def linked(self, cell: Cell) -> None:
        """A link has come; called by the session."""
        if cell not in self._armed:
            self._armed.add(cell)
            self._begin(cell)
            self._arm(cell)

    def _begin(self, cell: Cell) -> None:
        """The first link has come."""

    def _end(self, cell: Cell) -> None:
        """The last link has gone."""

    def _arm(self, cell: Cell) -> None:
        env = cell._host.env
        env.call_at(env.now() + PULSE_S, self._beat, cell)

    def _beat(self, cell: Cell) -> None:
        links = cell._links
        if not links or self.index not in links or cell._host.is_stopping:
            self._armed.discard(cell)
            self._end(cell)
            return
        self._arm(cell)
        self.beat(cell, list(links[self.index]))

    def beat(self, cell: Cell, uplinks: list[Any]) -> None:
        """One second has passed."""


class TableLane(_Watched):
    """A map whose entries ``rows(agent, fragment)`` computes; looked at again whenever agents came or went.

    :param is_fleeting: entries go also while no agent does.
    """

    kind = "map"
    conflation = "keyed"

    def __init__(self, rows: Rows, *, is_fleeting: bool = False) -> None:
        super().__init__()
        self._rows = rows
        self._is_fleeting = is_fleeting
        self._seen: dict[Cell, int] = {}

    def snapshot(self, cell: Any, uri: str = "") -> Iterator[tuple[str | None, str]]:
        fragment = uri.partition("#")[2]
        for key, value in self._rows(cell, fragment):
            key_text = recon.encode(key)
            yield key_text, operation.update(key_text, recon.encode_body(value))

    def read(self, cell: Any) -> Any:
        return recon.decode(recon.encode(dict(self._rows(cell, ""))))

    def has_lost(self, cell: Cell) -> bool:
        return cell._host.counter.idle_stops > 0 or self._is_fleeting

    def _begin(self, cell: Cell) -> None:
        self._seen[cell] = cell._host.generation

    def _end(self, cell: Cell) -> None:
        self._seen.pop(cell, None)

    def beat(self, cell: Cell, uplinks: list[Any]) -> None:
        generation = cell._host.generation
        if self._seen.get(cell) != generation:
            self._seen[cell] = generation
            for uplink in uplinks:
                uplink.session.resync(uplink, is_told=False)

    def types(self) -> dict[str, Any]:
        return {"key": form(Any), "value": form(Any)}


class PulseLane(_Watched):
    """Figures that ``measure(agent)`` computes, told every second while somebody is linked."""

    kind = "demand"
    conflation = "latest"

    def __init__(self, measure: Callable[[Any], dict[str, Any]]) -> None:
        super().__init__()
        self._measure = measure

    def snapshot(self, cell: Any, uri: str = "") -> Iterator[tuple[str | None, str]]:
        yield None, recon.encode_body(self._measure(cell))

    def read(self, cell: Any) -> Any:
        return recon.decode(recon.encode(self._measure(cell)))

    def beat(self, cell: Cell, uplinks: list[Any]) -> None:
        offer(cell, [Event(self.index, SET, recon.encode_body(self._measure(cell)))])

    def types(self) -> dict[str, Any]:
        return {"value": form(Any)}


class LogLane(SupplyLane[Any]):
    """Log lines of one level."""

    def __init__(self, level: int, name: str) -> None:
        super().__init__(form(Any), name=name, is_volatile=True)
        self.level = level
        self.watched: set[Cell] = set()

    def bind(self, index: int) -> None:
        super().bind(index)
        self.watched = set()  # where a class takes a copy of the lane, both have their own

    def linked(self, cell: Cell) -> None:
        """A link has come; called by the session."""
        self.watched.add(cell)

    def left(self, cell: Cell) -> None:
        """The last link has gone; called by the session."""
        self.watched.discard(cell)
