"""The plan of dict and Mapping: a record of slots in Recon, an object in JSON.

Keys may be of any type that can be a key.  JSON has only text keys: where the type of the keys is one scalar, they are its
text (``{"5":...}``); where it is not (unions, records, tuples), the mapping is an array of ``[key, value]`` pairs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from natant.codec.form.error import at, misfit, short, undeclarable, unfit
from natant.codec.form.plan import Definitions, Plan
from natant.codec.recon.value import Absent, Extant, Record, Slot
from natant.errors import FormError

__all__ = ["mapping"]


def mapping(name: str, key: Plan, part: Plan) -> Plan:
    """Keys of one type to values of another."""
    if not key.is_hashable:
        raise undeclarable(name, f"{key.name} cannot be a key, because it can change; use a tuple or a frozen class")
    if "empty" in key.claims and not key.is_any:
        raise undeclarable(name, "None cannot be a key; leave it out of the type of the keys")
    expected = name
    read_key, read = key.decode, part.decode
    write_key, write = key.encode, part.encode
    key_in, key_out, exact_in, exact_out = key.exact_in, key.exact_out, part.exact_in, part.exact_out

    def decode(value: Any) -> Any:
        if type(value) is not Record:
            raise misfit(value, expected)
        out: dict[Any, Any] = {}
        for item in value.items:
            if type(item) is not Slot:
                raise misfit(item, f"{expected}, so slots only")
            k, v = item.key, item.value
            try:
                if type(k) is not key_in:
                    k = read_key(k)
                out[k] = v if type(v) is exact_in else read(v)
            except FormError as error:
                raise at(error, short(item.key)) from None
        return out

    def encode(obj: Any) -> Record:
        if not isinstance(obj, Mapping):
            raise unfit(obj, expected)
        slots: list[Slot] = []
        for k, v in obj.items():
            try:
                coded = k if type(k) is key_out else write_key(k)
                if coded is Extant or coded is Absent:
                    raise unfit(k, "a key that is not empty")
                slots.append(Slot(coded, v if type(v) is exact_out else write(v)))
            except FormError as error:
                raise at(error, short(k)) from None
        return Record(slots)

    def top(value: Any) -> Any:
        return {} if value is Extant or value is Absent or value is None else decode(value)

    plan = Plan(name, "record", (dict,)).turn(decode, encode, *_json(name, key, part))
    plan.top = top
    plan.schema = _schema(key, part)
    plan.is_hashable = False
    plan.is_clean = part.is_clean and key.is_clean and key.key is not None and "bool" not in key.claims
    return plan


def _json(name: str, key: Plan, part: Plan) -> tuple[Any, Any]:
    """Lift and lower of a mapping."""
    lift_part, lower_part = part.lift, part.lower
    parse = key.lift if key.key is None else key.key[0]

    def pair(plain: Any) -> tuple[Any, Any]:
        if type(plain) is not list or len(plain) != 2:
            raise misfit(plain, "a pair of key and value")
        return key.lift(plain[0]), plain[1]

    def lift(plain: Any) -> Any:
        kind = type(plain)
        if kind is not dict and kind is not list:
            raise misfit(plain, name)
        out: dict[Any, Any] = {}
        step: Any = 0
        try:
            if kind is list:
                for item in plain:
                    k, v = pair(item)
                    out[k] = lift_part(v)
                    step += 1
            else:
                for step, item in plain.items():
                    out[parse(step)] = lift_part(item)
        except FormError as error:
            raise at(error, step if kind is list else short(step)) from None
        return out

    def lower(obj: Any) -> Any:
        if not isinstance(obj, Mapping):
            raise unfit(obj, name)
        is_text = key.key is not None or (key.is_any and all(type(k) is str for k in obj))
        write = (key.lower if key.key is None else key.key[1]) if is_text else key.lower
        pairs: list[list[Any]] = []
        for k, v in obj.items():
            try:
                pairs.append([write(k), lower_part(v)])
            except FormError as error:
                raise at(error, short(k)) from None
        return dict(pairs) if is_text else pairs

    return lift, lower


def _schema(key: Plan, part: Plan) -> Any:
    def schema(definitions: Definitions) -> dict[str, Any]:
        value = part.schema(definitions)
        as_object: dict[str, Any] = {"type": "object", "additionalProperties": value or True}
        if key.key is not None and key.claims != {"text"}:
            return as_object
        if key.key is not None:
            names = key.schema(definitions)
            return as_object if names == {"type": "string"} else as_object | {"propertyNames": names}
        pair = {"type": "array", "prefixItems": [key.schema(definitions), value], "items": False, "minItems": 2}
        as_pairs: dict[str, Any] = {"type": "array", "items": pair}
        return {"anyOf": [as_object, as_pairs]} if key.is_any else as_pairs

    return schema
