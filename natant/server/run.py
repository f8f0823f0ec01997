"""Running a plane as a process: loop, store, host, server, signals, exit code.

==========  ============================================================================================
exit code   meaning
==========  ============================================================================================
0           stopped as asked (SIGTERM, SIGINT), everything acknowledged is durable
1           could not start, or NATS ended the connection for good: the error says why
3           the graceful stop was cut short by a second signal or took too long; acknowledged work is durable all the same
==========  ============================================================================================

The first SIGTERM or SIGINT stops gracefully, the second at once.  What was acknowledged is durable before its
acknowledgement leaves, so neither way loses any of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import ssl as tls
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from natant.client.reach import reach
from natant.egress.large import has_blobs, large_values
from natant.host import Attachment, Host
from natant.loop import LoopEnv, new_loop
from natant.observe.meta import attach
from natant.observe.watchdog import Watchdog
from natant.plane import Plane
from natant.server.collector import Collector
from natant.server.limit import Limit
from natant.server.server import GRACE_S, Server

if TYPE_CHECKING:
    from pathlib import Path

    from natant.cluster.worker import Worker
    from natant.fabric.nats.config import EngineSpec
    from natant.fabric.nats.engine import Engine
    from natant.server.port import HostPort

__all__ = ["CUT_SHORT", "Feature", "Option", "run", "serve"]

#: exit code of a stop because NATS wants no more of us
LOST: Final = 1
#: exit code of a stop that was cut short
CUT_SHORT: Final = 3
#: time for the host to finish once its server has stopped
HOST_GRACE_S: Final = 30.0

#: how long a thread of Python's may keep the others waiting: the store's thread asks for its turn twice for each commit, and whoever
#: is to be acknowledged waits with it
SWITCH_S: Final = 0.0005
#: files besides connections: the store's, the loop's, static files being sent
OTHER_FILES: Final = 2000

_LOG = logging.getLogger("natant.server")


class Feature(Protocol):
    """What a process adds to a plane over NATS; one object for each process.

    Where it has ``counts() -> dict[str, int]``, the metrics show them by their names.
    """

    def attach(self, host: Host) -> None:
        """Called once for each host before it starts: one, or in a cluster one for each partition this process owns."""

    async def open(self) -> None:
        """Called once the server listens."""

    async def close(self) -> None:
        """Called once the server has stopped, before the hosts do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """How a plane is served.

    :ivar make_store: opens the store; called once, in the process that runs the plane.
    :ivar listener: a socket that is bound to address and port and perhaps shared with other processes; None opens one.
    :ivar connect: reaches other hosts from agents; None where that is not wanted.
    :ivar attachments: called with each host before it starts.
    :ivar warn_s: a handler that blocks the loop longer is logged.
    :ivar block_timeout_s: a handler that blocks the loop longer is interrupted; 0: never.
    :ivar grace_s: time for a graceful stop.
    :ivar engine: NATS for the plane; started before the host, closed after it.  None: the plane does without.
    :ivar is_shared: other workers run the same plane over that NATS: this process has a share of its agents, whose state is there.
    :ivar tenant: whose plane it is: only that tenant's users are let in. The engine has the tenant's credentials.
    :ivar partitions: into how many parts a shared plane is divided when it is made; None: 64, or as it is.
    :ivar blob_folder: where large values are kept without NATS; None: in memory.
    :ivar features: makers of what is added over that NATS, given the engine and what serves the plane.
    """

    make_store: Callable[[], Any]
    address: str = "127.0.0.1"
    port: int = 9001
    listener: socket.socket | None = None
    ssl: tls.SSLContext | None = None
    limit: Limit = field(default_factory=Limit)
    allow_origins: Iterable[str] = ()
    allow_hosts: Iterable[str] = ()
    is_volatile: bool = False
    connect: Any = reach
    attachments: Sequence[Attachment] = ()
    warn_s: float = 0.25
    block_timeout_s: float = 5.0
    grace_s: float = GRACE_S
    engine: EngineSpec | None = None
    blob_folder: Path | None = None
    is_shared: bool = False
    tenant: str | None = None
    partitions: int | None = None
    features: Sequence[Callable[[Engine, HostPort], Feature]] = ()


def run(plane: Plane, option: Option, *, on_ready: Callable[[Server], None] | None = None) -> int:
    """Serve a plane until a signal comes; blocks.  Call it in the main thread.

    :param on_ready: called in the loop once the port is open.
    :return: the exit code.
    :raises NatantError: where the store or the port cannot be opened.
    """
    _allow_files(option.limit.connections)
    with asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(serve(plane, option, on_ready=on_ready))


