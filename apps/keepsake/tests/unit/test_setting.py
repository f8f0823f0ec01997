"""The choices of an installation: a file, the environment, and what makes no sense."""

from __future__ import annotations

from pathlib import Path

import pytest

from keepsake.errors import KeepsakeError
from keepsake.pipeline.setting import read_setting


def test_the_environment_counts_more_than_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "keepsake.toml").write_text(
        'recogniser = "tiny.en"\nstore = "sqlite"\n[chat]\nurl = "http://h"\nkey = "$K"\n'
    )
    monkeypatch.setenv("KEEPSAKE_RECOGNISER", "none")
    monkeypatch.setenv("K", "secret")

    found = read_setting(tmp_path)

    assert (found.recogniser, found.store, found.embedder) == ("none", "sqlite", "minilm")
    assert found.chat is not None
    assert found.chat.secret() == "secret"


@pytest.mark.parametrize("text", ['recogniser = "parrot"', 'recognizer = "base"', "store = ", "[chat]\nmodel = 'x'"])
def test_a_choice_that_makes_no_sense_is_a_coded_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "keepsake.toml").write_text(text)

    with pytest.raises(KeepsakeError, match="KS-CLI-001"):
        read_setting(tmp_path)
