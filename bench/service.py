"""Real servers to compare with, from the system's packages, on loopback: Redis and PostgreSQL, each in a folder of its own.

They run on the load's core.  Neither is asked to be durable, which is the least that they can cost.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.place import LOAD_CORE, ROOT, Server, free_port, started

__all__ = ["PYTHON", "Missing", "check_python", "postgres", "redis"]

#: has the clients and the other stream processor; scripts/bench makes it
PYTHON = ROOT / "build" / "compare" / "bin" / "python"
#: whom PostgreSQL runs as where root starts it, which it refuses to run as
ACCOUNTS = ("postgres", "nobody")


class Missing(RuntimeError):
    """What a comparison needs is not on this machine."""


def check_python() -> Path:
    """The interpreter with the clients.

    :raises Missing: where there is none.
    """
    if not PYTHON.exists():
        raise Missing(f"there is no {PYTHON.relative_to(ROOT)}; scripts/bench makes it from requirements/compare.txt")
    return PYTHON


@contextlib.contextmanager
def redis() -> Iterator[Server]:
    """Redis in memory.

    :raises Missing: where it is not installed.
    """
    binary = shutil.which("redis-server") or shutil.which("valkey-server")
    if binary is None:
        raise Missing("redis-server is not installed (Debian: apt-get install redis-server)")
    port = free_port()
    words = [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with (
        tempfile.TemporaryDirectory(prefix="natant-redis-") as folder,
        started([*words, "--dir", folder], port, core=LOAD_CORE) as server,
    ):
        yield server


def _postgres_binary(name: str) -> str | None:
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: float(path.parts[4]))
    return shutil.which(name) or (str(versions[-1]) if versions else None)


@contextlib.contextmanager
def postgres() -> Iterator[Server]:
    """PostgreSQL as it comes, but without waiting for the disk.

    :raises Missing: where it is not installed.
    """
    initdb, binary = _postgres_binary("initdb"), _postgres_binary("postgres")
    if initdb is None or binary is None:
        raise Missing("postgres is not installed (Debian: apt-get install postgresql)")
    user = _account() if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="natant-postgres-"))
    try:
        if user is not None:
            shutil.chown(folder, user)
        made = subprocess.run(
            [initdb, "-D", str(folder / "data"), "-U", "bench", "-A", "trust", "-E", "UTF8", "--no-sync"],
            user=user,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise RuntimeError(f"initdb failed: {made.stderr.strip()[-500:]}")
        port = free_port()
        setting = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off"}
        words = [binary, "-D", str(folder / "data"), "-p", str(port)]
        for name, value in setting.items():
            words += ["-c", f"{name}={value}"]
        with started(words, port, core=LOAD_CORE, user=user, cwd=Path("/")) as server:
            time.sleep(0.5)  # the port is open a moment before it takes connections
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _account() -> str:
    for name in ACCOUNTS:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise Missing("PostgreSQL does not run as root and there is no account for it")
