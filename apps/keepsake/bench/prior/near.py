"""Makes ``keepsake/recall/near.npz``: words that mean nearly the same, so that "kids" finds "children" without a model at hand.

The words are the whole words of MiniLM's own vocabulary; how near two are is the cosine of their vectors by MiniLM (Apache-2.0).  Forms
of one stem are one.
"""

from __future__ import annotations

import json
from typing import Final

import numpy as np

from keepsake.asset import find
from keepsake.recall.soft import TABLE
from keepsake.vector.minilm import MiniLM
from keepsake.words.term import STOP_WORDS, stem

#: neighbours of a word at most, and the cosine from which a word is one
NEIGHBOURS: Final = 6
NEAR: Final = 0.55


def main() -> None:
    """Write the table."""
    folder = find("minilm")
    known: dict[str, int] = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    forms: dict[str, str] = {}
    for word in sorted(known, key=known.__getitem__):
        if word.isascii() and word.isalpha() and len(word) > 2 and word not in STOP_WORDS:
            forms.setdefault(stem(word), word)
    stems = sorted(forms)
    model = MiniLM(folder, threads=1)
    vectors = np.concatenate(
        [model.embed([forms[term] for term in stems[at : at + 256]]) for at in range(0, len(stems), 256)]
    )
    rows, others, likeness = [], [], []
    for at in range(0, len(stems), 1024):
        cosines = vectors[at : at + 1024] @ vectors.T
        for row, line in enumerate(cosines, at):
            line[row] = -1
            best = np.argsort(-line)[:NEIGHBOURS]
            best = best[line[best] >= NEAR]
            rows += [row] * len(best)
            others += best.tolist()
            likeness += np.round(line[best] * 255).astype(int).tolist()
    np.savez_compressed(
        TABLE,
        allow_pickle=False,
        words=np.frombuffer("\n".join(stems).encode(), np.uint8),
        rows=np.array(rows, np.uint16),
        others=np.array(others, np.uint16),
        likeness=np.array(likeness, np.uint8),
    )
    print(f"{len(stems):,} words, {len(rows):,} pairs, {TABLE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
