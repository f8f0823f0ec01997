"""Tokens of those who cannot send a header: in the query, or in a WebSocket's subprotocols.

A browser lets a page set no header of a WebSocket, a link or an ``<audio>``.  So ``?token=TOKEN`` and the subprotocols ``bearer, TOKEN``
count as ``Authorization: Bearer TOKEN`` does, and are taken away before anything can log them.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import unquote_plus

__all__ = ["split_query", "split_subprotocols", "take_token"]

_NAME: Final = "token"
_BEARER: Final = "bearer"


def split_query(query: str) -> tuple[str, str | None]:
    """A query without its token, and the token where it has one."""
    token = None
    rest = []
    for part in query.split("&") if query else ():
        name, _, value = part.partition("=")
        if name == _NAME:
            token = unquote_plus(value)
        else:
            rest.append(part)
    return "&".join(rest), token


def split_subprotocols(offered: list[str]) -> tuple[list[str], str | None]:
    """Subprotocols without the token that follows ``bearer``, and the token where there is one."""
    if _BEARER not in offered:
        return offered, None
    at = offered.index(_BEARER) + 1
    token = offered[at] if at < len(offered) else None
    return offered[:at] + offered[at + 1 :], token


def take_token(scope: dict[str, Any]) -> dict[str, Any]:
    """The scope of an HTTP request with a token of its query as the header; a header that is there already counts alone."""
    query, token = split_query(scope["query_string"].decode("latin-1"))
    if token is None:
        return scope
    scope = {**scope, "query_string": query.encode("latin-1")}
    if not any(name == b"authorization" for name, _ in scope["headers"]):
        scope["headers"] = [*scope["headers"], (b"authorization", b"Bearer " + token.encode("latin-1", "replace"))]
    return scope
