"""Reading a request's body: bounded in size and time."""

from __future__ import annotations

import asyncio

from starlette.requests import Request

from natant.errors import ServerError
from natant.server.limit import Limit

__all__ = ["read_body"]


async def read_body(request: Request, limit: Limit) -> bytes:
    """The whole body.

    :raises ServerError: ``NT-SERVER-009`` where it is too large, ``NT-SERVER-017`` where it does not arrive in time.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit.body_bytes:
        raise _too_large(limit)
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(limit.body_timeout_s):
            async for part in request.stream():
                size += len(part)
                if size > limit.body_bytes:
                    raise _too_large(limit)
                parts.append(part)
    except TimeoutError:
        raise ServerError(
            "NT-SERVER-017",
            f"the body did not arrive within {limit.body_timeout_s:g} s; {size} bytes came",
            http_status=408,
        ) from None
    return b"".join(parts)


def _too_large(limit: Limit) -> ServerError:
    return ServerError(
        "NT-SERVER-009", f"the body has more than {limit.body_bytes} bytes; send less at a time", http_status=413
    )
