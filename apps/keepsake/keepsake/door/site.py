"""Mounts the doors on the plane."""

from __future__ import annotations

from natant import Plane
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from keepsake.door.capture import Capture
from keepsake.pipeline.house import House

__all__ = ["attach"]


def attach(plane: Plane, house: House) -> Plane:
    """The plane, with its doors."""

    async def capture(socket: WebSocket) -> None:
        await Capture.serve(house, socket)

    plane.mount("/capture", Starlette(routes=[WebSocketRoute("/{person}/{stream}", capture)]))
    return plane
