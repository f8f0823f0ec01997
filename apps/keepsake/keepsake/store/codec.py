"""Messages, memories and facts as bytes, the same in every store: compact JSON lists, a field after the other.

A record is checked here before anything of it is written, so that no store has to undo half of one.
"""

from __future__ import annotations

import hashlib
import json
import math
from functools import lru_cache
from typing import Any, Final

import numpy as np

from keepsake.errors import KeepsakeError
from keepsake.record import Entity, Fact, Kind, Memory, Message, Precision, Share, Source, When
from keepsake.store.contract import Vectors

__all__ = [
    "PART_BITS",
    "check_vectors",
    "decode_fact",
    "decode_memory",
    "decode_message",
    "digest",
    "encode_fact",
    "encode_memory",
    "encode_message",
    "plain",
    "refused",
    "row",
    "rows_of",
]

#: a memory's row is its message's sequence and its part: rows of one message lie together, in order
PART_BITS: Final = 20

#: sequences take the rest of 63 bits
SEQ_LIMIT: Final = 1 << (63 - PART_BITS)

#: sources kept at hand while records are read: a person has few, and each belongs to many memories
CACHED_SOURCES: Final = 4096

_KINDS: Final = {kind.value: kind for kind in Kind}
_PRECISIONS: Final = {precision.value: precision for precision in Precision}
_dump: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":")).encode
_load: Final = json.JSONDecoder().decode


def digest(person: str) -> str:
    """What a person's files, schemas and indexes are called: it tells the name to nobody who does not know it."""
    return hashlib.sha256(person.encode()).hexdigest()[:32]


def row(seq: int, part: int) -> int:
    """The row of a memory."""
    return seq << PART_BITS | part


def rows_of(seq: int) -> tuple[int, int]:
    """The first row that a message's memories may have, and the first after them."""
    return seq << PART_BITS, (seq + 1) << PART_BITS


def plain(text: str) -> str:
    """A text that any database takes: no lone halves of pairs, no zero letters."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def refused(what: str, name: str, why: str) -> KeepsakeError:
    """The error of a record that cannot be stored."""
    return KeepsakeError("KS-STORE-005", f"{what} {name[:120]!r} cannot be stored: {why}")


def _bytes(what: str, name: str, fields: list[Any]) -> bytes:
    try:
        return _dump(fields).encode("utf-8", "surrogatepass")
    except (ValueError, TypeError) as fault:
        raise refused(what, name, f"{fault}; times are finite numbers, texts are strings") from None


def _fields(data: bytes) -> list[Any]:
    return _load(data.decode("utf-8", "surrogatepass"))  # type: ignore[no-any-return]


@lru_cache(maxsize=CACHED_SOURCES)
def _source(app: str, channel: str, title: str, url: str, file: str, place: str) -> Source:
    return Source(app, channel, title, url, file, place)


def _source_fields(source: Source) -> list[str]:
    fields = [source.app, source.channel, source.title, source.url, source.file, source.place]
    return fields if any(fields) else []


def _check_id(what: str, name: str, mark: str) -> None:
    before, found, after = name.rpartition(mark)
    if not found or not before or not after or plain(name) != name:
        raise refused(what, name, f"its id has to be SOMETHING{mark}NUMBER, without control letters")


def encode_message(message: Message) -> bytes:
    """A message without its sequence.

    :raises KeepsakeError: ``KS-STORE-005`` where it cannot be stored.
    """
    _check_id("message", message.id, ":")
    return _bytes(
        "message",
        message.id,
        [
            message.id,
            message.kind.value,
            message.said_at,
            message.received_at,
            message.body,
            message.speaker,
            message.zone,
            _source_fields(message.source),
            message.sound,
            message.span,
        ],
    )


def decode_message(data: bytes, seq: int) -> Message:
    """A message with its sequence."""
    name, kind, said_at, received_at, body, speaker, zone, source, sound, span = _fields(data)
    return Message(
        name,
        _KINDS[kind],
        said_at,
        received_at,
        body,
        speaker,
        zone,
        _source(*source) if source else Source(),
        sound,
        None if span is None else (span[0], span[1]),
        seq,
    )


def encode_memory(memory: Memory) -> bytes:
    """A memory without its sequence and without what it folds into.

    :raises KeepsakeError: ``KS-STORE-005`` where it cannot be stored.
    """
    _check_id("memory", memory.id, "#")
    if memory.id.rpartition("#")[2] != str(memory.part) or not 0 <= memory.part < 1 << PART_BITS:
        raise refused("memory", memory.id, f"its id ends in #{memory.part}, from 0 to {(1 << PART_BITS) - 1}")
    return _bytes(
        "memory",
        memory.id,
        [
            memory.id,
            memory.part,
            memory.kind.value,
            memory.text,
            memory.said_at,
            memory.speaker,
            [[when.start, when.end, when.precision.value, when.words] for when in memory.meant],
            memory.language,
            [[entity.label, entity.name, entity.start, entity.end] for entity in memory.entities],
            [[area.name, area.share] for area in memory.areas],
            memory.phrases,
            _source_fields(memory.source),
            memory.zone,
            memory.span,
        ],
    )


def decode_memory(data: bytes, seq: int, folds_into: str = "") -> Memory:
    """A memory with its sequence and what it folds into."""
    name, part, kind, text, said_at, speaker, meant, language, entities, areas, phrases, source, zone, span = _fields(
        data
    )
    return Memory(
        name,
        seq,
        part,
        _KINDS[kind],
        text,
        said_at,
        speaker,
        tuple(When(start, end, _PRECISIONS[precision], said) for start, end, precision, said in meant),
        language,
        tuple(Entity(*entity) for entity in entities),
        tuple(Share(*area) for area in areas),
        tuple(phrases),
        _source(*source) if source else Source(),
        zone,
        None if span is None else (span[0], span[1]),
        folds_into,
    )


def encode_fact(fact: Fact) -> bytes:
    """A fact without when and by what it ended.

    :raises KeepsakeError: ``KS-STORE-005`` where it cannot be stored.
    """
    if not fact.id or plain(fact.id) != fact.id or plain(fact.memory) != fact.memory:
        raise refused("fact", fact.id, "it needs an id, and a memory's id, without control letters")
    if not math.isfinite(fact.ended or 0.0):
        raise refused("fact", fact.id, "it ends at a finite time or not at all")
    fields = [fact.id, fact.subject, fact.relation, fact.value, fact.memory, fact.seq, fact.said_at, fact.since]
    return _bytes("fact", fact.id, fields)


def decode_fact(data: bytes, ended: float | None, ended_by: str) -> Fact:
    """A fact, with when and by what it ended."""
    name, subject, relation, value, memory, seq, said_at, since = _fields(data)
    return Fact(name, subject, relation, value, memory, seq, said_at, since, ended, ended_by)


def check_vectors(vectors: Vectors, count: int, model: str) -> Vectors:
    """The vectors as float32, a row a memory.

    :raises KeepsakeError: ``KS-STORE-005`` where there are too few or many, or where they are not finite.
    """
    rows = np.asarray(vectors, dtype=np.float32)
    if not model or rows.ndim != 2 or rows.shape[0] != count or not rows.shape[1]:
        raise refused(
            "vectors", model, f"they have the shape {rows.shape}; {count} memories need as many rows, of a named model"
        )
    if not np.isfinite(rows).all():
        raise refused("vectors", model, "they hold numbers that are not finite")
    return rows
