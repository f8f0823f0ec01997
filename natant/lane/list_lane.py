"""The list lane: values in an order that is not theirs, each under an opaque key.

An entry's key stays with it when it moves, so that peers can follow it; new entries get six random bytes (as SwimOS does).
In the store an entry stands under a *place*, a 64-bit number that grows along the list; an insertion takes a place between its
neighbours, and only where none is left the list is numbered anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, MutableSequence
from typing import Any, Final, Generic, TypeVar, overload

from natant.codec import recon
from natant.codec.form import Form
from natant.codec.recon.value import Absent, Extant, Record
from natant.codec.warp import operation
from natant.errors import LaneError
from natant.kernel.cell import UNLOADED, Cell
from natant.kernel.change import CLEAR, DROP, MOVE, REMOVE, TAKE, UPDATE, Event
from natant.kernel.turn import Turn, require_turn
from natant.lane.base import Lane, decode_input, decode_stored, encode_texts, stored_misfit
from natant.lane.map_lane import LOST

__all__ = ["LaneList", "ListLane"]

T = TypeVar("T")
A = TypeVar("A")

#: distance between the places of neighbours when they are fresh
_GAP: Final = 1 << 32
_MIDDLE: Final = 1 << 62
#: the places from here on are left free, so that there is always one behind the last
_LAST: Final = (1 << 64) - 2 * _GAP
_KEY_BYTES: Final = 6
_PLACE_BYTES: Final = 8


class _Entry(Generic[T]):
    __slots__ = ("key", "place", "value")

    def __init__(self, key: str, value: T, place: int) -> None:
        self.key = key
        self.value = value
        self.place = place


class LaneList(MutableSequence[T]):
    """The list lane of one agent: a sequence whose changes are part of the turn."""

    __slots__ = ("_cell", "_lane", "entries", "has_lost")

    def __init__(self, cell: Cell, lane: ListLane[T]) -> None:
        self._cell = cell
        self._lane = lane
        self.entries: list[_Entry[T]] = []
        self.has_lost = False

    def __len__(self) -> int:
        return len(self.entries)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return [entry.value for entry in self.entries[index]]
        return self.entries[index].value

    def __setitem__(self, index: Any, value: Any) -> None:
        if isinstance(index, slice):
            raise LaneError("NT-LANE-010", f'list lane "{self._lane.name}" takes no slices; set its entries one by one')
        self._lane.set_at(self._cell, self._at(index), value)

    def __delitem__(self, index: Any) -> None:
        if isinstance(index, slice):
            for at in sorted(range(len(self.entries))[index], reverse=True):
                self._lane.remove_at(self._cell, at)
            return
        self._lane.remove_at(self._cell, self._at(index))

    def insert(self, index: int, value: T) -> None:
        """Insert ``value`` before ``index``."""
        size = len(self.entries)
        at = max(0, index + size) if index < 0 else min(index, size)
        self._lane.insert_at(self._cell, at, value)

    def move(self, source: int, target: int) -> None:
        """Move the entry at ``source`` so that it stands at ``target``."""
        self._lane.move_at(self._cell, self._at(source), self._at(target))

    def take(self, count: int) -> None:
        """Keep the first ``count`` entries."""
        self._lane.trim(self._cell, TAKE, count)

    def drop(self, count: int) -> None:
        """Remove the first ``count`` entries."""
        self._lane.trim(self._cell, DROP, count)

    def clear(self) -> None:
        """Remove all entries."""
        self._lane.clear(self._cell)

    def extend(self, values: Iterable[T]) -> None:
        """Append all ``values``."""
        for value in list(values):
            self.append(value)

    def _at(self, index: int) -> int:
        size = len(self.entries)
        at = index + size if index < 0 else index
        if not 0 <= at < size:
            raise IndexError(
                f'list lane "{self._lane.name}" of {self._cell.node} has {size} entries, not one at {index}'
            )
        return at

    def __repr__(self) -> str:
        return repr([entry.value for entry in self.entries])


class ListLane(Lane, Generic[T]):
    """A list of values ``T`` for each agent; ``keep=N`` keeps the last N."""

    kind = "list"
    conflation = "ordered"

    def __init__(self, form: Form[T], keep: int | None = None, **options: Any) -> None:
        super().__init__(**options)
        if keep is not None and keep < 1:
            raise LaneError("NT-LANE-007", f"keep={keep} would keep nothing; take at least 1")
        self.form = form
        self.keep = keep

    @overload
    def __get__(self, agent: None, owner: type) -> ListLane[T]: ...
    @overload
    def __get__(self, agent: Cell, owner: type) -> LaneList[T]: ...
    def __get__(self, agent: Cell | None, owner: type) -> Any:
        if agent is None:
            return self
        state = agent._state[self.index]
        return self._load(agent) if state is UNLOADED else state

    def __set__(self, agent: Any, value: Any) -> None:
        if value is agent._state[self.index]:
            return  # the end of ``self.LANE += ...``
        raise LaneError("NT-LANE-008", f'list lane "{self.name}" cannot be assigned; clear it and extend it instead')

    def state(self, cell: Cell) -> LaneList[T]:
        """The list of one agent."""
        return self.__get__(cell, type(cell))

    # --- the author's callbacks -----------------------------------------------------------------------------------

    def updating(self, function: Callable[[A, int, T, T | None], T]) -> Callable[[A, int, T, T | None], T]:
        """Decorator: ``function(self, index, new, old)`` runs before an entry is set or inserted and returns the value to store."""
        return self.on("updating", function)

    def updated(self, function: Callable[[A, int, T, T | None], object]) -> Callable[[A, int, T, T | None], object]:
        """Decorator: ``function(self, index, new, old)`` runs after an entry was set or inserted (then ``old`` is None)."""
        return self.on("updated", function)

    def moved(self, function: Callable[[A, int, int, T], object]) -> Callable[[A, int, int, T], object]:
        """Decorator: ``function(self, source, target, value)`` runs after an entry was moved."""
        return self.on("moved", function)

    def removing(self, function: Callable[[A, int, T], object]) -> Callable[[A, int, T], object]:
        """Decorator: ``function(self, index, old)`` runs before an entry is removed."""
        return self.on("removing", function)

    def removed(self, function: Callable[[A, int, T], object]) -> Callable[[A, int, T], object]:
        """Decorator: ``function(self, index, old)`` runs after an entry was removed."""
        return self.on("removed", function)

    def clearing(self, function: Callable[[A], object]) -> Callable[[A], object]:
        """Decorator: ``function(self)`` runs before the list is cleared."""
        return self.on("clearing", function)

    def cleared(self, function: Callable[[A], object]) -> Callable[[A], object]:
        """Decorator: ``function(self)`` runs after the list was cleared."""
        return self.on("cleared", function)

    # --- changes --------------------------------------------------------------------------------------------------

    def set_at(self, cell: Cell, at: int, value: T) -> None:
        """Set the entry at ``at`` in the open turn."""
        turn = require_turn(cell, self.name)
        state = self.state(cell)
        entry = state.entries[at]
        if "updating" in self.callbacks:
            value = self.call(cell, "updating", at, value, entry.value)
            found = _place_of(state, entry, at)
            if found is None:
                return  # the callback took the entry out
            at = found
            entry = state.entries[at]
        old = entry.value
        wire, exact = encode_texts(self, cell, self.form, value)
        turn.undo.append((setattr, entry, "value", old))
        entry.value = value
        self._record(cell, turn, entry, exact)
        self.note(cell, turn, Event(self.index, UPDATE, operation.list_update(at, entry.key, wire), entry.key))
        self.call(cell, "updated", at, value, old)

    def insert_at(self, cell: Cell, at: int, value: T, key: str | None = None) -> None:
        """Insert an entry before ``at`` in the open turn."""
        turn = require_turn(cell, self.name)
        state = self.state(cell)
        if "updating" in self.callbacks:
            value = self.call(cell, "updating", at, value, None)
            at = min(at, len(state.entries))
        wire, exact = encode_texts(self, cell, self.form, value)
        entry = _Entry(key or self._new_key(cell), value, self._place(cell, turn, state, at))
        turn.undo.append((_uninsert, state, entry))
        state.entries.insert(at, entry)
        self._record(cell, turn, entry, exact)
        if at < len(state.entries) - 1:
            self._mark_lost(cell, turn, state)
        self.note(cell, turn, Event(self.index, UPDATE, operation.list_update(at, entry.key, wire), entry.key))
        if self.keep is not None:
            while len(state.entries) > self.keep:
                self.remove_at(cell, 0)
        self.call(cell, "updated", at, value, None)

    def remove_at(self, cell: Cell, at: int) -> None:
        """Remove the entry at ``at`` in the open turn."""
        turn = require_turn(cell, self.name)
        state = self.state(cell)
        entry = state.entries[at]
        if "removing" in self.callbacks:
            self.call(cell, "removing", at, entry.value)
            found = _place_of(state, entry, at)
            if found is None:
                return
            at = found
        entry = self._take_out(cell, turn, state, at)
        self.note(cell, turn, Event(self.index, REMOVE, operation.list_remove(at, entry.key), entry.key))
        self.call(cell, "removed", at, entry.value)

    def move_at(self, cell: Cell, source: int, target: int) -> None:
        """Move an entry in the open turn."""
        turn = require_turn(cell, self.name)
        state = self.state(cell)
        if source == target:
            return
        entry = self._take_out(cell, turn, state, source)
        place = self._place(cell, turn, state, target)
        moved = _Entry(entry.key, entry.value, place)
        turn.undo.append((_uninsert, state, moved))
        state.entries.insert(target, moved)
        self._record(cell, turn, moved, encode_texts(self, cell, self.form, moved.value)[1])
        self.note(cell, turn, Event(self.index, MOVE, operation.list_move(source, target, moved.key), moved.key))
        self.call(cell, "moved", source, target, moved.value)

    def clear(self, cell: Cell) -> None:
        """Remove all entries in the open turn."""
        turn = require_turn(cell, self.name)
        state = self.state(cell)
        self.call(cell, "clearing")
        turn.undo.append((setattr, state, "entries", state.entries))
        turn.undo.append((setattr, state, "has_lost", state.has_lost))
        had = bool(state.entries)
        state.entries = []
        if had:
            if self.is_kept(cell):
                turn.records.append((2, self.prefix(cell), b""))
                state.has_lost = False  # the mark went with the entries
            self._mark_lost(cell, turn, state)
        self.note(cell, turn, Event(self.index, CLEAR, operation.clear()))
        self.call(cell, "cleared")

    def trim(self, cell: Cell, op: int, count: int) -> None:
        """``take`` or ``drop`` in the open turn; links are told even where nothing changes."""
        turn = require_turn(cell, self.name)
        if count < 0:
            raise LaneError("NT-LANE-009", f'lane "{self.name}" of {cell.node} cannot take or drop {count} entries')
        state = self.state(cell)
        before = [entry.key for entry in state.entries]
        size = len(before)
        start, stop = (min(count, size), size) if op == TAKE else (0, min(count, size))
        if "removing" in self.callbacks:
            going = state.entries[start:stop]
            for at in range(stop - 1, start - 1, -1):
                self.call(cell, "removing", at, going[at - start].value)
            if before != [entry.key for entry in state.entries]:  # it wrote here, and links would cut elsewhere
                for entry in reversed(going):
                    found = _place_of(state, entry, start)
                    if found is not None:
                        self._take_one(cell, turn, state, found)
                return
        gone = [self._take_out(cell, turn, state, at) for at in range(stop - 1, start - 1, -1)]
        body = operation.take(count) if op == TAKE else operation.drop(count)
        self.note(cell, turn, Event(self.index, op, body))
        if "removed" in self.callbacks:
            for at, entry in zip(range(stop - 1, start - 1, -1), gone, strict=True):
                self.call(cell, "removed", at, entry.value)

    def _take_one(self, cell: Cell, turn: Turn, state: LaneList[T], at: int) -> None:
        entry = self._take_out(cell, turn, state, at)
        self.note(cell, turn, Event(self.index, REMOVE, operation.list_remove(at, entry.key), entry.key))
        self.call(cell, "removed", at, entry.value)

    def _take_out(self, cell: Cell, turn: Turn, state: LaneList[T], at: int) -> _Entry[T]:
        entry = state.entries.pop(at)
        turn.undo.append((state.entries.insert, at, entry))
        if self.is_kept(cell):
            turn.records.append((1, self._sub(cell, entry), b""))
        self._mark_lost(cell, turn, state)
        return entry

    def _record(self, cell: Cell, turn: Turn, entry: _Entry[T], exact: str) -> None:
        if self.is_kept(cell):
            turn.records.append((0, self._sub(cell, entry), f"{entry.key}\0{exact}".encode()))

    def _sub(self, cell: Cell, entry: _Entry[T]) -> bytes:
        return self.prefix(cell) + entry.place.to_bytes(_PLACE_BYTES, "big")

    def _mark_lost(self, cell: Cell, turn: Turn, state: LaneList[T]) -> None:
        if not state.has_lost:
            turn.undo.append((setattr, state, "has_lost", False))
            state.has_lost = True
            if self.is_kept(cell):
                turn.records.append((0, self.prefix(cell) + LOST, b""))

    def _new_key(self, cell: Cell) -> str:
        return recon.encode(cell._host.env.random.randbytes(_KEY_BYTES))

    def _place(self, cell: Cell, turn: Turn, state: LaneList[T], at: int) -> int:
        entries = state.entries
        if not entries:
            return _MIDDLE
        if at == len(entries):
            if entries[-1].place >= _LAST:
                self._renumber(cell, turn, state)
            return state.entries[-1].place + _GAP
        after = entries[at].place
        before = entries[at - 1].place if at else max(after - 2 * _GAP, 1 << 56)
        if after - before < 2:
            self._renumber(cell, turn, state)
            return self._place(cell, turn, state, at)
        return (before + after) // 2

    def _renumber(self, cell: Cell, turn: Turn, state: LaneList[T]) -> None:
        turn.undo.append((setattr, state, "entries", state.entries))
        if self.is_kept(cell):
            turn.records.extend((1, self._sub(cell, entry), b"") for entry in state.entries)
        first = _MIDDLE - len(state.entries) // 2 * _GAP
        state.entries = [_Entry(e.key, e.value, first + at * _GAP) for at, e in enumerate(state.entries)]
        for entry in state.entries:
            self._record(cell, turn, entry, encode_texts(self, cell, self.form, entry.value)[1])

    # --- from outside ---------------------------------------------------------------------------------------------

    def receive(self, cell: Any, body: Any) -> None:
        change = operation.read(body)
        if change is None:
            return
        state = self.state(cell)
        key = None if change.key is Absent or change.key is Extant else recon.encode(change.key)
        op = change.op
        if op == "update":
            self._receive_update(cell, state, change, key)
        elif op in ("remove", "move"):
            source = self._find(state, key, change.index)
            if source is None:
                return
            if op == "remove":
                self.remove_at(cell, source)
            elif 0 <= change.to < len(state.entries):
                self.move_at(cell, source, change.to)
        elif op == "clear":
            self.clear(cell)
        elif op in ("take", "drop"):
            self.trim(cell, TAKE if op == "take" else DROP, change.n)

    def _receive_update(self, cell: Any, state: LaneList[T], change: Any, key: str | None) -> None:
        value = change.value if self.form.is_any else decode_input(self.form, change.value)
        size = len(state.entries)
        at = change.index
        known = self._find(state, key, -1)
        if known is not None:
            self.set_at(cell, known, value)
        elif at < 0 or at == size:
            self.insert_at(cell, size, value, key)
        elif at < size:
            if key is None:
                self.set_at(cell, at, value)
            else:
                self.insert_at(cell, at, value, key)

    def _find(self, state: LaneList[T], key: str | None, index: int) -> int | None:
        entries = state.entries
        if key is not None:
            if 0 <= index < len(entries) and entries[index].key == key:
                return index
            for at, entry in enumerate(entries):
                if entry.key == key:
                    return at
            return None
        return index if 0 <= index < len(entries) else None

    def snapshot(self, cell: Any, uri: str = "") -> Iterator[tuple[str | None, str]]:
        for at, entry in enumerate(list(self.state(cell).entries)):
            yield entry.key, operation.list_update(at, entry.key, encode_texts(self, cell, self.form, entry.value)[0])

    def read(self, cell: Any) -> Any:
        return Record(self.form.encode(entry.value) for entry in self.state(cell).entries)

    def has_lost(self, cell: Cell) -> bool:
        return self.state(cell).has_lost

    def types(self) -> dict[str, Any]:
        return {"value": self.form}

    def _load(self, cell: Cell) -> LaneList[T]:
        state: LaneList[T] = LaneList(cell, self)
        if self.is_stored(cell):
            prefix = self.prefix(cell)
            start = len(prefix)
            for stored, record in cell._host.store.scan(prefix):
                sub = stored[start:]
                if sub == LOST:
                    state.has_lost = True
                    continue
                name, mark, text = record.decode("utf-8", "replace").partition("\0")
                if len(sub) != _PLACE_BYTES or not mark:
                    raise stored_misfit(self, cell, record, LaneError("NT-LANE-014", "is no entry of a list"))
                value = decode_stored(self, cell, self.form, text)
                state.entries.append(_Entry(name, value, int.from_bytes(sub, "big")))
        cell._state[self.index] = state
        return state


def _place_of(state: LaneList[Any], entry: Any, at: int) -> int | None:
    """Where an entry stands now, by its key: a callback may have changed the list."""
    entries = state.entries
    if at < len(entries) and entries[at].key == entry.key:
        return at
    return next((other for other, one in enumerate(entries) if one.key == entry.key), None)


def _uninsert(state: LaneList[Any], entry: Any) -> None:
    state.entries.remove(entry)
