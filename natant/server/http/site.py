"""All of HTTP as one ASGI application.

Which page answers: mounted applications have their prefixes to themselves; what lies below ``/-/`` and ``/metrics`` is the server's own; then files under a prefix of their own;
then nodes, wherever a route of the plane fits the path; then files under ``/``; then the index.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from natant.codec import uri
from natant.errors import NatantError, ServerError, TurnError
from natant.server.http.control import ControlPage
from natant.server.http.fault import fault_response, status_of
from natant.server.http.guard import Guard
from natant.server.http.identity import admit
from natant.server.http.node import NodePage, node_uri
from natant.server.http.static import FilePage
from natant.server.mount.entrance import Entrance

if TYPE_CHECKING:
    from natant.server.service import Service

__all__ = ["Site"]


#: all that reach a page; each page refuses what it has not, in its own words
_METHODS: Final = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


#: the server's own pages and who answers them
_CONTROL: Final = {
    "/-/health": "health",
    "/-/counters": "counters",
    "/-/nodes": "nodes",
    "/-/openapi.json": "openapi",
    "/metrics": "metrics",
}


#: files for pages in a browser, the same on every plane; they tell nothing, so strangers get them too
_WEB: Final = "/-/web"


class Site:
    """The application of one server."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.node = NodePage(service)
        self.control = ControlPage(service)
        self.files = FilePage([(files.prefix, files.directory) for files in service.host.plane.files])
        self.web = FilePage([(_WEB, Path(__file__).with_name("web"))])
        middleware = []
        if service.gate.origins:
            middleware.append(
                Middleware(
                    CORSMiddleware,
                    allow_origins=service.gate.origins,
                    allow_methods=_METHODS if service.mounts else ["GET", "HEAD", "POST"],
                    allow_headers=["*"] if service.mounts else ["content-type", "idempotency-key", "authorization"],
                    expose_headers=["*"]
                    if service.mounts
                    else ["natant-sequence", "natant-duplicate", "link", "retry-after"],
                )
            )
        middleware.append(Middleware(Guard, service=service))
        if service.mounts:
            middleware.append(Middleware(Entrance, service=service))
        self.app = Starlette(
            routes=[
                *(Route(path, self._page(name), methods=["GET"]) for path, name in _CONTROL.items()),
                Route("/{path:path}", self._any, methods=_METHODS),
            ],
            middleware=middleware,
            exception_handlers={
                NatantError: self._fault,
                HTTPException: self._http_fault,
                ClientDisconnect: self._gone,
                Exception: self._failure,
            },
        )

    def _page(self, name: str) -> Callable[[Request], Awaitable[Response]]:
        """One of the server's own pages; a private plane shows strangers only whether it is well, as a probe has no credentials."""
        page: Callable[[Request], Awaitable[Response]] = getattr(self.control, name)
        if name == "health":
            return page

        async def answer(request: Request) -> Response:
            admit(self.service, request)
            return await page(request)

        return answer

    async def _any(self, request: Request) -> Response:
        path = request.scope["path"]
        if path in _CONTROL:
            raise ServerError("NT-SERVER-008", f"{path} can only be read", http_status=405, allow="GET, HEAD")
        if self.web.has(path) and path.endswith(".js"):
            return await self.web.answer(request)
        if path == "/-" or path.startswith("/-/"):
            raise ServerError("NT-SERVER-011", f"there is nothing at {path[:200]!r}", http_status=404)
        if self.files.has(path):
            return await self.files.answer(request)
        if "lane" in request.query_params or self._is_node(request):
            admit(self.service, request)
            return await self.node.answer(request)
        if path == "/" and not self.files.has_root and request.method in ("GET", "HEAD"):
            admit(self.service, request)
            return await self.control.index(request)
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"allow": "GET, HEAD, POST, OPTIONS"})
        return await self.files.answer(request)

    def _is_node(self, request: Request) -> bool:
        """True where a route of the plane fits the path."""
        try:
            _, key = uri.resolve(node_uri(request))
        except NatantError:
            return False
        return self.service.host.plane.router.find(key) is not None

    async def _fault(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, NatantError)
        self.service.counter.http_errors += 1
        if status_of(error) >= 500 and not isinstance(error, TurnError):  # the host has logged those
            self.service.complain("http", "%s %s failed: %s", request.method, request.url.path, error)
        return fault_response(request, error)

    async def _http_fault(self, request: Request, error: Exception) -> Response:
        """What Starlette itself refuses: a method that a page has not."""
        assert isinstance(error, HTTPException)
        code = "NT-SERVER-008" if error.status_code == 405 else "NT-SERVER-011"
        headers = error.headers or {}
        return await self._fault(
            request,
            ServerError(
                code,
                f"{request.method} {request.url.path}: {error.detail}",
                http_status=error.status_code,
                allow=headers.get("allow", headers.get("Allow")),
            ),
        )

    async def _gone(self, request: Request, error: Exception) -> Response:
        """The client went away while its body was read; nobody hears this."""
        return Response(status_code=400)

    async def _failure(self, request: Request, error: Exception) -> Response:
        """A fault of ours; Starlette logs it."""
        self.service.counter.http_errors += 1
        return fault_response(
            request,
            ServerError("NT-SERVER-018", "the server met an error of its own; its log says more", http_status=500),
        )
