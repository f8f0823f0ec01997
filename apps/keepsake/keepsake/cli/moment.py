"""Days and durations on the command line."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

import click

__all__ = ["moment"]

_UNITS: Final = {"m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0, "y": 31_557_600.0}


def moment(text: str, now: float) -> float:
    """``2025-12-24``, ``2025-12-24T18:00``, or from now on: ``30d``, ``2w``, ``1y``, as epoch seconds; UTC where no zone is said.

    :raises click.UsageError: where it is none of these.
    """
    if found := re.fullmatch(r"(\d+(?:\.\d+)?)([mhdwy])", text):
        return now + float(found[1]) * _UNITS[found[2]]
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(
            f"{text!r} is no time; it takes 2025-12-24, 2025-12-24T18:00 or 30d, 2w, 1y from now"
        ) from None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
