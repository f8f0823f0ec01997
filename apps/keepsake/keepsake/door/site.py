"""Mounts the doors on the plane, and the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from natant import Plane
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from keepsake.door import ask, export, service, upload
from keepsake.door.capture import Capture
from keepsake.door.upload import Application
from keepsake.pipeline.house import House

__all__ = ["attach"]

#: of one message to the capture door
FRAME_BYTES: Final = 512 * 1024


def _one(app: Starlette) -> Application:
    """An application of one resource, which is its prefix itself."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] == scope["root_path"]:
            scope = {**scope, "path": scope["path"] + "/"}
        await app(scope, receive, send)

    return application


def attach(plane: Plane, house: House) -> Plane:
    """The plane, with its doors and its page."""

    async def capture(socket: WebSocket) -> None:
        await Capture.serve(house, socket)

    capturing = Starlette(routes=[WebSocketRoute("/{person}/{stream}", capture)])
    plane.mount("/capture", capturing, frame_bytes=FRAME_BYTES)
    plane.mount("/upload", upload.make(house))
    plane.mount("/export", export.make(house))
    plane.mount("/ask", _one(ask.make()))
    plane.mount("/service", _one(service.make(plane)))
    plane.static("/", Path(__file__).with_name("page"))
    return plane
