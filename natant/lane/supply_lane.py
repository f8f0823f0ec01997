"""The supply lane: a stream of values without state; whoever is linked gets them."""

from __future__ import annotations

from typing import Any, Generic, TypeVar, overload

from natant.codec.form import Form
from natant.errors import LaneError
from natant.kernel.cell import Cell
from natant.kernel.change import PUSH, Event
from natant.kernel.turn import require_turn
from natant.lane.base import Lane, encode_texts

__all__ = ["OVERFLOW_POLICIES", "Supply", "SupplyLane"]

T = TypeVar("T")

#: what a link does when its queue is full
OVERFLOW_POLICIES = ("drop_oldest", "drop_newest", "disconnect")


class Supply(Generic[T]):
    """The supply lane of one agent."""

    __slots__ = ("_cell", "_lane")

    def __init__(self, cell: Cell, lane: SupplyLane[T]) -> None:
        self._cell = cell
        self._lane = lane

    def push(self, value: T) -> None:
        """Give ``value`` to all links, when the turn has been committed."""
        self._lane.push(self._cell, value)


class SupplyLane(Lane, Generic[T]):
    """Values of type ``T`` on their way to links.

    :param queue: how many a slow link may hold back; past that ``overflow`` decides.
    :param overflow: ``drop_oldest`` (default), ``drop_newest`` or ``disconnect``.
    """

    kind = "supply"
    conflation = "queue"
    has_state = False

    def __init__(self, form: Form[T], queue: int | None = None, overflow: str = "drop_oldest", **options: Any) -> None:
        super().__init__(**options)
        if overflow not in OVERFLOW_POLICIES:
            raise LaneError(
                "NT-LANE-005", f"overflow={overflow!r} is not known; take one of {', '.join(OVERFLOW_POLICIES)}"
            )
        if queue is not None and queue < 1:
            raise LaneError("NT-LANE-005", f"queue={queue} is no queue; take at least 1")
        self.form = form
        self.queue = queue
        self.overflow = overflow

    @overload
    def __get__(self, agent: None, owner: type) -> SupplyLane[T]: ...
    @overload
    def __get__(self, agent: Cell, owner: type) -> Supply[T]: ...
    def __get__(self, agent: Cell | None, owner: type) -> Any:
        return self if agent is None else Supply(agent, self)

    def push(self, cell: Cell, value: T) -> None:
        """Publish ``value`` with the open turn."""
        turn = require_turn(cell, self.name)
        wire, _ = encode_texts(self, cell, self.form, value)
        links = cell._links
        if links is not None and self.index in links:
            turn.events.append(Event(self.index, PUSH, wire))

    def types(self) -> dict[str, Any]:
        return {"value": self.form}
