"""The built-in lanes of every agent: what was parked, and the two commands on it."""

from __future__ import annotations

from typing import Any

from natant.codec.form import form
from natant.kernel import park
from natant.lane.base import Lane
from natant.lane.map_lane import MapLane

__all__ = ["ParkedCommand", "ParkedLane"]


class ParkedLane(MapLane[str, Any]):
    """Failures by name; peers may look, and remove with ``parked.drop``."""

    def __init__(self) -> None:
        super().__init__(form(str), form(Any), name=park.PARKED, doc="work that failed, with its input and cause")

    def bind(self, index: int) -> None:
        super().bind(index)
        self.is_stamped = True

    def put(self, cell: Any, key: str, value: Any) -> None:
        self.keep = cell._host.config.parked_limit
        super().put(cell, key, value)

    def receive(self, cell: Any, body: Any) -> None:
        """Nobody writes here from outside."""


class ParkedCommand(Lane):
    """``parked.retry`` and ``parked.drop``: the body is the name of an entry."""

    kind = "command"
    conflation = "queue"
    has_state = False
    queue: int | None = None
    overflow = "drop_oldest"

    def __init__(self, verb: str) -> None:
        super().__init__(name=f"{park.PARKED}.{verb}", doc=f"{verb} an entry of the parked lane, named by the body")
        self._act = park.retry if verb == "retry" else park.drop

    def receive(self, cell: Any, body: Any) -> None:
        self._act(cell, body)
