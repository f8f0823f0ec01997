"""The way of agents to the lanes of their own plane: channels that need no socket."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

from natant.link.channel import Channel
from natant.link.hub import INTERNAL, Hub

if TYPE_CHECKING:
    from natant.kernel.kernel import Kernel
    from natant.link.session import Session

__all__ = ["LOCAL_LINK_LIMIT", "HubNear", "Near", "tune"]

#: links of all agents to lanes of their own host
LOCAL_LINK_LIMIT: Final = 10_000_000


class Near(Protocol):
    """Reaches the agents of one's own plane."""

    def channel(self, node: str) -> Channel:
        """The channel to whoever has ``node``."""

    def open(self) -> None:
        """Begin to link."""

    def close(self) -> None:
        """End all links."""


def tune(session: Session) -> None:
    """Make a session one of agents: nobody is asked for leave, and its bounds are those of a whole host."""
    session.identity = INTERNAL
    session.link_limit = session.answer_limit = LOCAL_LINK_LIMIT
    session.burst = 1  # each state that is told is a turn: agents get the newest of a tick


class _Sink:
    """Gives what a host says to a channel in the same process."""

    is_paused = False

    def __init__(self, near: HubNear, broken: Callable[[str, BaseException], None]) -> None:
        self._near = near
        self._broken = broken

    def write(self, payloads: list[bytes]) -> None:
        receive = self._near.channel("").receive
        for payload in payloads:
            try:
                receive(payload)
            except Exception as error:
                self._broken("a downlink of an agent to its own host", error)

    def close(self, code: int, reason: str) -> None:
        self._near.channel("").disconnected(reason)

    def pause_reading(self) -> None:
        """Agents are held back by their mailboxes instead."""

    def resume_reading(self) -> None:
        """Agents are held back by their mailboxes instead."""


class HubNear:
    """The near of a host that has all agents of its plane."""

    def __init__(self, kernel: Kernel, hub: Hub) -> None:
        session = hub.connect(_Sink(self, kernel.broken), remote="local")
        tune(session)
        self._channel = Channel(
            session.receive, kernel.env.now, "", heard_at=kernel.env.now, link_limit=LOCAL_LINK_LIMIT
        )

    def channel(self, node: str) -> Channel:
        """The one channel."""
        return self._channel

    def open(self) -> None:
        """Begin to link."""
        self._channel.connected()

    def close(self) -> None:
        """Nothing is to be ended: the host is about to go as a whole."""
