"""What a turn changes in a lane, in the form in which links publish it.

An event holds text: the value was encoded once, for the journal and for all links together.  A hot module: types for Cython are
in ``change.pxd``.
"""

from __future__ import annotations

from typing import Final

__all__ = ["CLEAR", "DROP", "MOVE", "PUSH", "REMOVE", "SET", "TAKE", "UPDATE", "Event", "Watcher"]

SET: Final = 0
UPDATE: Final = 1
REMOVE: Final = 2
CLEAR: Final = 3
TAKE: Final = 4
DROP: Final = 5
PUSH: Final = 6
MOVE: Final = 7
CUE: Final = 8


class Event:
    """One change of one lane, ready to be offered to its links.

    :ivar lane: index of the lane in its agent class.
    :ivar op: one of the constants of this module.
    :ivar key: Recon text of the key (maps: of the entry, demand maps: of the cue), None where there is none.
    :ivar body: the body of the WARP event.
    :ivar removed: for ``TAKE`` and ``DROP``, the Recon texts of the keys that went.
    """

    __slots__ = ("body", "header", "key", "lane", "op", "payload", "removed")

    def __init__(self, lane: int, op: int, body: str, key: str | None = None, removed: tuple[str, ...] = ()) -> None:
        self.lane = lane
        self.op = op
        self.body = body
        self.key = key
        self.removed = removed
        #: the envelope of this event for the links whose envelopes start with ``header``
        self.header: str | None = None
        self.payload = b""

    def __repr__(self) -> str:
        return f"Event(lane={self.lane}, op={self.op}, key={self.key!r}, body={self.body!r})"


class Watcher:
    """Somebody who is told of each change of a lane: an uplink."""

    __slots__ = ()

    def offer(self, event: Event) -> None:
        """Take a change of the lane."""
        raise AssertionError("each kind has its own way")

    def fail(self, error: Exception) -> None:
        """A change could not be taken."""
        raise AssertionError("each kind has its own way")
