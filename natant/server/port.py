"""What the server needs from the rest of natant, as types.

The server knows a host by this protocol only, so it can be tested with a small fake and cannot reach into the kernel.
"""

from __future__ import annotations

from typing import Any, Protocol

from natant.link.hub import Identity
from natant.link.sink import Sink

__all__ = ["HostPort", "SessionPort"]


class SessionPort(Protocol):
    """One peer's session."""

    def receive(self, payload: str | bytes) -> None:
        """Take one message; raises WarpError where it is none."""

    def end_read(self) -> None:
        """All messages of one read have been given."""

    def resume(self) -> None:
        """The sink can be written again."""

    def close(self, reason: str = ...) -> None:
        """The connection has ended."""


class HostPort(Protocol):
    """The host of a plane."""

    plane: Any
    counters: Any
    #: other workers have a share of the plane: what is asked of this one can be done while it leaves
    is_shared: bool

    def connect(self, sink: Sink, *, remote: str, request_uri: str = ...) -> Any:
        """A session for one peer connection."""

    async def command(
        self, node: str, lane: str, value: Any, *, command_id: str | None = ..., identity: Identity = ...
    ) -> Any:
        """Run a command; returns after its commit."""

    async def read(self, node: str, lane: str, *, identity: Identity = ..., fresh: bool = ...) -> Any:
        """The committed state of a lane; ``fresh``: as of a time after the call, whoever else may have taken it over."""

    async def describe(self, node: str) -> dict[str, Any]:
        """What a node is and which lanes it has."""

    async def nodes(self, prefix: str = ..., *, limit: int = ..., after: str | None = ...) -> list[dict[str, Any]]:
        """The nodes below a prefix."""

    def lane(self, node: str, lane: str) -> Any:
        """Name, kind and types of a lane."""

    async def quiesce(self) -> None:
        """Take no more work; return when what was under way is durable and shown."""

    def health(self) -> dict[str, Any]:
        """Whether the host can work."""