def _allow_files(connections: int) -> None:
    """Raise the number of files this process may open to what the connections need, as far as the system lets us."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    wanted = connections + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    able = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (able, hard))
    if able < wanted:
        _LOG.warning(
            "this process may open %d files, too few for %d connections; raise the limit (ulimit -n %d)",
            able,
            connections,
            wanted,
        )


async def serve(plane: Plane, option: Option, *, on_ready: Callable[[Server], None] | None = None) -> int:
    """The same within a running loop."""
    spec = option.engine
    if spec is not None:
        from natant.egress.model import bucket_lanes

        spec = replace(spec, buckets=tuple(bucket_lanes(plane)))
    async with _started(spec) as engine:
        if option.tenant is None:
            return await _serve(plane, option, engine, on_ready)
        from natant.tenant.door import TenantDoor

        assert engine is not None, "a tenant's plane has an engine"
        door = await TenantDoor.start(engine, option.tenant)
        door.protect(plane)
        return await _serve(plane, replace(option, features=(lambda *_: door, *option.features)), engine, on_ready)


@contextlib.asynccontextmanager
async def _started(spec: EngineSpec | None) -> AsyncIterator[Engine | None]:
    if spec is None:
        yield None
        return
    from natant.fabric.nats.engine import Engine

    engine = await Engine.start(spec)
    try:
        yield engine
    finally:
        await engine.close()


async def _serve(plane: Plane, option: Option, engine: Engine | None, on_ready: Callable[[Server], None] | None) -> int:
    env = LoopEnv()
    if option.is_shared:
        from natant.fabric.nats.division import settle_partitions

        assert engine is not None, "a plane is shared over an engine"
        engine.spec = replace(engine.spec, partitions=await settle_partitions(engine, option.partitions))
    host = _make_host(plane, option, engine, env)
    features = _Features(engine, host, option)
    server = Server(
        host,
        address=option.address,
        port=option.port,
        listener=option.listener,
        ssl=option.ssl,
        limit=option.limit,
        allow_origins=option.allow_origins,
        allow_hosts=option.allow_hosts,
    )
    watchdog = Watchdog(host.watched, warn_s=option.warn_s, block_timeout_s=option.block_timeout_s)
    collector = Collector()
    switch_s = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    server.service.features, server.service.engine = features.members, engine
    stop = _Stop(server)
    if engine is not None:
        engine.lost.add_done_callback(lambda _: stop.asked.set())
    try:
        await host.start()
        try:
            await server.start()
        except BaseException:
            await host.stop()
            raise
        try:
            await features.open()
        except BaseException:
            await server.stop(0.0)
            await features.close()
            await host.stop()
            raise
        watchdog.start()
        collector.start()
        with stop.on_signals():
            if on_ready is not None:
                on_ready(server)
            await stop.asked.wait()
            await server.stop(option.grace_s)
            await features.close()
            try:
                async with asyncio.timeout(HOST_GRACE_S):
                    await host.stop()
            except TimeoutError:
                _LOG.error("the host did not finish within %g s", HOST_GRACE_S)
                return CUT_SHORT
    finally:
        collector.stop()
        sys.setswitchinterval(switch_s)
        watchdog.stop()
        env.close()
    _LOG.info("stopped")
    if engine is not None and engine.lost.done():
        return LOST
    return CUT_SHORT if stop.is_cut else 0


def _make_host(plane: Plane, option: Option, engine: Engine | None, env: LoopEnv) -> Host | Worker:
    if option.is_shared:
        from natant.cluster.worker import Worker
        from natant.fabric.nats.fabric import NatsFabric

        assert engine is not None
        return Worker(plane, fabric=NatsFabric(engine), env=env, connect=option.connect, attachments=option.attachments)
    host = Host(
        plane,
        store=option.make_store(),
        env=env,
        is_volatile=option.is_volatile,
        connect=option.connect,
        attachments=option.attachments,
    )
    attach(host)
    return host


class _Features:
    """What is added to a host: over NATS, and for large values also without."""

    def __init__(self, engine: Engine | None, host: Host | Worker, option: Option) -> None:
        self._host = host
        self.members: list[Feature] = []
        if has_blobs(host.plane):
            self.members.append(large_values(engine, option.blob_folder))
        if engine is not None:
            self._add(engine, host, option)
        for feature in self.members:
            if isinstance(host, Host):
                feature.attach(host)
            else:
                host.attach(feature.attach)

    def _add(self, engine: Engine, host: Host | Worker, option: Option) -> None:
        from natant.egress.model import ReadModels, bucket_lanes
        from natant.server.nats.door import NatsDoor
        from natant.server.nats.shared import SharedDoor

        door = NatsDoor(host, engine.nc, engine.subjects)
        self.members.append(door if isinstance(host, Host) else SharedDoor(door, host))
        if host.plane.queues:
            from natant.queue.nats.service import QueueService

            self.members.append(QueueService(engine, host.plane))
        if bucket_lanes(host.plane):
            self.members.append(ReadModels(host.plane, engine))
        self.members.extend(make(engine, host) for make in option.features)

    async def open(self) -> None:
        """Open all, in their order."""
        for feature in self.members:
            await feature.open()

    async def close(self) -> None:
        """Close all, the last first; one that fails keeps no other from it."""
        for feature in reversed(self.members):
            try:
                await feature.close()
            except Exception:
                _LOG.exception("%s did not close well", type(feature).__name__)
        self.members.clear()


class _Stop:
    """What the signals have asked for."""

    def __init__(self, server: Server) -> None:
        self.asked = asyncio.Event()
        self.is_cut = False
        self._server = server

    @contextlib.contextmanager
    def on_signals(self) -> Any:
        """Listen to SIGTERM and SIGINT."""
        loop = asyncio.get_running_loop()
        numbers = (signal.SIGTERM, signal.SIGINT)
        for number in numbers:
            with contextlib.suppress(NotImplementedError, RuntimeError):
                loop.add_signal_handler(number, self._on_signal, number)
        try:
            yield
        finally:
            for number in numbers:
                with contextlib.suppress(NotImplementedError, RuntimeError):
                    loop.remove_signal_handler(number)

    def _on_signal(self, number: signal.Signals) -> None:
        if not self.asked.is_set():
            _LOG.info("%s: stopping; once more stops at once", signal.Signals(number).name)
            self.asked.set()
        else:
            self.is_cut = True
            self._server.cut()
