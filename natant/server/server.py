"""The server: one TCP port for WARP, HTTP, SSE and static files, in front of one host.

It listens on loopback unless another address is given by name, and says in the log which door is open.  Stopping is
graceful: no new connections, no new work, every commit under way is waited for and shown, then every WARP peer gets
close 1001 and comes again by itself.

Called by :func:`natant.server.run.run` (the command line) and by tests.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
import ssl as tls
from collections.abc import Iterable
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, Final

from uvicorn.config import Config
from uvicorn.server import ServerState

from natant.errors import ServerError
from natant.server.door import Door
from natant.server.http.site import Site
from natant.server.limit import Limit
from natant.server.origin import Gate, is_loopback
from natant.server.peer import Peer
from natant.server.service import Service
from natant.server.table import Member

if TYPE_CHECKING:
    from natant.server.port import HostPort

__all__ = ["Server"]

#: connections that the kernel holds for us while we are busy
BACKLOG: Final = 1024
#: RFC 9293, 3.1: ports have 16 bits
HIGHEST_PORT: Final = 65535
#: what peers are told when the server stops
GOING_AWAY: Final = "going away: reconnect"
#: time for a graceful stop unless told otherwise
GRACE_S: Final = 10.0


class Server:
    """One listening port.

    :param host: the host that is served.
    :param address: where to listen; anything but loopback opens the server to others.
    :param port: 0 takes a free one; see :attr:`port`.
    :param ssl: a server context makes it ``https`` and ``wss``.
    :param allow_origins: web pages of these origins may use the server (see :class:`natant.server.origin.Gate`).
    :param allow_hosts: further names by which a loopback server may be called.
    :param listener: a socket that is bound and may be shared with other processes, in place of one of its own.
    """

    def __init__(
        self,
        host: HostPort,
        *,
        address: str = "127.0.0.1",
        port: int = 0,
        ssl: tls.SSLContext | None = None,
        limit: Limit | None = None,
        allow_origins: Iterable[str] = (),
        allow_hosts: Iterable[str] = (),
        listener: socket.socket | None = None,
    ) -> None:
        self.host = host
        self._shared = listener
        self.address = address
        self.is_loopback_only = is_loopback(address)
        origins = tuple(allow_origins)
        gate = Gate(is_loopback_only=self.is_loopback_only, allow_origins=origins, allow_hosts=allow_hosts)
        self.service = Service(host, limit=limit or Limit(), gate=gate)
        self.log = self.service.log
        self._asked_port = port
        self._ssl = ssl
        self._listener: asyncio.Server | None = None
        self._state = ServerState()
        self._config: Config | None = None
        self._clock: asyncio.TimerHandle | None = None
        self._bound: list[tuple[str, int]] = []

    # --- where it is ----------------------------------------------------------------------------------------------

    @property
    def port(self) -> int:
        """The port that is open; 0 before the start."""
        return self._bound[0][1] if self._bound else 0

    @property
    def url(self) -> str:
        """Where browsers and clients find it, for example ``http://127.0.0.1:9001``."""
        name = self.address
        if name in ("0.0.0.0", "::", ""):  # noqa: S104 - a comparison: what to show for "all addresses"
            name = socket.gethostname() or "localhost"
        elif ":" in name:
            name = f"[{name}]"
        return f"{'https' if self._ssl else 'http'}://{name}:{self.port}"

    @property
    def counters(self) -> dict[str, int]:
        """What the server counted since its start, with the connections open at present."""
        return self.service.counter.as_dict() | {"connections_open": len(self.service.table)}

    # --- life -----------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Open the port.

        :raises ServerError: ``NT-SERVER-001`` where it cannot be opened, ``NT-SERVER-021`` where a mounted application does not start.
        """
        await self.service.mounts.start()
        try:
            await self._listen()
        except BaseException:
            await self.service.mounts.stop()
            raise

    async def _listen(self) -> None:
        limit = self.service.limit
        self._config = Config(
            Site(self.service).app,
            http=Door,
            loop="none",
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=math.ceil(limit.keep_alive_s),
            ws_ping_interval=limit.ping_after_s,
            ws_ping_timeout=limit.dead_after_s,
            ws_per_message_deflate=False,
        )
        self._config.load()
        loop = asyncio.get_running_loop()
        options: dict[str, Any] = {}
        if self._ssl is not None:
            options = {"ssl": self._ssl, "ssl_handshake_timeout": limit.tls_timeout_s}
        try:
            if not 0 <= self._asked_port <= HIGHEST_PORT:
                raise OverflowError(f"a port is a number from 0 to {HIGHEST_PORT}")
            if self._shared is not None:
                self._listener = await loop.create_server(
                    self._make_door, sock=self._shared, backlog=BACKLOG, **options
                )
            else:
                self._listener = await loop.create_server(
                    self._make_door, self.address, self._asked_port, backlog=BACKLOG, **options
                )
        except (OSError, OverflowError) as error:
            raise ServerError(
                "NT-SERVER-001",
                f"cannot listen on {self.address}:{self._asked_port}: {getattr(error, 'strerror', None) or error}; "
                "is another server running there? choose another port or 0 for a free one",
            ) from error
        self._bound = [found.getsockname()[:2] for found in self._listener.sockets]
        self._tick()
        self.service.table.start()
        if self.is_loopback_only:
            self.log.info("listening on %s (this machine only)", self.url)
        else:
            self.log.warning(
                "listening on %s port %d: EVERYBODY who can reach this machine there can read and command all agents%s",
                self.address or "all addresses",
                self.port,
                "" if self._ssl else ", without encryption",
            )

    async def stop(self, grace_s: float = GRACE_S) -> None:
        """Stop gracefully; what is not done after ``grace_s`` seconds is cut."""
        service = self.service
        if service.is_stopping:
            return
        service.is_stopping = True
        service.stopping.set()
        if self._listener is not None:
            self._listener.close()
        members = list(service.table.members)
        self.log.info("stopping: %d connections are asked to come again", len(members))
        for peer in members:
            if isinstance(peer, Peer):
                peer.hold()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                await self._see_off()
        for peer in list(service.table.members):
            _cut(peer)
        for task in list(self._state.tasks):
            task.cancel()
        service.table.stop()
        if self._clock is not None:
            self._clock.cancel()
        if self._listener is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(service.limit.close_timeout_s):
                    await service.table.until_empty()
                    await self._listener.wait_closed()
        await service.mounts.stop()

    def cut(self) -> None:
        """End a graceful stop at once."""
        for member in list(self.service.table.members):
            _cut(member)

    async def _see_off(self) -> None:
        """Let requests finish, wait for the commits, say good-bye."""
        for door in list(self._state.connections):
            door.shutdown()
        await self.host.quiesce()
        await asyncio.sleep(0)  # what the last commit released is written now
        for peer in list(self.service.table.members):
            if isinstance(peer, Peer):
                peer.close(1001, GOING_AWAY)
        await self.service.table.until_empty()
        tasks = list(self._state.tasks)
        if tasks:  # requests whose client left are still being put away
            await asyncio.wait(tasks)

    # --- inside ---------------------------------------------------------------------------------------------------

    def _make_door(self) -> Door:
        assert self._config is not None
        return Door(self.service, self._config, self._state)

    def _tick(self) -> None:
        """Keep the ``Date`` header (RFC 9110, 6.6.1)."""
        self._state.default_headers = [(b"date", formatdate(usegmt=True).encode())]
        self._clock = asyncio.get_running_loop().call_later(1.0, self._tick)


def _cut(member: Member) -> None:
    """End a connection at once."""
    if isinstance(member, Door):
        member.transport.abort()
    else:
        member.abort()  # type: ignore[attr-defined]  # a peer over WARP, or of a mounted application
