"""Who sends an HTTP request: the bearer token of ``Authorization``, asked of the plane's authenticator.

The authenticator gets the credentials in the form that ``@auth`` has over WARP, ``{token: ...}``, so one function serves both.
Source: RFC 6750, 2.1 (bearer tokens).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import HTTPConnection

from natant.codec.recon.value import Record
from natant.errors import NatantError, ServerError
from natant.link.hub import ANONYMOUS, Identity, Refusal

if TYPE_CHECKING:
    from natant.server.service import Service

__all__ = ["admit", "identify", "is_known"]


def identify(service: Service, request: HTTPConnection) -> Identity:
    """The identity of a request; anonymous where it carries no token or the plane has no authenticator.

    :raises NatantError: ``NT-SERVER-019`` where the token is refused, or what the authenticator says of it.
    """
    authenticator = service.host.plane.authenticator
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if authenticator is None or scheme.lower() != "bearer":
        return ANONYMOUS
    verdict = authenticator(Record.of({"token": token.strip()}), request.url.path)
    if isinstance(verdict, Identity):
        return verdict
    if isinstance(verdict, Refusal) and verdict.error is not None:
        raise verdict.error
    if isinstance(verdict, Refusal) and verdict.is_forbidden:
        raise ServerError("NT-SERVER-019", "whoever holds this token is barred here", http_status=403)
    raise ServerError("NT-SERVER-019", "the bearer token was refused", http_status=401)


def admit(service: Service, request: HTTPConnection) -> None:
    """Let nobody without credentials into a private plane.

    :raises ServerError: ``NT-SERVER-020``; or what :func:`identify` raises.
    """
    if service.host.plane.is_private and not identify(service, request).name:
        raise ServerError(
            "NT-SERVER-020", "this plane tells nothing to strangers; send Authorization: Bearer TOKEN", http_status=401
        )


def is_known(service: Service, request: HTTPConnection) -> bool:
    """True where the request shows who sends it, and rightly so."""
    try:
        return bool(identify(service, request).name)
    except NatantError:
        return False
