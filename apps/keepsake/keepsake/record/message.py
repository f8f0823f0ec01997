"""A message: what was captured, as it came.  Messages are the truth; all else is derived from them and can be made again."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

__all__ = ["Kind", "Message", "Source"]


class Kind(StrEnum):
    """What a message is made of."""

    TEXT = "text"
    AUDIO = "audio"
    WEB = "web"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a message comes from; every field may be empty.

    :ivar app: ``keepsake``, ``whatsapp``, ``slack``, ``mail``, ``markdown``, ``wav``...
    :ivar channel: a chat, folder or mailbox within it.
    :ivar title: a heading, subject or page title.
    :ivar url: a page's address.
    :ivar file: the name of the imported file.
    :ivar place: where it was said, as far as known.
    """

    app: str = ""
    channel: str = ""
    title: str = ""
    url: str = ""
    file: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One captured message of one person.

    :ivar id: ``STREAM:NUMBER``, unique for the person; storing it twice stores it once.
    :ivar said_at: when it was said or written, epoch seconds.
    :ivar received_at: when Keepsake had it durably, epoch seconds.
    :ivar body: the text; of a recording its transcript, which is derived and may be made anew.
    :ivar speaker: who said it, as the source names them; empty: the person.
    :ivar zone: the time zone (IANA) in which "yesterday" is meant.
    :ivar sound: reference of the sealed recording in the blob store; empty where there is none.
    :ivar span: start and end of a recording within its stream, in seconds.
    :ivar seq: its place in the person's order, from 1; 0 until the store gave it one.
    """

    id: str
    kind: Kind
    said_at: float
    received_at: float
    body: str
    speaker: str = ""
    zone: str = "UTC"
    source: Source = field(default_factory=Source)
    sound: str = ""
    span: tuple[float, float] | None = None
    seq: int = 0

    @property
    def stream(self) -> str:
        """The stream that captured it."""
        return self.id.rpartition(":")[0]
