"""The processes of a service: a plane and workers, each started again where it ends by itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import keepsake.agent
from keepsake.cli.show import talk
from keepsake.errors import KeepsakeError

__all__ = ["QUEUES", "Crew", "app"]

#: queues, with the slots of a worker that nobody chose
QUEUES: Final = {"read": 2, "hear": 1, "learn": 1, "forget": 1}
#: a process that ended by itself is started again after so many seconds, doubled up to the second figure
RESTART_S: Final = (0.5, 30.0)
#: a process that ran so long has not failed at its start
STEADY_S: Final = 60.0
#: for the plane to answer at first, and for a process to end when it is told to
START_S: Final = 60.0
STOP_S: Final = 40.0
#: between two looks at the processes
LOOK_S: Final = 0.2


def app() -> Path:
    """The file that ``natant run`` and ``natant worker`` load."""
    return Path(str(keepsake.agent.__file__)).with_name("app.py")


@dataclass(slots=True)
class _Member:
    """A process that is to run.

    :ivar again: when it is started again, on the monotonic clock; 0 while it runs.
    """

    name: str
    arguments: list[str]
    process: subprocess.Popen[bytes] | None = None
    begun: float = 0.0
    again: float = 0.0
    failures: int = 0


@dataclass(slots=True)
class Crew:
    """A plane and workers over one data folder.

    :ivar logs: where what they print goes; None: to stderr.
    """

    data: Path
    logs: Path | None = None
    members: list[_Member] = field(default_factory=list)
    _is_stopping: threading.Event = field(default_factory=threading.Event)

    def _spawn(self, member: _Member, stdout: Any = None) -> subprocess.Popen[bytes]:
        environment = os.environ | {"KEEPSAKE_DATA": str(self.data.absolute())}
        log = None
        if self.logs is not None:
            self.logs.mkdir(parents=True, exist_ok=True)
            log = (self.logs / f"{member.name}.log").open("ab")
        try:
            member.process = subprocess.Popen(  # noqa: S603  our own commands
                [sys.executable, "-m", "natant.cli", *member.arguments],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=stdout if stdout is not None else log or sys.stderr,
                stderr=log or sys.stderr,
                start_new_session=True,  # Ctrl-C is ours to pass on
            )
        finally:
            if log is not None:
                log.close()
        member.begun, member.again = time.monotonic(), 0.0
        return member.process

    def start_plane(self, *options: str) -> str:
        """Start the plane and wait until it serves; gives its address, which is noted for workers and commands.

        :raises KeepsakeError: ``KS-CLI-008`` where it does not start.
        """
        arguments = ["run", str(app()), "--data", str(self.data.absolute() / "plane"), "--json", *options]
        member = _Member("plane", arguments)
        process = self._spawn(member, subprocess.PIPE)
        self.members.append(member)
        assert process.stdout is not None
        timer = threading.Timer(START_S, process.kill)
        timer.start()
        line = process.stdout.readline()
        timer.cancel()
        try:
            url = str(json.loads(line)["url"])
        except (ValueError, KeyError, TypeError):
            process.kill()
            process.wait()
            where = f"; see {self.logs / 'plane.log'}" if self.logs else ""
            raise KeepsakeError("KS-CLI-008", f"the plane over {self.data} does not start{where}") from None
        threading.Thread(target=process.stdout.read, daemon=True).start()
        # Started again, it has to be where it was.
        port = url.rpartition(":")[2].strip("/")
        member.arguments += ["--port", port]
        (self.data / "address").write_text("warp" + url.removeprefix("http"), "utf-8")
        return url

    def start_worker(self, queue: str, slots: int) -> None:
        """Start a worker of a queue."""
        arguments = ["worker", f"{app()}:{queue}", "--data", str(self.data.absolute() / "plane"), "--slots", str(slots)]
        member = _Member(f"{queue}-{sum(known.name.startswith(queue) for known in self.members)}", arguments)
        self._spawn(member)
        self.members.append(member)

    def watch(self) -> int:
        """Start again what ends by itself, until SIGINT or SIGTERM; then stop all.  The exit code."""
        with self._signals():
            while not self._is_stopping.wait(LOOK_S):
                for member in self.members:
                    self._look(member)
        return self.stop()

    def _look(self, member: _Member) -> None:
        now = time.monotonic()
        if member.again:
            if now >= member.again:
                self._spawn(member)
            return
        assert member.process is not None
        code = member.process.poll()
        if code is None:
            return
        member.failures = 1 if now - member.begun > STEADY_S else member.failures + 1
        wait = min(RESTART_S[0] * 2 ** (member.failures - 1), RESTART_S[1])
        talk(f"{member.name} ended with {code}; it is started again in {wait:.1f} s")
        member.again = now + wait

    @contextmanager
    def _signals(self) -> Iterator[None]:
        def stop(_number: int, _frame: object) -> None:
            if self._is_stopping.is_set():
                self._kill()
            self._is_stopping.set()

        known = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in known.items():
                signal.signal(number, handler)

    def _kill(self) -> None:
        for member in self.members:
            if member.process is not None and member.process.poll() is None:
                member.process.kill()

    def stop(self) -> int:
        """Stop all, workers first; 0 where each ended as asked."""
        code = 0
        for group in (self.members[1:], self.members[:1]):
            for member in group:
                if member.process is not None and member.process.poll() is None:
                    with suppress(ProcessLookupError):
                        member.process.send_signal(signal.SIGTERM)
            for member in group:
                if member.process is None:
                    continue
                try:
                    member.process.wait(STOP_S)
                except subprocess.TimeoutExpired:
                    member.process.kill()
                    member.process.wait()
                    code = 1
        return code


def plane_options(
    host: str, port: int, origins: Sequence[str], names: Sequence[str], tls: tuple[str, str] | None
) -> list[str]:
    """What ``natant run`` is told besides."""
    options = ["--host", host, "--port", str(port)]
    for origin in origins:
        options += ["--allow-origin", origin]
    for name in names:
        options += ["--allow-host", name]
    return [*options, "--tls", *tls] if tls else options
