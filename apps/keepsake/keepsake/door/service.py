"""``GET /service``: the figures of the work queues, with how many workers would do; nothing of any person.

A private plane gives these to nobody without a token.
"""

from __future__ import annotations

from natant import Plane
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keepsake.door.caller import ERRORS, json_answer, owner

__all__ = ["make"]


def make(plane: Plane) -> Starlette:
    """The application at ``/service``."""

    async def look(request: Request) -> Response:
        person, _ = owner(request)
        queues = {spec.name: spec.figures.numbers() for spec in plane.queues if spec.figures is not None}
        return json_answer({"person": person, "queues": queues}, cache_control="no-store")

    return Starlette(routes=[Route("/", look)], exception_handlers=ERRORS)
