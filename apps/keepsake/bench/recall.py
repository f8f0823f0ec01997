"""How long a look takes, and how much memory an index of many memories needs::

    python bench/recall.py 100000

The memories are made up and their vectors random; the questions go through the real embedder.  The processor's own time is given beside
the clock's, since other work may run.
"""

from __future__ import annotations

import random
import resource
import sys
import time
from typing import Final

import numpy as np

from keepsake.bench.held import Held
from keepsake.recall.index import MemoryIndex
from keepsake.record import Kind, Memory, Question
from keepsake.vector.minilm import MiniLM

QUESTIONS: Final = 200
COMMON: Final = "went park dog painted lake sister moved job book friend city trip".split()  # noqa: SIM905 words
WORDS: Final = 30_000
TERMS: Final = 12


def memories(count: int) -> list[Memory]:
    """Memories with words as rare as words are (Zipf)."""
    random_words, rng = np.random.default_rng(1), random.Random(1)
    weights = 1 / np.arange(1, WORDS + 1)
    rows = random_words.choice(WORDS, size=(count, TERMS), p=weights / weights.sum())
    return [
        Memory(
            id=f"chat:{row}#0",
            seq=row + 1,
            part=0,
            kind=Kind.TEXT,
            text=" ".join(f"w{word}" for word in rows[row]) + " " + rng.choice(COMMON),
            said_at=1e9 + row * 60 + (row // 40) * 7200,
            speaker=rng.choice(["Ann", "Ben", ""]),
        )
        for row in range(count)
    ]


def main() -> None:
    """Load, look, tell."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    rng, held = random.Random(2), memories(count)
    vectors = np.random.default_rng(2).normal(size=(count, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    index = MemoryIndex("ann", MiniLM(threads=1))
    index.look(Question("warm?", 2e9))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = time.process_time()
    index.refresh(Held(held, vectors))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(
        f"{count:,} memories: loaded in {time.process_time() - begun:.1f} core-s, {index.size() / 1e6:.0f} MB, grown by {grown / 1e3:.0f} MB"
    )
    clock, core = [], []
    for _ in range(QUESTIONS):
        words = [f"w{rng.randrange(1, 3000)}" for _ in range(rng.randint(1, 4))]
        question = Question(f"When did Ann paint the {rng.choice(COMMON)} and {' '.join(words)}?", 2e9)
        began, worked = time.perf_counter(), time.process_time()
        index.look(question)
        clock.append(time.perf_counter() - began)
        core.append(time.process_time() - worked)
    for name, times in (("clock", clock), ("core", core)):
        p50, p99 = 1000 * np.percentile(times, [50, 99])
        print(f"look by the {name}: p50 {p50:.1f} ms, p99 {p99:.1f} ms")


if __name__ == "__main__":
    main()
