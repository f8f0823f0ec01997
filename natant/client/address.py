"""Where a host is: the many schemes that SwimOS clients know, as one WebSocket and one HTTP address."""

from __future__ import annotations

from typing import Final, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from natant.errors import ClientError

__all__ = ["Address", "parse"]

_PLAIN: Final = frozenset({"warp", "swim", "ws", "http"})
_SECURE: Final = frozenset({"warps", "swims", "wss", "https"})


class Address(NamedTuple):
    """One host: as it was given, for WebSocket, and for HTTP (scheme, name and port only)."""

    host_uri: str
    websocket: str
    http: str
    is_secure: bool


def parse(url: str) -> Address:
    """Read the address of a host; path and query go with the WebSocket handshake, where agents may see them.

    :param url: ``warp://name:port``; further schemes are ``swim ws http`` and, over TLS, ``warps swims wss https``.
    :raises ClientError: ``NT-CLIENT-002`` where it is none.
    """
    try:
        parts = urlsplit(url)
        is_known = bool(parts.hostname) and (parts.scheme in _PLAIN or parts.scheme in _SECURE) and parts.port != 0
    except ValueError:  # a port that is no number
        raise _no_address(url) from None
    if not is_known:
        raise _no_address(url)
    is_secure = parts.scheme in _SECURE
    path = parts.path or "/"
    return Address(
        url,
        urlunsplit(("wss" if is_secure else "ws", parts.netloc, path, parts.query, "")),
        urlunsplit(("https" if is_secure else "http", parts.netloc, "", "", "")),
        is_secure,
    )


def _no_address(url: str) -> ClientError:
    return ClientError(
        "NT-CLIENT-002",
        f"{url!r} is no address of a host; it takes a scheme, a name and a port, such as warp://127.0.0.1:9001.",
    )
