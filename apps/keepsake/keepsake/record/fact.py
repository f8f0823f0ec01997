"""A fact: something that a memory says is so, until another one says otherwise.  Facts end; they are not overwritten."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Fact"]


@dataclass(frozen=True, slots=True)
class Fact:
    """``subject relation value`` since a time.

    :ivar id: ``MEMORY!RELATION!SUBJECT``.
    :ivar relation: ``lives in``, ``works at``, ``is called``... (``keepsake.words.fact`` has them all).
    :ivar memory: the memory that says so.
    :ivar since: from when it holds, epoch seconds; the time of saying unless something better was said.
    :ivar ended: when another fact took its place; None while it holds.
    :ivar ended_by: the id of that fact.
    """

    id: str
    subject: str
    relation: str
    value: str
    memory: str
    seq: int
    said_at: float
    since: float
    ended: float | None = None
    ended_by: str = ""
