"""What a person's agent shows, made from the store when the agent comes to life."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from keepsake.agent.permission import states
from keepsake.agent.value import GrantState, Line, Tally
from keepsake.model.lexicon import Lexicon
from keepsake.pipeline.house import House
from keepsake.record import Memory
from keepsake.store.contract import Filter
from keepsake.words.date import tell

__all__ = ["Picture", "line", "picture"]

#: memories in which categories are counted, the newest
RECENT: Final = 2000
#: names of a kind that are shown, those that come up most
NAMES: Final = 500


@dataclass(frozen=True, slots=True)
class Picture:
    """Lines, oldest first, how often who and what was named, and what was granted."""

    lines: list[Line] = field(default_factory=list)
    people: dict[str, Tally] = field(default_factory=dict)
    places: dict[str, Tally] = field(default_factory=dict)
    categories: dict[str, Tally] = field(default_factory=dict)
    grants: dict[str, GrantState] = field(default_factory=dict)


def line(memory: Memory) -> Line:
    """A memory as it is shown in a list."""
    return Line(
        memory=memory.id,
        said_at=memory.said_at,
        text=memory.text,
        speaker=memory.speaker,
        names=[(entity.label, entity.name) for entity in memory.entities],
        areas=[area.name for area in memory.areas],
        app=memory.source.app,
        meant=tell(memory.meant[0], memory.said_at) if memory.meant else "",
    )


def picture(house: House, person: str, count: int) -> Picture:
    """The last lines of a person, and the names of all memories.  Blocks."""
    with house.shelf.desk(person) as desk:
        memories = desk.store.timeline(Filter(), limit=max(count, RECENT))
        lexicon = desk.model.lexicon.copy()
        while new := desk.store.memories(after=lexicon.built_to):
            lexicon.count(new)
            lexicon.built_to = new[-1].seq
        grants = states(desk)
    categories: Counter[str] = Counter()
    last: dict[str, float] = {}
    for memory in memories:
        for area in memory.areas:
            categories[area.name] += 1
            last.setdefault(area.name, memory.said_at)
    return Picture(
        lines=[line(memory) for memory in reversed(memories[:count])],
        people=_tallies(lexicon, "person"),
        places=_tallies(lexicon, "place"),
        grants=grants,
        categories={name: Tally(number, last[name]) for name, number in categories.items()},
    )


def _tallies(lexicon: Lexicon, label: str) -> dict[str, Tally]:
    return {name: Tally(count, last) for name, (count, last) in lexicon.tallies(label, NAMES).items()}
