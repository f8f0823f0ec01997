"""Servers that `scripts/server` builds, as processes of their own, each while a test needs it."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

__all__ = ["BUILT", "mongo_server", "s3_server", "search_server"]

ROOT: Final = Path(__file__).resolve().parents[2]

FOLDER: Final = Path(os.environ.get("KEEPSAKE_SERVERS", ROOT / "build" / "server"))

#: how long a server may take until it listens, and until it ends
START_S: Final = 180.0

#: kinds of servers, and the file that is there when one is built
FILES: Final = {"mongo": "ferretdb", "s3": "versitygw", "search": "opensearch/ready"}

#: the kinds that are built here; adapters of others are not tried against a server
BUILT: Final = [kind for kind, file in FILES.items() if (FOLDER / file).exists()]

if missing := sorted(FILES.keys() - BUILT):
    warnings.warn(f"no server for tests of {', '.join(missing)}: scripts/server NAME builds one", stacklevel=1)


def free_port() -> int:
    """A port that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(command: list[str], port: int, **environment: str) -> Iterator[None]:
    """A server's process, while it listens."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=log, stderr=log)
        try:
            wait(process, port, log)
            yield
        finally:
            process.terminate()
            process.wait(START_S)


def wait(process: subprocess.Popen[bytes], port: int, log: IO[bytes]) -> None:
    """Wait until the server listens."""
    end = time.monotonic() + START_S
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if process.poll() is not None or time.monotonic() > end:
            log.seek(0)
            raise AssertionError(f"the server did not start: {log.read()[-2000:].decode(errors='replace')}")
        time.sleep(0.05)


@contextlib.contextmanager
def mongo_server() -> Iterator[str]:
    """The URL of a FerretDB over SQLite."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = [str(FOLDER / "ferretdb"), f"127.0.0.1:{port}", folder]
        with running(command, port):
            yield f"mongodb://127.0.0.1:{port}/"


@contextlib.contextmanager
def s3_server() -> Iterator[str]:
    """The URL of a versitygw over a folder; its access key is ``keepsake``, the secret ``keepsake-secret``."""
    port = free_port()
    keys = {"ROOT_ACCESS_KEY": "keepsake", "ROOT_SECRET_KEY": "keepsake-secret"}
    with tempfile.TemporaryDirectory() as folder:
        command = [str(FOLDER / "versitygw"), "--port", f"127.0.0.1:{port}", "posix", folder]
        with running(command, port, **keys):
            yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def search_server() -> Iterator[str]:
    """The URL of a node of OpenSearch."""
    port, folder = free_port(), FOLDER / "opensearch"
    speed = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m"]
    with tempfile.TemporaryDirectory() as data:
        command = [shutil.which("java") or "java", *speed, "-cp", f"{folder}/lib/*:{folder}", "Node", data, str(port)]
        with running(command, port):
            yield f"opensearch://127.0.0.1:{port}"
