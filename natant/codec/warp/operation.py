"""Operations on map and list lanes, as they stand in the bodies of events and commands (reference, section 2.5).

Writing puts texts together: a key is the text of a value (:func:`~natant.codec.recon.encode`), a value is the text of a
body (:func:`~natant.codec.recon.encode_body`).  Reading takes a body that was decoded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from natant.codec.recon.value import Absent, Attr, Extant, Record, Slot
from natant.codec.warp.envelope import join

__all__ = [
    "CLEAR",
    "DROP",
    "MOVE",
    "REMOVE",
    "TAKE",
    "UPDATE",
    "Operation",
    "clear",
    "drop",
    "list_move",
    "list_remove",
    "list_update",
    "read",
    "remove",
    "take",
    "update",
]

UPDATE: Final = "update"
REMOVE: Final = "remove"
MOVE: Final = "move"
TAKE: Final = "take"
DROP: Final = "drop"
CLEAR: Final = "clear"


@dataclass(slots=True)
class Operation:
    """One change of a map or list.

    :ivar op: :data:`UPDATE`, :data:`REMOVE`, :data:`MOVE`, :data:`TAKE`, :data:`DROP` or :data:`CLEAR`.
    :ivar key: the key of a map's entry; a list's opaque key; Extant where none was given.
    :ivar value: what an update sets; Absent otherwise.
    :ivar index: place in a list, where a move begins; -1 where none was given.
    :ivar to: where a move ends; -1 where none was given.
    :ivar n: how many entries to take or drop.
    """

    op: str
    key: Any = Extant
    value: Any = Absent
    index: int = -1
    to: int = -1
    n: int = 0


def update(key_text: str, value_text: str) -> str:
    """Set a map's entry."""
    return join(f"@update(key:{key_text})", value_text)


def remove(key_text: str) -> str:
    """Remove a map's entry."""
    return f"@remove(key:{key_text})"


def clear() -> str:
    """Remove everything."""
    return "@clear"


def take(n: int) -> str:
    """Keep the first ``n`` entries."""
    return f"@take({n})"


def drop(n: int) -> str:
    """Remove the first ``n`` entries."""
    return f"@drop({n})"


def list_update(index: int, key_text: str, value_text: str) -> str:
    """Insert or set a list's element."""
    return join(f"@update(index:{index},key:{key_text})", value_text)


def list_remove(index: int, key_text: str) -> str:
    """Remove a list's element."""
    return f"@remove(index:{index},key:{key_text})"


def list_move(source: int, target: int, key_text: str) -> str:
    """Move a list's element."""
    return f"@move(from:{source},to:{target},key:{key_text})"


def read(body: Any) -> Operation | None:
    """The operation that a body holds, None where it holds none or a wrong one.

    Slots may come in any order; unknown ones do not matter.  Counts below zero are zero.
    """
    if not isinstance(body, Record) or not body.items or not isinstance(body.items[0], Attr):
        return None
    op = body.items[0].name
    argument = body.items[0].value
    if op == UPDATE:
        index = _index(argument, "index")
        return None if index is None else Operation(UPDATE, _slot(argument, "key"), _rest(body), index)
    if op == REMOVE:
        index = _index(argument, "index")
        return None if index is None else Operation(REMOVE, _slot(argument, "key"), Absent, index)
    if op == MOVE:
        source, target = _index(argument, "from"), _index(argument, "to")
        if source is None or target is None:
            return None
        return Operation(MOVE, _slot(argument, "key"), Absent, source, target)
    if op in (TAKE, DROP):
        n = _whole(argument)
        return None if n is None else Operation(op, n=max(n, 0))
    return Operation(CLEAR) if op == CLEAR else None


def _slot(argument: Any, name: str) -> Any:
    if isinstance(argument, Record):
        for item in argument.items:
            if isinstance(item, Slot) and item.key == name:
                return item.value
    return Extant


def _index(argument: Any, name: str) -> int | None:
    """The number in a slot, -1 where there is no such slot, None where it is no number for a place."""
    value = _slot(argument, name)
    if value is Extant:
        return -1
    index = _whole(value)
    return index if index is not None and index >= 0 else None


def _whole(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if value == int(value) else None


def _rest(body: Record) -> Any:
    """What follows the first attribute, as a value."""
    items = body.items[1:]
    if not items:
        return Absent
    if len(items) == 1 and not isinstance(items[0], (Slot, Attr)):
        return items[0]
    return Record(items)
