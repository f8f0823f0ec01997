"""Recon order: the order of keys in a map, which ``take`` and ``drop`` go by (reference, section 2.5).

Types come first: attributes, slots, records, data, text, numbers, bools (true before false), Extant, Absent.  Within a type:
text by UTF-16 unit, numbers numerically, data by byte, records item by item and the shorter one first.
"""

from __future__ import annotations

from typing import Any

from natant.codec.recon.value import AbsentType, Attr, ExtantType, Record, Slot
from natant.codec.recon.writer import _plain, _record_of
from natant.errors import CodecError

__all__ = ["compare", "sort_key"]


def sort_key(value: Any) -> tuple[Any, ...]:
    """What sorts values in Recon order, as in ``sorted(keys, key=sort_key)``.

    :raises CodecError: ``NT-RECON-010`` for NaN and what is no Recon value.
    """
    kind = type(value)
    if kind is str:
        return (5, _units(value))
    if kind is bool:
        return (7, not value)
    if kind is int or kind is float:
        if value != value:
            raise CodecError("NT-RECON-010", "NaN has no place in an order; use None or text as a key")
        return (6, value)
    if kind is Record:
        return (3, tuple([sort_key(item) for item in value.items]))
    if kind is ExtantType or value is None:
        return (98,)
    if kind is AbsentType:
        return (99,)
    if kind is bytes:
        return (4, value)
    if kind is Attr:
        return (1, _units(value.name), sort_key(value.value))
    if kind is Slot:
        return (2, sort_key(value.key), sort_key(value.value))
    if isinstance(value, (int, float)):
        return (6, value)
    if isinstance(value, (dict, list, tuple)):
        return sort_key(_record_of(value))
    return sort_key(_plain(value))


def compare(a: Any, b: Any) -> int:
    """-1, 0 or 1 as ``a`` comes before, with or after ``b``."""
    one, other = sort_key(a), sort_key(b)
    return (one > other) - (one < other)


def _units(text: str) -> str:
    """Text that sorts by code point as ``text`` does by UTF-16 unit: characters past U+FFFF become their two units."""
    if text.isascii() or max(text) < "\U00010000":
        return text
    return "".join(
        char if char < "\U00010000" else chr(0xD7C0 + (ord(char) >> 10)) + chr(0xDC00 + (ord(char) & 0x3FF))
        for char in text
    )
