"""From a question to its answer over HTTP, with 100,000 memories: how long it takes.

    python bench/ask.py --messages 100000 --questions 500

A made-up person's messages are read into a store as workers would do it; then a plane serves it, and one client asks, one question after the
other. The vectors of memories are made up (embedding them all takes six minutes and changes nothing here); those of questions are
MiniLM's.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import httpx
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from keepsake.bench.people import SyntheticPerson
from keepsake.key import Ring
from keepsake.pipeline.read import keep
from keepsake.pipeline.setting import Setting
from keepsake.pipeline.setup import make_house
from keepsake.record import Message
from keepsake.vector.minilm import MiniLM
from tests.support.running import Running

PAGE = 500


class MadeUp:
    """Vectors of the right shape."""

    def __init__(self) -> None:
        self.model, self.dimension = MiniLM.model, MiniLM.dimension
        self._random = np.random.default_rng(1)

    def embed(self, texts: Sequence[str], kind: Literal["question", "passage"] = "passage") -> np.ndarray:  # type: ignore[type-arg]
        """Rows of unit length."""
        rows = self._random.standard_normal((len(texts), self.dimension), np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def fill(data: Path, synthetic: SyntheticPerson) -> None:
    """Store a person's messages."""
    Ring(data / "keys").make("ann")
    house = make_house(data, Setting(embedder="none", names=False))
    embedder = MadeUp()
    begin = time.monotonic()
    page: list[Message] = []
    with house.shelf.desk("ann") as desk:
        for number, message in enumerate(synthetic.messages(), 1):
            page.append(message)
            if len(page) == PAGE or number == synthetic.size:
                keep(
                    desk.store,
                    page,
                    reader=house.reader,
                    embedder=embedder,
                    model=desk.model,
                    log=desk.log,
                    folder=desk.folder,
                    by="bench",
                )
                page = []
    house.shelf.close()
    print(f"{synthetic.size} messages stored in {time.monotonic() - begin:.0f} s")


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--questions", type=int, default=500)
    parser.add_argument("--data", type=Path, help="a folder to fill once, and to use again")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        return measure(options.data or Path(temporary), options)


def measure(folder: Path, options: argparse.Namespace) -> int:
    """Fill the folder where it is empty, then ask."""
    synthetic = SyntheticPerson(size=options.messages)
    if not (folder / "people").exists():
        fill(folder, synthetic)
    if not options.questions:
        return 0
    with Running(folder, names="0") as running:
        running.start_plane()
        headers = {"authorization": f"Bearer {running.token('ann')}"}
        waits = []
        with httpx.Client(base_url=running.url, headers=headers, timeout=300) as http:
            for number, asked in enumerate(synthetic.questions(options.questions + 1)):
                begin = time.monotonic()
                answer = http.post(
                    f"/person/ann/question/{begin:.6f}", params={"lane": "ask"}, json={"text": asked.question.text}
                )
                took = time.monotonic() - begin
                answer.raise_for_status()
                if number == 0:
                    print(f"first question, which loads the person: {took:.1f} s")
                else:
                    waits.append(took * 1000)
        p50, p99 = np.quantile(waits, [0.5, 0.99])
        print(f"{len(waits)} questions: p50 {p50:.1f} ms, p99 {p99:.1f} ms, max {max(waits):.1f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
