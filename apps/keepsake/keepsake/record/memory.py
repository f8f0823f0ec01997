"""A memory: a passage of a message, read and understood, small enough to be quoted."""

from __future__ import annotations

from dataclasses import dataclass, field

from keepsake.record.message import Kind, Source
from keepsake.record.when import When

__all__ = ["Entity", "Memory", "Share"]


@dataclass(frozen=True, slots=True)
class Entity:
    """Somebody or something that is named.

    :ivar label: ``person``, ``place``, ``organisation``, ``event``, ``work`` or ``thing``.
    :ivar name: as the person is known here; ``text[start:end]`` may be another spelling.
    """

    label: str
    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Share:
    """How much something belongs to an area of life or a category of the person's own, 0 to 1."""

    name: str
    share: float


@dataclass(frozen=True, slots=True)
class Memory:
    """One passage; a short message is one memory.

    :ivar id: ``MESSAGE#PART``.
    :ivar seq: the sequence of its message.
    :ivar part: which passage of it, from 0.
    :ivar said_at: when it was said, epoch seconds.
    :ivar meant: the times that it speaks of.
    :ivar language: ISO 639-1.
    :ivar span: start and end within the recording, in seconds.
    :ivar folds_into: the memory that says nearly the same and stands for this one; empty: it stands for itself.
    """

    id: str
    seq: int
    part: int
    kind: Kind
    text: str
    said_at: float
    speaker: str = ""
    meant: tuple[When, ...] = ()
    language: str = ""
    entities: tuple[Entity, ...] = ()
    areas: tuple[Share, ...] = ()
    phrases: tuple[str, ...] = ()
    source: Source = field(default_factory=Source)
    zone: str = "UTC"
    span: tuple[float, float] | None = None
    folds_into: str = ""

    @property
    def message(self) -> str:
        """The id of its message."""
        return self.id.rpartition("#")[0]
