"""The limits and durations of a host, in one place.  Units are last in each name."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Config"]


@dataclass(frozen=True, slots=True)
class Config:
    """How a host behaves.

    :ivar idle_timeout_s: an agent nobody touched for so long is stopped; its state stays in the store.  0: never.
    :ivar turn_timeout_s: an asynchronous turn that takes longer is cancelled and parked.
    :ivar mailbox_limit: deliveries that may wait for one busy agent.
    :ivar link_limit: links that one connection may hold.
    :ivar queue_limit: events that a link of a supply, command or list lane may hold back.
    :ivar id_window: command ids that an agent remembers.
    :ivar parked_limit: failures that an agent keeps.
    :ivar tick_budget: deliveries between agents within one tick of the loop, so that two agents in endless talk cannot stop the rest.
    :ivar downlink_limit: downlinks that one agent may hold.
    """

    idle_timeout_s: float = 300.0
    turn_timeout_s: float = 30.0
    mailbox_limit: int = 1024
    link_limit: int = 10_000
    queue_limit: int = 1024
    id_window: int = 1024
    parked_limit: int = 100
    tick_budget: int = 10_000
    downlink_limit: int = 10_000
