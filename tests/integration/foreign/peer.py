"""A SwimOS client in a process of its own, driven by lines of JSON (``tests/js/driver.mjs`` and ``swimos_driver.py``).

Requests and what the client hears are plain objects; values are Recon text on the way.
"""

from __future__ import annotations

import json
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import pytest

ROOT: Final = Path(__file__).resolve().parents[3]
JS: Final = ROOT / "tests" / "js"
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")

#: how long a client may take to hear what it should; it reconnects after at most some seconds
HEAR_WAIT_S: Final = 30.0


def node_command() -> list[str]:
    """Node.js with SwimOS's client; skips the test where they are missing."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no Node.js here: SwimOS's JavaScript client cannot run")
    if not (JS / "node_modules" / "@swim" / "client").is_dir():
        pytest.skip("tests/js/node_modules is missing: run scripts/test, or npm ci in tests/js")
    return [node, str(JS / "node.mjs")]


def browser_command() -> list[str]:
    """Chromium with SwimOS's client; skips the test where they are missing."""
    node, _ = node_command()
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        pytest.skip("no Chromium here: SwimOS's client cannot run in a browser")
    return [node, str(JS / "browser.mjs"), browser]


def python_command() -> list[str]:
    """SwimOS's Python client."""
    pytest.importorskip("swimos", reason="the package swimos is missing: SwimOS's Python client cannot run")
    return [sys.executable, str(Path(__file__).with_name("swimos_driver.py"))]


class Peer:
    """One client process."""

    def __init__(self, command: Sequence[str], host: str) -> None:
        self.host = host
        self.heard: list[dict[str, Any]] = []
        self._answers: dict[int, dict[str, Any]] = {}
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._number = 0
        self._links: list[str] = []
        self._process = subprocess.Popen(
            command, cwd=JS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.wait("the client to be ready", lambda: any(heard.get("heard") == "ready" for heard in self.heard))

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def _take(self, wait_s: float) -> None:
        try:
            line = self._lines.get(timeout=max(wait_s, 0.001))
        except queue.Empty:
            return
        assert line is not None, f"the client ended; it heard {self.heard}"
        message = json.loads(line)
        if "id" in message:
            self._answers[message["id"]] = message
        else:
            assert message.get("heard") != "crash", message
            self.heard.append(message)

    def wait(self, what: str, is_so: Callable[[], bool]) -> None:
        """Wait until something is so; fails after ``HEAR_WAIT_S``."""
        deadline_s = time.monotonic() + HEAR_WAIT_S
        while not is_so():
            assert time.monotonic() < deadline_s, f"waited for {what}; the client heard {self.heard[-20:]}"
            self._take(0.1)

    def ask(self, do: str, **request: Any) -> Any:
        """Have the client do something; what it answers."""
        self._number += 1
        number = self._number
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"id": number, "do": do, "host": self.host, **request}) + "\n")
        self._process.stdin.flush()
        self.wait(f"an answer to {do}", lambda: number in self._answers)
        answer = self._answers.pop(number)
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def follow(self, name: str, kind: str, node: str, lane: str) -> None:
        """Open a link and wait until it is up."""
        self.ask("open", name=name, kind=kind, node=node, lane=lane)
        self._links.append(name)
        self.hears(name, "linked")
        if kind != "event":
            self.hears(name, "synced")

    def close_all(self) -> None:
        """Close the links that were opened, and forget what they heard."""
        while self._links:
            self.ask("close", name=self._links.pop())
        self.forget()

    def hears(self, name: str, heard: str, **facts: Any) -> None:
        """Wait until a link has heard something."""
        wanted = {"name": name, "heard": heard, **facts}
        self.wait(f"{wanted}", lambda: any(wanted.items() <= found.items() for found in self.heard))

    def shows(self, name: str, kind: str, state: Any) -> None:
        """Wait until a link shows this state; entries of a map may come in any order."""

        def is_so() -> bool:
            self._take(0.02)
            found = self.ask("state", name=name, kind=kind)
            return (sorted(found) == sorted(state)) if kind == "map" else bool(found == state)

        self.wait(f"{name} to show {state}", is_so)

    def forget(self) -> None:
        """Forget what was heard so far."""
        self.heard.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(5)
        assert self._process.stdout is not None
        self._process.stdout.close()
