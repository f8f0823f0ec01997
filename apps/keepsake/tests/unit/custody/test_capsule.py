"""Capsules: closed to everybody who has not their key, and telling nothing of what is in them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepsake.custody.capsule import open_capsule, seal_capsule
from keepsake.errors import KeepsakeError


@given(st.binary(max_size=9000))
def test_the_key_opens_it(content: bytes) -> None:
    sealed, key = seal_capsule(content, "c1")

    assert open_capsule(sealed, key, "c1") == content
    assert len(content) < 8 or content not in sealed


def test_a_word_and_a_letter_look_the_same() -> None:
    assert len({len(seal_capsule(b"x" * length, "c1")[0]) for length in (0, 1, 100, 4088)}) == 1


def test_no_other_key_place_or_bit_opens_it() -> None:
    sealed, key = seal_capsule(b"a secret", "c1")
    _, other = seal_capsule(b"a secret", "c1")

    for content, unlock, about in [
        (sealed, other, "c1"),
        (sealed, key, "c2"),
        (sealed, b"", "c1"),
        (b"", key, "c1"),
        (sealed[:-1] + bytes([sealed[-1] ^ 1]), key, "c1"),
    ]:
        with pytest.raises(KeepsakeError, match="KS-CUSTODY-007"):
            open_capsule(content, unlock, about)
