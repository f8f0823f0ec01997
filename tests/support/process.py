"""A real natant server in a process of its own, for tests: started, killed and started again on the same data and port."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

ROOT: Final = Path(__file__).resolve().parents[2]
PLANE: Final = ROOT / "tests" / "conformance" / "plane.py"

COMMAND: Final = [sys.executable, "-c", "from natant.cli.main import main; main()"]
#: how long a server may take to listen, or to end
START_WAIT_S: Final = 30.0
STOP_WAIT_S: Final = 20.0


def free_port() -> int:
    """A port that nothing listens on at present."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class ServerProcess:
    """``natant run`` on loopback.

    :param data: the data folder; None keeps nothing.
    :param environment: variables for the plane.
    :param more: further options.
    """

    def __init__(
        self,
        plane: Path = PLANE,
        *,
        data: Path | None = None,
        environment: dict[str, str] | None = None,
        more: Sequence[str] = (),
    ) -> None:
        self.port = free_port()
        self.uri = f"warp://127.0.0.1:{self.port}"
        self.http = f"http://127.0.0.1:{self.port}"
        keep = ["--volatile"] if data is None else ["--data", str(data)]
        self._command = [*COMMAND, "run", str(plane), "--host", "127.0.0.1", "--port", str(self.port), *keep, *more]
        self._environment = environment or {}
        self._process: subprocess.Popen[bytes] | None = None
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as this object

    def start(self) -> Self:
        """Start it, and wait until it listens."""
        self._process = subprocess.Popen(
            self._command,
            cwd=ROOT,
            env=os.environ | self._environment,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
        )
        deadline_s = time.monotonic() + START_WAIT_S
        while not self._listens():
            if self._process.poll() is not None:
                raise AssertionError(f"the server ended with {self._process.returncode}:\n{self.log()}")
            if time.monotonic() > deadline_s:
                self.kill()
                raise AssertionError(f"the server did not listen within {START_WAIT_S} s:\n{self.log()}")
            time.sleep(0.02)
        return self

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def log(self) -> str:
        """What it said so far on standard error."""
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace")

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(number)
        try:
            process.wait(STOP_WAIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"the server did not end within {STOP_WAIT_S} s:\n{self.log()}") from None

    def restart(self) -> None:
        """Kill it, and start it again on the same data and port."""
        self.kill()
        self.start()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if error is not None:
            print(self.log()[-5000:])
        self._errors.close()
