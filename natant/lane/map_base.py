"""The hot half of the map lane: reading and setting entries; :mod:`natant.lane.map_lane` has the rest.

Two classes each, since a compiled class can have no type parameters.  A hot module: types for Cython are in ``map_base.pxd``.
"""

from __future__ import annotations

from typing import Any, Final

from natant.codec.form import Form
from natant.codec.warp import operation
from natant.kernel.cell import UNLOADED, Cell
from natant.kernel.change import UPDATE, Event
from natant.kernel.turn import require_turn
from natant.lane.base import Lane, encode_key, encode_texts, refuse_unwritable
from natant.lane.exact_dict import MISSING, ExactDict
from natant.lane.key_order import KeyOrder

__all__ = ["STAMPED", "EntriesBase", "MapBase", "sort_stamps", "unput"]

#: what a record of a lane with ``keep`` starts with
STAMPED: Final = b"\0"


class EntriesBase:
    """The entries of one agent.

    :ivar stamp: when each key was written last, oldest first, in microseconds; empty where the lane has no ``keep``.
    :ivar has_lost: clients may hold entries that are gone.
    """

    __slots__ = ("_cell", "_lane", "data", "has_lost", "order", "stamp")

    def __init__(self, cell: Cell, lane: MapBase) -> None:
        self._cell = cell
        self._lane: Any = lane
        self.data: Any = ExactDict()
        self.order: Any = KeyOrder(lane.key_form)
        self.stamp: Any = ExactDict() if lane.is_stamped else None
        self.has_lost = False

    def __getitem__(self, key: Any) -> Any:
        return self.data[key]

    def __len__(self) -> int:
        return len(self.data)

    def __contains__(self, key: object) -> bool:
        return key in self.data

    def __setitem__(self, key: Any, value: Any) -> None:
        self._lane.put(self._cell, key, value)

    def __delitem__(self, key: Any) -> None:
        if key not in self.data:
            raise KeyError(key)
        self._lane.remove(self._cell, key)

    def get(self, key: Any, default: Any = None) -> Any:
        """The value of ``key``, ``default`` where there is none."""
        value = self.data.find(key)
        return default if value is MISSING else value


class MapBase(Lane):
    """Entries for each agent.

    :ivar is_stamped: whether each entry keeps the time of its writing.
    """

    def __init__(self, key_form: Form[Any], form: Form[Any], **options: Any) -> None:
        super().__init__(**options)
        self.key_form = key_form
        self.form = form
        #: None where keys, or values, of any type are taken
        self._typed_key: Form[Any] | None = None if key_form.is_any else key_form
        self._typed: Form[Any] | None = None if form.is_any else form
        self.is_stamped = False

    def __get__(self, agent: Any, owner: Any) -> Any:
        if agent is None:
            return self
        return self.entries(agent)

    def entries(self, cell: Cell) -> Any:
        """The entries of one agent."""
        state = cell._state[self.index]
        return self._load(cell) if state is UNLOADED else state

    def get(self, cell: Cell, key: Any) -> Any:
        """The value of ``key``, None where there is none."""
        return self.entries(cell).get(key)

    def put(self, cell: Cell, key: Any, value: Any) -> None:
        """Set one entry in the open turn."""
        turn = require_turn(cell, self.name)
        state = self.entries(cell)
        data = state.data
        old = data.find(key)
        callbacks = self.callbacks
        if callbacks and "updating" in callbacks:
            value = callbacks["updating"](cell, key, value, None if old is MISSING else old)
            data = state.data
            old = data.find(key)
        is_kept = self.is_kept(cell)
        links = cell._links
        is_told = is_kept or (links is not None and self.index in links)
        wire = exact = key_wire = key_exact = ""
        if is_told:
            key_wire, key_exact = encode_key(self, cell, self.key_form, key)
            wire, exact = self.texts(cell, value)
        else:
            refuse_unwritable(self, cell, self._typed_key, key)
            self.refuse_value(cell, value)
        turn.note_undo((unput, state, key, old, state.stamp.get(key) if self.is_stamped else None))
        data.put(key, value)
        if old is MISSING:
            state.order.add(key)
        record = exact.encode() if is_kept else b""
        if self.is_stamped:
            record = self._stamp(cell, state, key) + record
        if is_kept:
            turn.note_record((0, self.entry_key(cell, key_exact), record))
            if self.bucket is not None:
                self.mark(cell, turn, self.entry_key(cell, key_exact))
            if links is not None:
                turn.note_event(Event(self.index, UPDATE, operation.update(key_wire, wire), key_wire))
        elif is_told:
            turn.note_instant(Event(self.index, UPDATE, operation.update(key_wire, wire), key_wire))
        if self.is_stamped:
            self._prune(cell, state)
        if callbacks and "updated" in callbacks:
            callbacks["updated"](cell, key, value, None if old is MISSING else old)

    def remove(self, cell: Cell, key: Any) -> None:
        """Remove one entry in the open turn; a key that is not there changes nothing and is not told to links."""
        raise AssertionError("each kind has its own")

    def texts(self, cell: Cell, value: Any) -> tuple[str, str]:
        """A value as wire text and exact text."""
        return encode_texts(self, cell, self.form, value)

    def refuse_value(self, cell: Cell, value: Any) -> None:
        """See that a value can be written.

        :raises LaneError: ``NT-LANE-012`` where it cannot.
        """
        refuse_unwritable(self, cell, self._typed, value)

    def _load(self, cell: Cell) -> Any:
        raise AssertionError("each kind has its own")

    def _stamp(self, cell: Cell, state: Any, key: Any) -> bytes:
        """Note that ``key`` is written now; returns the head of its record."""
        now_us = int(cell._host.env.now() * 1_000_000)
        stamps = state.stamp
        newest = next(reversed(stamps), MISSING)
        stamp: int = max(now_us, stamps[newest] + 1) if newest is not MISSING else now_us
        stamps.pop(key, None)
        stamps[key] = stamp
        return STAMPED + stamp.to_bytes(8, "big")

    def _prune(self, cell: Cell, state: Any) -> None:
        """Remove what ``keep`` does not allow."""
        raise AssertionError("each kind has its own")


def sort_stamps(state: EntriesBase) -> None:
    """Put the stamps into their order again, oldest first."""
    pairs = sorted(state.stamp.items(), key=lambda pair: pair[1])
    state.stamp = ExactDict(pairs)


def unput(state: EntriesBase, key: Any, old: Any, stamp: int | None) -> None:
    """Take back a change of one entry."""
    if old is MISSING:
        state.data.pop(key, None)
        state.order.discard(key)
        if state.stamp is not None:
            state.stamp.pop(key, None)
        return
    if key not in state.data:
        state.order.add(key)
    state.data[key] = old
    if stamp is not None:
        state.stamp[key] = stamp
        sort_stamps(state)
