"""``natant doctor``: findings for people and programs."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from natant.cli.command import doctor
from tests.support.command import here


def findings(*words: str) -> dict[str, dict[str, str]]:
    return {finding["what"]: finding for finding in map(json.loads, here("doctor", "--json", *words).lines())}


def test_everything_is_looked_at(tmp_path: Path) -> None:
    found = findings("--data", str(tmp_path / "not" / "yet"))

    assert found.keys() >= {"natant", "speed", "packages", "files", "disk", "space", "port"}
    assert str(tmp_path) in found["disk"]["fact"]
    assert here("doctor", "--data", str(tmp_path)).code == 0


def test_a_taken_port_is_a_note(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        found = findings("--data", str(tmp_path), "--port", str(other.getsockname()[1]))

    assert found["port"]["level"] == "note"


def test_what_is_bad_is_an_exit_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "PACKAGES", ("a-package-that-is-not-there",))

    done = here("doctor", "--data", str(tmp_path))

    assert done.code == 1
    assert "bad   packages   missing: a-package-that-is-not-there" in done.lines()


@pytest.mark.parametrize(("took_ms", "level"), [(0.001, "note"), (2.0, "ok"), (100.0, "note")])
def test_a_disk_is_judged_by_its_fsync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, took_ms: float, level: str
) -> None:
    monkeypatch.setattr(doctor, "_sync_ms", lambda folder: took_ms)

    assert findings("--data", str(tmp_path))["disk"]["level"] == level
