# cython: annotation_typing=False
"""The Recon data model in Python.

======== ==========================================================================================
Recon    Python
======== ==========================================================================================
Text     ``str``
Num      ``int`` (any size), ``float``; ``UInt32`` / ``UInt64`` for numbers written in hexadecimal
Bool     ``bool``
Data     ``bytes``
Record   :class:`Record`, an immutable sequence of items
item     a value, an :class:`Attr` or a :class:`Slot`
Extant   :data:`Extant`, "present, but empty"
Absent   :data:`Absent`, "no value"
======== ==========================================================================================

All of them are immutable and hashable, so any value can be a key of a map lane.  None of the classes is meant to be
subclassed.  Compiled, they are extension types (``value.pxd``), which is why they carry no decorators.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias

__all__ = [
    "Absent",
    "AbsentType",
    "Attr",
    "Extant",
    "ExtantType",
    "Item",
    "Record",
    "Slot",
    "UInt32",
    "UInt64",
    "Value",
]


class AbsentType:
    """The type of :data:`Absent`; there is one instance and it is false."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Absent"

    def __bool__(self) -> bool:
        return False

    def __reduce__(self) -> str:
        return "Absent"


class ExtantType:
    """The type of :data:`Extant`; there is one instance and it is false."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Extant"

    def __bool__(self) -> bool:
        return False

    def __reduce__(self) -> str:
        return "Extant"


Absent: Final = AbsentType()
Extant: Final = ExtantType()


class UInt32(int):
    """A number written as ``0x`` with up to 8 digits; it is printed with 8."""

    __slots__ = ()


class UInt64(int):
    """A number written as ``0x`` with 9 to 16 digits; it is printed with 16."""

    __slots__ = ()


class Attr:
    """``@name(value)``: an attribute of the record it stands in.  ``@name`` has the value :data:`Extant`."""

    __slots__ = ("name", "value")

    def __init__(self, name: str, value: Any = Extant) -> None:
        self.name = name
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Attr) and self.name == other.name and self.value == other.value

    def __hash__(self) -> int:
        return hash((Attr, self.name, self.value))

    def __repr__(self) -> str:
        return f"Attr({self.name!r}, {self.value!r})"


class Slot:
    """``key:value``: a named part of a record.  The key may be any value."""

    __slots__ = ("key", "value")

    def __init__(self, key: Any, value: Any = Extant) -> None:
        self.key = key
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Slot) and self.key == other.key and self.value == other.value

    def __hash__(self) -> int:
        return hash((Slot, self.key, self.value))

    def __repr__(self) -> str:
        return f"Slot({self.key!r}, {self.value!r})"


class Record:
    """An ordered, immutable sequence of items.

    ``Record([Attr("event"), Slot("x", 1), 2])`` is ``@event{x:1,2}``.
    """

    __slots__ = ("items",)

    def __init__(self, items: Iterable[Any] = ()) -> None:
        self.items = tuple(items)

    @classmethod
    def of(cls, mapping: Mapping[Any, Any], tag: str | None = None) -> Record:
        """A record of the slots of ``mapping``, after the attribute ``@tag`` where one is given."""
        head = () if tag is None else (Attr(tag),)
        return cls((*head, *(Slot(key, value) for key, value in mapping.items())))

    @property
    def tag(self) -> str | None:
        """The name of the first item where that is an attribute, else None."""
        first = self.items[0] if self.items else None
        return first.name if isinstance(first, Attr) else None

    def get(self, key: Any, default: Any = None) -> Any:
        """The value of the first slot with this key, else of the first attribute of this name, else ``default``."""
        items = self.items
        for item in items:
            if isinstance(item, Slot):
                slot = item
                if slot.key is key or slot.key == key:
                    return slot.value
        for item in items:
            if isinstance(item, Attr):
                attr = item
                if attr.name == key:
                    return attr.value
        return default

    def __getitem__(self, index: int) -> Any:
        return self.items[index]

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.items)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Record) and self.items == other.items

    def __hash__(self) -> int:
        return hash((Record, self.items))

    def __repr__(self) -> str:
        return f"Record({list(self.items)!r})"


Value: TypeAlias = str | int | float | bool | bytes | Record | ExtantType | AbsentType
Item: TypeAlias = Value | Attr | Slot
