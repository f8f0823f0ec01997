"""Workers that are there at once: a process that has imported everything forks one for each line it reads.

A worker that is started anew takes longer to import than some tests let it live; what they test is its death.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
START_WAIT_S: Final = 60.0


class Nest:
    """Starts workers; each is known by its process id."""

    def __init__(self, words: list[str], environment: dict[str, str]) -> None:
        self._words = words
        self._environment = environment
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._born: asyncio.Queue[int] = asyncio.Queue()
        self.alive: list[int] = []

    async def start(self) -> None:
        """Import everything."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.chaos.nest",
            *self._words,
            cwd=ROOT,
            env=self._environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        self._reading = asyncio.create_task(self._read(self._process))

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            facts = json.loads(line)
            if "worker" in facts:
                self._born.put_nowait(int(facts["worker"].rsplit("-", 2)[1]))

    async def hatch(self) -> None:
        """One more worker; returns when it works."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")
        async with asyncio.timeout(START_WAIT_S):
            self.alive.append(await self._born.get())

    def kill(self, pid: int) -> None:
        """End one at once."""
        self.alive.remove(pid)
        os.kill(pid, signal.SIGKILL)

    async def end(self) -> None:
        """End all at once."""
        for pid in list(self.alive):
            self.kill(pid)
        if self._process is not None:
            self._process.kill()
            await self._process.wait()
        if self._reading is not None:
            await self._reading


def main() -> None:
    """Fork for each line of stdin."""
    import nats  # noqa: F401  # what a worker imports late

    import natant.fabric.nats.engine
    import natant.queue.nats.worker  # noqa: F401
    from natant.cli.command import worker  # noqa: F401
    from natant.cli.main import run
    from natant.fabric.nats.embedded import die_with_parent

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    die = die_with_parent()
    for _ in sys.stdin.buffer:
        if os.fork() == 0:
            if die is not None:
                die()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os._exit(run(["worker", *sys.argv[1:], "--json"]))


if __name__ == "__main__":
    main()
