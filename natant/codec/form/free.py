"""Untyped values: Any, object, Record and the union Value itself; and what they are in JSON.

In Recon a value is what it is: decoding gives it back unchanged.  In JSON:

==================================== ==============================================================================
Recon                                JSON
==================================== ==============================================================================
text, number, bool                   the same; an integer is printed with all its digits
Extant, Absent                       null (read back as Extant)
``{x:1,y:2}``                        ``{"x":1,"y":2}``
``{1,2}``                            ``[1,2]``
``{}``                               ``{}`` (``[]`` is read as an empty record too)
``%aGk=``                            ``{"@data":"aGk="}``
``@pos{x:1}``                        ``{"@tag":"pos","x":1}``: a first attribute without a value
``@update(key:a)``                   ``{"@update":{"key":"a"}}``: a leading attribute with one
``@update(key:a) 5``                 ``{"@update":{"key":"a"},"@items":[5]}``
``{1,x:2,@a}``, ``{5:x}``            ``{"@items":[1,{"@slot":["x",2]},{"@attr":["a",null]}]}``: anything else
==================================== ==============================================================================

What JSON cannot tell: Absent from Extant, and a hexadecimal number from a decimal one.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from typing import Any, Final

import msgspec

from natant.codec.form.error import misfit, refuse, unfit
from natant.codec.form.plan import DEPTH_LIMIT, Convert
from natant.codec.recon.value import Absent, Attr, Extant, Record, Slot, UInt32, UInt64, Value
from natant.errors import FormError

__all__ = ["any_from_json", "any_to_json", "as_plain", "as_value", "from_plain", "parse_json", "too_deep", "write_json"]

_RESERVED: Final = frozenset(("", "tag", "items", "slot", "attr", "data"))
"""Names after ``@`` that mean something else than an attribute of that name."""

_AS_IT_IS: Final = frozenset((str, int, bool, bytes, UInt32, UInt64, type(Extant), type(Absent)))


def any_to_json(value: Any) -> bytes:
    """The JSON of an untyped Recon value; plain Python (dict, list, None) is taken too.

    :raises FormError: NT-FORM-008 for a number or object that JSON has not, NT-FORM-010 when nested too deeply.
    """
    return write_json(as_plain(value))


def any_from_json(data: bytes | str) -> Value:
    """The Recon value of some JSON, by the table above.

    :raises FormError: NT-FORM-009 when it is not JSON, NT-FORM-010 when nested too deeply.
    """
    value: Value = from_plain(parse_json(data))
    return value


def parse_json(data: bytes | str) -> Any:
    """JSON as dict, list and scalars."""
    try:
        return msgspec.json.decode(data)
    except msgspec.DecodeError as error:
        raise refuse("NT-FORM-009", f"this is not JSON: {error}") from error
    except UnicodeError as error:
        raise refuse("NT-FORM-009", "this is not JSON: its text is not UTF-8") from error
    except RecursionError as error:
        raise too_deep() from error


def write_json(plain: Any) -> bytes:
    """JSON bytes of dict, list and scalars."""
    try:
        return msgspec.json.encode(plain)
    except UnicodeEncodeError as error:
        raise unfit(error.object[error.start : error.end], "text without lone surrogates") from error


def too_deep() -> FormError:
    """The error for a value that is nested deeper than :data:`DEPTH_LIMIT`."""
    return refuse("NT-FORM-010", f"the value is nested deeper than {DEPTH_LIMIT} levels; it takes a flatter one")


def as_plain(value: Any, depth: int = DEPTH_LIMIT) -> Any:
    """A Recon value as dict, list and scalars, by the table above."""
    kind = type(value)
    if kind is str or kind is bool or kind is int:
        return value
    if kind is float:
        if value - value != 0.0:
            raise unfit(value, "a finite number, since JSON has no other")
        return value
    if value is None or value is Extant or value is Absent:
        return None
    if depth <= 0:
        raise too_deep()
    if kind is Record:
        return _record_as_plain(value, depth - 1)
    if kind is bytes:
        return {"@data": b64encode(value).decode("ascii")}
    if isinstance(value, int):
        return int(value)
    if isinstance(value, dict):
        return _record_as_plain(Record.of(value), depth - 1)
    if isinstance(value, list | tuple):
        return [as_plain(item, depth - 1) for item in value]
    raise unfit(value, "a Recon value; declare a type for it, or turn it into dict, list, text and numbers")


def _record_as_plain(record: Record, depth: int) -> Any:
    items = record.items
    if items and all(type(item) is not Slot and type(item) is not Attr for item in items):
        return [as_plain(item, depth) for item in items]
    out: dict[str, Any] = {}
    start = 0
    for item in items:  # the leading attributes
        if type(item) is not Attr or item.name in _RESERVED or f"@{item.name}" in out:
            break
        if start == 0 and item.value is Extant:
            out["@tag"] = item.name
        else:
            out[f"@{item.name}"] = as_plain(item.value, depth)
        start += 1
    slots: dict[str, Any] = {}
    for item in items[start:]:
        if type(item) is not Slot or type(item.key) is not str or item.key[:1] == "@" or item.key in slots:
            out["@items"] = [_item_as_plain(rest, depth) for rest in items[start:]]
            return out
        slots[item.key] = as_plain(item.value, depth)
    return out | slots


def _item_as_plain(item: Any, depth: int) -> Any:
    if type(item) is Slot:
        return {"@slot": [as_plain(item.key, depth), as_plain(item.value, depth)]}
    if type(item) is Attr:
        return {"@attr": [item.name, as_plain(item.value, depth)]}
    return as_plain(item, depth)


def from_plain(plain: Any, depth: int = DEPTH_LIMIT) -> Any:
    """The Recon value of dict, list and scalars, by the table above."""
    if plain is None:
        return Extant
    kind = type(plain)
    if kind is not dict and kind is not list:
        return plain
    if depth <= 0:
        raise too_deep()
    if kind is list:
        return Record([from_plain(item, depth - 1) for item in plain])
    if "@data" in plain and len(plain) == 1:
        return _data(plain["@data"])
    items: list[Any] = []
    for key, value in plain.items():
        if key[:1] != "@":
            items.append(Slot(key, from_plain(value, depth - 1)))
        elif key == "@tag" and type(value) is str:
            items.append(Attr(value))
        elif key == "@items" and type(value) is list:
            items.extend([_item_from_plain(item, depth - 1) for item in value])
        elif key[1:] and key[1:] not in _RESERVED:
            items.append(Attr(key[1:], from_plain(value, depth - 1)))
        else:
            raise misfit(plain, f"an object whose {key} is as the reference of untyped JSON says")
    return Record(items)


def _item_from_plain(plain: Any, depth: int) -> Any:
    if type(plain) is dict and len(plain) == 1:
        slot, attr = plain.get("@slot"), plain.get("@attr")
        if type(slot) is list and len(slot) == 2:
            return Slot(from_plain(slot[0], depth), from_plain(slot[1], depth))
        if type(attr) is list and len(attr) == 2 and type(attr[0]) is str:
            return Attr(attr[0], from_plain(attr[1], depth))
    return from_plain(plain, depth)


def _data(text: Any) -> bytes:
    if type(text) is str:
        try:
            return b64decode(text, validate=True)
        except (Base64Error, ValueError):
            pass
    raise misfit(text, "base64 text in @data")


def as_value(obj: Any, foreign: Convert, depth: int = DEPTH_LIMIT) -> Any:
    """A Recon value of plain Python: dict, list, tuple, None; ``foreign`` encodes what else there is."""
    kind = type(obj)
    if kind in _AS_IT_IS or kind is Record:
        return obj
    if obj is None:
        return Extant
    if kind is float:
        if obj - obj != 0.0:
            raise unfit(obj, "a finite number, since Recon has no other")
        return obj
    if depth <= 0:
        raise too_deep()
    if kind is dict:
        return Record(
            [Slot(as_value(key, foreign, depth - 1), as_value(part, foreign, depth - 1)) for key, part in obj.items()]
        )
    if kind is list or kind is tuple:
        return Record([as_value(item, foreign, depth - 1) for item in obj])
    return foreign(obj)
