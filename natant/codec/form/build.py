"""From a type to its plan: one case for each kind of type that has a form.

Called by ``form.py`` only.  A :class:`Builder` serves one declared type; classes that contain themselves are found by its
table of the classes that are still being built.
"""

from __future__ import annotations

import collections.abc
import enum
import types
import typing
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import msgspec

from natant.codec.form import choice, free, hint, limit, mapping, record, scalar, sequence, shape, union, written
from natant.codec.form.error import at, misfit, undeclarable, unfit
from natant.codec.form.plan import Convert, Plan, Tagging
from natant.codec.recon.value import AbsentType, ExtantType, Record, UInt32, UInt64, Value
from natant.errors import FormError

__all__ = ["Builder"]

_SCALARS: Final[dict[Any, Callable[[], Plan]]] = {
    None: scalar.nothing,
    type(None): scalar.nothing,
    ExtantType: scalar.nothing,
    AbsentType: scalar.nothing,
    bool: scalar.boolean,
    int: scalar.integer,
    UInt32: scalar.integer,
    UInt64: scalar.integer,
    float: scalar.real,
    str: scalar.text,
    bytes: scalar.data,
    datetime: written.moment,
    date: written.day,
    time: written.clock_time,
    timedelta: written.duration,
    Decimal: written.decimal,
    UUID: written.uuid,
}

_SEQUENCES: Final[dict[Any, tuple[type, tuple[type, ...]]]] = {
    list: (list, (list, tuple)),
    collections.abc.Sequence: (list, (list, tuple)),
    collections.abc.MutableSequence: (list, (list, tuple)),
    collections.abc.Collection: (list, (list, tuple, set, frozenset)),
    collections.abc.Iterable: (list, (list, tuple, set, frozenset)),
    set: (set, (set, frozenset)),
    collections.abc.Set: (set, (set, frozenset)),
    collections.abc.MutableSet: (set, (set, frozenset)),
    frozenset: (frozenset, (frozenset, set)),
}

_MAPPINGS: Final = (dict, collections.abc.Mapping, collections.abc.MutableMapping)

_ADVICE: Final = "use a dataclass, a msgspec.Struct, a builtin type, or Any for untyped Recon (docs/reference/form.md lists them all)"


