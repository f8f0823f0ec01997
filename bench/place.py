"""Where a benchmark runs: which core, which server, which load generator."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
#: the first two cores this process may use; the same one twice where there is only one
CORES: Final = tuple(sorted(os.sched_getaffinity(0)))[:2]
SERVER_CORE: Final = CORES[0]
LOAD_CORE: Final = CORES[-1]
PLANE: Final = "tests/conformance/plane.py"
#: how long a server may take to come up, one with a million stored agents included
UP_S: Final = 60.0


class Place:
    """A folder for what the benchmarks need, with the load generator compiled in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.load_path = folder / "warp_load"

    def compile(self) -> None:
        """Compile the load generator."""
        compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
        if compiler is None:
            sys.exit("the load generator is a C program and there is no C compiler here: install one, or name it in CC")
        source = ROOT / "bench" / "load" / "warp_load.c"
        subprocess.run([compiler, "-O2", "-o", str(self.load_path), str(source)], check=True)

    def load(self, test: str, server: Server, **options: object) -> dict[str, Any]:
        """Run the load generator on its own core and give what it reports."""
        words = [str(self.load_path), test, "--port", str(server.port), "--pid", str(server.pid)]
        for name, value in options.items():
            words += ["--" + name.replace("_", "-"), str(value)]
        result: dict[str, Any] = json.loads(output(words, LOAD_CORE).splitlines()[-1])
        return result

    def data(self, name: str) -> Path:
        """A folder for a store."""
        return self.folder / name


class Server:
    """A process that listens on ``port``."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, up_s: float) -> None:
        self.process = process
        self.port = port
        self.pid = process.pid
        #: seconds from its start to its port being open
        self.up_s = up_s

    def cpu_s(self) -> float:
        """CPU it has used so far, all threads."""
        words = Path(f"/proc/{self.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def resident_kb(self) -> int:
        """Memory it holds."""
        status = Path(f"/proc/{self.pid}/status").read_text("ascii")
        return int(status.partition("VmRSS:")[2].split()[0])


def output(words: list[str], core: int) -> str:
    """What a program prints that runs on one core.

    :raises RuntimeError: where it fails or prints nothing.
    """
    process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    os.sched_setaffinity(process.pid, {core})
    printed, complaint = process.communicate()
    if process.returncode or not printed:
        raise RuntimeError(f"{' '.join(words[:3])} failed: {complaint[-2000:].strip()}")
    return printed


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        port: int = made.getsockname()[1]
        return port


@contextlib.contextmanager
def started(
    words: list[str], port: int, *, core: int = SERVER_CORE, user: str | None = None, cwd: Path = ROOT
) -> Iterator[Server]:
    """A server process on one core, the server's unless another is named; ended afterwards."""
    begun = time.perf_counter()
    env = {**os.environ, "NATANT_TEST_META": "0"}
    null = subprocess.DEVNULL
    process = subprocess.Popen(words, cwd=cwd, env=env, user=user, stdin=null, stdout=null, stderr=null)
    os.sched_setaffinity(process.pid, {core})
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1.0).close()
                break
            except OSError:
                if process.poll() is not None or time.perf_counter() - begun > UP_S:
                    raise RuntimeError(f"{' '.join(words)} did not come up") from None
                time.sleep(0.002)
        yield Server(process, port, time.perf_counter() - begun)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def command(port: int, data: Path | None) -> list[str]:
    """The command line of natant with the measured plane; volatile without ``data``."""
    store = ["--volatile"] if data is None else ["--data", str(data)]
    return [sys.executable, "-m", "natant.cli", "run", PLANE, "--port", str(port), *store]


@contextlib.contextmanager
def natant(data: Path | None = None) -> Iterator[Server]:
    """natant, serving the measured plane."""
    port = free_port()
    with started(command(port, data), port) as server:
        yield server


@contextlib.contextmanager
def yard() -> Iterator[Server]:
    """The bare listener."""
    port = free_port()
    with started([sys.executable, "-m", "bench.yard", str(port)], port) as server:
        yield server
