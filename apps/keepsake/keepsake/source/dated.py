"""Dates that stand for what follows them: in headings, in names of files, at the beginning of a line.

Only dates that are written out are meant here, year included; "yesterday" in a sentence is the business of ``keepsake.words``.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time
from pathlib import Path
from typing import Final

from keepsake.source.text import epoch, zone_of

__all__ = ["date_in", "file_time", "time_in"]

_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            "january jan januar janvier enero janeiro gennaio",
            "february feb februar février fevrier febrero fevereiro febbraio",
            "march mar märz maerz mars marzo março marco",
            "april apr avril abril aprile",
            "may mai mayo maio maggio",
            "june jun juni juin junio junho giugno",
            "july jul juli juillet julio julho luglio",
            "august aug août aout agosto",
            "september sep sept septembre septiembre setembro settembre",
            "october oct okt oktober octobre octubre outubro ottobre",
            "november nov novembre noviembre novembro",
            "december dec dez dezember décembre decembre diciembre dezembro dicembre",
        ),
        1,
    )
    for name in names.split()
}
_MONTH: Final = "|".join(sorted(_MONTHS, key=len, reverse=True))
#: years that a diary can be of
_YEAR: Final = r"(?P<y>(?:18|19|20|21)\d\d)"
_FORMS: Final = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"(?<!\d){_YEAR}(?P<s>[-_./])(?P<m>\d\d?)(?P=s)(?P<d>\d\d?)(?!\d)",
        rf"(?<!\d){_YEAR}(?P<m>\d\d)(?P<d>\d\d)(?!\d)",
        rf"(?<!\d)(?P<d>\d\d?)(?:st|nd|rd|th|\.|er|º)?\s+(?:of\s+|de\s+)?(?P<n>{_MONTH})\.?,?\s+(?:de\s+)?{_YEAR}(?!\d)",
        rf"\b(?P<n>{_MONTH})\.?\s+(?P<d>\d\d?)(?:st|nd|rd|th)?,?\s+{_YEAR}(?!\d)",
        rf"(?<!\d)(?P<d>\d\d?)\.(?P<m>\d\d?)\.{_YEAR}(?!\d)",
    )
)
_TIME: Final = re.compile(
    r"(?<![\d.:])([01]?\d|2[0-3])[:.]([0-5]\d)(?::([0-5]\d))?(?:\s*([ap])\.?m\.?\b)?(?![\d.])", re.I
)
#: 2023-05-14 083000, PTT-20230514-WA0003 and the like
_FILE_TIME: Final = re.compile(
    r"(?<!\d)\d{4}[-_.]?\d\d[-_.]?\d\d[ T_-]+(?:at )?([01]\d|2[0-3])[-_.:h]?([0-5]\d)(?:[-_.:m]?([0-5]\d))?(?!\d)"
)


def date_in(text: str) -> tuple[date, str] | None:
    """The first written date of a text, and the text without it; None where there is none that exists."""
    for form in _FORMS:
        if (found := form.search(text)) is None:
            continue
        groups = found.groupdict()
        month = _MONTHS[groups["n"].lower()] if groups.get("n") else int(groups["m"])
        try:
            day = date(int(groups["y"]), month, int(groups["d"]))
        except ValueError:
            continue
        return day, text[: found.start()] + text[found.end() :]
    return None


def time_in(text: str) -> tuple[time, str] | None:
    """The time of day at the beginning of a text, and the rest; None where it begins otherwise."""
    stripped = text.lstrip("*_[( \t")
    found = _TIME.match(stripped)
    if found is None:
        return None
    hour = int(found[1])
    if found[4]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if found[4].lower() == "p" else 0)
    return time(hour, int(found[2]), int(found[3] or 0)), stripped[found.end() :].lstrip("*_]) \t:\u2013\u2014-")


def file_time(path: Path, zone: str) -> tuple[float, bool]:
    """When a file's content was made, epoch seconds: as its name says (True), else when it was last changed (False)."""
    found = date_in(path.stem)
    if found is None:
        return path.stat().st_mtime, False
    clock = _FILE_TIME.search(path.stem)
    moment = time(int(clock[1]), int(clock[2]), int(clock[3] or 0)) if clock else time(12)
    return epoch(datetime.combine(found[0], moment), zone_of(zone)), True
