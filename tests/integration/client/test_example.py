"""The example of the reference runs as it stands there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.process import ROOT, ServerProcess


def test_the_counter_is_followed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import asyncio
    import runpy

    example: dict[str, Any] = runpy.run_path(str(ROOT / "examples" / "counter" / "follow.py"))
    with ServerProcess(ROOT / "examples" / "counter" / "counter.py", data=tmp_path / "data") as server:
        assert asyncio.run(example["follow"](server.uri)) == 11
        assert example["add_up"](server.uri) == 111
    assert capsys.readouterr().out.splitlines()[0].startswith("0 -> 1, ")
