"""NATS servers for tests: an engine with its embedded server, and a cluster of three whose servers can be killed.

All stores lie in folders of their own and go when the test has ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal as signals
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from natant.fabric.nats.config import Quoted, block
from natant.fabric.nats.embedded import die_with_parent, find_binary
from natant.fabric.nats.engine import Engine, EngineSpec
from natant.fabric.nats.folder import free_port
from natant.fabric.nats.subject import Subjects

__all__ = ["Cluster", "NatsServer", "engine", "engine_of"]

#: time for a server to be ready, or to end
WAIT_S: Final = 30.0


@contextlib.asynccontextmanager
async def engine(plane: str = "test", *, folder: Path | None = None, **spec: Any) -> AsyncIterator[Engine]:
    """An engine with an embedded server of its own.

    :param folder: where it keeps its store; None: a new folder that goes afterwards.
    :param spec: further fields of :class:`EngineSpec`.
    """
    place = folder or Path(tempfile.mkdtemp(prefix="natant-nats-"))
    try:
        started = await Engine.start(EngineSpec(plane=plane, folder=place, **spec))
        try:
            yield started
        finally:
            await started.close()
    finally:
        if folder is None:
            shutil.rmtree(place, ignore_errors=True)


@contextlib.asynccontextmanager
async def engine_of(url: str, plane: str = "test", **spec: Any) -> AsyncIterator[Engine]:
    """An engine over servers that run already."""
    started = await Engine.start(EngineSpec(plane=plane, url=url, **spec))
    try:
        yield started
    finally:
        await started.close()


class NatsServer:
    """A server with a configuration of the test's own, in a process that can be killed and started again.

    :param values: its configuration; ``port``, ``http``, ``server_name`` and ``log_file`` are added where missing.
    """

    def __init__(self, folder: Path, values: Mapping[str, Any]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = int(values.get("port") or free_port("127.0.0.1"))
        self.http_port = free_port("127.0.0.1")
        self.values = {
            "server_name": folder.name,
            "host": "127.0.0.1",
            "http": f"127.0.0.1:{self.http_port}",
            "log_file": folder / "server.log",
            **values,
            "port": self.port,
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process."""
        assert self._process is not None
        return self._process.pid

    def url(self, user: str = "", password: str = "") -> str:
        """Where clients connect."""
        who = f"{user}:{password}@" if user else ""
        return f"nats://{who}127.0.0.1:{self.port}"

    def start(self) -> Self:
        """Start it, and wait until it listens."""
        conf = self._configure()
        self._process = subprocess.Popen(
            [find_binary(), "-c", conf],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=die_with_parent(),  # noqa: PLW1509  # it calls prctl alone
        )
        self.wait_until(lambda: self.ask("/varz") is not None, "listen")
        return self

    def reload(self) -> None:
        """Have it read its configuration again (SIGHUP) after a change of ``values``."""
        self._configure()
        self.signal(signals.SIGHUP)

    def _configure(self) -> Path:
        conf = self.folder / "server.conf"
        conf.write_text(block(self.values) + "\n", "utf-8")
        return conf

    def ask(self, path: str) -> bytes | None:
        """What its monitoring answers; None where it does not, or not with 200."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}{path}", timeout=5.0) as answer:
                found: bytes = answer.read()
                return found
        except (urllib.error.URLError, OSError):
            return None

    def wait_until(self, condition: Any, what: str) -> None:
        """Wait, blocking, until ``condition()`` is true."""
        deadline_s = time.monotonic() + WAIT_S
        while not condition():
            process = self._process
            if process is None or process.poll() is not None or time.monotonic() > deadline_s:
                raise AssertionError(f"the NATS server does not {what}:\n{self.log()[-3000:]}")
            time.sleep(0.02)

    def log(self) -> str:
        """What it said so far."""
        try:
            return (self.folder / "server.log").read_text("utf-8", "replace")
        except FileNotFoundError:
            return ""

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        self._end(signals.SIGKILL)

    def stop(self) -> None:
        """Ask it to end (SIGTERM), and wait until it has."""
        self._end(signals.SIGTERM)

    def signal(self, number: signals.Signals) -> None:
        """Send it a signal, such as SIGSTOP, SIGCONT, SIGHUP."""
        assert self._process is not None
        self._process.send_signal(number)

    def _end(self, number: signals.Signals) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(number)
            if number != signals.SIGKILL:
                process.send_signal(signals.SIGCONT)
            try:
                process.wait(WAIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    @property
    def is_running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()


class Cluster:
    """Three servers with replicated streams, on loopback.

    ::

        with Cluster("test") as cluster:
            async with engine_of(cluster.url) as engine: ...
            cluster.servers[0].kill()
            cluster.servers[0].start()
            cluster.wait()

    :param plane: whose mappings the servers have.
    :param accounts: other accounts than SYS (sys:sys) and APP (engine:engine); a mapping of the configuration.
    :param values: further configuration of each server.
    """

    def __init__(
        self,
        plane: str = "test",
        *,
        size: int = 3,
        partitions: int = 64,
        sync_interval: str = "always",
        accounts: Mapping[str, Any] | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="natant-cluster-"))
        self.size = size
        self.leaf_port = free_port("127.0.0.1")
        routes = [free_port("127.0.0.1") for _ in range(size)]
        app = {
            "jetstream": Quoted("enabled"),
            "mappings": Subjects(plane).mappings(partitions),
            "users": [{"user": "engine", "password": "engine"}],
        }
        self.servers = [
            NatsServer(
                self.folder / f"c{number}",
                {
                    "cluster": {
                        "name": "test",
                        "listen": f"127.0.0.1:{routes[number]}",
                        "routes": [f"nats://127.0.0.1:{route}" for route in routes],
                    },
                    "jetstream": {
                        "store_dir": self.folder / f"c{number}" / "store",
                        "domain": "hub",
                        "sync_interval": Quoted(sync_interval),
                        "max_memory_store": 256 * 1024 * 1024,
                        "max_file_store": 10 * 1024**3,
                    },
                    "max_payload": 2 * 1024 * 1024,
                    "accounts": accounts or {"SYS": {"users": [{"user": "sys", "password": "sys"}]}, "APP": app},
                    "system_account": "SYS",
                    **({"leafnodes": {"host": "127.0.0.1", "port": self.leaf_port}} if number == 0 else {}),
                    **(values or {}),
                },
            )
            for number in range(size)
        ]

    @property
    def url(self) -> str:
        """All servers, with the engine's user."""
        return ",".join(server.url("engine", "engine") for server in self.servers)

    def start(self) -> Self:
        """Start all, and wait until streams can be made."""
        for server in self.servers:
            server.start()
        self.wait()
        return self

    def wait(self) -> None:
        """Wait until each server that runs says that it is healthy: meta leader known, its streams caught up."""
        for server in self.servers:
            if server.is_running:
                server.wait_until(lambda server=server: server.ask("/healthz") is not None, "become healthy")

    def kill(self) -> None:
        """End all at once."""
        for server in self.servers:
            server.kill()

    async def wait_async(self) -> None:
        """The same as :meth:`wait` without blocking the loop."""
        await asyncio.to_thread(self.wait)

    def close(self) -> None:
        """End all and remove what they stored."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
