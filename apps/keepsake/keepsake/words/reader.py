"""Reads a message: what it says, as memories and facts.  Pure: the same message and names give the same reading."""

from __future__ import annotations

from dataclasses import dataclass

from keepsake.record import Fact, Memory, Message
from keepsake.words.date import resolve
from keepsake.words.entity import Tagger, entities
from keepsake.words.fact import facts
from keepsake.words.known import Known
from keepsake.words.language import language
from keepsake.words.passage import Piece, passages
from keepsake.words.phrase import phrases

__all__ = ["Reader", "Reading"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a message says.

    :ivar memories: its passages, in order; a message without words has none.
    :ivar facts: what they say is so.
    """

    memories: list[Memory]
    facts: list[Fact]


class Reader:
    """Makes memories of messages.  Safe for several threads.

    :param tagger: finds names beside the rules, `keepsake.words.tagger.english`; None: rules and the person's names alone.
    """

    def __init__(self, tagger: Tagger | None = None) -> None:
        self._tagger = tagger

    def read(self, message: Message, known: Known | None = None) -> Reading:
        """Memories and facts of one message, with the sequence that the message has.

        :param known: the person's names.
        """
        known = known or Known()
        tongue = language(message.body)
        memories = [
            self._memory(message, part, piece, known, tongue) for part, piece in enumerate(passages(message.body))
        ]
        return Reading(memories, [fact for memory in memories for fact in facts(memory)])

    def _memory(self, message: Message, part: int, piece: Piece, known: Known, tongue: str) -> Memory:
        return Memory(
            id=f"{message.id}#{part}",
            seq=message.seq,
            part=part,
            kind=message.kind,
            text=piece.text,
            said_at=message.said_at,
            speaker=message.speaker,
            meant=resolve(piece.text, message.said_at, message.zone),
            language=tongue,
            entities=entities(piece.text, known, self._tagger, tongue),
            phrases=phrases(piece.text),
            source=message.source,
            zone=message.zone,
            span=_span(message, piece),
        )


def _span(message: Message, piece: Piece) -> tuple[float, float] | None:
    """Where a passage lies in its recording: its share of the letters, as words are said about evenly."""
    if message.span is None:
        return None
    start, end = message.span
    rate = (end - start) / max(1, len(message.body))
    return start + piece.start * rate, start + piece.end * rate
