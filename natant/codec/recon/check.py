# cython: annotation_typing=False, boundscheck=False, wraparound=False
"""Whether a value can be written, without writing it: for lanes whose text nobody wants yet.

Goes over a value as :class:`~natant.codec.recon.writer.Writer` does, in the same order, and leaves to the writer's own
functions what they would refuse.  The file compiles with Cython as it is; its types are in ``check.pxd``.
"""

from __future__ import annotations

from typing import Any, Final

from natant.codec.recon import raw
from natant.codec.recon.limit import MAX_WRITE_DEPTH
from natant.codec.recon.value import AbsentType, Attr, ExtantType, Record, Slot, UInt32, UInt64
from natant.codec.recon.writer import _integer, _plain, _surrogate, _text, _too_deep, _unsigned
from natant.errors import CodecError

__all__ = ["check", "check_value"]

_DEPTH: Final = MAX_WRITE_DEPTH


def check(value: Any) -> None:
    """See that a value can be written; costs a fraction of writing it.

    :raises CodecError: as :func:`~natant.codec.recon.encode`, in either form, would for this value.
    """
    check_value(value, _DEPTH)


def check_value(value: Any, depth: int) -> None:
    """:func:`check` inside of other records, so that ``depth`` more may nest."""
    kind = type(value)
    if kind is str:
        _str(value)
    elif kind is int:
        if not raw.is_small(value):
            _integer(value)
    elif kind is float:
        number = value
        if number - number != 0.0:
            raise CodecError("NT-RECON-010", f"Recon has no number for {value}; use None or text")
    elif kind is Record:
        _items(value.items, depth - 1)
    elif kind is bool or kind is ExtantType or kind is AbsentType or value is None or kind is bytes:
        return
    elif kind is dict:
        if depth <= 0:
            raise _too_deep()
        for key, item in value.items():
            check_value(key, depth - 1)
            check_value(item, depth - 1)
    elif kind is list or kind is tuple:
        _items(tuple(value), depth - 1)
    elif kind is UInt32 or kind is UInt64:
        _unsigned(value)
    else:
        check_value(_plain(value), depth)


def _str(text: str) -> None:
    if not raw.is_narrow(text) and _surrogate(text) is not None:
        _text(text)


def _items(items: tuple[Any, ...], depth: int) -> None:
    if depth < 0:
        raise _too_deep()
    for item in items:
        if type(item) is Slot:
            slot = item
            check_value(slot.key, depth)
            check_value(slot.value, depth)
        elif type(item) is Attr:
            _attribute(item, depth)
        else:
            check_value(item, depth)


def _attribute(attr: Any, depth: int) -> None:
    name = attr.name
    _str(name if type(name) is str else str(name))
    value = attr.value
    if type(value) is not Record or value.items:
        kind = type(value)
        if (kind is dict or kind is list or kind is tuple) and not value:
            return
        check_value(value, depth)