class Builder:
    """Builds the plan of one declared type.

    :param free_encode: encodes an object found where nothing is declared (``Any``) by the form of its own class.
    """

    def __init__(self, free_encode: Convert) -> None:
        self.free_encode = free_encode
        self.open: dict[Any, Plan] = {}
        self.is_recursive = False
        self.has_any = False

    def build(self, kind: Any) -> Plan:
        """The plan of ``kind``.

        :raises FormError: NT-FORM-001 when it has none.
        """
        try:
            make = _SCALARS.get(kind)
        except TypeError:
            make = None
        if make is not None:
            return make()
        if kind is Any or kind is object or kind == Value:
            return self._free()
        if kind is Record:
            return self._record()
        if isinstance(kind, str | typing.ForwardRef):
            raise undeclarable(
                kind, "it is only a name; pass the class itself (natant.codec.form.hints resolves names)"
            )
        if isinstance(kind, typing.NewType):
            return self.build(kind.__supertype__)
        if isinstance(kind, typing.TypeVar):
            return self.build(hint.substitute(kind, {}))
        if hasattr(kind, "__value__") and type(kind).__name__ == "TypeAliasType":
            return self._alias(kind)
        origin = typing.get_origin(kind)
        if origin is not None and type(origin).__name__ == "TypeAliasType":
            return self.build(origin.__value__[typing.get_args(kind)])
        if origin is typing.Annotated:
            return self._annotated(kind)
        if origin is typing.Union or origin is types.UnionType:
            return self._union(kind)
        if origin is typing.Literal:
            return choice.literal(_literal_values(kind))
        if origin in (typing.Required, typing.NotRequired, typing.Final, typing.ClassVar):
            return self.build(typing.get_args(kind)[0])
        return self._class(kind, origin or kind, typing.get_args(kind))

    def _class(self, kind: Any, origin: Any, arguments: tuple[Any, ...]) -> Plan:
        if shape.is_record(origin):
            return self._record_class(kind)
        if isinstance(origin, type) and issubclass(origin, enum.Enum):
            return choice.enumeration(origin)
        if origin in _SEQUENCES:
            item = self.build(arguments[0] if arguments else Any)
            make, takes = _SEQUENCES[origin]
            return sequence.many(f"{make.__name__}[{item.name}]", item, make, takes)
        if origin is tuple:
            return self._tuple(kind, arguments)
        if origin in _MAPPINGS:
            key, part = (self.build(argument) for argument in arguments or (Any, Any))
            return mapping.mapping(f"dict[{key.name}, {part.name}]", key, part)
        raise undeclarable(kind, _ADVICE)

    def _tuple(self, kind: Any, arguments: tuple[Any, ...]) -> Plan:
        if kind is tuple or kind is tuple or (len(arguments) == 2 and arguments[1] is Ellipsis):
            item = self.build(arguments[0] if arguments else Any)
            return sequence.many(f"tuple[{item.name}, ...]", item, tuple, (tuple, list))
        items = tuple(self.build(argument) for argument in arguments)
        return sequence.fixed(f"tuple[{', '.join(item.name for item in items) or '()'}]", items)

    def _free(self) -> Plan:
        self.has_any = True
        encode = self.free_encode
        plan = Plan("Any", "empty bool int float text data record", ())
        plan.turn(_itself, lambda obj: free.as_value(obj, encode), free.from_plain, None)
        plan.lower = lambda obj: free.as_plain(plan.encode(obj))
        plan.is_any = True
        plan.is_clean = False
        return plan

    def _record(self) -> Plan:
        self.has_any = True
        free_encode = self.free_encode

        def decode(value: Any) -> Record:
            if type(value) is Record:
                return value
            raise misfit(value, "Record")

        def encode(obj: Any) -> Record:
            value = free.as_value(obj, free_encode)
            if type(value) is Record:
                return value
            raise unfit(obj, "Record")

        plan = Plan("Record", "record", (Record, dict, list, tuple))
        plan.turn(decode, encode, lambda plain: decode(free.from_plain(plain)), lambda obj: free.as_plain(encode(obj)))
        plan.top = lambda value: decode(
            Record() if value is None or isinstance(value, ExtantType | AbsentType) else value
        )
        plan.is_clean = False
        plan.schema = lambda definitions: {"type": ["object", "array"]}
        return plan

    def _annotated(self, kind: Any) -> Plan:
        inner, *marks = typing.get_args(kind)
        plan = self.build(inner)
        for mark in marks:
            if isinstance(mark, msgspec.Meta):
                plan = limit.limited(plan, mark)
        return plan

    def _alias(self, kind: Any) -> Plan:
        if kind in self.open:
            raise undeclarable(kind, "it is an alias that contains itself; use a dataclass for the part that repeats")
        self.open[kind] = Plan(str(kind), "", ())
        try:
            return self.build(kind.__value__)
        finally:
            del self.open[kind]

    def _union(self, kind: Any) -> Plan:
        plain = [member for member in typing.get_args(kind) if member is not msgspec.UnsetType]
        literals: list[Any] = []
        members: list[Any] = []
        for member in plain:
            if typing.get_origin(member) is typing.Literal:
                literals += [value for value in _literal_values(member) if value not in literals]
            elif member is not ExtantType and member is not AbsentType:
                members.append(member)
            elif type(None) not in plain and type(None) not in members:
                members.append(type(None))
        plans = [self.build(member) for member in members]
        if literals:
            plans.append(choice.literal(tuple(literals)))
        if len(plans) == 1:
            return plans[0]
        if any(plan.is_any for plan in plans):
            return self._free()
        return union.union(" | ".join(plan.name for plan in plans), plans)

    def _record_class(self, kind: Any) -> Plan:
        found = self.open.get(kind)
        if found is not None:
            self.is_recursive = True
            return _late(found)
        origin = typing.get_origin(kind) or kind
        arguments = typing.get_args(kind)
        label = origin.__name__
        if arguments:
            label += f"[{', '.join(getattr(argument, '__name__', str(argument)) for argument in arguments)}]"
        form = shape.read_shape(kind, label)
        plan = record.outline(form)
        self.open[kind] = plan
        try:
            parts = []
            for field in form.fields:
                try:
                    parts.append(self.build(field.kind))
                except FormError as error:
                    raise at(error, field.attribute) from error.__cause__
            record.fill(plan, form, parts)
        finally:
            del self.open[kind]
        return plan


def _itself(value: Any) -> Any:
    return value


def _literal_values(kind: Any) -> tuple[Any, ...]:
    """The values of a Literal, those of Literals within it too."""
    out: list[Any] = []
    for value in typing.get_args(kind):
        out += _literal_values(value) if typing.get_origin(value) is typing.Literal else [value]
    return tuple(out)


def _late(target: Plan) -> Plan:
    """A stand-in for the plan of a class that is still being built: it looks the functions up when they are called."""
    plan = Plan(target.name, " ".join(target.claims), target.types)
    plan.turn(*(_deferred(target, name) for name in ("decode", "encode", "lift", "lower")))
    plan.schema = _deferred(target, "schema")
    plan.is_hashable = target.is_hashable
    plan.is_clean = False
    inner = target.tagging
    if inner is not None:
        tagging = plan.tagging = Tagging(inner.tag, inner.field, inner.json_tag)
        for name in ("encode", "lift", "lower", "schema"):
            setattr(tagging, name, _deferred(inner, name))
    return plan


def _deferred(owner: Plan | Tagging, name: str) -> Convert:
    def call(value: Any) -> Any:
        return getattr(owner, name)(value)

    return call
