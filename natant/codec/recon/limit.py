"""Limits of the Recon reader and writer: what protects a process from hostile or mistaken text.

Every text is bounded before it is read, so that no peer can make the reader recurse or allocate without end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["DEFAULT_LIMITS", "MAX_DIGITS", "MAX_WRITE_DEPTH", "Limits"]

#: Most decimal digits of one integer.  CPython refuses to convert more than 4300 at a time.
MAX_DIGITS: Final = 4096

#: How deep the writer nests.  Less than the reader's default, so that what was written can still be read when an
#: envelope and an operation have put their own brackets around it.
MAX_WRITE_DEPTH: Final = 60


@dataclass(frozen=True, slots=True)
class Limits:
    """What the reader accepts.

    :param depth: brackets of any kind that may be open at once.
    :param size: characters of a text.
    :param items: items of all records of a text together; bounds the memory that a small text can ask for.
    """

    depth: int = 64
    size: int = 32 * 1024 * 1024
    items: int = 1_000_000


DEFAULT_LIMITS: Final = Limits()
