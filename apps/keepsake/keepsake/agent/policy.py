"""Who gets in, and what they reach: a token reaches what is below its own person, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from natant import Identity, Record, Refusal

from keepsake.errors import KeepsakeError
from keepsake.key import Token, Tokens

__all__ = ["authenticator", "policy"]

#: lanes that a worker needs: what waits, and what it tells
_WORKER: Final = frozenset(("pieces", "heard", "hears", "vanish"))
#: lanes that only agents use among themselves, so that nobody brings a person what their own agents did not say
_INNER: Final = frozenset(
    (
        *(
            "answered",
            "asked",
            "capsule_changed",
            "erase",
            "forwarded",
            "heard",
            "heed",
            "hears",
            "hold",
            "keep",
            "kept",
            "noted",
        ),
        *("pieces", "rated", "sealed", "unlock", "unlocked", "vanish"),
    )
)
#: commands of a stream that a device may send
_DEVICE: Final = frozenset(("take", "end", "received", "samples", "state"))


def authenticator(tokens: Tokens, now: Callable[[], float]) -> Callable[[Any, str], Identity | Refusal]:
    """Who shows a token of this service is let in; nobody else is."""

    def check(credentials: Any, _request_uri: str) -> Identity | Refusal:
        text = credentials.get("token") if isinstance(credentials, Record) else None
        try:
            token = tokens.read(text if isinstance(text, str) else "", now=now())
        except KeepsakeError:
            return Refusal()
        return Identity(token.person or "worker", token)

    return check


def policy(identity: Identity, verb: str, node: str, lane: str) -> bool:
    """Everybody reaches what is below their own person, and nothing else."""
    token = identity.claims
    if not isinstance(token, Token):
        return False
    if token.role == "worker":
        return verb == "describe" or lane in _WORKER
    own = f"/person/{token.person}"
    if verb == "open":
        return True  # the doors look at the person themselves, in the path
    if node != own and not node.startswith(own + "/"):
        return False
    if verb == "describe":
        return token.role == "owner"
    if token.role == "device":
        return node.startswith(own + "/stream/") and lane in _DEVICE
    return lane not in _INNER
