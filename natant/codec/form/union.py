"""The plan of a union: which of its members a value is for.

Members are told apart by kind (``int | str | None``), records by their tag (``Circle | Square``: ``@Circle{...}`` in Recon,
``{"@tag":"Circle",...}`` in JSON, or the tag and tag field of a ``msgspec.Struct``).  A union whose members could not be
told apart on the wire is refused when it is declared, not when the first value arrives.
"""

from __future__ import annotations

from typing import Any

from natant.codec.form.error import misfit, refuse, undeclarable, unfit
from natant.codec.form.plan import Convert, Definitions, Plan, Tagging
from natant.codec.form.shape import JSON_TAG
from natant.codec.recon.value import AbsentType, ExtantType, Record, Slot, UInt32, UInt64
from natant.errors import FormError

__all__ = ["union"]

_KINDS: dict[str, tuple[type, ...]] = {
    "empty": (ExtantType, AbsentType, type(None)),
    "bool": (bool,),
    "int": (int, UInt32, UInt64),
    "float": (float,),
    "text": (str,),
    "data": (bytes,),
}


def union(name: str, members: list[Plan]) -> Plan:
    """One of several members, at least two, none of them untyped."""
    tagged, others = _sort(name, members)
    claims = _claims(name, others)
    record = claims.get("record", [])
    expected = name

    taggings = [member.tagging for member in tagged if member.tagging is not None]
    by_tag = {tagging.tag: member for tagging, member in zip(taggings, tagged, strict=True)}
    decode = _chooser(claims, _records(by_tag, taggings, record, False, expected), "decode", expected)
    top = _chooser(claims, _records(by_tag, taggings, record, True, expected), "top", expected)
    lift = _lift(claims, taggings, record, expected)

    boxes = "data" in claims and "text" in claims  # base64 text could be any text

    def directions(direction: str) -> Convert:
        table: dict[type, Convert] = {}
        for tagging, member in zip(taggings, tagged, strict=True):
            for kind in member.types:
                table[kind] = getattr(tagging, direction)
        for member in others:
            for kind in member.types:
                table.setdefault(kind, getattr(member, direction))
        if boxes and direction == "lower":
            table[bytes] = _boxed(table[bytes])
        return _writer(table, [getattr(member, direction) for member in others], expected)

    plan = Plan(name, " ".join({claim for member in members for claim in member.claims}), ())
    plan.types = tuple(kind for member in members for kind in member.types)
    plan.turn(decode, directions("encode"), lift, directions("lower"))
    plan.top = top
    if not any(member.is_exact for member in members):
        plan.exact_in = next((member.exact_in for member in others if member.exact_in is not None), None)
        plan.exact_out = next((member.exact_out for member in others if member.exact_out is not None), None)
        plan.layout = next((member.layout for member in others if member.layout is not None), None)
    plan.is_hashable = all(member.is_hashable for member in members)
    plan.is_clean = all(member.is_clean for member in members) and not boxes
    plan.is_clean = plan.is_clean and all(tagging.field != JSON_TAG for tagging in taggings)

    def schema(definitions: Definitions) -> dict[str, Any]:
        parts = [tagging.schema(definitions) for tagging in taggings]
        for member in others:
            part = member.schema(definitions)
            parts.append(_boxed_schema(part) if boxes and "data" in member.claims else part)
        return {"anyOf": parts}

    plan.schema = schema
    return plan


def _boxed(lower: Convert) -> Convert:
    """Data beside text: in an object that says it is data."""
    return lambda obj: {"@data": lower(obj)}


def _boxed_schema(data: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {"@data": data}, "required": ["@data"]}


def _sort(name: str, members: list[Plan]) -> tuple[list[Plan], list[Plan]]:
    """The members that are told by their tags, and the others."""
    classes = [member for member in members if member.tagging is not None]
    records = [member for member in members if "record" in member.claims]
    tagged = classes if len(records) > 1 else []
    seen: dict[str, Plan] = {}
    for member in tagged:
        tag = member.tagging.tag if member.tagging is not None else ""
        if tag in seen:
            raise undeclarable(
                name, f"{seen[tag].name} and {member.name} have the same tag {tag!r}; give one a __tag__"
            )
        seen[tag] = member
    return tagged, [member for member in members if member not in tagged]


def _claims(name: str, members: list[Plan]) -> dict[str, list[Plan]]:
    """Which members read each kind of value, in the order they are tried; refuses what cannot be told apart."""
    out: dict[str, list[Plan]] = {}
    ordered = [member for member in members if member.is_exact] + [member for member in members if not member.is_exact]
    for kind in (*_KINDS, "record"):
        claimants = [member for member in ordered if kind in member.claims]
        wide = [member for member in claimants if not member.is_exact]
        if len(wide) > 1:
            raise undeclarable(
                name,
                f"{wide[0].name} and {wide[1].name} are both {'a record' if kind == 'record' else kind} on the wire, so "
                "a reader could not tell them apart; keep one, or wrap each in a dataclass of its own",
            )
        if not wide:
            claimants += [member for member in members if kind in member.takes][:1]
        if claimants:
            out[kind] = claimants
    reals = [member for member in members if member.name == "float"]
    if reals and any(member.name != "int" and not member.is_exact and "int" in member.claims for member in members):
        raise undeclarable(name, "1.0 is written as 1, which the other member would take; leave out float")
    return out


