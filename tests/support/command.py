"""The command line as a person or script uses it: real processes, their output, their exit codes."""

from __future__ import annotations

import contextlib
import io
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from natant.cli.main import run

__all__ = ["ROOT", "Done", "Process", "here", "natant", "serve"]

ROOT: Final = Path(__file__).resolve().parents[2]
NATANT: Final = [sys.executable, "-m", "natant.cli"]
#: how long one command may take
WAIT_S: Final = 60.0


class Done(NamedTuple):
    """What a command left."""

    code: int
    out: str
    err: str

    def lines(self) -> list[str]:
        """The data, line by line."""
        return self.out.splitlines()

    def json(self) -> Any:
        """The data, which is one JSON value."""
        return json.loads(self.out)


def _environment(more: dict[str, str] | None) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if name not in ("NATANT_URL", "NO_COLOR")}
    return clean | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"} | (more or {})


def here(*words: str, text: str = "", environment: dict[str, str] | None = None) -> Done:
    """Run one command in this process: the same as :func:`natant`, only faster.

    :param text: for its stdin.
    """
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    stdin, before = sys.stdin, os.environ.copy()
    sys.stdin = io.TextIOWrapper(io.BytesIO(text.encode()), "utf-8")
    try:
        os.environ.pop("NATANT_URL", None)
        os.environ.update(environment or {})
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(words)
    finally:
        sys.stdin = stdin
        os.environ.clear()
        os.environ.update(before)
    return Done(code, _text(out), _text(err))


def _text(stream: io.TextIOWrapper) -> str:
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue().decode()


def natant(
    *words: str, text: str | None = None, folder: Path | None = None, environment: dict[str, str] | None = None
) -> Done:
    """Run one command to its end.

    :param text: for its stdin, which is empty and no terminal otherwise.
    """
    process = subprocess.run(
        [*NATANT, *words],
        check=False,
        input=text or "",
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        cwd=folder or ROOT,
        env=_environment(environment),
    )
    return Done(process.returncode, process.stdout, process.stderr)


class Process:
    """A command that goes on until it is ended: ``run``, ``dev``, ``link``, ``hello``."""

    def __init__(
        self, *words: str, folder: Path | None = None, environment: dict[str, str] | None = None, merge: bool = False
    ) -> None:
        self._words: Sequence[str] = words
        self._rest = {"out": b"", "err": b""}
        self._process = subprocess.Popen(
            [*NATANT, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merge else subprocess.PIPE,
            cwd=folder or ROOT,
            env=_environment(environment),
        )
        self._selector = selectors.DefaultSelector()
        for stream, name in ((self._process.stdout, "out"), (self._process.stderr, "err")):
            if stream is not None:
                os.set_blocking(stream.fileno(), False)
                self._selector.register(stream, selectors.EVENT_READ, name)

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def line(self, stream: str = "out") -> str:
        """The next line of ``out`` or ``err``."""
        self._wait(lambda: b"\n" in self._rest[stream], f"a line on {stream}")
        line, _, self._rest[stream] = self._rest[stream].partition(b"\n")
        return line.decode()

    def has_line(self, stream: str = "out") -> bool:
        """True where a line is there to be read."""
        self._pump(0.0)
        return b"\n" in self._rest[stream]

    def until(self, words: str, stream: str = "err") -> str:
        """All of a stream up to the line that holds ``words``."""
        seen: list[str] = []
        while not seen or words not in seen[-1]:
            seen.append(self.line(stream))
        return "\n".join(seen)

    def json(self) -> Any:
        """The next line of the data, which is one JSON value."""
        return json.loads(self.line())

    def _pump(self, wait_s: float) -> None:
        """Read what has come."""
        if not self._selector.get_map():
            return
        for key, _ in self._selector.select(wait_s):
            data = os.read(key.fd, 65536)
            self._rest[key.data] += data
            if not data:
                self._selector.unregister(key.fileobj)

    def _wait(self, is_there: Any, what: str) -> None:
        deadline_s = time.monotonic() + WAIT_S
        while not is_there():
            self._pump(0.1)
            is_over = not self._selector.get_map()
            assert is_there() or not (is_over or time.monotonic() > deadline_s), (
                f"natant {' '.join(self._words)} gave no {what}; it said:\n"
                f"{self._rest['out'].decode()}\n{self._rest['err'].decode()}"
            )

    def close_out(self) -> None:
        """Read its output no more, as ``head`` does after its last line."""
        assert self._process.stdout is not None
        self._selector.unregister(self._process.stdout)
        self._process.stdout.close()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGTERM) -> Done:
        """End it, and wait for that."""
        if self._process.poll() is None:
            self.send(number)
        return self.wait()

    def wait(self) -> Done:
        """Wait for its end; what was not read yet."""
        deadline_s = time.monotonic() + WAIT_S
        while self._selector.get_map():
            assert time.monotonic() < deadline_s, f"natant {' '.join(self._words)} did not end"
            self._pump(0.1)
        code = self._process.wait(WAIT_S)
        return Done(code, self._rest["out"].decode(), self._rest["err"].decode())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(10)
            self._process.kill()
            self._process.wait()
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
        self._selector.close()


def serve(
    *words: str, folder: Path | None = None, environment: dict[str, str] | None = None
) -> tuple[Process, dict[str, Any]]:
    """``natant run`` on a free port, once it is up, and what it says of itself."""
    process = Process("run", *words, "--port", "0", "--json", folder=folder, environment=environment)
    try:
        facts: dict[str, Any] = process.json()
    except BaseException:
        process.__exit__(None, None, None)
        raise
    return process, facts
