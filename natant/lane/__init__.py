"""Lanes: how they are declared (``lane.value(Position)``, ``lane.map(int, float, keep=100)``, ...) and their kinds, one a file.

A lane is declared once in its class and keeps the state of each agent in that agent's cell.  It changes memory at once, notes in the
open turn how to undo that, what to journal and what to publish, and calls the author's callbacks.
It does not know who is linked or how things are stored.

Every lane is durable unless ``volatile=True``.  ``name=`` gives a lane a URI that is not the attribute's name.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar, overload

from natant.codec.form import form
from natant.lane.command_lane import CommandLane
from natant.lane.demand_lane import DemandLane
from natant.lane.demand_map_lane import DemandMapLane
from natant.lane.join_map_lane import JoinMapLane
from natant.lane.join_value_lane import JoinValueLane
from natant.lane.list_lane import ListLane
from natant.lane.map_lane import MapLane
from natant.lane.supply_lane import SupplyLane
from natant.lane.value_lane import ValueLane

__all__ = [
    "CommandLane",
    "DemandLane",
    "DemandMapLane",
    "JoinMapLane",
    "JoinValueLane",
    "ListLane",
    "MapLane",
    "SupplyLane",
    "ValueLane",
    "command",
    "demand",
    "demand_map",
    "join_map",
    "join_value",
    "list",
    "map",
    "supply",
    "value",
]

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")
F = TypeVar("F", bound=Callable[..., Any])


@overload
def value(kind: type[T], *, volatile: bool = ..., name: str | None = ...) -> ValueLane[T | None]: ...
@overload
def value(kind: type[T], default: T, *, volatile: bool = ..., name: str | None = ...) -> ValueLane[T]: ...
@overload
def value(kind: Any = ..., default: Any = ..., *, volatile: bool = ..., name: str | None = ...) -> ValueLane[Any]: ...
def value(kind: Any = Any, default: Any = None, *, volatile: bool = False, name: str | None = None) -> ValueLane[Any]:
    """A value lane: one value of ``kind``, read and written as an attribute; ``default``, or None, until it is set.

    :raises FormError: ``NT-FORM-001`` where ``kind`` cannot be mapped.
    """
    return ValueLane(form(kind), default, name=name, is_volatile=volatile)


def map(
    key: type[K] | Any = Any,
    kind: type[V] | Any = Any,
    *,
    keep: int | timedelta | None = None,
    volatile: bool = False,
    name: str | None = None,
) -> MapLane[K, V]:
    """A map lane: a ``MutableMapping`` of entries, ordered by key, with ``take``, ``drop`` and ``clear``.

    :param keep: how many of the most recently written keys to keep, or for how long.
    """
    return MapLane(form(key), form(kind), keep, name=name, is_volatile=volatile)


def list(
    kind: type[T] | Any = Any, *, keep: int | None = None, volatile: bool = False, name: str | None = None
) -> ListLane[T]:
    """A list lane: a ``MutableSequence``; ``keep=N`` keeps the last N entries."""
    return ListLane(form(kind), keep, name=name, is_volatile=volatile)


def supply(
    kind: type[T] | Any = Any, *, queue: int | None = None, overflow: str = "drop_oldest", name: str | None = None
) -> SupplyLane[T]:
    """A supply lane: ``self.LANE.push(value)`` gives a value to whoever is linked; nothing is kept.

    :param queue: values that a slow link may hold back.
    :param overflow: what happens to a link past that: ``drop_oldest``, ``drop_newest`` or ``disconnect``.
    """
    return SupplyLane(form(kind), queue, overflow, name=name, is_volatile=True)


def demand(kind: type[T] | Any = Any, *, name: str | None = None) -> DemandLane[T]:
    """A demand lane: its value is computed by the method under ``@LANE.cue`` when it is wanted."""
    return DemandLane(form(kind), name=name, is_volatile=True)


def demand_map(key: type[K] | Any = Any, kind: type[V] | Any = Any, *, name: str | None = None) -> DemandMapLane[K, V]:
    """A demand-map lane: entries computed by the method under ``@LANE.cue``, keys named by the one under ``@LANE.keys``."""
    return DemandMapLane(form(key), form(kind), name=name, is_volatile=True)


def join_value(key: type[K] | Any = Any, kind: type[V] | Any = Any, *, name: str | None = None) -> JoinValueLane[K, V]:
    """A join-value lane: a map whose entries are value lanes of other agents, kept up to date."""
    return JoinValueLane(form(key), form(kind), name=name, is_volatile=True)


def join_map(key: type[K] | Any = Any, kind: type[V] | Any = Any, *, name: str | None = None) -> JoinMapLane[K, V]:
    """A join-map lane: the union of map lanes of other agents, kept up to date."""
    return JoinMapLane(form(key), form(kind), name=name, is_volatile=True)


@overload
def command(function: F, /) -> F: ...
@overload
def command(*, name: str | None = ...) -> Callable[[F], F]: ...
def command(function: Any = None, /, *, name: str | None = None) -> Any:
    """Decorator: the method is a command lane; it takes one typed argument or none.

    :raises LaneError: ``NT-LANE-004`` where it takes more.
    """
    if function is None:
        return lambda inner: CommandLane(inner, name=name)
    return CommandLane(function, name=name)
