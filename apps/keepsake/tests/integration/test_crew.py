"""The processes of a service: started, started again after a kill, stopped in order; one that cannot start says so."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path

import httpx
import pytest

from keepsake.cli import crew as module
from keepsake.cli.crew import Crew
from keepsake.errors import KeepsakeError

PLANE = """\
from natant import Agent, Job, Plane, command, lane

class Counter(Agent, route="/counter/{id}"):
    total = lane.value(int, default=0)

    @command
    def add(self, amount: int) -> None:
        self.total += amount

plane = Plane("counting", [Counter])
"""

#: for a process to be there again
AGAIN_S = 30.0


def plane_in(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> Crew:
    (folder / "app.py").write_text(text)
    monkeypatch.setattr(module, "app", lambda: folder / "app.py")
    (folder / "data").mkdir()
    return Crew(folder / "data", folder / "logs")


def total(url: str) -> int | None:
    try:
        return int(httpx.get(f"{url}/counter/a?lane=total", timeout=2).text)
    except (httpx.HTTPError, ValueError):
        return None


def test_a_killed_plane_is_started_again_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crew = plane_in(tmp_path, monkeypatch, PLANE)
    url = crew.start_plane("--port", "0")
    (plane,) = crew.members
    assert plane.process is not None
    found: list[int | None] = []

    def meddle() -> None:
        try:
            httpx.post(f"{url}/counter/a?lane=add", json=3, timeout=5)
            first = plane.process
            assert first is not None
            first.kill()
            first.wait()
            limit = time.monotonic() + AGAIN_S
            while (now := total(url)) is None and time.monotonic() < limit:
                time.sleep(0.1)
            found.append(now)
        finally:
            signal.raise_signal(signal.SIGTERM)

    thread = threading.Thread(target=meddle)
    thread.start()
    code = crew.watch()
    thread.join()

    assert found == [3]
    assert code == 0
    assert (tmp_path / "data" / "address").read_text() == "warp" + url.removeprefix("http")


def test_a_plane_that_cannot_start_is_a_coded_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crew = plane_in(tmp_path, monkeypatch, "raise RuntimeError('no')")

    with pytest.raises(KeepsakeError, match="KS-CLI-008"):
        crew.start_plane("--port", "0")

    assert "RuntimeError: no" in (tmp_path / "logs" / "plane.log").read_text()
