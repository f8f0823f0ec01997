"""The join-value lane: a map whose entries are value lanes of other agents."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, TypeVar, overload

from natant.codec import recon
from natant.codec.recon.value import Absent, Extant, Record, Slot
from natant.codec.warp import operation
from natant.kernel.cell import Cell
from natant.kernel.turn import Send, require_turn
from natant.lane.base import decode_input, encode_key
from natant.lane.exact_dict import ExactDict
from natant.lane.join import Origin, forget_origin, keep_origin, open_again, origin_of, origins, read_only
from natant.lane.map_lane import LaneMap, MapLane

__all__ = ["JoinValue", "JoinValueLane"]

K = TypeVar("K")
V = TypeVar("V")


class JoinValue(LaneMap[K, V]):
    """The join-value lane of one agent: read it as a mapping; None is the value of a lane that was never set."""

    __slots__ = ("links", "origins")

    def __init__(self, cell: Cell, lane: JoinValueLane[K, V]) -> None:
        super().__init__(cell, lane)
        self.origins: MutableMapping[K, Origin] = ExactDict()
        self.links: MutableMapping[K, Any] = ExactDict()

    def join(self, key: K, node: str, lane: str, *, host: str | None = None) -> None:
        """Show the value lane ``lane`` of ``node`` under ``key``; joining the same again changes nothing."""
        self._lane.join(self._cell, key, origin_of(node, lane, host))

    def leave(self, key: K) -> None:
        """Show it no more; nothing happens where the key is not joined."""
        self._lane.leave(self._cell, key)

    def age(self, key: K | None = None) -> float:
        """Seconds since the value under ``key`` was last known to be current; without a key, of the oldest one."""
        if key is not None:
            link = self.links.get(key)
            return float("inf") if link is None else link.age()
        return max((link.age() for link in self.links.values()), default=0.0)

    def __setitem__(self, key: K, value: V) -> None:
        raise read_only(self._lane.name)

    def __delitem__(self, key: K) -> None:
        raise read_only(self._lane.name)

    def clear(self) -> None:
        """Leave all."""
        for key in list(self.origins):
            self.leave(key)


class JoinValueLane(MapLane[K, V]):
    """A map of values that other agents own.  A command that updates an entry goes on to the lane it comes from."""

    kind = "joinValue"

    if TYPE_CHECKING:

        @overload
        def __get__(self, agent: None, owner: type) -> JoinValueLane[K, V]: ...
        @overload
        def __get__(self, agent: Cell, owner: type) -> JoinValue[K, V]: ...
        def __get__(self, agent: Cell | None, owner: type) -> Any: ...

    def join(self, cell: Cell, key: K, origin: Origin) -> None:
        """Join a lane in the open turn."""
        turn = require_turn(cell, self.name)
        state: Any = self.state(cell)
        before = state.origins.get(key)
        if before == origin:
            return
        cell._host.downlinks.check(cell, origin.host)
        _, name = encode_key(self, cell, self.key_form, key)
        turn.undo.append((_restore, state.origins, key, before))
        state.origins[key] = origin
        keep_origin(self.prefix(cell), cell, turn, name, origin)
        if before is not None:
            self.remove(cell, key)  # what it shows is another lane's
        turn.then(lambda: self._open(cell, state, key, origin))

    def leave(self, cell: Cell, key: K) -> None:
        """Leave a lane in the open turn."""
        turn = require_turn(cell, self.name)
        state: Any = self.state(cell)
        before = state.origins.pop(key, None)
        if before is None:
            return
        turn.undo.append((_restore, state.origins, key, before))
        _, name = encode_key(self, cell, self.key_form, key)
        forget_origin(self.prefix(cell), cell, turn, name)
        self.remove(cell, key)
        turn.then(lambda: self._shut(cell, state, key))

    def wake(self, cell: Cell) -> None:
        """Open the downlinks of what is joined; runs in a turn when the agent comes to life."""
        state: Any = self.state(cell)
        for key, origin in list(state.origins.items()):
            if key not in state.links:
                open_again(cell, self.name, origin, self._open, state, key, origin)

    def _open(self, cell: Cell, state: Any, key: K, origin: Origin) -> None:
        self._shut(cell, state, key)
        if state.origins.get(key) == origin:
            state.links[key] = cell._host.downlinks.join_value(cell, origin, self, key)

    def _shut(self, cell: Cell, state: Any, key: K) -> None:
        link = state.links.pop(key, None)
        if link is not None:
            cell._host.downlinks.close(cell, link)

    def texts(self, cell: Cell, value: Any) -> tuple[str, str]:
        return ("", "") if value is None or value is Absent else super().texts(cell, value)

    def refuse_value(self, cell: Cell, value: Any) -> None:
        if value is not None and value is not Absent:
            super().refuse_value(cell, value)

    def read(self, cell: Any) -> Any:
        state = self.state(cell)
        return Record(
            Slot(self.key_form.encode(key), Extant if value is None else self.form.encode(value))
            for key, value in state.items()
        )

    def receive(self, cell: Any, body: Any) -> None:
        change = operation.read(body)
        if change is None or change.op != "update":
            return
        key = decode_input(self.key_form, change.key)
        origin = self.state(cell).origins.get(key)
        if origin is None:
            return
        turn = require_turn(cell, self.name)
        turn.sends = [*(turn.sends or ()), Send(origin.node, origin.lane, change.value, origin.host)]

    def state(self, cell: Cell) -> JoinValue[K, V]:
        found: JoinValue[K, V] = self.entries(cell)
        return found

    def has_lost(self, cell: Cell) -> bool:
        state: Mapping[K, V] = self.state(cell)
        return isinstance(state, JoinValue) and state.has_lost

    def _load(self, cell: Cell) -> JoinValue[K, V]:
        state: JoinValue[K, V] = JoinValue(cell, self)
        for name, origin in origins(self.prefix(cell), cell):
            state.origins[self.key_form.decode(recon.decode(name))] = origin
        # What is shown comes anew with each life of the agent, so a client may hold entries that are gone.
        state.has_lost = bool(state.origins)
        cell._state[self.index] = state
        return state


def _restore(mapping: MutableMapping[Any, Any], key: Any, before: Any) -> None:
    if before is None:
        mapping.pop(key, None)
    else:
        mapping[key] = before
