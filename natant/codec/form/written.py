"""The plans of types that are written as text, the same in Recon and in JSON: times, durations, decimals, UUIDs.

Times are RFC 3339 text.  An aware datetime keeps its offset (not the name of its zone); a naive one is written without an
offset and read back naive: natant never guesses a zone, so it means what the program that wrote it means.
Epoch numbers are refused for datetimes, because a reader could not tell seconds from milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

import msgspec

from natant.codec.form.error import misfit, unfit
from natant.codec.form.plan import Plan

__all__ = ["clock_time", "day", "decimal", "duration", "moment", "uuid"]

_SAMPLE = {
    "date-time": "such as 2013-01-01T05:15:00Z",
    "date": "such as 2013-01-01",
    "time": "such as 05:15:00",
    "duration": "such as PT1.5S, or seconds",
    "decimal": "such as 1.10",
    "uuid": "such as 5f0c6a3e-8f3c-4d8e-9d4b-0d0b7c1f2a3b",
}


def _written(kind: type, form: str, parse: Callable[[str], Any], write: Callable[[Any], str]) -> Plan:
    """A plan for ``kind``, which ``parse`` reads and ``write`` writes; ``form`` is its JSON Schema format."""
    expected = f"{kind.__name__} as text, {_SAMPLE[form]}"

    def decode(value: Any) -> Any:
        if type(value) is str:
            try:
                return parse(value)
            except (ValueError, InvalidOperation, OverflowError):
                pass
        raise misfit(value, expected)

    def encode(obj: Any) -> str:
        if type(obj) is kind or (isinstance(obj, kind) and not (kind is date and isinstance(obj, datetime))):
            return write(obj)
        raise unfit(obj, kind.__name__)

    plan = Plan(kind.__name__, "text", (kind,)).turn(decode, encode)
    plan.key = (decode, encode)
    plan.schema = lambda definitions: {"type": "string", "format": form}
    return plan


def moment() -> Plan:
    """A datetime: ``2013-01-01T05:15:00Z``, with up to six digits of seconds; without an offset it is naive."""

    def parse(text: str) -> datetime:
        if text[10:11] not in ("T", "t", " ") or text[13:14] != ":":  # a date alone, or the basic format
            raise ValueError(text)
        return datetime.fromisoformat(text)

    def write(obj: datetime) -> str:
        text = obj.isoformat()
        return text[:-6] + "Z" if text.endswith("+00:00") else text

    return _written(datetime, "date-time", parse, write)


def day() -> Plan:
    """A date: ``2013-01-01``."""

    def parse(text: str) -> date:
        if len(text) != 10 or text[4] != "-":
            raise ValueError(text)
        return date.fromisoformat(text)

    return _written(date, "date", parse, date.isoformat)


def clock_time() -> Plan:
    """A time of day: ``05:15:00``, with an offset where it has one."""

    def parse(text: str) -> time:
        if text[2:3] != ":":
            raise ValueError(text)
        return time.fromisoformat(text)

    def write(obj: time) -> str:
        text = obj.isoformat()
        return text[:-6] + "Z" if text.endswith("+00:00") else text

    return _written(time, "time", parse, write)


def duration() -> Plan:
    """A timedelta: ISO 8601 text in days, hours, minutes and seconds; a number is taken as seconds."""

    def parse(text: str) -> timedelta:
        return msgspec.convert(text, timedelta)

    def write(obj: timedelta) -> str:
        return str(msgspec.to_builtins(obj))

    plan = _written(timedelta, "duration", parse, write)
    read = plan.decode

    def decode(value: Any) -> timedelta:
        if type(value) is int or type(value) is float:
            try:
                return timedelta(seconds=value)
            except (OverflowError, ValueError):
                raise misfit(value, "timedelta, at most 999999999 days") from None
        return read(value)  # type: ignore[no-any-return]

    plan.turn(decode, plan.encode)
    plan.takes = frozenset(("int", "float"))
    return plan


def decimal() -> Plan:
    """Decimal: text, so no digit is lost; numbers are taken too, a float as it prints."""
    plan = _written(Decimal, "decimal", Decimal, str)
    read = plan.decode

    def decode(value: Any) -> Decimal:
        if type(value) is int:
            return Decimal(value)
        if type(value) is float:
            return Decimal(repr(value))
        return read(value)  # type: ignore[no-any-return]

    plan.turn(decode, plan.encode)
    plan.takes = frozenset(("int", "float"))
    plan.schema = lambda definitions: {"type": "string", "format": "decimal"}
    return plan


def uuid() -> Plan:
    """UUID: its canonical text of 36 characters."""

    def parse(text: str) -> UUID:
        if len(text) not in (32, 36):
            raise ValueError(text)
        return UUID(text)

    return _written(UUID, "uuid", parse, str)
