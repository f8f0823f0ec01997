"""The plane: agents bound to a house, who gets in, and the queues."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from natant import Agent, Config, Identity, Plane, Record, Refusal

from keepsake.agent.capsule import Capsule, Vault
from keepsake.agent.home import Home
from keepsake.agent.person import Person
from keepsake.agent.question import Question
from keepsake.agent.stream import Stream
from keepsake.errors import KeepsakeError
from keepsake.key import Token, Tokens

if TYPE_CHECKING:
    from keepsake.pipeline.house import House

__all__ = ["NAME", "authenticator", "make_plane", "policy"]

NAME: Final = "keepsake"
AGENTS: Final[tuple[type[Home], ...]] = (Person, Stream, Question, Capsule, Vault)
#: an agent that nobody uses is put to sleep; its state is on the disk
IDLE_S: Final = 120.0

#: lanes that a worker needs: what waits, and what it tells
_WORKER: Final = frozenset(("pieces", "heard", "hears", "vanish"))
#: lanes that only agents use among themselves, so that nobody brings a person what their own agents did not say
_INNER: Final = frozenset(
    (
        "asked",
        "answered",
        "noted",
        "rated",
        "heard",
        "hears",
        "pieces",
        "unlock",
        "unlocked",
        "kept",
        "sealed",
        "hold",
        "capsule_changed",
        "keep",
    )
)
#: commands of a stream that a device may send
_DEVICE: Final = frozenset(("take", "end", "received", "state"))


def make_plane(house: House) -> Plane:
    """A plane over a house; two in one process share nothing."""
    agents: list[type[Agent]] = [type(cls.__name__, (cls,), {"house": house, "__doc__": cls.__doc__}) for cls in AGENTS]
    return Plane(
        NAME,
        agents,
        config=Config(idle_timeout_s=IDLE_S),
        authenticator=authenticator(Tokens(house.ring), time.time),
        policy=policy,
        is_private=True,
        meta=False,
    )


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
        return lane in _WORKER
    own = f"/person/{token.person}"
    if verb == "open":
        return True  # the doors look at the person themselves, in the path
    if node != own and not node.startswith(own + "/"):
        return False
    if token.role == "device":
        return node.startswith(own + "/stream/") and lane in _DEVICE
    return lane not in _INNER
