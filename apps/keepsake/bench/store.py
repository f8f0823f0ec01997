"""How fast a store is, over a person of many memories: writing, loading, looking, removing, the search for traces.

``python bench/store.py [MEMORIES] [URL]`` prints a table.  Without a URL it is the SQLite store in a temporary folder, and the blobs in one;
``postgresql://...``, ``mongodb://...`` and ``http://...`` (OpenSearch) name other stores.
"""

from __future__ import annotations

import itertools
import random
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from keepsake.key import Ring
from keepsake.record import Entity, Kind, Memory, Message, Share
from keepsake.store.contract import Filter, Store, Stores
from keepsake.store.folder import FolderBlobs
from keepsake.store.sqlite import SqliteStores

#: messages in one transaction, as the pipeline writes them
BATCH: Final = 64

DIMENSION: Final = 384

#: words a text, of a vocabulary in which words are as frequent as in talk
TEXT_WORDS: Final = 15
VOCABULARY: Final = 20_000

QUESTIONS: Final = 50


def stores_of(url: str, folder: Path, ring: Ring) -> Stores:
    """The stores that a URL names."""
    if url.startswith("postgres"):
        from keepsake.store.postgres import PostgresStores

        return PostgresStores(url, ring)
    if url.startswith("mongodb"):
        from keepsake.store.mongo import MongoStores

        return MongoStores(url, ring)
    if url:
        from keepsake.store.opensearch import OpenSearchStores

        return OpenSearchStores(url, ring)
    return SqliteStores(folder / "people", ring)


class Talk:
    """Made-up texts."""

    def __init__(self) -> None:
        self._choice = random.Random(1)
        self._words = [f"w{number}" for number in range(VOCABULARY)]
        self._weights = list(itertools.accumulate(1 / (number + 5) for number in range(VOCABULARY)))

    def say(self, count: int) -> str:
        return " ".join(self._choice.choices(self._words, cum_weights=self._weights, k=count))


def tell(what: str, spans: list[tuple[float, float]], count: int = 1) -> None:
    """Print a line: the sum and the middle by the clock, the greatest, and what of it this process's processor did."""
    clock, own = (sorted(span[side] for span in spans) for side in (0, 1))
    middle, worst = clock[len(clock) // 2] / count * 1e3, clock[-1] * 1e3
    print(
        f"{what:32} {sum(clock):9.3f} s, {middle:9.3f} ms each, {worst:9.1f} ms at most; processor "
        f"{own[len(own) // 2] / count * 1e3:9.3f} ms each",
        flush=True,
    )


def timed(job: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock, and of this process's processor."""
    start, own = time.perf_counter(), time.process_time()
    job()
    return time.perf_counter() - start, time.process_time() - own


def fill(store: Store, talk: Talk, count: int) -> None:
    vectors = np.random.default_rng(1).standard_normal((count, DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    texts = [talk.say(TEXT_WORDS) for _ in range(count)]

    def write(first: int) -> None:
        with store.write() as writer:
            kept = []
            for number in range(first, min(first + BATCH, count)):
                at = 1e9 + number
                message, _ = writer.add_message(Message(f"s:{number}", Kind.TEXT, at, at, texts[number]))
                names, areas = (Entity("person", f"Name{number % 50}", 0, 3),), (Share("work", 0.5),)
                kept.append(
                    Memory(
                        f"{message.id}#0", message.seq, 0, message.kind, message.body, at, entities=names, areas=areas
                    )
                )
            writer.put_memories(kept, vectors[first : first + BATCH], "minilm")

    tell(
        "write (message, memory, vector)",
        [timed(partial(write, first)) for first in range(0, count, BATCH)],
        BATCH,
    )


def load(store: Store) -> None:
    after = 0
    while found := store.memories(after=after, limit=5000):
        after = found[-1].seq


def look(store: Store, talk: Talk, count: int) -> None:
    tell("load all memories", [timed(lambda: load(store))])
    tell("load all vectors", [timed(lambda: list(store.vectors("minilm")))])
    questions = [talk.say(6) for _ in range(QUESTIONS)]
    tell("search, top 50", [timed(partial(store.search, question)) for question in questions])
    vector = np.ones(DIMENSION, np.float32) / DIMENSION**0.5
    tell("nearest, top 50", [timed(lambda: store.nearest(vector, "minilm")) for _ in range(5)])
    tell("timeline, newest 100", [timed(lambda: store.timeline(Filter())) for _ in range(QUESTIONS)])
    tell("timeline of a name, 100", [timed(lambda: store.timeline(Filter(name="name7"))) for _ in range(QUESTIONS)])

    def remove(number: int) -> None:
        with store.write() as writer:
            writer.remove_message(f"s:{number}")

    tell("remove a message", [timed(partial(remove, number)) for number in range(0, count, count // 20)])
    tell("find traces of a text", [timed(lambda: store.find("a canary that is nowhere"))])
    print(f"{'size':34} {store.size() / 1e6:9.1f} MB")


def blobs(folder: Path) -> None:
    kept = FolderBlobs(folder / "blobs")
    contents = [random.Random(number).randbytes(1 << 20) for number in range(20)]
    tell(
        "put a blob of 1 MiB",
        [timed(partial(kept.put, "ann", content)) for content in contents],
    )
    tell("get a blob of 1 MiB", [timed(partial(kept.get, "ann", name)) for name in kept.names("ann")])


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    url = sys.argv[2] if len(sys.argv) > 2 else ""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ring = Ring(folder / "keys")
        ring.make("ann")
        stores = stores_of(url, folder, ring)
        store = stores.open("ann")
        talk = Talk()
        fill(store, talk, count)
        look(store, talk, count)
        store.close()
        stores.erase("ann")
        if not url:
            blobs(folder)


if __name__ == "__main__":
    main()
