"""What a new version of a plane does to the lanes of the one before: which it keeps, adds, drops and changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from natant.plane import Plane

__all__ = ["Difference", "Lanes", "compare", "lanes_of"]

#: ``Agent.lane`` -> what it is, for people
Lanes: TypeAlias = Mapping[str, str]


class Difference(NamedTuple):
    """The lanes of two versions, compared; ``changed`` holds what they were and what they are."""

    kept: list[str]
    added: list[str]
    dropped: list[str]
    changed: dict[str, tuple[str, str]]

    def lines(self) -> list[str]:
        """For people; the first line says whether anything is different."""
        if not (self.added or self.dropped or self.changed):
            return [f"{len(self.kept)} lanes kept"]
        lines = [
            f"{len(self.kept)} lanes kept, {len(self.added)} added, {len(self.dropped)} dropped, {len(self.changed)} changed"
        ]
        lines += [f"+ {name}" for name in self.added]
        lines += [f"- {name}  (what it held stays in the data folder)" for name in self.dropped]
        lines += [f"~ {name}  {before} -> {now}" for name, (before, now) in self.changed.items()]
        return lines


def compare(before: Lanes, now: Lanes) -> Difference:
    """The difference between the lanes of two versions."""
    common = sorted(before.keys() & now.keys())
    return Difference(
        [name for name in common if before[name] == now[name]],
        sorted(now.keys() - before.keys()),
        sorted(before.keys() - now.keys()),
        {name: (before[name], now[name]) for name in common if before[name] != now[name]},
    )


def lanes_of(plane: Plane) -> dict[str, str]:
    """The lanes of a plane, by class and name, without those that every agent has."""
    return {
        f"{kind._schema.name}.{lane.name}": _what(lane.describe())
        for kind in plane.agents
        for lane in kind._schema.ordered
        if not lane.name.startswith("parked")
    }


def _what(facts: dict[str, Any]) -> str:
    types = ", ".join(str(facts[role]) for role in ("key", "value", "input") if role in facts)
    return f"{facts['kind']}({types})" + (" volatile" if facts["volatile"] else "")
