"""Timers of a class: ``@every``, ``@after`` and ``@cron``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from natant.errors import PlaneError
from natant.kernel.schema import Periodic

__all__ = ["MARK", "after", "cron", "every"]

F = TypeVar("F", bound=Callable[..., Any])

#: attribute that marks a method as a timer
MARK = "__natant_timer__"


def _period(seconds: float, minutes: float, hours: float, days: float) -> float:
    period_s = seconds + 60 * minutes + 3600 * hours + 86400 * days
    if not period_s > 0:
        raise PlaneError("NT-PLANE-005", f"a timer of {period_s:g} s is none; give a time above 0, such as seconds=30")
    return period_s


def _mark(function: F, next_after: Callable[[float, float | None], float | None], text: str) -> F:
    inner: Any = getattr(function, "function", function)  # a command may run by the clock too
    setattr(inner, MARK, Periodic(inner.__name__, next_after, text))
    return function


def every(*, seconds: float = 0, minutes: float = 0, hours: float = 0, days: float = 0) -> Callable[[F], F]:
    """Decorator: call the method again and again, first one period after the agent came to be.

    Ticks that were missed fire once; the rhythm is kept.

    :raises PlaneError: ``NT-PLANE-005`` for a period that is not above 0.
    """
    period_s = _period(seconds, minutes, hours, days)

    def next_after(now: float, due: float | None) -> float:
        if due is None:
            return now + period_s
        missed = max(0, int((now - due) // period_s))
        return due + (missed + 1) * period_s

    return lambda function: _mark(function, next_after, f"every {period_s:g} s")


def after(*, seconds: float = 0, minutes: float = 0, hours: float = 0, days: float = 0) -> Callable[[F], F]:
    """Decorator: call the method once, so long after the agent came to be.

    :raises PlaneError: ``NT-PLANE-005`` for a time that is not above 0.
    """
    delay_s = _period(seconds, minutes, hours, days)

    def next_after(now: float, due: float | None) -> float | None:
        return now + delay_s if due is None else None

    return lambda function: _mark(function, next_after, f"after {delay_s:g} s")


def cron(expression: str, *, tz: str | tzinfo = "UTC") -> Callable[[F], F]:
    """Decorator: call the method at the times of a cron expression, five or six fields, as Debian's cron reads them.

    :raises PlaneError: ``NT-PLANE-006`` for an expression or time zone that is not one.
    """
    try:
        zone = ZoneInfo(tz) if isinstance(tz, str) else tz
        CronSim(expression, datetime(2000, 1, 1, tzinfo=zone))
    except (CronSimError, ZoneInfoNotFoundError, ValueError) as error:
        raise PlaneError("NT-PLANE-006", f"cron({expression!r}, tz={tz!r}) cannot be read: {error}") from error

    def next_after(now: float, due: float | None) -> float:
        start = datetime.fromtimestamp(now if due is None else max(now, due), zone)
        return next(CronSim(expression, start)).timestamp()

    return lambda function: _mark(function, next_after, f"cron {expression}")
