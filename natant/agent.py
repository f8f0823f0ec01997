"""The class that authors derive from; its docstring is the guide."""

from __future__ import annotations

import copy
import inspect
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar, overload

from natant.codec import uri
from natant.errors import LaneError, PlaneError, TurnError
from natant.kernel.cell import UNLOADED, Cell
from natant.kernel.outbox import HUB
from natant.kernel.route import Route
from natant.kernel.schema import Periodic, Schema
from natant.kernel.turn import Send, Turn
from natant.lane.base import Lane, to_value
from natant.lane.jobs_lane import JobsLane
from natant.lane.map_lane import MapLane
from natant.lane.parked_lane import ParkedCommand, ParkedLane
from natant.queue.message import Answer, Report, decode
from natant.schedule import MARK

if TYPE_CHECKING:
    from natant.link.downlink import EventDownlink, ListDownlink, MapDownlink, ValueDownlink

__all__ = ["Agent"]

T = TypeVar("T")

#: what an agent may do without: a lane may take these names
MAY_HIDE: Final = frozenset(("log", "random", "remove"))

_LOG = logging.getLogger("natant.agent")


def _declared_lanes(cls: type) -> dict[str, Lane]:
    """The lanes of the class and its bases by attribute.

    :raises LaneError: ``NT-LANE-003`` where one takes a name that agents need for something else.
    """
    lanes: dict[str, Lane] = {}
    for base in reversed(cls.__mro__):
        for attribute, thing in vars(base).items():
            if isinstance(thing, Lane):
                lanes[attribute] = thing
            elif attribute in lanes:
                del lanes[attribute]  # a subclass took the name for something else
    for attribute in lanes:
        if attribute in _builtin() or (hasattr(Agent, attribute) and attribute not in MAY_HIDE):
            raise LaneError(
                "NT-LANE-003",
                f"a lane of {cls.__name__} cannot be the attribute {attribute!r}, which every agent has; take another attribute, "
                f'and name="{attribute}" should the lane be called so',
            )
    return lanes


