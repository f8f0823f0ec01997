"""Reads a message: what it says, as memories and facts.  Pure: the same message and names give the same reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from keepsake.record import Entity, Fact, Memory, Message
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

    def read_all(self, messages: Sequence[Message], known: Known | None = None) -> list[Reading]:
        """The same for each of many messages, which takes less time together: the tagger gets all it will be asked at once."""
        tagger = self._tagger
        if tagger is None:
            return [self.read(message, known) for message in messages]
        ahead = _Ahead(tagger.languages)
        for message in messages:
            tongue = language(message.body)
            for piece in passages(message.body):
                entities(piece.text, known or Known(), ahead, tongue)
        texts = list(ahead.told)
        ahead.told.update(zip(texts, tagger.tag_all(texts), strict=True))
        reader = Reader(ahead)
        return [reader.read(message, known) for message in messages]

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


class _Ahead:
    """Notes what a tagger is asked, and tells it when it is asked again."""

    def __init__(self, languages: frozenset[str]) -> None:
        self.languages = languages
        self.told: dict[str, list[Entity]] = {}

    def tag(self, text: str) -> list[Entity]:
        return self.told.setdefault(text, [])

    def tag_all(self, texts: Sequence[str]) -> list[list[Entity]]:
        return [self.tag(text) for text in texts]


def _span(message: Message, piece: Piece) -> tuple[float, float] | None:
    """Where a passage lies in its recording: its share of the letters, as words are said about evenly."""
    if message.span is None:
        return None
    start, end = message.span
    rate = (end - start) / max(1, len(message.body))
    return start + piece.start * rate, start + piece.end * rate
