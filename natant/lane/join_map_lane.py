"""The join-map lane: the union of map lanes of other agents."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any, TypeVar, overload

from natant.codec import recon
from natant.codec.warp import operation
from natant.errors import LaneError
from natant.kernel.cell import Cell
from natant.kernel.turn import Send, require_turn
from natant.lane.base import decode_input
from natant.lane.exact_dict import ExactDict
from natant.lane.join import Origin, forget_origin, keep_origin, open_again, origin_of, origins, read_only
from natant.lane.map_lane import LaneMap, MapLane

__all__ = ["JoinMap", "JoinMapLane"]

K = TypeVar("K")
V = TypeVar("V")


class JoinMap(LaneMap[K, V]):
    """The join-map lane of one agent: read it as a mapping."""

    __slots__ = ("links", "origins", "owner")

    def __init__(self, cell: Cell, lane: JoinMapLane[K, V]) -> None:
        super().__init__(cell, lane)
        self.origins: dict[Origin, None] = {}
        self.links: dict[Origin, Any] = {}
        #: which source an entry came from; where several have the key, the one that wrote it last, of those that have it
        self.owner: MutableMapping[K, Origin] = ExactDict()

    def join(self, node: str, lane: str, *, host: str | None = None) -> None:
        """Show all entries of the map lane ``lane`` of ``node``; joining the same again changes nothing.

        :raises LaneError: ``NT-LANE-015`` where that lane shows this one in turn.
        """
        self._lane.join(self._cell, origin_of(node, lane, host))

    def leave(self, node: str, lane: str, *, host: str | None = None) -> None:
        """Show them no more; nothing happens where that lane is not joined."""
        self._lane.leave(self._cell, origin_of(node, lane, host))

    def age(self) -> float:
        """Seconds since what is shown was last known to be current, by the oldest of the sources."""
        return max((link.age() for link in self.links.values()), default=0.0)

    def __setitem__(self, key: K, value: V) -> None:
        raise read_only(self._lane.name)

    def __delitem__(self, key: K) -> None:
        raise read_only(self._lane.name)

    def clear(self) -> None:
        """Leave all."""
        for origin in list(self.origins):
            self._lane.leave(self._cell, origin)


class JoinMapLane(MapLane[K, V]):
    """Entries that other agents own.  A command on an entry goes on to the lane it comes from."""

    kind = "joinMap"

    if TYPE_CHECKING:

        @overload
        def __get__(self, agent: None, owner: type) -> JoinMapLane[K, V]: ...
        @overload
        def __get__(self, agent: Cell, owner: type) -> JoinMap[K, V]: ...
        def __get__(self, agent: Cell | None, owner: type) -> Any: ...

    def join(self, cell: Cell, origin: Origin) -> None:
        """Join a lane in the open turn."""
        turn = require_turn(cell, self.name)
        state = self.state(cell)
        if origin in state.origins:
            return
        self._refuse_cycle(cell, origin)
        cell._host.downlinks.check(cell, origin.host)
        turn.undo.append((state.origins.pop, origin, None))
        state.origins[origin] = None
        keep_origin(self.prefix(cell), cell, turn, _name(origin), origin)
        turn.then(lambda: self._open(cell, state, origin))

    def _refuse_cycle(self, cell: Cell, origin: Origin) -> None:
        """Entries that come back to where they went out from would go round for ever."""
        ways = [origin]
        seen: set[Origin] = set()
        while ways:
            way = ways.pop()
            if way in seen or way.host is not None:
                continue
            seen.add(way)
            if (way.node, way.lane) == (cell.node, self.name):
                raise LaneError(
                    "NT-LANE-015",
                    f'lane "{self.name}" of {cell.node} cannot join "{origin.lane}" of {origin.node}, which shows it in turn; '
                    "join the lanes that own the entries",
                )
            # An agent that joins is always in memory.
            other = cell._host.agents.get(way.node)
            lane = None if other is None else other._lane(way.lane)
            if other is not None and isinstance(lane, JoinMapLane):
                ways.extend(lane.state(other).origins)

    def leave(self, cell: Cell, origin: Origin) -> None:
        """Leave a lane in the open turn; its entries go."""
        turn = require_turn(cell, self.name)
        state = self.state(cell)
        if origin not in state.origins:
            return
        turn.undo.append((state.origins.setdefault, origin, None))
        del state.origins[origin]
        forget_origin(self.prefix(cell), cell, turn, _name(origin))
        for key in [key for key, owner in state.owner.items() if owner == origin]:
            self.drop_from(cell, origin, key)
        turn.then(lambda: self._shut(cell, state, origin))

    def put_from(self, cell: Cell, origin: Origin, key: K, value: V) -> None:
        """A source has set an entry; runs in a turn."""
        state = self.state(cell)
        if origin not in state.origins:
            return
        owner = state.owner.get(key)
        if owner is not None and owner != origin and _same(state.data.get(key), value):
            return  # another source says the same: two hosts that join each other must not go on telling each other
        require_turn(cell, self.name).undo.append((_restore, state.owner, key, owner))
        state.owner[key] = origin
        self.put(cell, key, value)

    def drop_from(self, cell: Cell, origin: Origin, key: K) -> None:
        """A source has removed an entry; runs in a turn."""
        state = self.state(cell)
        if state.owner.get(key) == origin:
            require_turn(cell, self.name).undo.append((_restore, state.owner, key, origin))
            del state.owner[key]
            for other, link in state.links.items():
                if other != origin and other in state.origins and key in link:
                    self.put_from(cell, other, key, link[key])
                    return
            self.remove(cell, key)

    def wake(self, cell: Cell) -> None:
        """Open the downlinks of what is joined; runs in a turn when the agent comes to life."""
        state = self.state(cell)
        for origin in list(state.origins):
            if origin not in state.links:
                open_again(cell, self.name, origin, self._open, state, origin)

    def _open(self, cell: Cell, state: JoinMap[K, V], origin: Origin) -> None:
        if origin in state.origins and origin not in state.links:
            state.links[origin] = cell._host.downlinks.join_map(cell, origin, self)

    def _shut(self, cell: Cell, state: JoinMap[K, V], origin: Origin) -> None:
        link = state.links.pop(origin, None)
        if link is not None:
            cell._host.downlinks.close(cell, link)

    def receive(self, cell: Any, body: Any) -> None:
        change = operation.read(body)
        if change is None or change.op not in ("update", "remove"):
            return
        origin = self.state(cell).owner.get(decode_input(self.key_form, change.key))
        if origin is None:
            return
        turn = require_turn(cell, self.name)
        turn.sends = [*(turn.sends or ()), Send(origin.node, origin.lane, body, origin.host)]

    def state(self, cell: Cell) -> JoinMap[K, V]:
        found: JoinMap[K, V] = self.entries(cell)
        return found

    def _load(self, cell: Cell) -> JoinMap[K, V]:
        state: JoinMap[K, V] = JoinMap(cell, self)
        for _, origin in origins(self.prefix(cell), cell):
            state.origins[origin] = None
        # What is shown comes anew with each life of the agent, so a client may hold entries that are gone.
        state.has_lost = bool(state.origins)
        cell._state[self.index] = state
        return state


def _same(one: Any, other: Any) -> bool:
    """Equal, and of one type: 1 and true are equal to Python."""
    return type(one) is type(other) and bool(one == other)


def _name(origin: Origin) -> str:
    return recon.encode([origin.node, origin.lane, origin.host])


def _restore(mapping: MutableMapping[Any, Any], key: Any, before: Any) -> None:
    if before is None:
        mapping.pop(key, None)
    else:
        mapping[key] = before
