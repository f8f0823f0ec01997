"""In front of mounted applications: which one a path belongs to, who asks, and whether the policy lets them in.

Plain ASGI middleware behind :class:`natant.server.http.guard.Guard`; what belongs to no application goes on to the plane's own pages.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from natant.codec import uri
from natant.errors import NatantError, ServerError
from natant.server.http.fault import fault_response
from natant.server.http.identity import admit, identify
from natant.server.mount.caller import SCOPE_KEY, Caller
from natant.server.mount.lifespan import Lifespan
from natant.server.mount.token import take_token

if TYPE_CHECKING:
    from natant.link.identity import Identity
    from natant.plane import Mount
    from natant.server.service import Service

__all__ = ["Entrance", "Mounts"]

#: the policy is asked for this verb, with the path as node and no lane
OPEN: Final = "open"
#: the subprotocol that stands before a token: ``new WebSocket(url, ["bearer", token])``
BEARER: Final = "bearer"


class Mounts:
    """The applications of a plane."""

    def __init__(self, service: Service) -> None:
        self._service = service
        mounts: list[Mount] = list(getattr(service.host.plane, "mounts", ()))
        self._mounts = sorted(mounts, key=lambda mount: -len(mount.prefix))
        self._lives = {mount.prefix: Lifespan(mount, Caller(service.host)) for mount in mounts}

    def __bool__(self) -> bool:
        return bool(self._mounts)

    def find(self, path: str) -> Mount | None:
        """The application that a decoded path belongs to; the longest prefix wins."""
        for mount in self._mounts:
            if path.startswith(mount.prefix) and path[len(mount.prefix) : len(mount.prefix) + 1] in ("", "/"):
                return mount
        return None

    def state(self, mount: Mount) -> dict[str, Any]:
        """What an application has put into the state of its lifespan."""
        return self._lives[mount.prefix].state

    async def start(self) -> None:
        """Start all applications.

        :raises ServerError: ``NT-SERVER-021``; those that had started have ended then.
        """
        try:
            for life in self._lives.values():
                await life.start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End all applications, the last first."""
        for life in reversed(self._lives.values()):
            await life.stop()


class Entrance:
    """Leads requests below a mounted prefix to their application."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self.app = app
        self.service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        mount = self.service.mounts.find(scope["path"]) if scope["type"] in ("http", "websocket") else None
        if mount is None:
            await self.app(scope, receive, send)
            return
        if scope["type"] == "http":
            scope = take_token(dict(scope))
        door = _Door(self.service, scope, receive, send)
        try:
            caller = Caller(self.service.host, self._let_in(HTTPConnection(scope)))
            inner = dict(scope)
            inner["root_path"] = scope.get("root_path", "") + mount.prefix
            inner["state"] = dict(self.service.mounts.state(mount))
            inner[SCOPE_KEY] = caller
            await mount.app(inner, door.receive, door.send)
        except NatantError as error:
            self.service.counter.http_errors += 1
            if door.has_begun:
                raise
            await fault_response(HTTPConnection(scope), error)(scope, receive, send)
        except Exception:
            if scope["type"] != "http":
                raise  # the WebSocket's own protocol logs it and ends the connection
            self.service.counter.http_errors += 1
            self.service.log.exception("the application mounted at %s failed at %s", mount.prefix, scope["path"])
            if not door.has_begun:
                raise

    def _let_in(self, request: HTTPConnection) -> Identity:
        """Who asks.

        :raises NatantError: ``NT-SERVER-019`` and ``NT-SERVER-020`` as for nodes, ``NT-SERVER-023`` where the policy says no.
        """
        service = self.service
        identity = identify(service, request)
        admit(service, request)
        policy = service.host.plane.policy
        if policy is None:
            return identity
        raw = request.scope.get("raw_path") or request.scope["path"].encode()
        node = uri.resolve(raw.decode("ascii", "replace"))[1]
        try:
            is_allowed = policy(identity, OPEN, node, "")
        except Exception as error:
            service.complain("policy", "the policy of the plane, asked for %s of %s, raised %r", OPEN, node, error)
            is_allowed = False
        if not is_allowed:
            raise ServerError(
                "NT-SERVER-023",
                f"{identity.name or 'an unknown peer'} may not open {node}",
                http_status=403 if identity.name else 401,
            )
        return identity


class _Door:
    """What passes between a connection and an application."""

    def __init__(self, service: Service, scope: Scope, receive: Receive, send: Send) -> None:
        self._service = service
        self._receive = receive
        self._send = send
        self._is_http = scope["type"] == "http"
        self._offers_bearer = not self._is_http and BEARER in scope.get("subprotocols", ())
        self._has_body = self._is_http
        self.has_begun = False

    async def receive(self) -> Message:
        """The next event.  A client whose body stops coming has gone, as far as the application can tell."""
        if not self._has_body:
            return await self._receive()
        try:
            async with asyncio.timeout(self._service.limit.body_timeout_s):
                message = await self._receive()
        except TimeoutError:
            self._has_body = False
            return {"type": "http.disconnect"}
        self._has_body = bool(message.get("more_body"))
        return message

    async def send(self, message: Message) -> None:
        """Pass an event on; who came with a token in a subprotocol is told that it was understood."""
        self.has_begun = True
        if self._offers_bearer and message["type"] == "websocket.accept" and not message.get("subprotocol"):
            message = {**message, "subprotocol": BEARER}
        await self._send(message)
