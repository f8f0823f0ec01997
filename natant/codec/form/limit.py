"""Constraints of ``Annotated[T, msgspec.Meta(...)]``, checked on the way in and on the way out."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any, Final

import msgspec

from natant.codec.form.error import refuse, short, undeclarable
from natant.codec.form.plan import Convert, Definitions, Plan

__all__ = ["limited"]

_COMPARE: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_NUMBER: Final = (*_COMPARE, "multiple_of")
_WORDS: Final = {
    "gt": "more than {}",
    "ge": "at least {}",
    "lt": "less than {}",
    "le": "at most {}",
    "multiple_of": "a multiple of {}",
    "pattern": "text like {}",
    "min_length": "of length {} or more",
    "max_length": "of length {} or less",
    "tz": "with an offset: {}",
}
_SCHEMA: Final = {
    "gt": "exclusiveMinimum",
    "ge": "minimum",
    "lt": "exclusiveMaximum",
    "le": "maximum",
    "multiple_of": "multipleOf",
    "pattern": "pattern",
    "title": "title",
    "description": "description",
    "examples": "examples",
}


def limited(plan: Plan, meta: msgspec.Meta) -> Plan:
    """``plan`` with the constraints of ``meta``; ``plan`` itself is left as it is."""
    set_limits = {name: getattr(meta, name) for name in _WORDS if getattr(meta, name) is not None}
    out = Plan(plan.name, " ".join(plan.claims), plan.types, " ".join(plan.takes))
    out.turn(plan.decode, plan.encode, plan.lift, plan.lower)
    for name in ("top", "key", "literals", "tagging", "is_any", "is_exact", "is_hashable", "is_clean"):
        setattr(out, name, getattr(plan, name))
    out.schema = _schema(plan, meta, set_limits)
    if not set_limits:
        out.exact_in, out.exact_out = plan.exact_in, plan.exact_out
        return out
    _check_fit(plan, set_limits)
    told = ", ".join(_WORDS[name].format(value) for name, value in set_limits.items())
    out.is_any = False
    check = _checker(set_limits, f"{plan.name}, {told}")

    def after(convert: Convert) -> Convert:
        def call(value: Any) -> Any:
            obj = convert(value)
            check(obj)
            return obj

        return call

    def before(convert: Convert) -> Convert:
        def call(obj: Any) -> Any:
            coded = convert(obj)
            check(obj)
            return coded

        return call

    out.turn(after(plan.decode), before(plan.encode), after(plan.lift), before(plan.lower))
    if plan.top is not None:
        out.top = after(plan.top)
    if plan.key is not None:
        out.key = (after(plan.key[0]), before(plan.key[1]))
    return out


def _check_fit(plan: Plan, limits: dict[str, Any]) -> None:
    """A constraint that no value of the type could meet or break is a slip of the author."""
    for name in limits:
        if name in _NUMBER:
            fits = bool(plan.claims & {"int", "float"})
        elif name == "pattern":
            fits = "text" in plan.claims
        elif name == "tz":
            fits = "text" in plan.claims and any(hasattr(kind, "tzinfo") for kind in plan.types)
        else:
            fits = bool(plan.claims & {"text", "data", "record"})
        if not fits and not plan.is_any:
            raise undeclarable(plan.name, f"its constraint {name} does not fit; take it out")


def _checker(limits: dict[str, Any], expected: str) -> Callable[[Any], None]:
    tests: list[tuple[str, Any]] = [
        (name, re.compile(value) if name == "pattern" else value) for name, value in limits.items()
    ]

    def check(obj: Any) -> None:
        for name, bound in tests:
            if not _meets(name, bound, obj):
                raise refuse("NT-FORM-005", f"got {short(obj)}; it takes {expected}")

    return check


def _meets(name: str, bound: Any, obj: Any) -> bool:
    """Whether ``obj`` meets one constraint; one for another kind of value (None in ``int | None``) is met."""
    if name in _NUMBER:
        if not isinstance(obj, int | float) or isinstance(obj, bool):
            return True
        if name == "multiple_of":
            return bool(obj % bound == 0)
        return bool(_COMPARE[name](obj, bound))
    if name == "pattern":
        return not isinstance(obj, str) or bound.search(obj) is not None
    if name == "tz":
        return not hasattr(obj, "tzinfo") or (obj.tzinfo is not None) == bound
    if not hasattr(obj, "__len__"):
        return True
    return bool(_COMPARE["ge" if name == "min_length" else "le"](len(obj), bound))


def _schema(plan: Plan, meta: msgspec.Meta, limits: dict[str, Any]) -> Callable[[Definitions], dict[str, Any]]:
    extra: dict[str, Any] = {}
    for name, label in _SCHEMA.items():
        value = getattr(meta, name)
        if value is not None:
            extra[label] = value
    stem = "Length" if plan.claims & {"text", "data"} else "Properties" if dict in plan.types else "Items"
    for name, side in (("min_length", "min"), ("max_length", "max")):
        if name in limits:
            extra[side + stem] = limits[name]
    extra |= meta.extra_json_schema or {}
    return lambda definitions: plan.schema(definitions) | extra
