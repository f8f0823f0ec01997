"""What the kernel tells people.  Everything goes through the standard ``logging``, under ``natant``.

Messages about one cause are thinned out: a client that sends a thousand wrong commands is worth one line a second,
with a count.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final

__all__ = ["Log"]

#: at most one line a second for each cause
QUIET_S: Final = 1.0
#: causes that are told apart; past that they share one
CAUSE_LIMIT: Final = 1000


class Log:
    """The kernel's log.

    :param now: the clock by which repeated lines are thinned out.
    """

    def __init__(self, now: Callable[[], float] = lambda: 0.0) -> None:
        self.logger = logging.getLogger("natant")
        self._now = now
        self._last: dict[tuple[str, ...], tuple[float, int]] = {}

    def _thin(
        self, level: int, cause: tuple[str, ...], message: str, *values: Any, error: BaseException | None = None
    ) -> None:
        if len(self._last) >= CAUSE_LIMIT:
            self._last.clear()
        now = self._now()
        last, held = self._last.get(cause, (float("-inf"), 0))
        if now - last < QUIET_S:
            self._last[cause] = (last, held + 1)
            return
        self._last[cause] = (now, 0)
        if held:
            message += " (%d more like it were held back)"
            values = (*values, held)
        self.logger.log(level, message, *values, exc_info=error)

    def rejected(self, node: str, lane: str, error: Exception) -> None:
        """A command whose body does not fit."""
        self._thin(logging.WARNING, ("rejected", lane), "command to %s %s refused: %s", node, lane, error)

    def failed(self, node: str, label: str, error: Exception) -> None:
        """A turn that was rolled back."""
        self._thin(logging.ERROR, ("failed", label), "turn %s of %s failed: %s", label, node, error)

    def parked(self, node: str, label: str, entry: str, error: BaseException) -> None:
        """A turn that was rolled back and parked."""
        message = "turn %s of %s raised, rolled back, parked as %s"
        self._thin(logging.ERROR, ("parked", label, type(error).__name__), message, label, node, entry, error=error)

    def broken(self, what: str, error: BaseException) -> None:
        """Something raised where nothing should; it was left out, and all else goes on."""
        cause = ("broken", type(error).__name__, what.partition(" ")[0])
        self._thin(logging.ERROR, cause, "%s failed: %s: %s", what, type(error).__name__, error, error=error)

    def unjoined(self, node: str, source: str, lane: str, reason: str) -> None:
        """A join or downlink of an agent that was refused or ended by the other side."""
        self._thin(logging.WARNING, ("unjoined", reason), "join of %s with %s %s ended: %s", node, source, lane, reason)

    def undeliverable(self, node: str, lane: str, why: str) -> None:
        """A command to nobody."""
        self._thin(logging.WARNING, ("undeliverable", why), "command to %s %s dropped: %s", node, lane, why)

    def store_failed(self, error: Exception) -> None:
        """A commit that did not succeed."""
        self._thin(logging.ERROR, ("store",), "commit failed, it is tried again: %s", error)

    def overflow(self, node: str, lane: str, what: str) -> None:
        """A queue that reached its bound."""
        self._thin(logging.WARNING, ("overflow", lane, what), "queue of a link to %s %s is full: %s", node, lane, what)

    def protocol(self, remote: str, error: Exception) -> None:
        """A connection that broke the protocol."""
        self._thin(logging.WARNING, ("protocol",), "connection from %s closed: %s", remote, error)
