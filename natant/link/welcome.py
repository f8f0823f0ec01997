"""Examining credentials: what a peer that sends ``@auth`` is told, and whether it may stay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from natant.codec import recon, warp
from natant.codec.recon.value import Absent
from natant.errors import CodecError
from natant.link.identity import Identity, Refusal

__all__ = ["Verdict", "examine"]


class Verdict(NamedTuple):
    """What follows from credentials.

    :ivar identity: who the peer is from now on; None: as before.
    :ivar answer: what it is told; may be empty.
    :ivar close_reason: why its connection is closed (code 1008); empty where it stays.
    """

    identity: Identity | None
    answer: str
    close_reason: str = ""


def examine(
    authenticator: Callable[[Any, str], Identity | Refusal | None] | None,
    credentials: Any,
    request_uri: str,
    broken: Callable[[BaseException], None],
) -> Verdict:
    """Ask the authenticator of the plane; without one everybody is welcome.

    :param broken: told what the authenticator raised; the peer is refused then.
    :raises CodecError: where it could not read the credentials.
    """
    if authenticator is None:
        return Verdict(None, "@authed")
    try:
        verdict = authenticator(credentials, request_uri)
    except CodecError:
        raise
    except Exception as error:
        broken(error)
        verdict = None
    if isinstance(verdict, Identity):
        body = verdict.shown
        return Verdict(verdict, "@authed" if body is Absent else warp.join("@authed", recon.encode_body(body)))
    reason = str(verdict.error) if isinstance(verdict, Refusal) and verdict.error is not None else ""
    if isinstance(verdict, Refusal) and verdict.is_forbidden:
        return Verdict(None, "", reason or "Forbidden")
    return Verdict(None, "@deauthed", reason or "Unauthorized")
