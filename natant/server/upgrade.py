"""The head of a WebSocket upgrade request: checked, and written anew for the WebSocket parser.

picows wants one spelling of some headers; clients have several (Firefox sends ``Connection: keep-alive, Upgrade``).
So the parsed head is checked here after RFC 6455 4.2.1 and a plain head of the same meaning is handed on.  Pure
functions, called by ``door.py``.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from natant.errors import ServerError

__all__ = ["SUBPROTOCOL", "Upgrade", "read_upgrade", "wants_websocket"]

#: the WebSocket subprotocol of WARP
SUBPROTOCOL: Final = "warp0"

_VERSIONS: Final = ("13", "8", "7")

Headers = Iterable[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Upgrade:
    """A valid upgrade request.

    :ivar target: path and query as sent.
    :ivar subprotocol: ``warp0`` where it was offered, else None.
    :ivar head: the request head for picows.
    """

    target: str
    host: str | None
    origin: str | None
    cookie: str | None
    subprotocol: str | None
    head: bytes


def _tokens(headers: Headers, wanted: bytes) -> list[str]:
    """The comma separated tokens of a header that may come several times."""
    found: list[str] = []
    for name, value in headers:
        if name == wanted:
            found.extend(token.strip() for token in value.decode("latin-1").split(","))
    return [token for token in found if token]


def _first(headers: Headers, wanted: bytes) -> str | None:
    return next((value.decode("latin-1").strip() for name, value in headers if name == wanted), None)


def wants_websocket(headers: Headers) -> bool:
    """True where a request asks for a WebSocket; names are lower case.

    Old proxies drop ``Connection``, so ``Upgrade: websocket`` with any ``Sec-WebSocket-*`` header counts too.
    """
    headers = list(headers)
    if "websocket" not in (token.lower() for token in _tokens(headers, b"upgrade")):
        return False
    if "upgrade" in (token.lower() for token in _tokens(headers, b"connection")):
        return True
    return any(name.startswith(b"sec-websocket-") for name, _ in headers)


def read_upgrade(method: str, target: bytes, headers: Headers) -> Upgrade:
    """Check an upgrade request.

    :param headers: names in lower case.
    :raises ServerError: ``NT-SERVER-007`` where RFC 6455 4.2.1 is not met.
    """
    headers = list(headers)
    if method != "GET":
        raise _bad(f"a WebSocket starts with GET, not {method}", 405)
    version = _first(headers, b"sec-websocket-version")
    if version not in _VERSIONS:
        raise _bad(f"Sec-WebSocket-Version is {version!r}; this server speaks 13", 426)
    key = _first(headers, b"sec-websocket-key")
    if key is None:
        raise _bad("Sec-WebSocket-Key is missing")
    try:
        size = len(b64decode(key, validate=True))
    except (binascii.Error, ValueError):
        size = -1
    if size != 16:
        raise _bad(f"Sec-WebSocket-Key is {key[:40]!r}; it takes 16 bytes in base64")
    if any(value.strip(b" 0") for name, value in headers if name == b"content-length"):
        raise _bad("a WebSocket request has no body")
    offered = _tokens(headers, b"sec-websocket-protocol")
    head = (
        b"GET " + target + b" HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: " + version.encode() + b"\r\nSec-WebSocket-Key: " + key.encode() + b"\r\n\r\n"
    )
    return Upgrade(
        target=target.decode("latin-1"),
        host=_first(headers, b"host"),
        origin=_first(headers, b"origin"),
        cookie=_first(headers, b"cookie"),
        subprotocol=SUBPROTOCOL if SUBPROTOCOL in offered else None,
        head=head,
    )


def _bad(what: str, status: int = 400) -> ServerError:
    return ServerError("NT-SERVER-007", f"no WebSocket: {what}", http_status=status)
