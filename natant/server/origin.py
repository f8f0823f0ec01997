"""Who may talk to the server from a web page: the check of ``Host`` and ``Origin``.

A browser lets every page on the internet open a WebSocket to ``127.0.0.1`` and send it simple POSTs.  Two checks keep
such pages out:

* ``Origin``: a request that carries one is taken when the page comes from this very server, from a loopback address, or
  from an origin that was allowed by name.  Programs send no ``Origin`` and are not concerned.
* ``Host``: on a loopback listener the name must be a loopback name or allowed by name; this stops DNS rebinding, where
  a foreign name is made to point to ``127.0.0.1`` and the page counts as "same origin".

Sources: RFC 6454 (origin), RFC 6455 10.2 (origin considerations), RFC 9110 7.2 (Host).  Called by ``door.py`` for
WebSocket upgrades and by ``http/guard.py`` for requests.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from natant.errors import ServerError

__all__ = ["Gate", "host_name", "is_loopback"]

#: stands for every origin or every host
ANY: Final = "*"


def host_name(authority: str) -> str:
    """The name in a ``Host`` header: without port and brackets, lower case; "" where there is none."""
    try:
        return (urlsplit(f"//{authority.strip()}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def is_loopback(name: str) -> bool:
    """True for a name or address that can only mean this machine."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class Gate:
    """Which ``Host`` and ``Origin`` are let in.

    :ivar origins: what was allowed by name; these pages may read answers too (CORS).

    :param is_loopback_only: the server listens on loopback addresses only.
    :param allow_origins: further origins (``https://app.example``); ``"*"`` for all, ``"null"`` for pages from files.
    :param allow_hosts: further names that this server is called by; ``"*"`` for all.
    """

    __slots__ = ("_hosts", "_is_loopback_only", "origins")

    def __init__(
        self, *, is_loopback_only: bool, allow_origins: Iterable[str] = (), allow_hosts: Iterable[str] = ()
    ) -> None:
        self._is_loopback_only = is_loopback_only
        self.origins = [origin.rstrip("/").lower() for origin in allow_origins]
        self._hosts = frozenset(ANY if host == ANY else host_name(host) for host in allow_hosts)

    def check_host(self, host: str | None) -> None:
        """Refuse a foreign name on a loopback listener.

        :raises ServerError: ``NT-SERVER-005``.
        """
        if not self._is_loopback_only or not host or ANY in self._hosts:
            return
        name = host_name(host)
        if not is_loopback(name) and name not in self._hosts:
            raise ServerError(
                "NT-SERVER-005",
                f"the server listens on loopback only and was called by the name {host[:100]!r}; use 127.0.0.1 or "
                "localhost, or allow the name with allow_hosts",
                http_status=421,
            )

    def is_allowed(self, origin: str) -> bool:
        """True for an origin that was allowed by name."""
        return ANY in self.origins or origin.rstrip("/").lower() in self.origins

    def check_origin(self, origin: str | None, host: str | None) -> None:
        """Refuse what a foreign web page sends.

        :raises ServerError: ``NT-SERVER-006``.
        """
        if origin is None or self.is_allowed(origin):
            return
        try:
            parts = urlsplit(origin)
            name = parts.hostname or ""
        except ValueError:
            name = ""
        if name and (is_loopback(name) or (host is not None and _authority(origin) == host.strip().lower())):
            return
        raise ServerError(
            "NT-SERVER-006",
            f"a page of {origin[:100]!r} may not use this server; allow it with allow_origins",
            http_status=403,
        )


def _authority(origin: str) -> str:
    """Host and port of an origin as a browser writes them into ``Host``: default ports are left out there too."""
    return urlsplit(origin).netloc.lower()
