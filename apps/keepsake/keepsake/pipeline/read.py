"""From messages to memories: read, embed, store, in one transaction; twice is once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from keepsake.custody import Log
from keepsake.model import PersonModel
from keepsake.record import Fact, Memory, Message
from keepsake.store.contract import Store, Vectors, Writer
from keepsake.vector.contract import Embedder
from keepsake.words import Reader
from keepsake.words.fold import Folder

__all__ = ["Kept", "keep"]


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of messages.

    :ivar new: messages that were not there before.
    :ivar memories: what they became.
    """

    new: int
    memories: tuple[Memory, ...]
    head: int


def keep(
    store: Store,
    messages: Sequence[Message],
    *,
    reader: Reader,
    embedder: Embedder | None,
    model: PersonModel,
    log: Log,
    by: str,
    also: Callable[[Writer], None] | None = None,
) -> Kept:
    """Store messages and what they say.  A message whose id is there already is passed over, with all that came of it.

    :param by: who brought them, for the log: a stream, an import.
    :param also: writes more in the same transaction.
    """
    known = model.known()
    readings = [reader.read(message, known) for message in messages]
    texts = [memory.text for reading in readings for memory in reading.memories]
    vectors = embedder.embed(texts) if embedder is not None and texts else None
    shares = model.areas(vectors) if vectors is not None else [()] * len(texts)
    folder = Folder(store)
    new = 0
    kept: list[Memory] = []
    row = 0
    with store.write() as writer:
        for message, reading in zip(messages, readings, strict=True):
            rows = slice(row, row + len(reading.memories))
            row = rows.stop
            stored, is_new = writer.add_message(message)
            if not is_new:
                continue
            new += 1
            memories = [
                replace(memory, seq=stored.seq, areas=tuple(share), folds_into=folder.place(memory))
                for memory, share in zip(reading.memories, shares[rows], strict=True)
            ]
            _put(writer, memories, None if vectors is None else vectors[rows], embedder)
            _know(store, writer, [replace(fact, seq=stored.seq) for fact in reading.facts])
            log.append(writer, "stored", message.id, message.body.encode(), by=by)
            kept.extend(memories)
        if also is not None:
            also(writer)
        if kept:
            writer.set_built("memory", kept[-1].seq)
    return Kept(new, tuple(kept), store.head())


def _put(writer: Writer, memories: Sequence[Memory], vectors: Vectors | None, embedder: Embedder | None) -> None:
    if vectors is None or embedder is None:
        writer.put_memories(memories)
    else:
        writer.put_memories(memories, np.ascontiguousarray(vectors), embedder.model)


def _know(store: Store, writer: Writer, facts: Sequence[Fact]) -> None:
    """Store facts; one about the same takes the place of the older one, which is ended and kept."""
    for fact in facts:
        for older in store.facts(subject=fact.subject):
            if (
                older.relation == fact.relation
                and older.id != fact.id
                and older.value != fact.value
                and older.since <= fact.since
            ):
                writer.put_fact(replace(older, ended=fact.since, ended_by=fact.id))
        writer.put_fact(fact)
