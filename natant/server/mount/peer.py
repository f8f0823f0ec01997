"""The protocol object of one WebSocket of a mounted application; imported only where the websockets library is installed."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from uvicorn.config import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.server import ServerProtocol

if TYPE_CHECKING:
    from natant.plane import Mount
    from natant.server.service import Service

__all__ = ["SocketPeer"]


class SocketPeer(WebSocketsSansIOProtocol):
    """A connection in the table: counted and swept as the others are; its pings are uvicorn's."""

    def __init__(self, service: Service, mount: Mount, config: Config, state: ServerState, log: logging.Logger) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(config=config, server_state=state, app_state={}, _loop=loop)
        self.conn = ServerProtocol(max_size=mount.frame_bytes, logger=log)
        self.logger = log
        self.address = ""
        self._service = service
        self._backlog_bytes = 0
        self._begun_s = self._moved_s = loop.time()

    def connection_made(self, transport: Any) -> None:
        """The connection was handed over."""
        peer = transport.get_extra_info("peername")
        self.address = str(peer[0]) if isinstance(peer, tuple) else "local"
        limit = self._service.limit
        transport.set_write_buffer_limits(high=limit.write_high_bytes, low=limit.write_low_bytes)
        super().connection_made(transport)
        self._service.counter.upgrades += 1
        self._service.table.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended."""
        self._service.table.remove(self)
        super().connection_lost(exc)

    def abort(self) -> None:
        """Cut the connection."""
        self.transport.abort()

    def sweep(self, now_s: float) -> None:
        """Look at the timeouts: of a client that reads nothing, of an application that neither accepts nor refuses."""
        limit = self._service.limit
        if not self.handshake_complete:
            if now_s - self._begun_s > limit.body_timeout_s:
                self.abort()
            return
        backlog = self.transport.get_write_buffer_size()
        if not backlog or backlog < self._backlog_bytes or not self._backlog_bytes:
            self._moved_s = now_s
        elif now_s - self._moved_s > limit.stall_timeout_s:
            self._service.counter.peers_stalled += 1
            self.abort()
        self._backlog_bytes = backlog
