"""How hearing is measured: words are compared as people would, and errors are counted as the literature does."""

from __future__ import annotations

from pathlib import Path

import pytest

from keepsake.asset import is_there
from keepsake.bench.sound import errors_of, measure, words_of
from keepsake.errors import KeepsakeError


def test_words_are_compared_without_their_dress() -> None:
    assert words_of("Mr. Dashwood's cold-hearted, 10 times!") == [
        "mister",
        "dashwood's",
        "cold",
        "hearted",
        "10",
        "times",
    ]


@pytest.mark.parametrize(
    ("expected", "heard", "errors"),
    [
        ("a b c", "a b c", 0),
        ("a b c", "a x c", 1),
        ("a b c", "a c", 1),
        ("a c", "a b c", 1),
        ("", "a b", 2),
        ("a", "", 1),
    ],
)
def test_errors_are_the_fewest_changes(expected: str, heard: str, errors: int) -> None:
    assert errors_of(expected.split(), heard.split()) == errors


def test_without_recorded_speech_it_says_what_to_install(tmp_path: Path) -> None:
    if not is_there("whisper-tiny.en"):
        pytest.skip("needs keepsake[speech,models]")
    with pytest.raises(KeepsakeError, match=r"KS-SOUND-006 .* apt-get install pocketsphinx-testdata"):
        measure("whisper-tiny.en", tmp_path)
