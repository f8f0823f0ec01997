"""The door: every connection starts here as HTTP; an upgrade to WebSocket hands it over to :mod:`natant.server.wire`.

HTTP itself is uvicorn's protocol on httptools, a well-kept one.  This subclass adds what stands in front of it: limits on
connections, on the size of a request head and on the time it takes, and a polite end for what cannot be served.

Invariant: a door is in the table of connections from its first moment until it ends or has handed over.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any, Final

import httptools
import msgspec
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from natant.errors import ServerError
from natant.server.drain import Drain
from natant.server.mount.socket import make_peer, open_socket, path_of, socket_head
from natant.server.upgrade import read_upgrade, wants_websocket
from natant.server.wire import open_wire

if TYPE_CHECKING:
    from natant.server.service import Service

__all__ = ["Door"]

_PHRASE: Final = {
    400: "Bad Request",
    403: "Forbidden",
    405: "Method Not Allowed",
    408: "Request Timeout",
    421: "Misdirected Request",
    426: "Upgrade Required",
    431: "Request Header Fields Too Large",
    501: "Not Implemented",
    503: "Service Unavailable",
}

#: seconds of quiet before the kernel probes a peer, between probes, and how many of them may stay unanswered
_KEEP_ALIVE: Final = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}

#: a client that was refused for lack of room may try again after this
RETRY_AFTER_S: Final = 5


class Door(HttpToolsProtocol):
    """One connection while it speaks HTTP."""

    def __init__(self, service: Service, config: Config, state: ServerState) -> None:
        super().__init__(config=config, server_state=state, app_state={}, _loop=asyncio.get_running_loop())
        self.service = service
        self.address = ""
        self._head_bytes = 0
        self._unparsed_bytes = 0
        self._head_since_s = 0.0
        self._is_in_head = True
        self._has_begun = False
        self._is_shut = False
        self._refusal: ServerError | None = None
        self._backlog_bytes = 0
        self._moved_s = 0.0

    # --- called by the transport ----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected."""
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        self.address = str(peer[0]) if isinstance(peer, tuple) else "local"
        self._head_since_s = self._moved_s = self.loop.time()
        _keep_alive(transport)
        table = self.service.table
        if not table.has_room(self.address):
            table.counter.connections_refused += 1
            self.service.complain("connections", "a connection of %s was refused: the limit is reached", self.address)
            self._refuse(
                ServerError(
                    "NT-SERVER-003", "the server has as many connections as it takes; try again later", http_status=503
                )
            )
            return
        table.counter.connections_accepted += 1
        table.add(self)

    def data_received(self, data: bytes) -> None:
        """Parse what came in; requests start as their heads are complete."""
        if self._is_shut:
            return
        self._unset_keepalive_if_required()
        self._has_begun = False
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._upgrade(data[upgrade.args[0] :])
            return
        except httptools.HttpParserError:
            self._refuse(
                self._refusal or ServerError("NT-SERVER-004", "this is no valid HTTP request", http_status=400)
            )
            return
        if self._is_in_head and not self._has_begun:
            # the parser holds back a header until it is whole, however long it grows
            self._unparsed_bytes += len(data)
            if self._unparsed_bytes > self.service.limit.head_bytes:
                self._refuse(self._too_large())

    def eof_received(self) -> bool:  # type: ignore[override]
        """The client sends nothing more; a request that it sent whole is still answered."""
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete or cycle.response_started or cycle.more_body:
            return False
        if not self.transport.can_write_eof():
            return False
        cycle.keep_alive = False
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended."""
        self.service.table.remove(self)
        super().connection_lost(exc)
        self._let_go()

    def sweep(self, now_s: float) -> None:
        """Look at the timeouts: of a peer that does not read its answers, of a request head that does not end."""
        backlog = self.transport.get_write_buffer_size()
        if not backlog or backlog < self._backlog_bytes or not self._backlog_bytes:
            self._moved_s = now_s
        elif now_s - self._moved_s > self.service.limit.stall_timeout_s:
            self._drop_stalled(backlog)
            return
        self._backlog_bytes = backlog
        if (
            self._is_shut
            or self.transport.is_closing()
            or not self._is_in_head
            or self.timeout_keep_alive_task is not None
        ):
            return
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_complete:
            return
        if now_s - self._head_since_s > self.service.limit.head_timeout_s:
            self._refuse(
                ServerError(
                    "NT-SERVER-002",
                    f"the request head did not arrive within {self.service.limit.head_timeout_s:g} s",
                    http_status=408,
                )
            )

    # --- called by the parser -------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """A request starts."""
        self._is_in_head = True
        self._has_begun = True
        self._head_bytes = 0
        self._unparsed_bytes = 0
        self._head_since_s = self.loop.time()
        self._refusal = None
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Part of the request target."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self._count(len(name) + len(value) + 4)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is complete: start the request."""
        self._is_in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is complete; the next head may follow."""
        super().on_message_complete()
        self._is_in_head = True
        self._head_since_s = self.loop.time()

    def on_response_complete(self) -> None:
        """The response is complete."""
        self.service.counter.http_requests += 1
        self._head_since_s = self.loop.time()
        super().on_response_complete()

    def _should_upgrade(self) -> bool:
        return wants_websocket(self.headers)

    # --- inside ---------------------------------------------------------------------------------------------------

    def _drop_stalled(self, backlog: int) -> None:
        self.service.counter.peers_stalled += 1
        self.service.complain(
            "stalled",
            "%s",
            ServerError(
                "NT-SERVER-015",
                f"client {self.address} read nothing for {self.service.limit.stall_timeout_s:g} s while {backlog} bytes wait "
                "for it; dropped",
            ),
        )
        self.transport.abort()

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > self.service.limit.head_bytes:
            self._refusal = self._too_large()
            raise self._refusal

    def _too_large(self) -> ServerError:
        return ServerError(
            "NT-SERVER-002",
            f"the request head has more than {self.service.limit.head_bytes} bytes",
            http_status=431,
        )

    def _upgrade(self, rest: bytes) -> None:
        """The client asks for another protocol."""
        if not self._should_upgrade():  # HTTP/2 in clear text and the like: stay with HTTP/1.1, this once
            self.cycle.keep_alive = False
            return
        service = self.service
        cycle: RequestResponseCycle | None = self.cycle
        try:
            if cycle is not None and not cycle.response_complete:
                raise ServerError("NT-SERVER-007", "no WebSocket while another request is served", http_status=400)
            if service.is_stopping:
                raise ServerError("NT-SERVER-012", "the server is stopping; connect again", http_status=503)
            upgrade = read_upgrade(self.parser.get_method().decode(), self.url, self.headers)
            if upgrade.origin is not None:
                service.gate.check_host(upgrade.host)
                service.gate.check_origin(upgrade.origin, upgrade.host)
            mount = service.mounts.find(path_of(self.url))
            head, peer = upgrade.head, None
            if mount is not None:
                head = socket_head(self.url, self.headers)
                peer = make_peer(service, mount, self.config, self.server_state)
        except ServerError as error:
            service.counter.upgrades_refused += 1
            if error.code in ("NT-SERVER-005", "NT-SERVER-006"):
                service.counter.origins_refused += 1
            service.complain("upgrade", "WebSocket of %s refused: %s", self.address, error)
            self._refuse(error)
            return
        self._is_shut = True
        self.connections.discard(self)
        transport, self.transport = self.transport, _GONE
        service.table.remove(self)
        self._let_go()
        if peer is None:
            open_wire(service, transport, upgrade, rest, self.address)
        else:
            open_socket(peer, transport, head + rest)

    def _let_go(self) -> None:
        """Leave no circle behind, so that all of this goes now and not at the collector's next look at everything."""
        gone: Any = None
        self.parser = self.flow = self.cycle = gone

    def _refuse(self, error: ServerError) -> None:
        """Answer without bothering the application, and close."""
        if self._is_shut:
            return
        self._is_shut = True
        self._unset_keepalive_if_required()
        self.service.counter.http_errors += 1
        transport = self.transport
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_complete:
            # an answer is under way: it goes out whole, and the connection ends behind it
            cycle.keep_alive = False
            self._is_in_head = False
            return
        status = int(error.context.get("http_status", 400))
        body = msgspec.json.encode({"code": error.code, "message": error.message})
        lines = [
            f"HTTP/1.1 {status} {_PHRASE.get(status, 'Error')}",
            "content-type: application/json",
            f"content-length: {len(body)}",
            "connection: close",
        ]
        if status == 503:
            lines.append(f"retry-after: {RETRY_AFTER_S}")
        if status == 426:
            lines += ["upgrade: websocket", "sec-websocket-version: 13"]
        transport.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        Drain(transport, timeout_s=self.service.limit.close_timeout_s, on_lost=self.connection_lost).begin()


def _keep_alive(transport: asyncio.Transport) -> None:
    """Let the kernel find peers that vanished without a word, on connections that say nothing themselves."""
    sock = transport.get_extra_info("socket")
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, seconds in _KEEP_ALIVE.items():
        number = getattr(socket, name, None)  # which of them exist is up to the system
        if number is not None:
            sock.setsockopt(socket.IPPROTO_TCP, number, seconds)


class _Gone:
    """Stands for the transport once the connection has been handed over."""

    def is_closing(self) -> bool:
        return True

    def get_write_buffer_size(self) -> int:
        return 0

    def abort(self) -> None:
        return None

    def close(self) -> None:
        return None


_GONE: Any = _Gone()
