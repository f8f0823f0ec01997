"""A few thousand mutations of the corpus, the same ones each time; ``fuzz/codec.py`` goes on from here."""

from __future__ import annotations

import random

import pytest

from fuzz import codec
from natant.codec import recon, warp
from natant.errors import CodecError, WarpError


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_mutations(seed: int) -> None:
    done = codec.run(seed, count=1000)
    assert done["tried"] == 1000
    assert done["recon"] > 50
    assert done["envelopes"] > 50


def test_mutations_repeat() -> None:
    texts = codec.corpus()
    assert codec.mutate(random.Random(7), texts) == codec.mutate(random.Random(7), texts)


@pytest.mark.parametrize("opening", ["{", "[", "(", "@a(", "{a:", "@a{", "[@a[", "{@a(b:", "@a@b({"])
def test_deep_nesting_is_an_error_and_not_a_crash(opening: str) -> None:
    text = opening * 100_000
    with pytest.raises(CodecError):
        recon.decode(text)
    with pytest.raises(CodecError):
        recon.decode_body(text)
    with pytest.raises(WarpError):
        warp.decode(f"@link({text}")
