"""The demand lane: a value that is computed when somebody wants it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar, overload

from natant.codec.form import Form
from natant.codec.recon.value import Absent
from natant.kernel.cell import Cell
from natant.kernel.change import SET, Event
from natant.kernel.turn import require_turn
from natant.lane.base import Lane, encode_texts

__all__ = ["Demand", "DemandLane"]

T = TypeVar("T")
A = TypeVar("A")


class Demand(Generic[T]):
    """The demand lane of one agent."""

    __slots__ = ("_cell", "_lane")

    def __init__(self, cell: Cell, lane: DemandLane[T]) -> None:
        self._cell = cell
        self._lane = lane

    def cue(self) -> None:
        """Have the value computed now and given to all links."""
        self._lane.publish(self._cell)


class DemandLane(Lane, Generic[T]):
    """A value computed by the method under ``@LANE.cue``, for each sync and each ``self.LANE.cue()``."""

    kind = "demand"
    conflation = "latest"
    has_state = False
    is_derived = True

    def __init__(self, form: Form[T], **options: Any) -> None:
        super().__init__(**options)
        self.form = form

    @overload
    def __get__(self, agent: None, owner: type) -> DemandLane[T]: ...
    @overload
    def __get__(self, agent: Cell, owner: type) -> Demand[T]: ...
    def __get__(self, agent: Cell | None, owner: type) -> Any:
        return self if agent is None else Demand(agent, self)

    def cue(self, function: Callable[[A], T | None]) -> Callable[[A], T | None]:
        """Decorator: ``function(self)`` computes the value; None means that there is none."""
        return self.on("cue", function)

    def publish(self, cell: Cell) -> None:
        """Compute the value and publish it with the open turn."""
        turn = require_turn(cell, self.name)
        links = cell._links
        if links is not None and self.index in links:
            turn.events.append(Event(self.index, SET, self._text(cell)))

    def snapshot(self, cell: Any, uri: str = "") -> Iterator[tuple[str | None, str]]:
        yield None, self._text(cell)

    def read(self, cell: Any) -> Any:
        value = self.call(cell, "cue")
        return Absent if value is None else self.form.encode(value)

    def types(self) -> dict[str, Any]:
        return {"value": self.form}

    def _text(self, cell: Cell) -> str:
        value = self.call(cell, "cue")
        return "" if value is None else encode_texts(self, cell, self.form, value)[0]
