"""In front of every HTTP request: the host name, the origin, and whether the server still takes work.

Plain ASGI middleware, so that streams pass through it untouched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from natant.errors import NatantError, ServerError
from natant.server.http.fault import fault_response

if TYPE_CHECKING:
    from natant.server.service import Service

__all__ = ["Guard"]

#: requests that change nothing: a foreign page may send them, but not read the answer (no CORS headers)
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
#: paths that answer while the server is stopping, so that probes see it
_ALWAYS: Final = ("/-/health", "/-/counters", "/metrics")


class Guard:
    """Refuses what :class:`natant.server.origin.Gate` refuses, and new work while stopping, unless other workers do it."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self.app = app
        self.service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = HTTPConnection(scope)
        try:
            self._check(request, scope["method"], scope["path"])
        except NatantError as error:
            self.service.counter.http_errors += 1
            if error.code in ("NT-SERVER-005", "NT-SERVER-006"):
                self.service.counter.origins_refused += 1
                self.service.complain("origin", "request of %s refused: %s", scope.get("client"), error)
            await fault_response(request, error)(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message.setdefault("headers", [])
                headers.append((b"x-content-type-options", b"nosniff"))
            await send(message)

        await self.app(scope, receive, send_safely)

    def _check(self, request: HTTPConnection, method: str, path: str) -> None:
        gate = self.service.gate
        host = request.headers.get("host")
        gate.check_host(host)
        if method not in _SAFE:
            gate.check_origin(request.headers.get("origin"), host)
        if self.service.is_stopping and not self.service.host.is_shared and path not in _ALWAYS:
            raise ServerError("NT-SERVER-012", "the server is stopping; connect again and retry", http_status=503)
