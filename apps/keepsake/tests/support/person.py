"""What the tests of the model share: a store, memories of a person, ratings, and vectors without a model."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from keepsake.key import Ring
from keepsake.model import Rated
from keepsake.recall.feature import NAMES
from keepsake.recall.refusal import SIGNS
from keepsake.record import Entity, Kind, Memory, Message
from keepsake.store.contract import Store, Vectors
from keepsake.store.sqlite import SqliteStores
from keepsake.words.term import terms

OWN = (
    "Reckon {who} was right about the {thing}, mind you.",
    "Mind you, the {thing} was grand, {who} said so an' all.",
    "Reckon I'll see {who} about that {thing}.",
)
OTHERS = ("Dear friend, {who} requires the {thing} urgently.", "Kindly confirm the {thing} with {who}.")
PEOPLE = ("Ilse", "Ragnhild", "Tancred", "Oisin", "Xanthe")
THINGS = ("boiler", "ferry", "cello", "invoice", "greenhouse", "knee")


class Bags:
    """Vectors by words alone: the same words, the same direction."""

    model = "bags"
    dimension = 64

    def embed(self, texts: Sequence[str], kind: Literal["question", "passage"] = "passage") -> Vectors:
        found = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in enumerate(texts):
            for word in terms(text) or ["?"]:
                seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big")
                found[row] += np.random.default_rng(seed).normal(size=self.dimension)
        found /= np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)
        return found


def open_store(folder: Path, person: str = "ada") -> Store:
    ring = Ring(folder / "keys")
    ring.make(person)
    return SqliteStores(folder / "people", ring).open(person)


def tell(store: Store, numbers: range) -> None:
    """Store messages of some numbers with their memories: a third are said by others."""
    with store.write() as writer:
        for number in numbers:
            rng = random.Random(number)
            speaker = "Kasimir" if number % 3 == 0 else ""
            who = rng.choice(PEOPLE)
            text = rng.choice(OTHERS if speaker else OWN).format(who=who, thing=rng.choice(THINGS))
            message, _ = writer.add_message(
                Message(f"diary:{number}", Kind.TEXT, 1e9 + number, 1e9 + number, text, speaker)
            )
            start = text.index(who)
            entity = Entity("person", who, start, start + len(who))
            memory = Memory(
                f"diary:{number}#0", message.seq, 0, Kind.TEXT, text, 1e9 + number, speaker, entities=(entity,)
            )
            writer.put_memories([memory])


def rating(number: int, *, hits: int = 12, is_known: bool = True) -> Rated:
    """A rating by somebody for whom short memories are the right ones, whatever else they have."""
    rng = np.random.default_rng(number)
    features = rng.random((hits, len(NAMES))).astype(np.float32) * 0.5
    signs = rng.random(len(SIGNS)).astype(np.float32) * 0.5
    signs[SIGNS.index("words")] = 1.0 if is_known else 0.0
    right = int(rng.integers(hits))
    features[:, NAMES.index("short")] = np.arange(hits) == right
    names = tuple(f"diary:{1 + (number * hits + place) % 97}#0" for place in range(hits))
    return Rated(
        1e9 + number, f"question {number}?", names, features, signs, (names[right],) if is_known else (), is_known
    )
