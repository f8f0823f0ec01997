"""The hot half of the value lane: reading and writing one value; :mod:`natant.lane.value_lane` has the rest.

Two classes, since a compiled class can have no type parameters.  A hot module: types for Cython are in ``value_base.pxd``.
"""

from __future__ import annotations

import copy
from typing import Any

from natant.codec.form import Form
from natant.codec.recon.value import Absent
from natant.kernel.cell import UNLOADED, Cell
from natant.kernel.change import SET, Event
from natant.kernel.turn import require_turn
from natant.lane.base import Lane, decode_input, decode_stored, encode_texts, refuse_unwritable

__all__ = ["ValueBase"]


class ValueBase(Lane):
    """One value for each agent."""

    def __init__(self, form: Form[Any], default: Any = None, **options: Any) -> None:
        super().__init__(**options)
        if default is not None and not form.is_any:
            form.encode(default)  # raises where it does not fit
        self.form = form
        self.default = default
        #: None where values of any type are taken
        self._typed: Form[Any] | None = None if form.is_any else form

    def __get__(self, agent: Any, owner: Any) -> Any:
        if agent is None:
            return self
        cell: Cell = agent
        state = cell._state[self.index]
        return self._load(cell) if state is UNLOADED else state

    def __set__(self, agent: Any, value: Any) -> None:
        self.put(agent, value)

    def put(self, cell: Cell, value: Any) -> None:
        """Set the value in the open turn."""
        turn = require_turn(cell, self.name)
        old = cell._state[self.index]
        if old is UNLOADED:
            old = self._load(cell)
        callbacks = self.callbacks
        if callbacks and "changing" in callbacks:
            value = callbacks["changing"](cell, value, old)
        if self.is_kept(cell):
            wire, exact = ("", "") if value is None or value is Absent else encode_texts(self, cell, self.form, value)
            turn.note_undo((_restore, self, cell, old))
            cell._state[self.index] = None if value is Absent else value
            if exact or self.default is not None:  # an empty record: there is no value, not even the default
                turn.note_record((0, self.prefix(cell), exact.encode()))
            else:
                turn.note_record((1, self.prefix(cell), b""))
            if self.bucket is not None:
                self.mark(cell, turn, self.prefix(cell))
            if cell._links is not None:
                turn.note_event(Event(self.index, SET, wire))
        else:
            links = cell._links
            if links is not None and self.index in links:
                wire = "" if value is None or value is Absent else encode_texts(self, cell, self.form, value)[0]
                turn.note_instant(Event(self.index, SET, wire))
            elif value is not None and value is not Absent:
                refuse_unwritable(self, cell, self._typed, value)
            turn.note_undo((_restore, self, cell, old))
            cell._state[self.index] = None if value is Absent else value
        if callbacks and "changed" in callbacks:
            callbacks["changed"](cell, value, old)

    def receive(self, cell: Any, body: Any) -> Any:
        if self._typed is None:
            self.put(cell, body)
        elif body is Absent:
            self.put(cell, self._initial())
        else:
            self.put(cell, decode_input(self.form, body))

    def _initial(self) -> Any:
        default = self.default
        return copy.copy(default) if isinstance(default, (list, dict, set)) else default

    def _load(self, cell: Cell) -> Any:
        text = cell._host.store.get(self.prefix(cell)) if self.is_stored(cell) else None
        state: Any = None
        if text is None:
            state = self._initial()
        elif text:
            state = decode_stored(self, cell, self.form, text)
        cell._state[self.index] = state
        return state


def _restore(lane: ValueBase, cell: Cell, old: Any) -> None:
    cell._state[lane.index] = old
