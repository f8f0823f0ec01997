"""What all agents of a person share: whose they are, and what the process has for them.

A plane's agents are subclasses, made by `keepsake.agent.plane`, that carry the `House`; so two planes in one process do not meet.
"""

from __future__ import annotations

from typing import ClassVar

from natant import Agent, command

from keepsake.key import PersonKey
from keepsake.pipeline.house import House

__all__ = ["Home"]


class Home(Agent):
    """An agent that belongs to a person: its route begins with ``/person/{person}``."""

    house: ClassVar[House]
    person: str

    def key(self) -> PersonKey:
        """The person's key.

        :raises KeepsakeError: ``KS-KEY-001`` where the person was deleted or never there.
        """
        return self.house.ring.key(self.person)

    @property
    def owner(self) -> str:
        """URI of the person's agent."""
        return f"/person/{self.person}"

    @command
    def vanish(self) -> None:
        """Remove this agent with all that it holds."""
        self.remove()
