"""The demand-map lane: entries that are computed when somebody wants them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar, overload

from natant.codec.form import Form
from natant.codec.recon.value import Record, Slot
from natant.codec.warp import operation
from natant.kernel.cell import Cell
from natant.kernel.change import REMOVE, UPDATE, Event
from natant.kernel.turn import require_turn
from natant.lane.base import Lane, encode_key, encode_texts

__all__ = ["DemandMap", "DemandMapLane"]

K = TypeVar("K")
V = TypeVar("V")
A = TypeVar("A")


class DemandMap(Generic[K, V]):
    """The demand-map lane of one agent."""

    __slots__ = ("_cell", "_lane")

    def __init__(self, cell: Cell, lane: DemandMapLane[K, V]) -> None:
        self._cell = cell
        self._lane = lane

    def cue(self, key: K) -> None:
        """Have the entry of ``key`` computed now and given to all links; one that is None is removed there."""
        self._lane.publish(self._cell, key)


class DemandMapLane(Lane, Generic[K, V]):
    """Entries computed by the method under ``@LANE.cue``; those under ``@LANE.keys`` make up a sync."""

    kind = "demandMap"
    conflation = "keyed"
    has_state = False
    is_derived = True

    def __init__(self, key_form: Form[K], form: Form[V], **options: Any) -> None:
        super().__init__(**options)
        self.key_form = key_form
        self.form = form

    @overload
    def __get__(self, agent: None, owner: type) -> DemandMapLane[K, V]: ...
    @overload
    def __get__(self, agent: Cell, owner: type) -> DemandMap[K, V]: ...
    def __get__(self, agent: Cell | None, owner: type) -> Any:
        return self if agent is None else DemandMap(agent, self)

    def cue(self, function: Callable[[A, K], V | None]) -> Callable[[A, K], V | None]:
        """Decorator: ``function(self, key)`` computes an entry; None means that there is none."""
        return self.on("cue", function)

    def keys(self, function: Callable[[A], Iterable[K]]) -> Callable[[A], Iterable[K]]:
        """Decorator: ``function(self)`` names the keys that a sync shows."""
        return self.on("keys", function)

    def publish(self, cell: Cell, key: K) -> None:
        """Compute one entry and publish it with the open turn."""
        turn = require_turn(cell, self.name)
        links = cell._links
        if links is None or self.index not in links:
            return
        key_text, _ = encode_key(self, cell, self.key_form, key)
        body = self._body(cell, key, key_text)
        if body is None:
            turn.events.append(Event(self.index, REMOVE, operation.remove(key_text), key_text))
        else:
            turn.events.append(Event(self.index, UPDATE, body, key_text))

    def snapshot(self, cell: Any, uri: str = "") -> Iterator[tuple[str | None, str]]:
        for key in self.call(cell, "keys") or ():
            key_text, _ = encode_key(self, cell, self.key_form, key)
            body = self._body(cell, key, key_text)
            if body is not None:
                yield key_text, body

    def read(self, cell: Any) -> Any:
        pairs = ((key, self.call(cell, "cue", key)) for key in self.call(cell, "keys") or ())
        return Record(
            Slot(self.key_form.encode(key), self.form.encode(value)) for key, value in pairs if value is not None
        )

    def has_lost(self, cell: Cell) -> bool:
        return False

    def types(self) -> dict[str, Any]:
        return {"key": self.key_form, "value": self.form}

    def _body(self, cell: Cell, key: K, key_text: str) -> str | None:
        value = self.call(cell, "cue", key)
        if value is None:
            return None
        return operation.update(key_text, encode_texts(self, cell, self.form, value)[0])
