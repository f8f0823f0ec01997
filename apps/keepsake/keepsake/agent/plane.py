"""The plane: agents bound to a house, and who gets in."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from natant import Agent, Config, Plane

from keepsake.agent.capsule import Capsule, Vault
from keepsake.agent.home import Home
from keepsake.agent.person import Person
from keepsake.agent.policy import authenticator, policy
from keepsake.agent.question import Question
from keepsake.agent.stream import Stream
from keepsake.agent.suggestion import Suggestion
from keepsake.key import Tokens

if TYPE_CHECKING:
    from keepsake.pipeline.house import House

__all__ = ["NAME", "make_plane"]

NAME: Final = "keepsake"
AGENTS: Final[tuple[type[Home], ...]] = (Person, Stream, Question, Suggestion, Capsule, Vault)
#: an agent that nobody uses is put to sleep; its state is on the disk
IDLE_S: Final = 120.0


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
