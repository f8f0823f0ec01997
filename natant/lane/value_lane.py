"""The value lane: one value an agent, read and written as an attribute."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar, overload

from natant.codec.form import Form
from natant.codec.recon.value import Absent
from natant.kernel.cell import UNLOADED, Cell
from natant.kernel.change import SET, Event
from natant.kernel.turn import require_turn
from natant.lane.base import Lane, decode_input, decode_stored, encode_texts

__all__ = ["ValueLane"]

T = TypeVar("T")
A = TypeVar("A")


class ValueLane(Lane, Generic[T]):
    """One value of type ``T`` for each agent.

    Reading it costs a memory access.  Until it is set it reads as its default, or None.  The value itself should be immutable:
    a change *inside* it is not seen; assign a new value.
    """

    kind = "value"
    conflation = "latest"

    def __init__(self, form: Form[Any], default: Any = None, **options: Any) -> None:
        super().__init__(**options)
        if default is not None and not form.is_any:
            form.encode(default)  # raises where it does not fit
        self.form = form
        self.default = default

    @overload
    def __get__(self, agent: None, owner: type) -> ValueLane[T]: ...
    @overload
    def __get__(self, agent: Cell, owner: type) -> T: ...
    def __get__(self, agent: Cell | None, owner: type) -> Any:
        if agent is None:
            return self
        state = agent._state[self.index]
        if state is UNLOADED:
            state = self._load(agent)
        return state

    def __set__(self, agent: Any, value: T) -> None:
        cell: Cell = agent
        turn = require_turn(cell, self.name)
        old = self.__get__(cell, type(cell))
        callbacks = self.callbacks
        if callbacks and "changing" in callbacks:
            value = callbacks["changing"](cell, value, old)
        wire, exact = ("", "") if value is None or value is Absent else encode_texts(self, cell, self.form, value)
        turn.undo.append((self._restore, cell, old))
        cell._state[self.index] = None if value is Absent else value
        if self.is_kept(cell):
            if exact or self.default is not None:  # an empty record: there is no value, not even the default
                turn.records.append((0, self.prefix(cell), exact.encode()))
            else:
                turn.records.append((1, self.prefix(cell), b""))
            turn.events.append(Event(self.index, SET, wire))
        else:
            links = cell._links
            if links is not None and self.index in links:
                turn.instant.append(Event(self.index, SET, wire))
        if callbacks and "changed" in callbacks:
            callbacks["changed"](cell, value, old)

    def changing(self, function: Callable[[Any, T, T], T]) -> Callable[[Any, T, T], T]:
        """Decorator: ``function(self, new, old)`` runs before each change and returns the value to store; raising refuses it."""
        return self.on("changing", function)

    def changed(self, function: Callable[[A, T, T], object]) -> Callable[[A, T, T], object]:
        """Decorator: ``function(self, new, old)`` runs after each change, in the same turn."""
        return self.on("changed", function)

    def receive(self, cell: Any, body: Any) -> None:
        if self.form.is_any:
            self.__set__(cell, body)
        elif body is Absent:
            self.__set__(cell, self._initial())
        else:
            self.__set__(cell, decode_input(self.form, body))

    def snapshot(self, cell: Any, uri: str = "") -> Iterator[tuple[str | None, str]]:
        yield None, self._text(cell)

    def entry(self, cell: Any, key: Any) -> str | None:
        return self._text(cell)

    def read(self, cell: Any) -> Any:
        value = self.__get__(cell, type(cell))
        return Absent if value is None else self.form.encode(value)

    def types(self) -> dict[str, Any]:
        return {"value": self.form}

    def _text(self, cell: Cell) -> str:
        value = self.__get__(cell, type(cell))
        if value is None:
            return ""
        return encode_texts(self, cell, self.form, value)[0]

    def _initial(self) -> Any:
        default = self.default
        return copy.copy(default) if isinstance(default, (list, dict, set)) else default

    def _load(self, cell: Cell) -> Any:
        text = cell._host.store.get(self.prefix(cell)) if self.is_kept(cell) else None
        state: Any = None
        if text is None:
            state = self._initial()
        elif text:
            state = decode_stored(self, cell, self.form, text)
        cell._state[self.index] = state
        return state

    def _restore(self, cell: Cell, old: Any) -> None:
        cell._state[self.index] = old
