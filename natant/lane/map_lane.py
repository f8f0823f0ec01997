"""The map lane: keyed entries, ordered by key, optionally only the newest.

The order is Recon's (``natant.codec.recon.order``): ``take`` and ``drop`` mean the same here as at every peer.
``keep=N`` keeps the N most recently written keys, ``keep=timedelta`` those written within that time.

A record holds the exact text of the value; with ``keep`` a zero byte, which no text starts with, and 8 bytes of the time of
writing stand before it.  So ``keep`` may come and go between two lives of a program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, overload

from natant.codec import recon
from natant.codec.form import Form
from natant.codec.recon.value import Extant, Record, Slot
from natant.codec.warp import operation
from natant.errors import CodecError, FormError, LaneError
from natant.kernel.cell import Cell
from natant.kernel.change import CLEAR, DROP, REMOVE, TAKE, Event
from natant.kernel.key import ALL
from natant.kernel.lanekind import Reader
from natant.kernel.turn import Turn, require_turn
from natant.lane.base import decode_input, decode_stored, encode_key, stored_misfit
from natant.lane.exact_dict import ExactDict
from natant.lane.map_base import STAMPED, EntriesBase, MapBase, sort_stamps, unput
from natant.lane.reader import MapReader

__all__ = ["LaneMap", "MapLane"]

K = TypeVar("K")
V = TypeVar("V")
A = TypeVar("A")
D = TypeVar("D")

#: sub-key of the mark that the lane has lost entries; no Recon text starts with a zero byte
LOST: Final = b"\0lost"
_TEXT_AT: Final = 9


class LaneMap(EntriesBase, MutableMapping[K, V]):
    """The map lane of one agent: a mapping whose changes are part of the turn.

    Iteration is in Recon order of the keys.
    """

    __slots__ = ()

    if TYPE_CHECKING:

        def __init__(self, cell: Cell, lane: MapLane[K, V]) -> None: ...
        def __getitem__(self, key: K) -> V: ...
        def __setitem__(self, key: K, value: V) -> None: ...
        def __delitem__(self, key: K) -> None: ...
        @overload  # type: ignore[override]  # the base has no type parameters
        def get(self, key: K) -> V | None: ...
        @overload
        def get(self, key: K, default: V | D) -> V | D: ...
        def get(self, key: Any, default: Any = None) -> Any: ...
        def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[K]:
        return iter(list(self.order.keys(self.data)))

    def clear(self) -> None:
        """Remove all entries."""
        self._lane.clear(self._cell)

    def take(self, count: int) -> None:
        """Keep the first ``count`` entries in key order, remove the rest."""
        self._lane.trim(self._cell, TAKE, count)

    def drop(self, count: int) -> None:
        """Remove the first ``count`` entries in key order."""
        self._lane.trim(self._cell, DROP, count)

    def __ior__(self, other: Any) -> LaneMap[K, V]:
        self.update(other)
        return self

    def __repr__(self) -> str:
        return repr({key: self.data[key] for key in self})


class MapLane(MapBase, Generic[K, V]):
    """Entries of keys ``K`` and values ``V`` for each agent."""

    kind = "map"
    conflation = "keyed"

    def __init__(self, key_form: Form[K], form: Form[V], keep: int | timedelta | None = None, **options: Any) -> None:
        super().__init__(key_form, form, **options)
        if isinstance(keep, timedelta):
            keep_s: float | None = keep.total_seconds()
            keep = None
            if keep_s is not None and keep_s <= 0:
                raise LaneError("NT-LANE-007", "keep= as a time must be longer than nothing")
        else:
            keep_s = None
        if keep is not None and keep < 1:
            raise LaneError("NT-LANE-007", f"keep={keep} would keep nothing; take at least 1")
        self.keep = keep
        self.keep_s = keep_s
        self.is_stamped = keep is not None or keep_s is not None

    if TYPE_CHECKING:

        @overload
        def __get__(self, agent: None, owner: type) -> MapLane[K, V]: ...
        @overload
        def __get__(self, agent: Cell, owner: type) -> LaneMap[K, V]: ...
        def __get__(self, agent: Cell | None, owner: type) -> Any: ...

    def __set__(self, agent: Any, value: Any) -> None:
        if value is agent._state[self.index]:
            return  # the end of ``self.LANE |= ...``
        raise LaneError("NT-LANE-008", f'map lane "{self.name}" cannot be assigned; clear it and update it instead')

    def make(self, cell: Cell) -> LaneMap[K, V]:
        """An empty map for one agent."""
        return LaneMap(cell, self)

    def state(self, cell: Cell) -> LaneMap[K, V]:
        """The map of one agent."""
        found: LaneMap[K, V] = self.entries(cell)
        return found

    # --- the author's callbacks -----------------------------------------------------------------------------------

    def updating(self, function: Callable[[A, K, V, V | None], V]) -> Callable[[A, K, V, V | None], V]:
        """Decorator: ``function(self, key, new, old)`` runs before an update and returns the value to store."""
        return self.on("updating", function)

    def updated(self, function: Callable[[A, K, V, V | None], object]) -> Callable[[A, K, V, V | None], object]:
        """Decorator: ``function(self, key, new, old)`` runs after an update; ``old`` is None for a new key."""
        return self.on("updated", function)

    def removing(self, function: Callable[[A, K, V], object]) -> Callable[[A, K, V], object]:
        """Decorator: ``function(self, key, old)`` runs before an entry is removed."""
        return self.on("removing", function)

    def removed(self, function: Callable[[A, K, V], object]) -> Callable[[A, K, V], object]:
        """Decorator: ``function(self, key, old)`` runs after an entry was removed."""
        return self.on("removed", function)

    def clearing(self, function: Callable[[A], object]) -> Callable[[A], object]:
        """Decorator: ``function(self)`` runs before the map is cleared."""
        return self.on("clearing", function)

    def cleared(self, function: Callable[[A], object]) -> Callable[[A], object]:
        """Decorator: ``function(self)`` runs after the map was cleared."""
        return self.on("cleared", function)

    # --- changes --------------------------------------------------------------------------------------------------

    def remove(self, cell: Cell, key: K) -> None:
        """Remove one entry in the open turn; a key that is not there changes nothing and is not told to links."""
        turn = require_turn(cell, self.name)
        state = self.state(cell)
        if key not in state.data:
            return
        self.call(cell, "removing", key, state.data[key])
        if key not in state.data:
            return
        old, key_wire = self._take_out(cell, state, key)
        self.note(cell, turn, Event(self.index, REMOVE, operation.remove(key_wire), key_wire))
        self.call(cell, "removed", key, old)

    def clear(self, cell: Cell) -> None:
        """Remove all entries in the open turn."""
        turn = require_turn(cell, self.name)
        state = self.state(cell)
        self.call(cell, "clearing")
        turn.undo.append((self._unclear, state, state.data, state.stamp, state.has_lost))
        had = bool(state.data)
        state.data = ExactDict()
        if self.is_stamped:
            state.stamp = ExactDict()
        state.order.reset()
        if self.is_kept(cell) and had:
            prefix = self.prefix(cell)
            turn.records.append((2, prefix, b""))
            if self.bucket is not None:
                self.mark(cell, turn, prefix + ALL)
            state.has_lost = False  # the mark went with the entries
        if had:
            self._mark_lost(cell, turn, state)
        self.note(cell, turn, Event(self.index, CLEAR, operation.clear()))
        self.call(cell, "cleared")

    def trim(self, cell: Cell, op: int, count: int) -> None:
        """``take`` or ``drop`` in the open turn; links are told even where nothing changes."""
        turn = require_turn(cell, self.name)
        if count < 0:
            raise LaneError("NT-LANE-009", f'lane "{self.name}" of {cell.node} cannot take or drop {count} entries')
        state = self.state(cell)
        gone = self._cut(state, op, count)
        is_plain = True
        if "removing" in self.callbacks:
            for key in gone:
                if key in state.data:
                    self.call(cell, "removing", key, state.data[key])
            is_plain = gone == self._cut(state, op, count)  # else it wrote here, and links would cut elsewhere
        pairs = []
        texts = []
        for key in gone:
            if key in state.data:
                old, key_wire = self._take_out(cell, state, key)
                pairs.append((key, old))
                texts.append(key_wire)
        if is_plain:
            body = operation.take(count) if op == TAKE else operation.drop(count)
            self.note(cell, turn, Event(self.index, op, body, None, tuple(texts)))
        else:
            for text in texts:
                self.note(cell, turn, Event(self.index, REMOVE, operation.remove(text), text))
        if "removed" in self.callbacks:
            for key, old in pairs:
                self.call(cell, "removed", key, old)

    def _cut(self, state: LaneMap[K, V], op: int, count: int) -> list[K]:
        keys = list(state.order.keys(state.data))
        return keys[count:] if op == TAKE else keys[:count]

    def _take_out(self, cell: Cell, state: LaneMap[K, V], key: K) -> tuple[V, str]:
        turn = cell._turn
        assert turn is not None
        key_wire, key_exact = encode_key(self, cell, self.key_form, key)
        old = state.data[key]
        turn.undo.append((unput, state, key, old, state.stamp.get(key) if self.is_stamped else None))
        del state.data[key]
        if self.is_stamped:
            state.stamp.pop(key, None)
        state.order.discard(key)
        if self.is_kept(cell):
            turn.records.append((1, self.prefix(cell) + key_exact.encode(), b""))
            if self.bucket is not None:
                self.mark(cell, turn, self.entry_key(cell, key_exact))
        self._mark_lost(cell, turn, state)
        return old, key_wire

    def _mark_lost(self, cell: Cell, turn: Turn, state: LaneMap[K, V]) -> None:
        if state.has_lost:
            return
        state.has_lost = True
        turn.undo.append((_set_lost, state))
        if self.is_kept(cell):
            turn.records.append((0, self.prefix(cell) + LOST, b""))

    # --- undo -----------------------------------------------------------------------------------------------------

    def _unclear(
        self, state: LaneMap[K, V], data: MutableMapping[K, V], stamp: MutableMapping[K, int], has_lost: bool
    ) -> None:
        state.data = data
        state.stamp = stamp
        state.has_lost = has_lost
        state.order.reset()

    # --- keep -----------------------------------------------------------------------------------------------------

    def _prune(self, cell: Cell, state: LaneMap[K, V]) -> None:
        if self.keep is not None:
            while len(state.data) > self.keep:
                self.remove(cell, next(iter(state.stamp)))
        elif self.keep_s is not None:
            self.expire(cell)

    def expire(self, cell: Cell, is_due: bool = False) -> None:
        """Remove what is older than ``keep``, and have a timer set for the next entry; ``is_due`` where that timer fired."""
        turn = require_turn(cell, self.name)
        state = self.state(cell)
        assert self.keep_s is not None
        host = cell._host
        limit_us = int((host.env.now() - self.keep_s) * 1_000_000)
        while state.stamp:
            oldest = next(iter(state.stamp))
            if state.stamp[oldest] > limit_us:
                break
            self.remove(cell, oldest)
        name = f"keep:{self.name}"
        if state.stamp and (is_due or not host.timer.has(cell.node, name)):
            due_s = next(iter(state.stamp.values())) / 1_000_000 + self.keep_s
            host.timer.set(turn, name, due_s, "_expire_lane", (self.name,))

    # --- from outside ---------------------------------------------------------------------------------------------

    def receive(self, cell: Any, body: Any) -> None:
        change = operation.read(body)
        if change is None:
            return
        op = change.op
        if op == "update":
            key = change.key if self.key_form.is_any else decode_input(self.key_form, change.key)
            value = change.value if self.form.is_any else decode_input(self.form, change.value)
            self.put(cell, key, value)
        elif op == "remove":
            self.remove(cell, change.key if self.key_form.is_any else decode_input(self.key_form, change.key))
        elif op == "clear":
            self.clear(cell)
        elif op in ("take", "drop"):
            self.trim(cell, TAKE if op == "take" else DROP, change.n)

    def reader(self, cell: Any, uri: str = "") -> Reader:
        state = self.state(cell)
        return MapReader(self, cell, state, list(state.order.keys(state.data)))

    def snapshot(self, cell: Any, uri: str = "") -> Iterator[tuple[str | None, str]]:
        reader = self.reader(cell, uri)
        while not reader.is_done:
            for body in reader.read(1):
                yield None, body

    def read(self, cell: Any) -> Any:
        state = self.state(cell)
        return Record(Slot(self.key_form.encode(key), self.form.encode(state.data[key])) for key in state)

    def has_lost(self, cell: Cell) -> bool:
        return self.state(cell).has_lost

    def types(self) -> dict[str, Any]:
        return {"key": self.key_form, "value": self.form}

    def _load(self, cell: Cell) -> LaneMap[K, V]:
        state = self.make(cell)
        if self.is_stored(cell):
            prefix = self.prefix(cell)
            start = len(prefix)
            for stored, record in cell._host.store.scan(prefix):
                sub = stored[start:]
                if sub == LOST:
                    state.has_lost = True
                    continue
                key = self._decode_key(cell, sub)
                stamp = 0
                if record[:1] == STAMPED:
                    stamp = int.from_bytes(record[1:_TEXT_AT], "big")
                    record = record[_TEXT_AT:]
                if self.is_stamped:
                    # What was written while the lane kept everything counts as written now, or it would be gone at once.
                    state.stamp[key] = stamp or int(cell._host.env.now() * 1_000_000)
                state.data[key] = decode_stored(self, cell, self.form, record)
            if self.is_stamped:
                sort_stamps(state)
        cell._state[self.index] = state
        return state

    def _decode_key(self, cell: Cell, text: bytes) -> K:
        try:
            key: K = self.key_form.decode(recon.decode(text) if text else Extant)
        except (FormError, CodecError, UnicodeDecodeError) as error:
            raise stored_misfit(self, cell, text, error) from error
        return key


def _set_lost(state: LaneMap[Any, Any]) -> None:
    state.has_lost = False
