"""``natant worker`` and ``natant queue`` with the example of the documents: a plane, its embedded server, a worker."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from natant.cli.main import run
from tests.support.process import COMMAND, ROOT, ServerProcess

EXAMPLE = ROOT / "examples" / "calls" / "plane.py"
WAIT_S = 40.0


class Shell:
    """Command lines, run in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str], data: Path) -> None:
        self._capsys = capsys
        self.data = data
        self.code = 0

    def __call__(self, *words: str, data: Path | None = None) -> str:
        """What one prints; ``code`` is its exit code."""
        self._capsys.readouterr()
        where = [] if "--at" in words else ["--data", str(data or self.data)]
        self.code = run([*words, *where])
        said = self._capsys.readouterr()
        return said.out or said.err


@pytest.fixture
def natant(capsys: pytest.CaptureFixture[str], server: tuple[ServerProcess, Path]) -> Shell:
    return Shell(capsys, server[1])


class WorkerProcess:
    """``natant worker --json``; its lines of JSON are read as they come."""

    def __init__(self, *words: str, data: Path) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, "worker", *words, "--data", str(data), "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            cwd=ROOT,
        )
        assert self.process.stdout is not None
        self.facts: dict[str, Any] = json.loads(self.process.stdout.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it; its exit code."""
        self.process.send_signal(number)
        self.process.communicate(timeout=WAIT_S)
        return self.process.returncode


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServerProcess, Path]]:
    data = tmp_path_factory.mktemp("calls") / "data"
    with ServerProcess(EXAMPLE, data=data) as process:
        yield process, data


def read(server: ServerProcess, lane: str, node: str = "/call/1") -> Any:
    with urllib.request.urlopen(f"{server.http}{node}?lane={lane}", timeout=10) as answer:
        return json.loads(answer.read())


def until(server: ServerProcess, lane: str, count: int, node: str) -> Any:
    deadline_s = time.monotonic() + WAIT_S
    while len(found := read(server, lane, node)) < count:
        assert time.monotonic() < deadline_s, found
        time.sleep(0.05)
    return found


def record(server: ServerProcess, node: str, url: str) -> None:
    body = json.dumps({"url": url, "seconds": 0.1}).encode()
    request = urllib.request.Request(
        f"{server.http}{node}?lane=record", body, {"content-type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200


def test_a_worker_does_the_jobs_of_a_plane_and_stops_gracefully(
    server: tuple[ServerProcess, Path], natant: Shell
) -> None:
    process, data = server
    with WorkerProcess(f"{EXAMPLE}:asr", "--slots", "2", data=data) as worker:
        assert (worker.facts["queue"], worker.facts["plane"], worker.facts["slots"]) == ("asr", "calls", 2)
        assert "engine" not in worker.facts["nats"]
        for number in range(3):
            record(process, "/call/1", f"{number}.wav")
        record(process, "/call/1", "notes.txt")

        texts = until(process, "text", 4, "/call/1")
        assert texts[:3] == [f"what was said in {number}.wav" for number in range(3)]
        assert texts[3] == "[notes.txt: ValueError: notes.txt is no recording]"
        parked = json.loads(natant("queue", "parked", "asr", "--json"))
        assert (parked["node"], parked["attempts"], parked["input"]) == (
            "/call/1",
            3,
            {"url": "notes.txt", "seconds": 0.1},
        )
        figures = json.loads(natant("queue", "ls", "--json"))
        assert (figures["queue"], figures["parked"], figures["workers"], figures["slots"]) == ("asr", 1, 1, 2)
        assert "SUGGESTED" in natant("queue", "ls")
        shown = json.loads(natant("link", "swim:meta:queue/asr", "figures", "--once", "--json", "--at", process.uri))[
            "value"
        ]
        assert (shown["queue"], shown["slots"]) == ("asr", 2)
        with urllib.request.urlopen(f"{process.http}/metrics", timeout=10) as answer:
            assert 'natant_queue_slots{plane="calls",queue="asr"} 2' in answer.read().decode()

        natant("queue", "retry", "asr", "--all")
        until(process, "text", 5, "/call/1")
        assert "gone from asr" in natant("queue", "drop", "asr", parked["name"], "--yes")
        assert "nothing is parked" in natant("queue", "parked", "asr")
        assert worker.stop() == 0


def test_what_is_wrong_is_told_by_its_code(natant: Shell, tmp_path: Path) -> None:
    assert "NT-QUEUE-016" in natant("queue", "retry", "asr", "nobody")
    assert "NT-CLI-014" in natant("queue", "ls", data=tmp_path)
    assert "NT-CLI-014" in natant("worker", f"{EXAMPLE}:asr", data=tmp_path)
    assert "NT-CLI-015" in natant("worker", f"{EXAMPLE}:nobody")
    assert "NT-CLI-001" in natant("queue", "drop", "asr")
    assert "NT-CLI-001" in natant("worker", str(EXAMPLE), "--nats", "nats://127.0.0.1:1")  # --data says it again
    assert natant.code == 2


def test_jobs_outlive_the_plane_and_its_server(server: tuple[ServerProcess, Path]) -> None:
    process, data = server
    for number in range(5):
        record(process, "/call/2", f"{number}.wav")
    process.restart()
    with WorkerProcess(str(EXAMPLE), data=data) as worker:
        assert until(process, "text", 5, "/call/2") == [f"what was said in {number}.wav" for number in range(5)]
        assert worker.stop(signal.SIGINT) == 0


def test_a_plane_may_do_the_jobs_of_its_queues_itself(tmp_path: Path) -> None:
    with ServerProcess(EXAMPLE, data=tmp_path / "data", more=("--work", "asr")) as process:
        record(process, "/call/9", "alone.wav")
        assert until(process, "text", 1, "/call/9") == ["what was said in alone.wav"]


def test_working_for_a_queue_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="NT-QUEUE-017"):
        ServerProcess(EXAMPLE, data=tmp_path / "data", more=("--work", "tts")).start()
