"""What an answer needs, and what a writer of prose promises."""

from __future__ import annotations

from typing import Protocol

from keepsake.record import Answer, Fact, Memory, Question

__all__ = ["Generator", "Memories", "Voiced"]


class Memories(Protocol):
    """What an answer asks of a store, or of the part of one that somebody may see."""

    person: str

    def memory(self, memory: str) -> Memory | None:
        """A memory by its id."""
        ...

    def facts(self, *, as_of: float | None = None, subject: str = "") -> list[Fact]:
        """Facts that held at a time as far as was known then, newest first; None: that hold now."""
        ...


class _Voice(Protocol):
    def likeness(self, text: str) -> float:
        """By how much a text is more like the person than like others; 0 where that is not known."""
        ...


class Voiced(Protocol):
    """The part of a person's model that an answer uses."""

    @property
    def voice(self) -> _Voice:
        """How the person puts things."""
        ...


class Generator(Protocol):
    """Writes prose from an answer that quotes."""

    def rewrite(self, question: Question, given: Answer) -> Answer:
        """The same answer in prose, from the same citations alone; sentences that they do not bear out are marked.  Blocks.

        Where nothing can be written the answer is given back as it is.
        """
        ...
