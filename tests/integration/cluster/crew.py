"""``natant run --workers N`` as a process, and a client that asks without end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, Final

import httpx

__all__ = ["Asker", "Crew"]

ROOT: Final = Path(__file__).resolve().parents[3]
PLANE: Final = Path(__file__).with_name("plane.py")
READY_S: Final = 60.0


class Crew:
    """A crew; a context manager that stops it."""

    def __init__(self, data: Path, *, workers: int = 2, plane: Path = PLANE, more: tuple[str, ...] = ()) -> None:
        self._arguments = [
            "run",
            str(plane),
            "--workers",
            str(workers),
            "--port",
            "0",
            "--data",
            str(data),
            "--json",
            *more,
        ]
        self._log = data.parent / "crew.log"
        self.process: asyncio.subprocess.Process
        self.facts: dict[str, Any] = {}
        self.code: int | None = None

    async def __aenter__(self) -> Crew:
        with self._log.open("wb") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "natant.cli",
                *self._arguments,
                cwd=ROOT,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        assert self.process.stdout is not None
        async with asyncio.timeout(READY_S):
            line = await self.process.stdout.readline()
        assert line, self.log()
        self.facts = json.loads(line)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.code = await self.stop()

    async def stop(self) -> int:
        """Stop it; the exit code."""
        if self.process.returncode is None:
            self.process.terminate()
        async with asyncio.timeout(READY_S):
            return await self.process.wait()

    @property
    def url(self) -> str:
        """Where it listens."""
        return str(self.facts["url"])

    @property
    def workers(self) -> list[int]:
        """The processes of the workers that were first."""
        return list(self.facts["workers"])

    def hang_up(self) -> None:
        """Have the workers replaced."""
        self.process.send_signal(signal.SIGHUP)

    def log(self) -> str:
        """What it said."""
        return self._log.read_text(errors="replace")


class Asker:
    """Sends acknowledged commands, one after the other, and notes how long each took."""

    def __init__(self, url: str, node: str) -> None:
        self._url = f"{url}{node}"
        self._is_stopping = False
        self.acknowledged = 0
        self.longest_s = 0.0
        self.errors: list[str] = []

    async def run(self) -> None:
        """Ask until told to stop."""
        async with httpx.AsyncClient(timeout=30) as client:
            while not self._is_stopping:
                begun_s = time.monotonic()
                key = f"{os.getpid()}-{id(self)}-{self.acknowledged}"
                while True:
                    try:
                        answer = await client.post(
                            self._url, params={"lane": "add"}, json=1, headers={"idempotency-key": key}
                        )
                    except httpx.TransportError:  # the connection ended with its worker: a client makes another
                        await asyncio.sleep(0.005)
                        continue
                    break
                if answer.status_code != 200:
                    self.errors.append(answer.text)
                    await asyncio.sleep(0.05)
                    continue
                self.acknowledged += 1
                self.longest_s = max(self.longest_s, time.monotonic() - begun_s)

    def stop(self) -> None:
        """Ask no more."""
        self._is_stopping = True