class Agent(Cell):
    """A web agent: one thing the program cares about, with a URI and state that is always at hand.

    **Declaring.**  A subclass names its route; each ``{parameter}`` of it is an attribute::

        class Vehicle(Agent, route="/vehicle/{id}"):
            position = lane.value(Position)
            speeds = lane.map(int, float, keep=100)

            @command
            def report(self, fix: Fix) -> None:
                self.position = Position(fix.lat, fix.lon)
                self.speeds[fix.at] = fix.speed

    **Living.**  An agent comes to life when anything first touches its URI and is stopped when nobody has for a while; its
    durable lanes and timers are there again the next time.  :meth:`on_start` and :meth:`on_stop` run at either end.

    **Turns.**  Handlers run one at a time.  All that a handler does (lane writes, :meth:`send`, timers) is one transaction: it is
    journaled together and seen by others only then; if the handler raises, none of it happened and the cause is kept in
    the lane ``parked`` with its input, to be looked at, retried or dropped.

    **Waiting.**  A handler may be ``async``; while it awaits, its turn is open and the agent does nothing else.  ``await
    self.task(work, ...)`` ends the turn, runs ``work`` outside (in a thread where it is a plain function) and goes on in a new turn with the result.
    :meth:`spawn` starts work and gives its result to a method later.

    **Talking.**  :meth:`send` commands another agent.  :meth:`downlink_value` and its sisters keep a live view of another
    agent's lane, here or on another host; join lanes keep many.

    **Time.**  ``@every``, ``@after`` and ``@cron`` methods run by the clock, :meth:`at` and :meth:`after` set one-shot timers.  All are
    durable.  Ask :meth:`now`, not the system's clock, and :attr:`random`, not the ``random`` module: then tests can turn the clock.

    Attributes of an instance that are not lanes are lost when the agent stops; keep state in lanes.
    """

    node: str
    _schema: ClassVar[Schema]

    def __init_subclass__(cls, *, route: str | None = None, **options: Any) -> None:
        super().__init_subclass__()
        inherited: Schema | None = getattr(cls, "_schema", None)
        compiled = Route(route) if route is not None else (inherited.route if inherited else None)
        if options:
            unknown = ", ".join(sorted(options))
            raise PlaneError("NT-PLANE-007", f"class {cls.__name__} was given {unknown}; an agent class takes route=")
        schema = Schema(name=cls.__name__, route=compiled, doc=inspect.cleandoc(cls.__doc__ or ""))
        taken: dict[str, Lane] = {}
        lanes = {**_declared_lanes(cls), **_builtin()}
        # Lanes that keep nothing come last, and an agent's state ends before them.
        places = {
            attribute: at for at, attribute in enumerate(sorted(lanes, key=lambda name: not lanes[name].has_state))
        }
        schema.blank = [UNLOADED] * sum(lane.has_state for lane in lanes.values())
        for attribute, lane in lanes.items():
            _add_lane(cls, schema, taken, attribute, lane, places[attribute])
        schema.periodic = tuple(_periodic(cls))
        schema.has_start = cls.on_start is not Agent.on_start
        schema.has_stop = cls.on_stop is not Agent.on_stop
        schema.is_quiet = not (schema.periodic or schema.joins or schema.has_start or schema.published)
        cls._schema = schema
        for name in compiled.names if compiled else ():
            if name in taken or hasattr(Agent, name):
                raise PlaneError(
                    "NT-PLANE-003",
                    f"route {route!r} of {cls.__name__}: the parameter {name!r} is the name of something else",
                )
            setattr(cls, name, property(_parameter(name)))

    # --- life -----------------------------------------------------------------------------------------------------

    def on_start(self) -> Any:
        """Runs as the first turn each time the agent comes to life."""

    def on_stop(self) -> Any:
        """Runs as the last turn before an idle agent is stopped."""

    def now(self) -> float:
        """Seconds since 1970-01-01 UTC, by the plane's clock."""
        return self._host.env.now()

    @property
    def random(self) -> Random:
        """The plane's source of randomness."""
        return self._host.env.random

    @property
    def log(self) -> logging.LoggerAdapter[logging.Logger]:
        """A logger whose lines carry the agent's URI."""
        return logging.LoggerAdapter(_LOG, {"node": self.node})

    # --- talking --------------------------------------------------------------------------------------------------

    def send(self, node: str, lane: str, value: Any = None, *, host: str | None = None) -> None:
        """Command another agent when this turn has ended well.

        :param node: URI of the agent, for example ``/depot/3``.
        :param lane: one of its lanes, most often a command.
        :param value: anything that can be mapped.
        :param host: URI of another host, ``warp://other:9001``; ``hub:`` for the hub of an edge; None for this one.
        :raises LaneError: ``NT-LANE-001`` outside a turn.
        :raises TurnError: ``NT-TURN-007`` where that agent has too much waiting for it.
        :raises WarpError: ``NT-WARP-004`` where ``node`` is no URI: percent-encode what comes from elsewhere.
        :raises CodecError: where ``value`` cannot be written, such as a NaN.
        :raises LinkError: where the other host cannot be reached (``NT-LINK-006``), or too much waits for it (``NT-LINK-009``),
            or the command is too long for the way there (``NT-LINK-011``).
        """
        turn = self._require("send")
        target = None
        if host == HUB and not self._host.outbox.has_carrier(host):
            host = None  # who has no hub is one
        if host is None:
            target = self._host.agents.get(node)
            if target is None:
                node = uri.resolve(node)[1]
                target = self._host.agents.get(node)
            if target is not None and target._mail is not None and self._host.pressure.is_full(target):
                raise self._host.mailbox_full(target)
        else:
            node = uri.normalize(node)
            if not self._host.outbox.has_carrier(host):
                self._host.downlinks.check_send(host)
        send = Send(node, lane, to_value(value), host)
        if host is not None or (target is not None and (target._is_busy or target._mail)):
            send.text = self._host.outbox.text(
                send
            )  # it will most likely be needed; what cannot be written is refused here
            if host is not None:
                self._host.outbox.check_size(send)
        if turn.sends is None:
            turn.sends = [send]
        else:
            turn.sends.append(send)

    def remove(self) -> None:
        """End this agent when this turn has ended well: lanes, timers and large values are gone with its commit, links are unlinked.

        What else the turn does happens too: what it sends arrives, what it changes is shown before the links end.  ``on_stop`` does
        not run.  Who touches the URI later meets a new agent that knows nothing.

        :raises LaneError: ``NT-LANE-001`` outside a turn.
        """
        self._host.departures.begin(self._require("remove"))

    # --- long work ------------------------------------------------------------------------------------------------

    @overload
    async def task(self, function: Callable[..., Awaitable[T]], *arguments: Any) -> T: ...
    @overload
    async def task(self, function: Callable[..., T], *arguments: Any) -> T: ...
    async def task(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Run ``function`` outside the turn and go on with its result in a new one.

        What was done so far is committed; other turns of this agent may run meanwhile.  A plain function runs in a thread.
        The work itself is not durable: after a crash nobody comes back to it.

        :raises TurnError: ``NT-TURN-011`` outside an ``async`` handler, ``NT-TURN-012`` where too many tasks run.
        """
        return await self._host.async_turns.task(self, function, arguments)

    def spawn(self, function: Callable[..., Any], *arguments: Any, then: Callable[..., Any] | None = None) -> None:
        """Start ``function`` outside any turn once this one has ended well; ``then(result)`` runs in a turn of its own.

        :param then: a method of this agent; an error of ``function`` is parked instead.
        :raises TurnError: ``NT-TURN-012`` where too many tasks run, ``NT-TURN-014`` where ``then`` is no method of this agent.
        """
        turn = self._require("spawn")
        if then is not None:
            self._own_method(then, "a task")
        self._host.async_turns.check_bound(self)
        turn.then(lambda: self._host.async_turns.spawn(self, function, arguments, then))

    # --- time -----------------------------------------------------------------------------------------------------

    def at(self, when: float | datetime, method: Callable[..., Any], *arguments: Any, name: str | None = None) -> str:
        """Call ``method(*arguments)`` once at ``when`` (epoch seconds or an aware datetime); returns the timer's name.

        The timer is durable.  One of the same name is replaced.
        """
        turn = self._require("at")
        function = self._own_method(method, "a timer")
        due_s = when.timestamp() if isinstance(when, datetime) else float(when)
        name = name or self._host.timer.next_name(self.node)
        values = tuple(to_value(argument) for argument in arguments)
        self._host.timer.set(turn, name, due_s, function, values)
        return name

    def after(self, seconds: float, method: Callable[..., Any], *arguments: Any, name: str | None = None) -> str:
        """Call ``method(*arguments)`` once, ``seconds`` from now; see :meth:`at`."""
        return self.at(self.now() + seconds, method, *arguments, name=name)

    def cancel(self, name: str) -> None:
        """Cancel a timer by its name; nothing happens where there is none."""
        self._host.timer.cancel(self._require("cancel"), name)

    # --- watching -------------------------------------------------------------------------------------------------

    def downlink_value(
        self,
        node: str,
        lane: str,
        kind: Any = Any,
        *,
        changed: Callable[..., Any] | None = None,
        host: str | None = None,
    ) -> ValueDownlink[Any]:
        """A live view of a value lane; ``changed(new, old)`` runs in a turn of this agent for each change."""
        link: ValueDownlink[Any] = self._host.downlinks.value(self, node, lane, kind, host=host, changed=changed)
        return link

    def downlink_map(
        self,
        node: str,
        lane: str,
        key: Any = Any,
        kind: Any = Any,
        *,
        updated: Callable[..., Any] | None = None,
        removed: Callable[..., Any] | None = None,
        host: str | None = None,
    ) -> MapDownlink[Any, Any]:
        """A live view of a map lane; ``updated(key, new, old)`` and ``removed(key, old)`` run in turns of this agent."""
        on = {"updated": updated, "removed": removed}
        link: MapDownlink[Any, Any] = self._host.downlinks.map(self, node, lane, (key, kind), host=host, on=on)
        return link

    def downlink_list(
        self,
        node: str,
        lane: str,
        kind: Any = Any,
        *,
        changed: Callable[..., Any] | None = None,
        host: str | None = None,
    ) -> ListDownlink[Any]:
        """A live view of a list lane; ``changed(values)`` gets the whole list in a turn of this agent after changes."""
        link: ListDownlink[Any] = self._host.downlinks.list(self, node, lane, kind, host=host, changed=changed)
        return link

    def downlink_event(
        self, node: str, lane: str, kind: Any = Any, *, event: Callable[..., Any] | None = None, host: str | None = None
    ) -> EventDownlink[Any]:
        """Each event of any lane; ``event(value)`` runs in a turn of this agent."""
        link: EventDownlink[Any] = self._host.downlinks.event(self, node, lane, kind, host=host, event=event)
        return link

    def unlink(self, downlink: Any) -> None:
        """Close a downlink of this agent."""
        self._require("unlink").then(lambda: self._host.downlinks.close(self, downlink))

    # --- inside ---------------------------------------------------------------------------------------------------

    def _require(self, what: str) -> Turn:
        turn = self._turn
        if turn is None:
            raise LaneError("NT-LANE-001", f"{what}() of {self.node} was called outside a turn; call it in a handler")
        if turn.job is not None and turn.job is not self._host.env.current():
            raise LaneError(
                "NT-LANE-002",
                f"{what}() of {self.node} was called by a task that does not own the open turn ({turn.work.label}); call it in "
                "the handler itself",
            )
        return turn

    def _own_method(self, method: Any, what: str) -> str:
        name: str = getattr(method, "__name__", "")
        if getattr(method, "__self__", None) is not self or not callable(getattr(self, name, None)):
            raise TurnError("NT-TURN-014", f"{what} of {self.node} calls a method of the agent itself, not {method!r}")
        return name

    def _expire_lane(self, name: str) -> None:
        lane = self._lane(name)
        if isinstance(lane, MapLane):
            lane.expire(self, is_due=True)

    def _job_report(self, text: str) -> Answer:
        """What a worker says of a job; a method with a plain argument so that it can be parked, and done again, as any other work."""
        report: Report = decode(Report, text)
        lane = self._lane(report.lane)
        return lane.report(self, report) if isinstance(lane, JobsLane) else Answer("unknown")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {getattr(self, 'node', '(not bound)')}>"


def _builtin() -> dict[str, Lane]:
    return {"parked": ParkedLane(), "parked.retry": ParkedCommand("retry"), "parked.drop": ParkedCommand("drop")}


def _add_lane(cls: type, schema: Schema, taken: dict[str, Lane], attribute: str, lane: Lane, index: int) -> None:
    callbacks = lane.resolve(cls)
    if lane.index == -1:
        lane.bind(index)
        lane.callbacks = callbacks
    elif lane.index != index or lane.callbacks != callbacks:
        # A lane that two classes place differently, or that calls other methods: each gets its own copy of the declaration.
        lane = copy.copy(lane)
        lane.bind(index)
        lane.callbacks = callbacks
        setattr(cls, attribute, lane)
    if lane.name in schema.lanes:
        raise LaneError(
            "NT-LANE-011", f'class {cls.__name__} has two lanes of the name "{lane.name}"; give one another name='
        )
    lane.owner = lane.owner or cls.__name__
    schema.lanes[lane.name] = lane
    if hasattr(lane, "wake"):
        schema.joins.append(lane)
    if lane.is_published:
        schema.published.append(lane)
    schema.ordered.append(lane)
    taken[attribute] = lane


def _periodic(cls: type) -> list[Periodic]:
    found: dict[str, Periodic] = {}
    for base in reversed(cls.__mro__):
        for attribute, thing in vars(base).items():
            mark = getattr(getattr(thing, "function", thing), MARK, None)
            if isinstance(mark, Periodic):
                found[attribute] = mark
            else:
                found.pop(attribute, None)
    return list(found.values())


def _parameter(name: str) -> Callable[[Agent], str]:
    def read(self: Agent) -> str:
        route = self._schema.route
        assert route is not None
        return (route.match(self.node) or {})[name]

    return read
