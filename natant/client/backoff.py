"""How long to wait before the next try, and when a silent host is dead.  Sans-io: told the time, they tell what to do."""

from __future__ import annotations

from random import Random

from natant.client.timing import BACKOFF_CAP_S, BACKOFF_FACTOR, BACKOFF_FIRST_S, PING_IDLE_S, PONG_WAIT_S

__all__ = ["Backoff", "Heartbeat"]


class Backoff:
    """Waits that grow: at random between 0.5 and 1.5 s first, then 1.8 times as long each, up to 15 s.

    The random start keeps the clients of a restarted host from coming back all at once.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._wait_s = 0.0

    def next(self) -> float:
        """Seconds to wait now."""
        if self._wait_s == 0.0:
            self._wait_s = self._random.uniform(*BACKOFF_FIRST_S)
        else:
            self._wait_s = min(self._wait_s * BACKOFF_FACTOR, BACKOFF_CAP_S)
        return self._wait_s

    def reset(self) -> None:
        """The last try went well."""
        self._wait_s = 0.0


class Heartbeat:
    """Decides when to ping a silent host, and when to give it up.

    SwimOS hosts never ping, and Java hosts drop what was quiet for 90 s: so it is for the client to ping.
    """

    def __init__(self) -> None:
        self._pinged_s: float | None = None

    def check(self, now_s: float, heard_s: float) -> tuple[str, float]:
        """What to do, and seconds until the next check: ``wait``, ``ping`` or ``dead``."""
        if self._pinged_s is not None:
            if heard_s >= self._pinged_s:
                self._pinged_s = None
            elif now_s - self._pinged_s >= PONG_WAIT_S:
                return "dead", 0.0
            else:
                return "wait", self._pinged_s + PONG_WAIT_S - now_s
        left_s = heard_s + PING_IDLE_S - now_s
        if left_s > 0:
            return "wait", left_s
        self._pinged_s = now_s
        return "ping", PONG_WAIT_S
