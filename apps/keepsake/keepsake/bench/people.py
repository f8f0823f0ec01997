"""A synthetic person: as many messages as wanted, the same for the same seed, with questions whose answers are known.

For load, for measuring and for tests.  A message follows from the seed and its number alone, so any slice can be had without the
rest.  It is no likeness of anybody, and figures of quality measured on it say how well the machinery works, not how well it
would work for people.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from keepsake.bench.scene import (
    AREAS,
    CHATTER,
    CODAS,
    GIVEN,
    MOODS,
    OPENINGS,
    PLACE_HEADS,
    PLACE_TAILS,
    PRIVATE,
    WHENS,
)
from keepsake.record import Kind, Message, Question, Source

__all__ = ["Asked", "Event", "SyntheticPerson"]

#: 1 January 2018, 00:00 UTC: when the first message was said
BEGIN: Final = 1_514_764_800.0
DAY_S: Final = 86_400.0
#: the first message of a day, and how long people are awake
WAKE_S: Final = 7 * 3600.0
AWAKE_S: Final = 16 * 3600.0

#: shares of what messages are, in thousandths: up to here, then the next
EVENT, PRIVATE_UP_TO, FACT, REPEAT = 560, 590, 605, 640

FOOD: Final = ("milk", "bread", "two lemons", "coffee", "tomatoes", "batteries", "a cake", "rice")
TRADES: Final = ("baker", "nurse", "plumber", "teacher", "lawyer", "gardener", "pilot", "tailor")


@dataclass(frozen=True, slots=True)
class Event:
    """What a message tells: who did what where.

    :ivar area: the area of life, or a category of the person's own.
    :ivar way: which pair of statement and question of the area; -1 where there is no question.
    """

    area: str
    who: str
    place: str
    thing: str
    way: int

    @property
    def key(self) -> tuple[str, str, str, int]:
        """The same for events that answer the same question."""
        return (self.area, self.place, self.thing, self.way)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with what answers it.

    :ivar gold: ids of the messages that do; empty: nothing was ever said of it.
    :ivar answer: a word that a right answer has.
    """

    question: Question
    gold: tuple[str, ...]
    answer: str


