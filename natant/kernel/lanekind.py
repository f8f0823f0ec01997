"""What the kernel expects of a lane; :mod:`natant.lane` holds the kinds.  A hot module: types for Cython are in ``lanekind.pxd``."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from natant.kernel.cell import Cell

__all__ = ["LaneKind", "Reader"]


class LaneKind:
    """A lane of an agent class.

    :ivar again: how a command to it that was parked can be done again, see :class:`~natant.kernel.turn.Work`.
    :cvar conflation: how a link queues what it could not yet send: ``latest``, ``keyed``, ``ordered`` or ``queue``.
    """

    kind = ""
    conflation = "latest"

    def __init__(self, name: str = "", is_volatile: bool = False) -> None:
        self.name = name
        self.index = -1
        self.is_volatile = is_volatile
        self.again: tuple[str, str] = ("command", name)

    def receive(self, cell: Any, body: Any) -> Any:
        """Take a command from outside, within a turn.  May return a coroutine, which is then the rest of the turn.

        A lane that takes none ignores it.

        :raises FormError: where the body does not fit the lane.
        """
        return None

    def snapshot(self, cell: Any, uri: str = "") -> Iterator[tuple[str | None, str]]:
        """The state as ``(key text or None, event body)`` pairs in the order of a sync; ``uri`` is the lane as the peer wrote it."""
        return iter(())

    def reader(self, cell: Any, uri: str = "") -> Reader:
        """What reads the state part by part."""
        return Reader(self.snapshot(cell, uri))

    def entry(self, cell: Any, key: Any) -> str | None:
        """The event body of one entry of a keyed lane, None where it is not there (any more)."""
        return None

    def read(self, cell: Any) -> Any:
        """The state as one Recon value."""
        raise AssertionError("each kind has its own")

    def describe(self) -> dict[str, Any]:
        """Name, kind and types, for people and programs."""
        raise AssertionError("each kind has its own")

    def has_lost(self, cell: Cell) -> bool:
        """True where a client that saw an earlier state may hold entries that are gone."""
        return False


class Reader:
    """Reads the state of a lane part by part, as a sync sends it, so that other links get their turn in between.

    :ivar is_done: there is no more.
    """

    __slots__ = ("_bodies", "is_done")

    def __init__(self, bodies: Iterator[tuple[str | None, str]]) -> None:
        self._bodies: Any = bodies
        self.is_done = False

    def read(self, count: int) -> list[str]:
        """The bodies of the next events, ``count`` at most."""
        part = [body for _, body in islice(self._bodies, count)]
        self.is_done = len(part) < count
        return part
