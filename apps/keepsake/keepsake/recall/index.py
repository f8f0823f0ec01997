"""The resident index: one person's memories, looked through in milliseconds.

Words and meaning are weighed for every memory, a few hundred are looked at closely and ranked, and how sure it is that the answer is
among them goes with the outcome.  The store is the truth: an index is made from it and can be thrown away.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from keepsake.recall.ask import Asked, analyse, heard
from keepsake.recall.contract import Found, Hit
from keepsake.recall.evidence import Evidence, gather, pool_of
from keepsake.recall.feature import features
from keepsake.recall.posting import Floats, Places
from keepsake.recall.rank import Ranker
from keepsake.recall.refusal import Refusal, signs, turned
from keepsake.recall.shelf import Shelf
from keepsake.record import Memory, Question
from keepsake.store.contract import Vectors
from keepsake.vector.contract import Embedder

__all__ = ["Kept", "MemoryIndex", "Seen"]

#: memories that are asked of a store at a time
BATCH: Final = 2_000

#: hits that are given at most
HITS: Final = 1_000


class Kept(Protocol):
    """What an index asks of a store; each `keepsake.store.contract.Store` has it."""

    def head(self) -> int:
        """The sequence of the newest message."""
        ...

    def memories(self, *, after: int = 0, limit: int = 1000) -> list[Memory]:
        """Memories of the messages after a sequence, in order."""
        ...

    def vectors(self, model: str, *, after: int = 0) -> Iterator[tuple[list[str], list[int], Vectors]]:
        """Ids, sequences and vectors of a model, in blocks."""
        ...


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look sees before anything is ranked: what a ranker is trained on."""

    asked: Asked
    evidence: Evidence
    places: Places
    features: Floats


class MemoryIndex:
    """One person's memories (`keepsake.recall.contract.Index`).

    Looks and refreshes wait for each other; a refresh that makes all anew does not hold up looks.

    :param embedder: the model whose vectors the store has; None: by words alone.
    :ivar ranker: may be replaced at any time.
    :ivar refusal: may be replaced at any time.
    """

    def __init__(
        self,
        person: str,
        embedder: Embedder | None = None,
        ranker: Ranker | None = None,
        refusal: Refusal | None = None,
    ) -> None:
        self.person = person
        self.built_to = 0
        self.ranker = ranker or Ranker.prior()
        self.refusal = refusal or Refusal.prior()
        self._embedder = embedder
        self._shelf = self._empty()
        self._is_stale = False
        self._lock = threading.Lock()
        self._refreshing = threading.Lock()

    def _empty(self) -> Shelf:
        return Shelf(self._embedder.dimension if self._embedder else 0)

    def __len__(self) -> int:
        return len(self._shelf)

    def refresh(self, store: Kept) -> None:
        """Take in what the store has since; after a removal all is made anew."""
        with self._refreshing:
            head = store.head()
            if self._is_stale:
                self._is_stale = False
                shelf, built_to = self._empty(), 0
            else:
                shelf, built_to = self._shelf, self.built_to
                if head == built_to:
                    return
            last = self._read(store, shelf, built_to)
            with self._lock:
                self._shelf = shelf
                self.built_to = max(head, last)

    def _read(self, store: Kept, shelf: Shelf, after: int) -> int:
        """Take in memories after a sequence; gives the sequence of the last."""
        begun = after
        while memories := store.memories(after=after, limit=BATCH):
            with self._lock:
                for memory in memories:
                    shelf.add(memory)
            after = memories[-1].seq
        if self._embedder is not None:
            for ids, _, vectors in store.vectors(self._embedder.model, after=begun):
                with self._lock:
                    shelf.put_vectors(ids, vectors)
        return after

    def remove(self, messages: Iterable[str]) -> int:
        """Messages are gone: nothing of them is found from now on, and the next `refresh` makes all anew without them.

        :returns: how many memories they had.
        """
        with self._lock:
            self._is_stale = True
            return self._shelf.cover(messages)

    def renew(self) -> None:
        """Have the next `refresh` make all anew: derived things have changed."""
        self._is_stale = True

    def see(self, question: Question) -> Seen:
        """Weigh everything and choose the memories to look at closely."""
        asked, vectors = self._ask(question)
        with self._lock:
            return self._see(question, asked, vectors)

    def _ask(self, question: Question) -> tuple[Asked, Vectors | None]:
        with self._lock:
            known = self._shelf.postings.number
            asked = heard(analyse(question.text, self._shelf.speakers), lambda term: known(term) >= 0)
        if self._embedder is None:
            return asked, None
        return asked, self._embedder.embed(list(dict.fromkeys((asked.bare, asked.text))), "question")

    def _see(self, question: Question, asked: Asked, vectors: Vectors | None) -> Seen:
        shelf = self._shelf
        rows = shelf.rows(question.as_of)
        meaning = None if vectors is None else shelf.meaning(vectors)
        evidence = gather(asked, shelf.postings, meaning, rows)
        places = pool_of(asked, evidence, rows)
        return Seen(asked, evidence, places, features(asked, places, evidence, rows, shelf.postings))

    def look(self, question: Question, *, limit: int = 50) -> Found:
        """What may answer the question, ranked by the person's model."""
        asked, vectors = self._ask(question)
        with self._lock:
            seen = self._see(question, asked, vectors)
            scores = self.ranker.score(seen.features)
            order = np.argsort(-scores, kind="stable")[: max(0, min(limit, HITS))]
            memories = self._shelf.take(seen.places[order])
            built_to = self.built_to
        best = np.argsort(-scores, kind="stable")
        other = self.ranker.score(turned(seen.features[best]))
        found = signs(seen.asked, seen.evidence, seen.features[best], scores[best], other)
        sureness = self.refusal.sureness(found) if len(best) else 0.0
        rows = zip(memories, order.tolist(), strict=True)
        hits = tuple(Hit(memory, float(scores[row]), seen.features[row]) for memory, row in rows)
        return Found(hits, sureness, found, built_to)

    def holds(self, word: str) -> bool:
        """Whether a word is still anywhere in here, found or covered: for the proof of a deletion."""
        with self._lock:
            return self._shelf.holds(word)

    def size(self) -> int:
        """Bytes it takes in memory, about."""
        return self._shelf.bytes()
