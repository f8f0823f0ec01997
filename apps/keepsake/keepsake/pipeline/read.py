"""From messages to memories: read, embed, store, in one transaction; twice is once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from keepsake.custody import Log
from keepsake.model import PersonModel
from keepsake.record import Fact, Memory, Message
from keepsake.store.contract import Store, Vectors, Writer
from keepsake.vector.contract import Embedder
from keepsake.words import Reader, Reading
from keepsake.words.fact import is_single
from keepsake.words.fold import Folder

__all__ = ["GONE", "Kept", "Read", "keep", "put", "read"]

#: kind of the documents that name deleted streams
GONE: Final = "gone"


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of messages.

    :ivar new: messages that were not there before.
    :ivar memories: what they became.
    """

    new: int
    memories: tuple[Memory, ...]
    head: int


@dataclass(frozen=True, slots=True)
class Read:
    """What a message says, before it is stored.

    :ivar vectors: a row for each memory; None without an embedder.
    """

    reading: Reading
    memories: tuple[Memory, ...]
    vectors: Vectors | None


def read(messages: Sequence[Message], reader: Reader, embedder: Embedder | None, model: PersonModel) -> list[Read]:
    """Read messages, all of them embedded together.  Needs no store, and takes most of the time."""
    known = model.known()
    readings = reader.read_all(messages, known)
    texts = [memory.text for reading in readings for memory in reading.memories]
    if embedder is None or not texts:
        return [Read(reading, tuple(reading.memories), None) for reading in readings]
    vectors = embedder.embed(texts)
    shares = model.areas(vectors, texts)
    found = []
    row = 0
    for reading in readings:
        rows = slice(row, row + len(reading.memories))
        row = rows.stop
        memories = tuple(
            replace(memory, areas=tuple(share)) for memory, share in zip(reading.memories, shares[rows], strict=True)
        )
        found.append(Read(reading, memories, np.ascontiguousarray(vectors[rows])))
    return found


def put(store: Store, writer: Writer, seq: int, what: Read, folder: Folder, model: str) -> list[Memory]:
    """Store what a stored message says; gives its memories as they are stored.

    :param seq: of the message.
    :param model: names the embedder.
    """
    memories = [replace(memory, seq=seq) for memory in what.memories]
    memories = [replace(memory, folds_into=folder.place(memory)) for memory in memories]
    if what.vectors is None:
        writer.put_memories(memories)
    else:
        writer.put_memories(memories, what.vectors, model)
    for fact in what.reading.facts:
        _know(store, writer, replace(fact, seq=seq))
    return memories


def keep(
    store: Store,
    messages: Sequence[Message],
    *,
    reader: Reader,
    embedder: Embedder | None,
    model: PersonModel,
    log: Log,
    folder: Folder,
    by: str,
    also: Callable[[Writer], None] | None = None,
) -> Kept:
    """Store messages and what they say.  A message whose id is there already is passed over, with all that came of it.

    :param folder: finds near duplicates among what is stored.
    :param by: who brought them, for the log: a stream, an import.
    :param also: writes more in the same transaction.
    """
    readings = read(messages, reader, embedder, model)
    folder.refresh()
    name = "" if embedder is None else embedder.model
    new = 0
    kept: list[Memory] = []
    with store.write() as writer:
        gone = set(store.documents(GONE))
        for message, what in zip(messages, readings, strict=True):
            if message.stream in gone:
                continue  # the stream was deleted while this was on its way
            stored, is_new = writer.add_message(message)
            if is_new:
                new += 1
                kept.extend(put(store, writer, stored.seq, what, folder, name))
                log.append(writer, "stored", message.id, message.body.encode(), by=by)
        if also is not None:
            also(writer)
    return Kept(new, tuple(kept), store.head())


def _know(store: Store, writer: Writer, fact: Fact) -> None:
    """Store a fact.  Of two of which one can hold, the later one does; the earlier one is ended by it and kept."""
    for other in store.facts(subject=fact.subject) if is_single(fact.relation) else ():
        if other.relation != fact.relation or other.id == fact.id or other.value == fact.value:
            continue
        if (other.since, other.said_at) <= (fact.since, fact.said_at):
            writer.put_fact(replace(other, ended=fact.since, ended_by=fact.id))
        else:
            fact = replace(fact, ended=other.since, ended_by=other.id)
    writer.put_fact(fact)
