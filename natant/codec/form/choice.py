"""The plans of Enum classes and of Literal: one of a few listed values.

An Enum is written as its value where all its values are text or all are integers, else by the names of its members.
"""

from __future__ import annotations

import enum
from typing import Any

from natant.codec.form.error import misfit, undeclarable, unfit
from natant.codec.form.plan import Plan
from natant.codec.form.scalar import integer
from natant.codec.recon.value import AbsentType, Extant, ExtantType, UInt32, UInt64

__all__ = ["enumeration", "literal"]

_UNSIGNED = (UInt32, UInt64)


def enumeration(kind: type[enum.Enum]) -> Plan:
    """An Enum: by value (text or int), else by name; a Flag as the integer of its bits."""
    members = list(kind)
    values = [member.value for member in kind.__members__.values()]
    if issubclass(kind, enum.Flag):
        return _flag(kind)
    if not members:
        raise undeclarable(kind, "it has no members; give it some")
    by_text = all(type(value) is str for value in values)
    by_value = by_text or all(type(value) is int for value in values)
    table = {member.value if by_value else name: member for name, member in kind.__members__.items()}
    written = {member: (member.value if by_value else member.name) for member in members}
    carrier = int if by_value and not by_text else str
    expected = f"{kind.__name__}, one of {_listed(table)}"

    def decode(value: Any) -> Any:
        base = type(value)
        if base is carrier or (carrier is int and base is float) or (carrier is int and base in _UNSIGNED):
            member = table.get(value)
            if member is not None:
                return member
            if by_value:
                try:
                    return kind(value)  # the class may know more values (_missing_)
                except ValueError:
                    pass
        raise misfit(value, expected)

    def encode(obj: Any) -> Any:
        if type(obj) is kind:
            found = written.get(obj)
            return obj.value if found is None else found
        raise unfit(obj, kind.__name__)

    by_number = None if carrier is str else integer().key

    def parse(key: str) -> Any:
        return decode(key if by_number is None else by_number[0](key))

    plan = Plan(kind.__name__, "text" if carrier is str else "int", (kind,)).turn(decode, encode)
    plan.key = (parse, lambda obj: str(encode(obj)))
    plan.schema = lambda definitions: definitions.refer(kind.__name__, kind, lambda _: {"enum": list(table)})
    plan.is_clean = by_value
    return plan


def _flag(kind: type[enum.Flag]) -> Plan:
    expected = f"{kind.__name__}, the int of its bits"

    def decode(value: Any) -> Any:
        if type(value) is int or (type(value) is float and value.is_integer()):
            try:
                return kind(int(value))
            except ValueError:
                pass
        raise misfit(value, expected)

    def encode(obj: Any) -> int:
        if isinstance(obj, kind):
            return int(obj.value)
        raise unfit(obj, kind.__name__)

    plan = Plan(kind.__name__, "int", (kind,)).turn(decode, encode)
    by_number = integer().key
    if by_number is not None:
        parse = by_number[0]
        plan.key = (lambda key: decode(parse(key)), lambda obj: str(encode(obj)))
    plan.schema = lambda definitions: {"type": "integer"}
    plan.is_clean = False
    return plan


def literal(values: tuple[Any, ...]) -> Plan:
    """Literal: exactly these values; text, int, bool, None and members of Enums."""
    table: dict[tuple[type, Any], Any] = {}
    written: dict[tuple[type, Any], Any] = {}
    claims = set()
    for value in values:
        plain = value.value if isinstance(value, enum.Enum) else value
        if plain is not None and type(plain) not in (str, int, bool):
            raise undeclarable(f"Literal[{value!r}]", "Literal takes text, int, bool, None and Enum members of those")
        coded = Extant if plain is None else plain
        if table.setdefault((type(coded), coded), value) is not value:
            raise undeclarable(f"Literal of {value!r}", "two of its values are written alike; leave one out")
        written[type(value), value] = coded
        claims.add({str: "text", int: "int", bool: "bool"}.get(type(coded), "empty"))
    expected = "one of " + _listed([coded for _, coded in table])

    def decode(value: Any) -> Any:
        kind = type(value)
        if kind is AbsentType or value is None:
            kind, value = ExtantType, Extant
        elif kind is float or kind in _UNSIGNED:
            kind = int
        try:
            return table[kind, value]
        except (KeyError, TypeError):
            raise misfit(value, expected) from None

    def encode(obj: Any) -> Any:
        try:
            return written[type(obj), obj]
        except (KeyError, TypeError):
            raise unfit(obj, expected) from None

    def lower(obj: Any) -> Any:
        coded = encode(obj)
        return None if coded is Extant else coded

    name = f"Literal[{', '.join(map(repr, values))}]"
    plan = Plan(name, " ".join(claims), tuple({type(value) for value in values})).turn(decode, encode, decode, lower)
    plan.literals = values
    plan.is_exact = True
    if claims == {"text"}:
        plan.key = (decode, encode)
    plain_values = [None if coded is Extant else coded for _, coded in table]
    plan.schema = lambda definitions: {"enum": plain_values}
    plan.is_clean = claims <= {"text", "int", "empty"} and not any(isinstance(value, enum.Enum) for value in values)
    return plan


def _listed(values: Any) -> str:
    """The first dozen of some values, as a message lists them."""
    shown = [("nothing" if value is Extant else repr(value)) for value in values]
    return ", ".join(shown[:12]) + (", …" if len(shown) > 12 else "")
