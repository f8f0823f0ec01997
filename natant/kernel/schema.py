"""What the kernel knows of an agent class: its route, its lanes in their order, its timers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from natant.kernel.lanekind import LaneKind
    from natant.kernel.route import Route

__all__ = ["Periodic", "Schema"]


@dataclass(frozen=True, slots=True)
class Periodic:
    """A method that runs by the clock.

    :ivar name: the method's name, which is the timer's name too.
    :ivar next_after: ``(now, last due time or None) -> next due time or None``, all in epoch seconds.
    :ivar text: for people: ``every 30 s``.
    """

    name: str
    next_after: Callable[[float, float | None], float | None]
    text: str


@dataclass(slots=True)
class Schema:
    """The facts of one agent class.

    :ivar blank: the state of a new agent: as many places as it has lanes that keep something.
    """

    name: str
    route: Route | None
    blank: list[Any] = field(default_factory=list)
    lanes: dict[str, LaneKind] = field(default_factory=dict)
    ordered: list[LaneKind] = field(default_factory=list)
    periodic: tuple[Periodic, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    has_start: bool = False
    has_stop: bool = False
    #: ``(kernel, node) -> is there such a node?`` for nodes that only exist beside others; None: each that fits the route
    guard: Callable[[Any, str], bool] | None = None
    #: lanes that watch other agents and take that up again when the agent comes to life
    joins: list[Any] = field(default_factory=list)
    #: lanes whose changes are published to everybody who cares, without being asked
    published: list[LaneKind] = field(default_factory=list)
    doc: str = ""
    #: an agent that comes to life has nothing to do at once: no timers, no joins, nothing published, no ``on_start``
    is_quiet: bool = False