class SyntheticPerson:
    """A person of ``size`` messages, 1 to ``size``.

    :param per_day: messages a day; 100,000 at 35 a day are nearly eight years.
    """

    def __init__(self, seed: int = 1, *, size: int = 100_000, per_day: int = 35) -> None:
        self.seed = seed
        self.size = size
        self.per_day = per_day
        rng = random.Random(f"{seed}/world")
        surnames = [
            rng.choice(PLACE_HEADS) + rng.choice(("sen", "sky", "mann", "ley", "oni", "dottir", "aux"))
            for _ in range(90)
        ]
        self.circle = tuple(dict.fromkeys([*GIVEN, *(f"{rng.choice(GIVEN)} {surname}" for surname in surnames)]))
        self.places = tuple(dict.fromkeys(rng.choice(PLACE_HEADS) + rng.choice(PLACE_TAILS) for _ in range(120)))
        self.friends = tuple(rng.sample(GIVEN, 8))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All people and places that are spoken of."""
        return (*self.circle, *self.places)

    def _rng(self, number: int) -> random.Random:
        # An integer seeds without hashing, which is most of the cost of a message.
        return random.Random((self.seed << 32) | number)

    def said_at(self, number: int) -> float:
        """When a message was said: in order, spread over the hours awake."""
        day, place = divmod(number - 1, self.per_day)
        return BEGIN + day * DAY_S + WAKE_S + place * (AWAKE_S / self.per_day)

    def _who(self, rng: random.Random) -> str:
        # Few are spoken of often, most seldom: the square bends it.
        return self.circle[int(rng.random() ** 2 * len(self.circle))]

    def event(self, number: int) -> Event | None:
        """What a message tells; None for talk that tells nothing."""
        rng = self._rng(number)
        kind = rng.randrange(1000)
        if kind < EVENT:
            area = rng.choice(AREAS)
            way = rng.randrange(len(area.ways))
            return Event(area.name, self._who(rng), rng.choice(self.places), rng.choice(area.things), way)
        if kind < PRIVATE_UP_TO:
            name, words = rng.choice(PRIVATE)
            return Event(name, "", "", rng.choice(words), -1)
        return None

    def body(self, number: int) -> str:
        """The text of a message."""
        rng = self._rng(number)
        kind = rng.randrange(1000)
        event = self.event(number)
        tail = random.Random((self.seed << 33) | number)
        if event is not None and event.way < 0:
            return f"{event.thing} {tail.choice(WHENS)}, feeling {tail.choice(MOODS)}."
        if event is not None:
            area = next(area for area in AREAS if area.name == event.area)
            words = {"when": tail.choice(WHENS), "coda": tail.choice(CODAS) + ".", "who": event.who}
            text = area.ways[event.way][0].format(**words, place=event.place, thing=event.thing)
            return tail.choice(OPENINGS) + text[0].upper() + text[1:]
        if kind < FACT:
            who, place = self._who(tail), tail.choice(self.places)
            told = (
                f"{who} lives in {place} now.",
                f"{who} works as a {tail.choice(TRADES)} in {place}.",
                f"I have moved to {place}.",
            )
            return tail.choice(told)
        if kind < REPEAT and number > self.per_day:
            return self.body(number - tail.randrange(1, self.per_day))
        words = {
            "hour": f"{tail.randrange(1, 12)}",
            "food": tail.choice(FOOD),
            "who": self._who(tail),
            "mood": tail.choice(MOODS),
        }
        return tail.choice(CHATTER).format(**words)

    def message(self, number: int) -> Message:
        """The message of a number: a diary, chats with friends who also speak, spoken notes, pages read."""
        rng = random.Random((self.seed << 34) | number)
        channel = rng.randrange(100)
        said_at = self.said_at(number)
        if channel < 40:
            stream, kind, speaker, source = "diary", Kind.TEXT, "", Source(app="keepsake")
        elif channel < 85:
            friend = rng.choice(self.friends)
            stream, kind = f"chat-{friend.lower()}", Kind.TEXT
            speaker, source = friend if rng.random() < 0.5 else "", Source(app="whatsapp", channel=friend)
        elif channel < 95:
            stream, kind, speaker, source = (
                "note",
                Kind.AUDIO,
                "",
                Source(app="keepsake", place=rng.choice(self.places)),
            )
        else:
            stream, kind, speaker = "web", Kind.WEB, ""
            source = Source(app="browser", title=rng.choice(CODAS), url=f"https://example.org/{number}")
        return Message(f"{stream}:{number}", kind, said_at, said_at + 1.0, self.body(number), speaker, "UTC", source)

    def messages(self, start: int = 1, stop: int | None = None) -> Iterator[Message]:
        """Messages from ``start`` up to but without ``stop`` (None: all)."""
        for number in range(start, self.size + 1 if stop is None else stop):
            yield self.message(number)

    def questions(self, count: int, *, seed: int = 0, unknown: float = 0.25) -> list[Asked]:
        """Questions over all messages; a share of them asks what was never said.

        Goes through the events of all messages once: 3 s for 100,000.
        """
        told: dict[tuple[str, str, str, int], list[int]] = {}
        for number in range(1, self.size + 1):
            event = self.event(number)
            if event is not None and event.way >= 0:
                told.setdefault(event.key, []).append(number)
        rng = random.Random(f"{self.seed}/{seed}/question")
        keys = list(told)
        asked_at = self.said_at(self.size) + DAY_S
        found: list[Asked] = []
        while len(found) < count:
            area_name, place, thing, way = rng.choice(keys)
            area = next(area for area in AREAS if area.name == area_name)
            is_unknown = rng.random() < unknown
            if is_unknown:
                place = rng.choice(self.places)
                if any((area_name, place, thing, other) in told for other in range(len(area.ways))):
                    continue
            text = area.ways[way][1].format(place=place, thing=thing)
            numbers = told[area_name, place, thing, way] if not is_unknown else []
            gold = tuple(self.message(number).id for number in numbers)
            event = self.event(numbers[0]) if numbers else None
            found.append(Asked(Question(text, asked_at), gold, event.who if event is not None else ""))
        return found
