"""The work that is compared: what one airport of the flights example keeps of itself, event by event.

Its totals, the flights of the last 60 minutes with their sum, and its delay wave: the rules of ``natant/demo/flights/rule.py``, the same
for all.  Here is the state as one plain object, for those who have no lanes; ``bench/compare/on_natant.py`` has it as an agent.
"""

from __future__ import annotations

import hashlib
import itertools
from typing import Any

import msgspec

from natant.demo.flights import rule
from natant.demo.flights.message import Arrival, Bucket, Cancellation, Departure, Movements, Wave, Weather, Window
from natant.demo.flights.replay import replay

__all__ = ["Airport", "Event", "digest", "events", "packed", "unpacked"]

#: the airport's code, the kind of event, the event
Event = tuple[str, str, Any]
KINDS = frozenset({"depart", "arrive", "scrub", "observe"})


class Airport(msgspec.Struct):
    """All that one airport keeps."""

    movements: Movements = Movements()
    minutes: dict[int, Bucket] = {}
    window: Window = Window()
    wave: Wave = Wave()

    def apply(self, event: Departure | Arrival | Cancellation | Weather) -> None:
        """Something happens there."""
        if type(event) is Departure:
            self.movements = rule.add_departure(self.movements, event)
            self._roll(event.at, event.delay)
        elif type(event) is Arrival:
            self.movements = rule.add_arrival(self.movements, event)
            if event.delay is not None:
                self._roll(event.at, event.delay)
        elif type(event) is Cancellation:
            self.movements = rule.add_cancellation(self.movements)
        else:
            assert type(event) is Weather
            self._roll(event.at, None)

    def _roll(self, at: int, delay: int | None) -> None:
        minute = at // 60
        minutes = self.minutes
        flights, total = self.window.flights, self.window.delay
        for old in list(minutes):
            if old > minute - rule.WINDOW_MIN:
                break
            gone = minutes.pop(old)
            flights -= gone.flights
            total -= gone.delay
        if delay is not None:
            minutes[minute] = rule.with_flight(minutes.get(minute), delay)
            flights += 1
            total += delay
        self.window = Window(at, flights, total)
        self.wave = rule.next_wave(self.wave, self.window)


def events(count: int) -> list[Event]:
    """The first of the year's events that concern an airport's own state, in their order."""
    found = (
        (item.node.removeprefix("/airport/"), item.lane, item.value)
        for item in replay(0)
        if item.node.startswith("/airport/") and item.lane in KINDS
    )
    return list(itertools.islice(found, count))


def digest(states: dict[str, Airport]) -> str:
    """The same for the same states."""
    text = msgspec.json.encode({code: states[code] for code in sorted(states)})
    return f"{len(states)} airports, {hashlib.sha256(text).hexdigest()[:16]}"


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Airport)


def packed(airport: Airport) -> bytes:
    """An airport as bytes: MessagePack, with the types known on both sides, which is as fast as it gets in Python."""
    return _ENCODER.encode(airport)


def unpacked(kept: bytes) -> Airport:
    """An airport from its bytes."""
    return _DECODER.decode(kept)
