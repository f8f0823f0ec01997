"""What the kernel expects of a lane; :mod:`natant.lane` holds the kinds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from natant.kernel.cell import Cell

__all__ = ["LaneKind"]


class LaneKind(Protocol):
    """A lane of an agent class."""

    name: str
    index: int
    kind: str
    #: how a link queues what it could not yet send: ``latest``, ``keyed``, ``ordered``, ``queue``, ``cue`` or ``keyed_cue``
    conflation: str
    is_volatile: bool

    def receive(self, cell: Any, body: Any) -> Any:
        """Take a command from outside, within a turn.  May return a coroutine, which is then the rest of the turn.

        :raises FormError: where the body does not fit the lane.
        """

    def snapshot(self, cell: Any, uri: str) -> Iterator[tuple[str | None, str]]:
        """The state as ``(key text, event body)`` pairs in the order of a sync; ``uri`` is the lane as the peer wrote it."""

    def entry(self, cell: Any, key: Any) -> str | None:
        """The event body of one entry of a keyed lane, None where it is not there (any more)."""

    def read(self, cell: Any) -> Any:
        """The state as one Recon value."""

    def describe(self) -> dict[str, Any]:
        """Name, kind and types, for people and programs."""

    def has_lost(self, cell: Cell) -> bool:
        """True where a client that saw an earlier state may hold entries that are gone."""
