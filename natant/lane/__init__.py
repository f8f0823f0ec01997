"""Lanes: how they are declared (``lane.value(Position)``, ``lane.map(int, float, keep=100)``, ...) and their kinds, one a file.

A lane is declared once in its class and keeps the state of each agent in that agent's cell.  It changes memory at once, notes in the
open turn how to undo that, what to journal and what to publish, and calls the author's callbacks.
It does not know who is linked or how things are stored.

Every lane is durable unless ``volatile=True``.  ``name=`` gives a lane a URI that is not the attribute's name.  With ``publish=True`` its
changes go out to every NATS client that subscribes, while a NATS door is open; agents with such a lane stay in memory then.  A value or map lane with ``bucket=NAME`` is shown to
others in a JetStream key-value bucket: what is committed, with its sequence and age.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar, overload

from natant.codec.form import form
from natant.lane.blob_lane import Blob, BlobLane, BlobRef
from natant.lane.command_lane import CommandLane
from natant.lane.demand_lane import DemandLane
from natant.lane.demand_map_lane import DemandMapLane
from natant.lane.jobs_lane import JobsLane, JobState
from natant.lane.join_map_lane import JoinMapLane
from natant.lane.join_value_lane import JoinValueLane
from natant.lane.list_lane import ListLane
from natant.lane.map_lane import MapLane
from natant.lane.supply_lane import SupplyLane
from natant.lane.value_lane import ValueLane

__all__ = [
    "Blob",
    "BlobLane",
    "BlobRef",
    "CommandLane",
    "DemandLane",
    "DemandMapLane",
    "JoinMapLane",
    "JobState",
    "JobsLane",
    "JoinValueLane",
    "ListLane",
    "MapLane",
    "SupplyLane",
    "ValueLane",
    "blob",
    "command",
    "demand",
    "demand_map",
    "jobs",
    "join_map",
    "join_value",
    "list",
    "map",
    "supply",
    "value",
]

T = TypeVar("T")
R = TypeVar("R")
K = TypeVar("K")
V = TypeVar("V")
F = TypeVar("F", bound=Callable[..., Any])


@overload
def value(
    kind: type[T], *, volatile: bool = ..., publish: bool = ..., bucket: str | None = ..., name: str | None = ...
) -> ValueLane[T | None]: ...
@overload
def value(
    kind: type[T],
    default: T,
    *,
    volatile: bool = ...,
    publish: bool = ...,
    bucket: str | None = ...,
    name: str | None = ...,
) -> ValueLane[T]: ...
@overload
def value(
    kind: Any = ...,
    default: Any = ...,
    *,
    volatile: bool = ...,
    publish: bool = ...,
    bucket: str | None = ...,
    name: str | None = ...,
) -> ValueLane[Any]: ...
def value(
    kind: Any = Any,
    default: Any = None,
    *,
    volatile: bool = False,
    publish: bool = False,
    bucket: str | None = None,
    name: str | None = None,
) -> ValueLane[Any]:
    """A value lane: one value of ``kind``, read and written as an attribute; ``default``, or None, until it is set.

    :raises FormError: ``NT-FORM-001`` where ``kind`` cannot be mapped, ``NT-FORM-008`` where ``default`` is not of it.
    """
    return ValueLane(form(kind), default, name=name, is_volatile=volatile, is_published=publish, bucket=bucket)


@overload
def map(
    key: type[K],
    kind: type[V],
    *,
    keep: int | timedelta | None = ...,
    volatile: bool = ...,
    publish: bool = ...,
    bucket: str | None = ...,
    name: str | None = ...,
) -> MapLane[K, V]: ...
@overload
def map(
    key: Any = ...,
    kind: Any = ...,
    *,
    keep: int | timedelta | None = ...,
    volatile: bool = ...,
    publish: bool = ...,
    bucket: str | None = ...,
    name: str | None = ...,
) -> MapLane[Any, Any]: ...
def map(
    key: Any = Any,
    kind: Any = Any,
    *,
    keep: int | timedelta | None = None,
    volatile: bool = False,
    publish: bool = False,
    bucket: str | None = None,
    name: str | None = None,
) -> MapLane[Any, Any]:
    """A map lane: a ``MutableMapping`` of entries, ordered by key, with ``take``, ``drop`` and ``clear``.

    :param keep: how many of the most recently written keys to keep, or for how long.
    """
    return MapLane(form(key), form(kind), keep, name=name, is_volatile=volatile, is_published=publish, bucket=bucket)


@overload
def blob(kind: type[T], *, publish: bool = ..., bucket: str | None = ..., name: str | None = ...) -> BlobLane[T]: ...
@overload
def blob(*, publish: bool = ..., bucket: str | None = ..., name: str | None = ...) -> BlobLane[bytes]: ...
def blob(
    kind: Any = bytes, *, publish: bool = False, bucket: str | None = None, name: str | None = None
) -> BlobLane[Any]:
    """A blob lane: one large value of ``kind``, whose content lies in the object store; the lane itself shows a reference.

    ``await self.LANE.put(value)`` in an async handler, ``await self.LANE.read()``, ``self.LANE.ref``, ``self.LANE.clear()``.
    """
    return BlobLane(form(kind), name=name, is_published=publish, bucket=bucket)


@overload
def list(
    kind: type[T], *, keep: int | None = ..., volatile: bool = ..., publish: bool = ..., name: str | None = ...
) -> ListLane[T]: ...
@overload
def list(
    kind: Any = ..., *, keep: int | None = ..., volatile: bool = ..., publish: bool = ..., name: str | None = ...
) -> ListLane[Any]: ...
def list(
    kind: Any = Any, *, keep: int | None = None, volatile: bool = False, publish: bool = False, name: str | None = None
) -> ListLane[Any]:
    """A list lane: a ``MutableSequence``; ``keep=N`` keeps the last N entries."""
    return ListLane(form(kind), keep, name=name, is_volatile=volatile, is_published=publish)


@overload
def supply(
    kind: type[T], *, queue: int | None = ..., overflow: str = ..., publish: bool = ..., name: str | None = ...
) -> SupplyLane[T]: ...
@overload
def supply(
    kind: Any = ..., *, queue: int | None = ..., overflow: str = ..., publish: bool = ..., name: str | None = ...
) -> SupplyLane[Any]: ...
def supply(
    kind: Any = Any,
    *,
    queue: int | None = None,
    overflow: str = "drop_oldest",
    publish: bool = False,
    name: str | None = None,
) -> SupplyLane[Any]:
    """A supply lane: ``self.LANE.push(value)`` gives a value to whoever is linked; nothing is kept.

    :param queue: values that a slow link may hold back.
    :param overflow: what happens to a link past that: ``drop_oldest``, ``drop_newest`` or ``disconnect``.
    """
    return SupplyLane(form(kind), queue, overflow, name=name, is_volatile=True, is_published=publish)


@overload
def demand(kind: type[T], *, name: str | None = ...) -> DemandLane[T]: ...
@overload
def demand(kind: Any = ..., *, name: str | None = ...) -> DemandLane[Any]: ...
def demand(kind: Any = Any, *, name: str | None = None) -> DemandLane[Any]:
    """A demand lane: its value is computed by the method under ``@LANE.cue`` when it is wanted."""
    return DemandLane(form(kind), name=name, is_volatile=True)


@overload
def demand_map(key: type[K], kind: type[V], *, name: str | None = ...) -> DemandMapLane[K, V]: ...
@overload
def demand_map(key: Any = ..., kind: Any = ..., *, name: str | None = ...) -> DemandMapLane[Any, Any]: ...
def demand_map(key: Any = Any, kind: Any = Any, *, name: str | None = None) -> DemandMapLane[Any, Any]:
    """A demand-map lane: entries computed by the method under ``@LANE.cue``, keys named by the one under ``@LANE.keys``."""
    return DemandMapLane(form(key), form(kind), name=name, is_volatile=True)


@overload
def join_value(key: type[K], kind: type[V], *, name: str | None = ...) -> JoinValueLane[K, V | None]: ...
@overload
def join_value(key: Any = ..., kind: Any = ..., *, name: str | None = ...) -> JoinValueLane[Any, Any]: ...
def join_value(key: Any = Any, kind: Any = Any, *, name: str | None = None) -> JoinValueLane[Any, Any]:
    """A join-value lane: a map whose entries are value lanes of other agents, kept up to date; None where one was never set."""
    return JoinValueLane(form(key), form(kind), name=name, is_volatile=True)


@overload
def join_map(key: type[K], kind: type[V], *, name: str | None = ...) -> JoinMapLane[K, V]: ...
@overload
def join_map(key: Any = ..., kind: Any = ..., *, name: str | None = ...) -> JoinMapLane[Any, Any]: ...
def join_map(key: Any = Any, kind: Any = Any, *, name: str | None = None) -> JoinMapLane[Any, Any]:
    """A join-map lane: the union of map lanes of other agents, kept up to date."""
    return JoinMapLane(form(key), form(kind), name=name, is_volatile=True)


@overload
def jobs(queue: str, kind: type[T], result: type[R], *, keep: int = ..., name: str | None = ...) -> JobsLane[T, R]: ...
@overload
def jobs(
    queue: str, kind: Any = ..., result: Any = ..., *, keep: int = ..., name: str | None = ...
) -> JobsLane[Any, Any]: ...
def jobs(
    queue: str,
    kind: Any = Any,
    result: Any = Any,
    *,
    keep: int = 100,
    name: str | None = None,
) -> JobsLane[Any, Any]:
    """A jobs lane: ``self.LANE.submit(job)`` asks a work queue for work, and the lane shows what becomes of it; see :mod:`natant.queue`.

    :param queue: the queue, declared by ``plane.queue``.
    :param kind: what a job is given, and ``result`` what it gives.
    :param keep: how many jobs that are done, failed or cancelled to keep; open ones are always kept.
    """
    return JobsLane(queue, kind, result, keep, name=name)


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
