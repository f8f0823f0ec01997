"""What a person's agent shows, made from the store when the agent comes to life."""

from __future__ import annotations

from dataclasses import dataclass, field

from keepsake.agent.value import Line, Tally
from keepsake.pipeline.house import House
from keepsake.record import Memory
from keepsake.store.contract import Filter
from keepsake.words.date import tell

__all__ = ["Picture", "line", "picture"]


@dataclass(frozen=True, slots=True)
class Picture:
    """Lines, oldest first, and how often who and what was named."""

    lines: list[Line] = field(default_factory=list)
    people: dict[str, Tally] = field(default_factory=dict)
    places: dict[str, Tally] = field(default_factory=dict)
    categories: dict[str, Tally] = field(default_factory=dict)


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
        memories = desk.store.timeline(Filter(), limit=count)
        tallies = desk.model.tallies()
    return Picture(
        lines=[line(memory) for memory in reversed(memories)],
        people={name: Tally(*tally) for name, tally in tallies.get("person", {}).items()},
        places={name: Tally(*tally) for name, tally in tallies.get("place", {}).items()},
        categories={name: Tally(*tally) for name, tally in tallies.get("category", {}).items()},
    )
