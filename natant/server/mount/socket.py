"""A WebSocket of a mounted application: uvicorn's protocol on the websockets library, in the table of connections.

WARP has its own path (:mod:`natant.server.wire`) and does not pass here.  An application that does not ask for the next message leaves
the rest in the socket: uvicorn stops reading behind each message until it was taken.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from uvicorn.config import Config
from uvicorn.server import ServerState

from natant.errors import ServerError
from natant.server.mount.token import split_query, split_subprotocols

if TYPE_CHECKING:
    from collections.abc import Iterable

    from natant.plane import Mount
    from natant.server.service import Service

__all__ = ["make_peer", "open_socket", "path_of", "socket_head"]

#: bytes of one header, and how many headers, that the websockets library reads
HEADER_BYTES: Final = 8_000
HEADER_LIMIT: Final = 120

#: uvicorn tells each connection at INFO level; the server's own log says what matters
_QUIET: Final = logging.getLogger("natant.server.socket")
_QUIET.setLevel(logging.WARNING)


def path_of(target: bytes) -> str:
    """The decoded path of a request target."""
    return unquote(target.partition(b"?")[0].decode("latin-1"))


def open_socket(peer: Any, transport: asyncio.Transport, head: bytes) -> None:
    """Hand a connection over to a mounted application.

    :param peer: of :func:`make_peer`.
    :param head: the request head (see :func:`socket_head`), with what was read behind it.
    """
    transport.set_protocol(peer)
    peer.connection_made(transport)
    peer.data_received(head)


def socket_head(target: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The request head for the WebSocket parser: a token of the query or the subprotocols has become a header.

    :param headers: names in lower case.
    :raises ServerError: ``NT-SERVER-002`` where it has more or longer headers than the parser takes.
    """
    path, _, query = target.decode("latin-1").partition("?")
    query, token = split_query(query)
    offered: list[str] = []
    kept: list[tuple[bytes, bytes]] = []
    for name, value in headers:
        if name == b"sec-websocket-protocol":
            offered.extend(part.strip() for part in value.decode("latin-1").split(","))
        elif name not in (b"connection", b"upgrade"):
            kept.append((name, value))
    offered, shown = split_subprotocols([part for part in offered if part])
    token = token if shown is None else shown
    if token is not None and not any(name == b"authorization" for name, _ in kept):
        kept.append((b"authorization", b"Bearer " + token.encode("latin-1", "replace")))
    if offered:
        kept.append((b"sec-websocket-protocol", ", ".join(offered).encode("latin-1")))
    if len(kept) > HEADER_LIMIT or any(len(name) + len(value) > HEADER_BYTES for name, value in kept):
        raise ServerError(
            "NT-SERVER-002",
            f"a WebSocket's request has at most {HEADER_LIMIT} headers of {HEADER_BYTES} bytes",
            http_status=431,
        )
    line = f"GET {path}{'?' + query if query else ''} HTTP/1.1\r\n".encode("latin-1")
    rest = b"".join(name + b": " + value.replace(b"\r", b"").replace(b"\n", b"") + b"\r\n" for name, value in kept)
    return line + b"connection: Upgrade\r\nupgrade: websocket\r\n" + rest + b"\r\n"


def make_peer(service: Service, mount: Mount, config: Config, state: ServerState) -> Any:
    """The protocol object of a connection to come.

    :raises ServerError: ``NT-SERVER-024`` where the websockets library is not installed.
    """
    try:
        from natant.server.mount.peer import SocketPeer
    except ImportError:
        raise ServerError(
            "NT-SERVER-024",
            "WebSockets of mounted applications need the websockets library: pip install 'natant[mount]'",
            http_status=501,
        ) from None
    return SocketPeer(service, mount, config, state, _QUIET)
