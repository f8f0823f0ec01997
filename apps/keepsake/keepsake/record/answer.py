"""Questions and answers.  An answer quotes; where nothing can be quoted it says so."""

from __future__ import annotations

from dataclasses import dataclass, field

from keepsake.record.message import Source
from keepsake.record.when import When

__all__ = ["Answer", "Citation", "Question"]


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody asks of a person's memories.

    :ivar text: the question, in words.
    :ivar asked_at: when, epoch seconds; "yesterday" is meant from here.
    :ivar as_of: only what was said until then counts, epoch seconds; None: all.
    :ivar zone: the asker's time zone.
    :ivar limit: citations at most.
    """

    text: str
    asked_at: float
    as_of: float | None = None
    zone: str = "UTC"
    limit: int = 3


@dataclass(frozen=True, slots=True)
class Citation:
    """A memory that is quoted, with who, when and where.

    :ivar when: the time that it speaks of, where it speaks of one.
    :ivar date: the same in words, "the Sunday before 25 May 2023", or the day it was said.
    :ivar proof: index of its record in the person's log; -1 where none was made.
    """

    memory: str
    text: str
    speaker: str
    said_at: float
    score: float
    when: When | None = None
    date: str = ""
    source: Source = field(default_factory=Source)
    proof: int = -1


@dataclass(frozen=True, slots=True)
class Answer:
    """What the memories say to a question.

    :ivar text: the answer in words; where it is refused, that it is not known.
    :ivar is_known: False where nothing that was found answers the question.
    :ivar confidence: how sure that it is known, 0 to 1.
    :ivar unsupported: sentences of ``text`` that no citation bears out (an endpoint's prose only).
    :ivar label: whose words these are; an answer is always labelled as an AI's.
    :ivar built_to: the sequence of the last message that could be found.
    """

    text: str
    is_known: bool
    confidence: float
    citations: tuple[Citation, ...] = ()
    unsupported: tuple[str, ...] = ()
    label: str = "put together by an AI from the person's own words"
    built_to: int = 0
