"""The demo, by its one command: two people, their diaries, questions."""

from __future__ import annotations

from pathlib import Path

import pytest

from keepsake.cli.main import run


def test_the_demo_answers_from_both_diaries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")

    assert run(["demo", "--once", "--no-sound", "--port", "0", "--data", str(tmp_path / "demo")]) == 0

    told = capsys.readouterr()
    assert "Gaspar, who repairs accordions" in told.out
    assert "jackdaw called Winston" in told.out
    assert "Brother Anselm blessed it" in told.out
    assert "I do not know" in told.out
    assert "/#token=ks1." in told.err
