"""Errors as HTTP answers: status, body in JSON or Recon, ``Retry-After`` where trying again makes sense."""

from __future__ import annotations

from typing import Final

import msgspec
from starlette.requests import HTTPConnection
from starlette.responses import Response

from natant.codec import recon
from natant.errors import (
    CodecError,
    FormError,
    LaneError,
    LinkError,
    NatantError,
    PlaneError,
    ServerError,
    StoreError,
    TenantError,
    TurnError,
    WarpError,
)
from natant.server.http.negotiate import JSON_TYPE, RECON_TYPE, wants_recon

__all__ = ["fault_response", "status_of"]

#: a client that was told to come again should wait so long
RETRY_AFTER_S: Final = 1

_STATUS: Final[tuple[tuple[type[NatantError], int], ...]] = (
    (FormError, 400),
    (CodecError, 400),
    (WarpError, 400),
    (ServerError, 400),
    (TenantError, 401),
    (PlaneError, 404),
    (LaneError, 409),
    (LinkError, 409),
    (TurnError, 409),
    (StoreError, 503),
)


def status_of(error: NatantError) -> int:
    """The HTTP status of an error: what it says itself (``http_status`` of its context), else by its class."""
    told = error.context.get("http_status")
    if isinstance(told, int):
        return told
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def fault_response(request: HTTPConnection, error: NatantError) -> Response:
    """The answer to a request that failed."""
    status = status_of(error)
    headers: dict[str, str] = {}
    if status in (429, 503):
        headers["retry-after"] = str(error.context.get("retry_after_s", RETRY_AFTER_S))
    allow = error.context.get("allow")
    if isinstance(allow, str):
        headers["allow"] = allow
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    if status in (408, 413) or error.context.get("is_closing"):
        headers["connection"] = "close"
    facts = {
        name: fact
        for name, fact in error.context.items()
        if name not in ("http_status", "retry_after_s", "allow", "is_closing")
        and isinstance(fact, str | int | float | bool)
    }
    body = {"code": error.code, "message": error.message, **facts}
    if wants_recon(request.headers.get("accept")):
        return Response(recon.encode(body), status, headers, RECON_TYPE)
    return Response(msgspec.json.encode(body), status, headers, JSON_TYPE)
