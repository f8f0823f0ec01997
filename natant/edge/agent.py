"""The agent that an edge has beside those of its plane: ``/natant/hub`` stands for the hub.

====================  ============  ==============================================================================
lane                  kind          what
====================  ============  ==============================================================================
``forward``           command       ``{node, lane, value}``: a command for an agent of the hub, kept and passed on
``copy``, ``forget``  command       ``{node, lane}``: keep a copy of that lane of the hub, or no longer
``copies``            map           by ``NODE?lane=LANE``: the copy, and what hindered the newest try
``seen``              value         when the hub last told the state of all copies, in epoch seconds; 0: never
``age``               demand        seconds since then
``status``            demand        whether the hub is there, what waits, what has been done
====================  ============  ==============================================================================

A capture is thus a turn like any other: durable before it is acknowledged, once for each command id, in order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from natant import lane
from natant.agent import Agent
from natant.codec import uri
from natant.errors import Refused
from natant.kernel.outbox import HUB

__all__ = ["NODE", "Copy", "Forward", "HubAgent", "Target", "copy_key", "hub_agent"]

NODE: Final = "/natant/hub"
#: copies that an edge may keep
COPY_LIMIT: Final = 1000


@dataclass(frozen=True, slots=True)
class Forward:
    """A command for an agent of the hub."""

    node: str
    lane: str
    value: Any = None


@dataclass(frozen=True, slots=True)
class Target:
    """A lane of the hub."""

    node: str
    lane: str


@dataclass(frozen=True, slots=True)
class Copy:
    """What an edge has of a lane of the hub.

    :ivar value: the state, as links show it; null until it was first told.
    :ivar digest: of its Recon.
    :ivar changed: when it was told to be another than before, in epoch seconds.
    :ivar error: why it could not be told at the last try; empty where it was.
    """

    node: str
    lane: str
    value: Any = None
    digest: str = ""
    changed: float = 0.0
    error: str = ""


def copy_key(node: str, lane: str) -> str:
    """The key of a copy: the lane's address over HTTP."""
    return f"{uri.resolve(node)[1]}?lane={quote(lane, safe='')}"


class HubAgent(Agent):
    """Stands for the hub; the class that is served is made by :func:`hub_agent`."""

    copies = lane.map(str, Copy)
    seen = lane.value(float, default=0.0)

    @lane.command
    def forward(self, item: Forward) -> None:
        """Pass a command on to the hub as soon as it is there."""
        self.send(item.node, item.lane, item.value, host=HUB)

    @lane.command
    def copy(self, target: Target) -> None:
        """Keep a copy of a lane of the hub."""
        name = copy_key(target.node, target.lane)
        if name in self.copies:
            return
        if len(self.copies) >= COPY_LIMIT:
            raise Refused(f"this edge keeps {COPY_LIMIT} copies, its bound; forget one first")
        self.copies[name] = Copy(uri.resolve(target.node)[1], target.lane)

    @lane.command
    def forget(self, target: Target) -> None:
        """Keep no copy of that lane any more."""
        self.copies.pop(copy_key(target.node, target.lane), None)


def hub_agent(now: Callable[[], float], facts: Callable[[], dict[str, Any]]) -> type[HubAgent]:
    """The class of the agent for one edge.

    :param now: the time, in epoch seconds.
    :param facts: what ``status`` shows.
    """

    class Hub(HubAgent, route=NODE):
        """The hub, as far as this edge knows it."""

        age = lane.demand(float)
        status = lane.demand(dict[str, Any])

        @age.cue
        def _age(self) -> float | None:
            return None if not self.seen else max(0.0, round(now() - self.seen, 3))

        @status.cue
        def _status(self) -> dict[str, Any]:
            return facts()

    return Hub
