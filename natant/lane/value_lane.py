"""The value lane: one value an agent, read and written as an attribute."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from natant.codec.recon.value import Absent
from natant.kernel.cell import Cell
from natant.lane.base import encode_texts
from natant.lane.value_base import ValueBase

__all__ = ["ValueLane"]

T = TypeVar("T")
A = TypeVar("A")


class ValueLane(ValueBase, Generic[T]):
    """One value of type ``T`` for each agent.

    Reading it costs a memory access.  Until it is set it reads as its default, or None.  The value itself should be immutable:
    a change *inside* it is not seen; assign a new value.
    """

    kind = "value"
    conflation = "latest"

    if TYPE_CHECKING:

        @overload
        def __get__(self, agent: None, owner: type) -> ValueLane[T]: ...
        @overload
        def __get__(self, agent: Cell, owner: type) -> T: ...
        def __get__(self, agent: Cell | None, owner: type) -> Any: ...
        def __set__(self, agent: Any, value: T) -> None: ...

    def changing(self, function: Callable[[Any, T, T], T]) -> Callable[[Any, T, T], T]:
        """Decorator: ``function(self, new, old)`` runs before each change and returns the value to store; raising refuses it."""
        return self.on("changing", function)

    def changed(self, function: Callable[[A, T, T], object]) -> Callable[[A, T, T], object]:
        """Decorator: ``function(self, new, old)`` runs after each change, in the same turn."""
        return self.on("changed", function)

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
