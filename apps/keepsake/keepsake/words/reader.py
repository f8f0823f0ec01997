"""Reads a message: what it says, as memories and facts.  Pure: the same message and names give the same reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from keepsake.record import Entity, Fact, Memory, Message
from keepsake.words.date import resolve
from keepsake.words.entity import Tagger, entities_of
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
    :param tongue: the language of all that is read, ISO 639-1; empty: found out for each message.
    :param has_model: whether the model of languages may be loaded, which takes 90 MB; without it seven languages and six scripts
        are told by their commonest words and letters.
    """

    def __init__(self, tagger: Tagger | None = None, tongue: str = "", *, has_model: bool = True) -> None:
        self._tagger = tagger
        self._tongue = tongue
        self._has_model = has_model

    def read(self, message: Message, known: Known | None = None) -> Reading:
        """Memories and facts of one message, with the sequence that the message has.

        :param known: the person's names.
        """
        return self.read_all([message], known)[0]

    def read_all(self, messages: Sequence[Message], known: Known | None = None) -> list[Reading]:
        """The same of several messages, which is faster where there is a tagger."""
        known = known or Known()
        tongues = [self._tongue or language(message.body, has_model=self._has_model) for message in messages]
        pieces = [list(passages(message.body)) for message in messages]
        texts = [(piece.text, tongue) for of_one, tongue in zip(pieces, tongues, strict=True) for piece in of_one]
        named = iter(entities_of(texts, known, self._tagger))
        readings = []
        for message, of_one, tongue in zip(messages, pieces, tongues, strict=True):
            memories = [_memory(message, part, piece, tongue, next(named)) for part, piece in enumerate(of_one)]
            readings.append(Reading(memories, [fact for memory in memories for fact in facts(memory)]))
        return readings


def _memory(message: Message, part: int, piece: Piece, tongue: str, named: tuple[Entity, ...]) -> Memory:
    return Memory(
        id=f"{message.id}#{part}",
        seq=message.seq,
        part=part,
        kind=message.kind,
        text=piece.text,
        said_at=message.said_at,
        speaker=message.speaker,
        meant=resolve(piece.text, message.said_at, message.zone, language=tongue),
        language=tongue,
        entities=named,
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