def _tried(converts: list[Convert], expected: str) -> Convert:
    """The first of some functions that takes the value."""
    if len(converts) == 1:
        return converts[0]

    def convert(value: Any) -> Any:
        for call in converts:
            try:
                return call(value)
            except FormError:
                continue
        raise misfit(value, expected)

    return convert


def _direction(member: Plan, direction: str) -> Convert:
    return member.decode if direction == "top" and member.top is None else getattr(member, direction)


def _chooser(claims: dict[str, list[Plan]], records: Convert | None, direction: str, expected: str) -> Convert:
    """A reader that goes by the type of the value."""
    table: dict[type, Convert] = {}
    for kind, types in _KINDS.items():
        if kind in claims:
            call = _tried([_direction(member, direction) for member in claims[kind]], expected)
            table |= dict.fromkeys(types, call)
    if records is not None:
        table[Record] = records
    if (
        direction == "top" and "record" in claims and claims["record"][-1].top is not None
    ):  # a flattened sequence of one item, or of none
        for types in _KINDS.values():
            for kind_ in types:
                table.setdefault(kind_, _direction(claims["record"][-1], direction))

    def choose(value: Any) -> Any:
        call = table.get(type(value))
        if call is None:
            raise misfit(value, expected)
        return call(value)

    return choose


def _records(
    by_tag: dict[str, Plan], taggings: list[Tagging], untagged: list[Plan], is_top: bool, expected: str
) -> Convert | None:
    """The reader of the union's records."""
    direction = "top" if is_top else "decode"
    rest = _direction(untagged[-1], direction) if untagged else None
    if not by_tag:
        return rest
    fields = {tagging.field for tagging in taggings}
    listed = ", ".join(f"@{tag}" for tag in by_tag)

    def decode(value: Any) -> Any:
        tag = value.tag
        if tag is None:
            tag = next((item.value for item in value.items if type(item) is Slot and item.key in fields), None)
        member = by_tag.get(tag)
        if member is not None:
            return member.decode(value)
        if rest is not None:
            return rest(value)
        if tag is None:
            raise misfit(value, f"{expected}, so a record that starts with one of {listed}")
        raise refuse("NT-FORM-007", f"got the tag @{tag}; it takes one of {listed}")

    return decode


def _lift(claims: dict[str, list[Plan]], taggings: list[Tagging], untagged: list[Plan], expected: str) -> Convert:
    """The reader of the union's JSON."""
    scalars = _chooser(claims, None, "lift", expected)
    by_tag = {(tagging.field, tagging.json_tag): tagging for tagging in taggings}
    fields = list(dict.fromkeys(tagging.field for tagging in taggings))
    rest = untagged[-1].lift if untagged else None
    data = claims.get("data")
    has_text = "text" in claims
    lift_data = None if data is None else data[-1].lift
    listed = ", ".join(str(tagging.json_tag) for tagging in taggings)

    def find(plain: Any) -> Tagging | None:
        if type(plain) is list:
            head = plain[0] if plain else None
            return next(
                (found for found in taggings if type(head) is type(found.json_tag) and head == found.json_tag), None
            )
        for field in fields:
            tag = plain.get(field)
            if type(tag) is str or type(tag) is int:
                found = by_tag.get((field, tag))
                if found is not None:
                    return found
        return None

    def lift(plain: Any) -> Any:
        kind = type(plain)
        if kind is str and lift_data is not None and not has_text:
            return lift_data(plain)
        if kind is not dict and kind is not list:
            return scalars(plain)
        if lift_data is not None and kind is dict and len(plain) == 1 and "@data" in plain:
            return lift_data(plain["@data"])
        found = find(plain)
        if found is not None:
            return found.lift(plain)
        if rest is not None:
            return rest(plain)
        if not taggings:
            raise misfit(plain, expected)
        got = next((plain[field] for field in fields if field in plain), None) if kind is dict else None
        if got is None:
            raise misfit(plain, f"{expected}, so an object with {' or '.join(fields)}, one of {listed}")
        raise refuse("NT-FORM-007", f"got the tag {got}; it takes one of {listed}")

    return lift


def _writer(table: dict[type, Convert], others: list[Convert], expected: str) -> Convert:
    """A writer that goes by the type of the object, and tries the members for objects of other types."""

    def write(obj: Any) -> Any:
        call = table.get(type(obj))
        if call is not None:
            return call(obj)
        for call in others:
            try:
                return call(obj)
            except FormError:
                continue
        raise unfit(obj, expected)

    return write
