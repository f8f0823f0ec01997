"""The plans of list, set, frozenset and tuple: a record of values in Recon, an array in JSON.

Sets are written in the order of their values, so that the same set always makes the same text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from natant.codec.form.error import at, misfit, undeclarable, unfit
from natant.codec.form.plan import Definitions, Plan, flattened
from natant.codec.recon.value import Attr, Record, Slot
from natant.errors import FormError

__all__ = ["fixed", "many"]

_SETS = (set, frozenset)


def many(name: str, item: Plan, make: Any, takes: tuple[Any, ...]) -> Plan:
    """Any number of items of one type.

    :param name: readable name of the whole type.
    :param make: ``list``, ``tuple``, ``set`` or ``frozenset``: what decoding gives.
    :param takes: the Python types that encoding accepts.
    """
    is_set = make in _SETS
    if is_set and not item.is_hashable:
        raise undeclarable(name, f"{item.name} cannot be in a set, because it can change; use list, or freeze it")
    exact_in, exact_out = item.exact_in, item.exact_out
    read = _loose(item) if item.is_any else item.decode
    write, lift_item, lower_item = item.encode, item.lift, item.lower
    expected = name

    def decode(value: Any) -> Any:
        if type(value) is not Record:
            raise misfit(value, expected)
        parts: list[Any] = []
        try:
            for part in value.items:
                parts.append(part if type(part) is exact_in else read(part))
        except FormError as error:
            raise at(error, len(parts)) from None
        return parts if make is list else make(parts)

    def encode(obj: Any) -> Record:
        if not isinstance(obj, takes):
            raise unfit(obj, expected)
        parts: list[Any] = []
        try:
            for part in obj:
                parts.append(part if type(part) is exact_out else write(part))
        except FormError as error:
            raise at(error, len(parts)) from None
        return Record(_in_order(parts) if is_set else parts)

    def lift(plain: Any) -> Any:
        if type(plain) is not list:
            raise misfit(plain, expected)
        parts: list[Any] = []
        try:
            for part in plain:
                parts.append(lift_item(part))
        except FormError as error:
            raise at(error, len(parts)) from None
        return parts if make is list else make(parts)

    def lower(obj: Any) -> list[Any]:
        if not isinstance(obj, takes):
            raise unfit(obj, expected)
        parts: list[Any] = []
        try:
            for part in obj:
                parts.append(lower_item(part))
        except FormError as error:
            raise at(error, len(parts)) from None
        return _in_order(parts) if is_set else parts

    def schema(definitions: Definitions) -> dict[str, Any]:
        out: dict[str, Any] = {"type": "array", "items": item.schema(definitions)}
        return out | {"uniqueItems": True} if is_set else out

    plan = Plan(name, "record", takes).turn(decode, encode, lift, lower)
    plan.top = flattened(decode)
    plan.schema = schema
    plan.is_clean = item.is_clean
    plan.is_hashable = make is frozenset or (make is tuple and item.is_hashable)
    return plan


def fixed(name: str, items: tuple[Plan, ...]) -> Plan:
    """A tuple of a fixed number of items, each of its own type."""
    count = len(items)
    expected = f"{name}, {count} item{'' if count == 1 else 's'}"
    decoders = [_loose(item) if item.is_any else item.decode for item in items]
    encoders = [item.encode for item in items]
    lifters = [item.lift for item in items]
    lowerers = [item.lower for item in items]

    def convert(parts: Any, calls: list[Callable[[Any], Any]]) -> list[Any]:
        out: list[Any] = []
        try:
            for call, part in zip(calls, parts, strict=True):
                out.append(call(part))
        except FormError as error:
            raise at(error, len(out)) from None
        return out

    def decode(value: Any) -> Any:
        if type(value) is not Record or len(value.items) != count:
            raise misfit(value, expected)
        return tuple(convert(value.items, decoders))

    def encode(obj: Any) -> Record:
        if not isinstance(obj, tuple | list) or len(obj) != count:
            raise unfit(obj, expected)
        return Record(convert(obj, encoders))

    def lift(plain: Any) -> Any:
        if type(plain) is not list or len(plain) != count:
            raise misfit(plain, expected)
        return tuple(convert(plain, lifters))

    def lower(obj: Any) -> list[Any]:
        if not isinstance(obj, tuple | list) or len(obj) != count:
            raise unfit(obj, expected)
        return convert(obj, lowerers)

    def schema(definitions: Definitions) -> dict[str, Any]:
        out: dict[str, Any] = {"type": "array", "minItems": count, "maxItems": count}
        return out | {"prefixItems": [item.schema(definitions) for item in items], "items": False} if items else out

    plan = Plan(name, "record", (tuple,)).turn(decode, encode, lift, lower)
    plan.top = flattened(decode)
    plan.schema = schema
    plan.is_clean = all(item.is_clean for item in items)
    plan.is_hashable = all(item.is_hashable for item in items)
    return plan


def _loose(item: Plan) -> Callable[[Any], Any]:
    """Decode for untyped items: a slot or attribute that stands among them becomes a record of its own."""
    decode = item.decode

    def read(part: Any) -> Any:
        if type(part) is Slot or type(part) is Attr:
            part = Record((part,))
        return decode(part)

    return read


def _in_order(parts: list[Any]) -> list[Any]:
    """The parts in their own order where they have one, else in that of their text."""
    try:
        return sorted(parts)
    except TypeError:
        return sorted(parts, key=lambda part: (type(part).__name__, repr(part)))
