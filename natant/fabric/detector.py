"""Who has died, and who hangs: pings, answers, and what follows from them.  Sans-io.

Each worker watches the next two in the ring of ids.  A ground tells at once that nobody listens where a ping was sent (the server
answers "no responders"): refused for ``REFUSED_S``, longer than a client takes to connect again, means dead.  No answer at all for
``SILENT_S`` means hung.  Whoever was away itself, or has only just connected again, judges nobody for a while: it would
take its own absence for theirs.  A wrong verdict costs a hand-over, never state: the fence of the journal sees to that.

Called by the fabric on NATS.  Times are seconds of a monotonic clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

__all__ = ["ALARM_EVERY_S", "PING_EVERY_S", "Detector"]

#: how often pings are sent and verdicts formed, in peace and once somebody has refused
PING_EVERY_S: Final = 0.2
ALARM_EVERY_S: Final = 0.05
#: how long nobody has listened before a worker is dead, and how many pings must have told so
REFUSED_S: Final = 0.3
REFUSALS: Final = 2
#: how long a worker may be silent before it counts as hung
SILENT_S: Final = 2.5
#: how late a tick of our own may be; later, we were away
LATE_S: Final = 1.0
#: after connecting again: how long others may take to do so, too
GRACE_S: Final = 4.0
#: how many of those behind us in the ring we watch
WATCHED: Final = 2


class _Watch:
    __slots__ = ("answered_s", "refusals", "refused_s")

    def __init__(self, now_s: float) -> None:
        self.answered_s = now_s
        self.refused_s = 0.0
        self.refusals = 0


class Detector:
    """The judgement of one worker about others.

    :param worker: ourselves.
    """

    def __init__(self, worker: str) -> None:
        self.worker = worker
        self._watches: dict[str, _Watch] = {}
        self._tick_s: float | None = None
        self._echo_s = 0.0
        self._grace_s = 0.0

    def tick(self, members: Iterable[str], now_s: float) -> list[str]:
        """Begin a round.

        :param members: all who live as far as is known.
        :returns: whom to ping now; ourselves, too, where somebody is silent: our own answer shows that the way is clear.
        """
        if self._tick_s is not None and now_s - self._tick_s > LATE_S:
            self._watches.clear()
            self._echo_s = 0.0
        self._tick_s = now_s
        ring = sorted({*members, self.worker})
        place = ring.index(self.worker)
        targets = (ring[place + 1 :] + ring[:place])[:WATCHED]
        old = self._watches
        self._watches = {name: old.get(name) or _Watch(now_s) for name in targets}
        if any(now_s - watch.answered_s > SILENT_S / 2 for watch in self._watches.values()):
            targets.append(self.worker)
        return targets

    def answered(self, worker: str, now_s: float) -> None:
        """A ping was answered."""
        if worker == self.worker:
            self._echo_s = now_s
        elif watch := self._watches.get(worker):
            watch.answered_s = now_s
            watch.refusals = 0

    def refused(self, worker: str, now_s: float) -> None:
        """Nobody listened where a ping was sent."""
        watch = self._watches.get(worker)
        if watch is None or now_s < self._grace_s:
            return
        watch.refusals += 1
        if watch.refusals == 1:
            watch.refused_s = now_s

    @property
    def is_alarmed(self) -> bool:
        """True where somebody refused: the next round should come after ``ALARM_EVERY_S`` rather than ``PING_EVERY_S``."""
        return any(watch.refusals for watch in self._watches.values())

    def is_lenient(self, now_s: float) -> bool:
        """True where others still have time to connect again, as we just have."""
        return now_s < self._grace_s

    def reconnected(self, now_s: float) -> None:
        """Our connection was away."""
        self._watches.clear()
        self._echo_s = 0.0
        self._grace_s = now_s + GRACE_S

    def verdicts(self, now_s: float) -> list[tuple[str, str]]:
        """Who is to be taken for dead, and why: worker and cause."""
        if now_s < self._grace_s:
            return []
        found = []
        is_clear = now_s - self._echo_s <= 3 * PING_EVERY_S
        for worker, watch in self._watches.items():
            refused_s = now_s - watch.refused_s
            silent_s = now_s - max(watch.answered_s, self._grace_s)
            if watch.refusals >= REFUSALS and refused_s >= REFUSED_S:
                found.append((worker, f"nobody has listened at its ping for {refused_s:.1f} s"))
            elif is_clear and silent_s >= SILENT_S:
                found.append((worker, f"it has not answered for {silent_s:.1f} s"))
        return found
