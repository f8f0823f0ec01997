"""Who is at a door, and how a door answers what went wrong."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec
from natant import NatantError
from natant.server import Caller, fault_response, gate
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from keepsake.errors import KeepsakeError
from keepsake.key import Token

__all__ = ["ERRORS", "code_of", "door_of", "json_answer", "owner", "stream_name"]

#: the status of an answer, by the code of the error; all else is 400
_STATUS: Final = {
    "KS-DOOR-001": 403,
    "KS-DOOR-010": 404,
    "KS-DOOR-011": 409,
    "KS-DOOR-012": 413,
    "KS-DOOR-013": 429,
    "KS-DOOR-014": 423,
    "KS-DOOR-015": 415,
    "KS-KEY-001": 404,
}
_STREAM: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_CODED: Final = re.compile(r"(KS-[A-Z]+-\d{3})\s+(.*)", re.DOTALL)


def door_of(connection: HTTPConnection, person: str, *roles: str) -> Caller:
    """The caller's way to the agents, where they are this person, or a device of theirs, and may use this door.

    :param roles: that may (`keepsake.key.Token`).
    :raises KeepsakeError: ``KS-DOOR-001`` else.
    """
    caller = gate(connection.scope)
    token = caller.identity.claims
    if not isinstance(token, Token) or token.person != person or token.role not in roles:
        raise KeepsakeError("KS-DOOR-001", f"this token opens no such door for {person[:80]!r}; show one of theirs")
    return caller


def owner(connection: HTTPConnection) -> tuple[str, Caller]:
    """The person whose own token was shown, and the way to the agents.

    :raises KeepsakeError: ``KS-DOOR-001`` where it is a device's or a worker's.
    """
    token = gate(connection.scope).identity.claims
    person = token.person if isinstance(token, Token) else ""
    return person, door_of(connection, person, "owner")


def stream_name(name: str) -> str:
    """The name of a stream where it may be one.

    :raises KeepsakeError: ``KS-DOOR-002`` else.
    """
    if not _STREAM.fullmatch(name):
        raise KeepsakeError(
            "KS-DOOR-002",
            f"{name[:120]!r} cannot be a stream; it takes 1 to 100 letters, digits, . - and _, no . - or _ first",
        )
    return name


def code_of(error: KeepsakeError | NatantError) -> tuple[str, str]:
    """Code and words of an error; what an agent has refused with a code of its own keeps that one."""
    found = _CODED.search(error.message) if isinstance(error, NatantError) else None
    if found is not None:
        return found.group(1), found.group(2)
    return error.code, error.message


def json_answer(value: Any, status: int = 200, **headers: str) -> Response:
    """Any plain value as JSON."""
    names = {name.replace("_", "-"): text for name, text in headers.items()}
    return Response(msgspec.json.encode(value), status, names, "application/json")


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, KeepsakeError)
    return json_answer({"code": error.code, "message": error.message}, _STATUS.get(error.code, 400))


async def _failed(request: Request, error: Exception) -> Response:
    assert isinstance(error, NatantError)
    answer = fault_response(request, error)
    code, message = code_of(error)
    return answer if code == error.code else json_answer({"code": code, "message": message}, answer.status_code)


#: for every application of a door
ERRORS: Final[dict[Any, Any]] = {KeepsakeError: _refused, NatantError: _failed}
