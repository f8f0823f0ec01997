"""What ``natant run`` refuses of those who want to share a plane."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from natant.errors import FabricError
from natant.fabric.nats.division import settle_partitions
from natant.fabric.nats.engine import Engine, EngineSpec
from tests.integration.cluster.crew import PLANE, ROOT

pytest.importorskip("nats", reason="the extra natant[nats] is not installed")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "natant.cli", "run", *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
    )


async def test_a_plane_is_divided_for_good(tmp_path: Path) -> None:
    engine = await Engine.start(EngineSpec(plane="divided", folder=tmp_path / "nats"))
    try:
        assert await settle_partitions(engine, 8) == 8
        assert await settle_partitions(engine, None) == 8
        assert await settle_partitions(engine, 8) == 8
        with pytest.raises(FabricError, match="NT-FABRIC-308"):
            await settle_partitions(engine, 64)
    finally:
        await engine.close()


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--workers", "2", "--volatile"], "--volatile"),
        (["--partitions", "8"], "--partitions goes with"),
        (["--cluster-creds", str(PLANE)], "--cluster-creds goes with"),
        (["--workers", "0"], "range"),
    ],
)
def test_options_that_do_not_fit(arguments: list[str], what: str) -> None:
    found = run(str(PLANE), *arguments)
    assert found.returncode == 2
    assert what in found.stderr


def test_workers_that_do_not_come_up_are_told_of(tmp_path: Path) -> None:
    plane = tmp_path / "broken.py"
    plane.write_text(
        "import os\nfrom natant import Plane\nplane = Plane('broken', [])\nif 'NATANT_CLUSTER' in os.environ:\n    raise SystemExit(3)\n"
    )
    found = run(str(plane), "--workers", "2", "--port", "0", "--data", str(tmp_path / "data"))
    assert found.returncode == 1
    assert "NT-SERVER-040" in found.stderr
