"""A copy of a followed lane in JSON, so that whoever begins to follow gets the state that belongs to a number of event.

The copy sees the same events as the followers, hence the state and the number of the last event in it always fit each other.
Lists name their elements by keys that JSON does not show; the copy keeps them, and so tells an ``insert`` from an ``update``.
"""

from __future__ import annotations

from functools import cmp_to_key
from typing import Any

import msgspec

from natant.codec import recon
from natant.codec.recon.value import Absent, Extant
from natant.codec.warp import operation
from natant.server.http.lanejson import LaneJson, is_keyed, value_json

__all__ = ["Mirror"]


class Mirror:
    """The state of one lane of one agent.

    :param lane_json: the JSON side of the lane.
    """

    __slots__ = ("_entries", "_items", "_json", "_value")

    def __init__(self, lane_json: LaneJson) -> None:
        self._json = lane_json
        self._value = b"null"
        #: of a keyed lane: text of the key -> its value, its name in JSON, the JSON of the entry's value
        self._entries: dict[str, tuple[Any, bytes, bytes]] = {}
        #: of a list lane: key and JSON of each element
        self._items: list[tuple[str | None, bytes]] = []

    def state(self) -> bytes:
        """The JSON of the state."""
        if is_keyed(self._json.kind):
            return b"{" + b",".join(name + b":" + value for _, name, value in self._entries.values()) + b"}"
        if self._json.kind == "list":
            return b"[" + b",".join(value for _, value in self._items) + b"]"
        return self._value

    def apply(self, body: Any) -> bytes:
        """Take the body of an event; returns the event in JSON."""
        kind = self._json.kind
        change = operation.read(body) if is_keyed(kind) or kind == "list" else None
        if change is None:
            event = self._json.change(None, body)
            if kind in ("value", "demand"):
                self._value = value_json(self._json.value, body)
            return event
        if kind == "list":
            return self._apply_to_list(change)
        self._apply_to_map(change)
        return self._json.change(change, body)

    # --- maps -----------------------------------------------------------------------------------------------------

    def _apply_to_map(self, change: operation.Operation) -> None:
        entries = self._entries
        op = change.op
        if op == operation.UPDATE:
            name = msgspec.json.encode(self._json.key_text(change.key))
            entries[recon.encode(change.key)] = (change.key, name, value_json(self._json.value, change.value))
        elif op == operation.REMOVE:
            entries.pop(recon.encode(change.key), None)
        elif op == operation.CLEAR:
            entries.clear()
        else:
            order = cmp_to_key(recon.compare)
            texts = sorted(entries, key=lambda text: order(entries[text][0]))
            for text in texts[change.n :] if op == operation.TAKE else texts[: change.n]:
                del entries[text]

    # --- lists ----------------------------------------------------------------------------------------------------

    def _apply_to_list(self, change: operation.Operation) -> bytes:
        items = self._items
        op = change.op
        if op == operation.CLEAR:
            items.clear()
        elif op == operation.TAKE:
            del items[change.n :]
        elif op == operation.DROP:
            del items[: change.n]
        else:
            return self._apply_at(change)
        return self._json.change(change, None)

    def _apply_at(self, change: operation.Operation) -> bytes:
        items = self._items
        key = None if change.key is Extant or change.key is Absent else recon.encode(change.key)
        at = self._find(key, change.index)
        if change.op == operation.UPDATE:
            value = value_json(self._json.value, change.value)
            if at is None:
                index = min(max(change.index, 0), len(items))
                items.insert(index, (key, value))
                return b'{"op":"insert","index":%d,"value":%b}' % (index, value)
            items[at] = (key, value)
            return b'{"op":"update","index":%d,"value":%b}' % (at, value)
        if at is None:  # it has gone with what was cut off before
            return b'{"op":"none"}'
        item = items.pop(at)
        if change.op == operation.REMOVE:
            return b'{"op":"remove","index":%d}' % at
        to = min(max(change.to, 0), len(items))
        items.insert(to, item)
        return b'{"op":"move","from":%d,"to":%d}' % (at, to)

    def _find(self, key: str | None, index: int) -> int | None:
        items = self._items
        if key is None:
            return index if 0 <= index < len(items) else None
        if 0 <= index < len(items) and items[index][0] == key:
            return index
        return next((at for at, item in enumerate(items) if item[0] == key), None)
