"""Lanes in JSON: states, single entries, the operations on maps and lists, commands.

With the types that the lane declares where it has any, so a datetime or an enum looks in JSON as its class says; without,
by the table in :mod:`natant.codec.form.free`.

======================  ============================================================================
lane                    JSON of its state
======================  ============================================================================
value, demand           the value; null where it was never set
map and joins           an object; a key that is no text is written as its JSON text
list                    an array
command, supply         null
======================  ============================================================================

An operation on a map: ``{"op":"update","key":K,"value":V}``, ``{"op":"remove","key":K}``, ``{"op":"clear"}``,
``{"op":"take","n":3}``, ``{"op":"drop","n":3}``; on a list ``index`` in place of ``key``, and
``{"op":"move","from":0,"to":2}``.  Streams send these, POST takes them.
"""

from __future__ import annotations

import contextlib
from bisect import bisect_right
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from natant.codec import recon
from natant.codec.form import any_from_json, any_to_json
from natant.codec.form import form as form_of
from natant.codec.recon.value import Absent, Extant, Record, Slot
from natant.codec.warp import operation
from natant.errors import FormError, NatantError, ServerError

__all__ = ["LaneJson", "is_keyed", "value_json"]

_KEYED: Final = frozenset({"map", "joinValue", "joinMap", "demandMap"})
_ANY: Final = form_of(Any)


def is_keyed(kind: str) -> bool:
    """True for lanes that are maps."""
    return kind in _KEYED


def value_json(form: Any, value: Any) -> bytes:
    """A Recon value as JSON, by its form."""
    if value is Absent or value is Extant:
        return b"null"
    if form is None or form.is_any:
        return any_to_json(value)
    try:
        return bytes(form.to_json(form.decode(value)))
    except FormError:
        return any_to_json(value)


class LaneJson:
    """The JSON side of one lane.

    :param kind: the lane's kind.
    :param types: its forms by role: ``value``, ``key``, ``input``.
    """

    __slots__ = ("key", "kind", "taken", "value")

    def __init__(self, kind: str, types: dict[str, Any]) -> None:
        self.kind = kind
        self.value = types.get("value", _ANY)
        self.key = types.get("key", _ANY)
        self.taken = types.get("input", self.value)

    # --- out ------------------------------------------------------------------------------------------------------

    def state(self, value: Any) -> bytes:
        """The JSON of a lane's state, as :meth:`natant.server.port.HostPort.read` gives it."""
        if is_keyed(self.kind):
            return self.entries(value.items if isinstance(value, Record) else ())
        if self.kind == "list":
            items = value.items if isinstance(value, Record) else []
            return b"[" + b",".join(value_json(self.value, item) for item in items) + b"]"
        return value_json(self.value, value)

    def item(self, value: Any) -> bytes:
        """The JSON of the value of one entry."""
        return value_json(self.value, value)

    def result(self, value: Any) -> bytes:
        """The JSON of what a command's handler returned."""
        return value_json(None, value)

    def entries(self, slots: Iterable[Any]) -> bytes:
        """The JSON object of some entries of a map."""
        parts = [
            msgspec.json.encode(self.key_text(slot.key)) + b":" + value_json(self.value, slot.value)
            for slot in slots
            if isinstance(slot, Slot)
        ]
        return b"{" + b",".join(parts) + b"}"

    def key_text(self, key: Any) -> str:
        """A map's key as the name in a JSON object and in URLs."""
        try:
            return str(self.key.to_key(self.key.decode(key)))
        except FormError:
            return key if isinstance(key, str) else any_to_json(key).decode()

    def read_key(self, text: str) -> Any:
        """The key that is written ``text`` in a URL."""
        try:
            return self.key.encode(self.key.from_key(text))
        except NatantError:
            return text

    def find(self, entries: list[Any], text: str) -> int | None:
        """The place of the entry whose key is written ``text`` in a URL, None where there is none."""
        wanted: list[Any] = [self.read_key(text)]
        if self.key.is_any:
            wanted.append(text)
            with contextlib.suppress(NatantError):
                wanted.append(recon.decode(text))
        for at, slot in enumerate(entries):
            if isinstance(slot, Slot) and any(slot.key == key and type(slot.key) is type(key) for key in wanted):
                return at
        return None

    def page(self, entries: list[Any], after: str | None, size: int | None) -> tuple[list[Any], str | None]:
        """Some entries of a map, and the key to go on after where more follow; a key that was removed meanwhile does no harm."""
        start = 0
        if after is not None:
            at = self.find(entries, after)
            if at is None:
                keys = [recon.sort_key(slot.key) for slot in entries if isinstance(slot, Slot)]
                start = bisect_right(keys, recon.sort_key(self.read_key(after)))
            else:
                start = at + 1
        if size is None:
            return entries[start:], None
        page = entries[start : start + size]
        return page, self.key_text(page[-1].key) if start + size < len(entries) else None

    def change(self, change: operation.Operation | None, body: Any) -> bytes:
        """The JSON of one event: of an operation, or of a plain value where ``change`` is None."""
        if change is None:
            return b'{"op":"set","value":' + value_json(self.value, body) + b"}"
        op = change.op
        parts = [b'{"op":"' + op.encode() + b'"']
        if op in ("take", "drop"):
            parts.append(b'"n":%d' % change.n)
        elif op == "move":
            parts.append(b'"from":%d,"to":%d' % (change.index, change.to))
        elif op != "clear":
            if self.kind == "list":
                parts.append(b'"index":%d' % change.index)
            else:
                parts.append(b'"key":' + value_json(self.key, change.key))
            if op == "update":
                parts.append(b'"value":' + value_json(self.value, change.value))
        return b",".join(parts) + b"}"

    # --- in -------------------------------------------------------------------------------------------------------

    def command(self, data: bytes) -> Any:
        """The body of a command, from JSON.

        :raises FormError: where it does not fit the lane.
        :raises ServerError: ``NT-SERVER-016`` where it is no operation and the lane takes only these.
        """
        if not data.strip():
            return Absent
        if is_keyed(self.kind) or self.kind == "list":
            return self._operation(data)
        return self._value(self.taken, data)

    def _value(self, form: Any, data: bytes) -> Any:
        if form is None or form.is_any:
            return any_from_json(data)
        return form.encode(form.from_json(data))

    def _operation(self, data: bytes) -> Any:
        try:
            parts = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
            op = msgspec.json.decode(parts["op"], type=str)
            text = self._operation_text(op, parts)
        except (msgspec.MsgspecError, KeyError, UnicodeDecodeError) as error:
            sample = '"index":0' if self.kind == "list" else '"key":"a"'
            wrong = f"{error} is missing" if isinstance(error, KeyError) else str(error)
            raise ServerError(
                "NT-SERVER-016",
                f'a {self.kind} lane takes an operation such as {{"op":"update",{sample},"value":1}}; {wrong}',
                http_status=400,
            ) from None
        return recon.decode_body(text)

    def _operation_text(self, op: str, parts: dict[str, msgspec.Raw]) -> str:
        def whole(name: str) -> int:
            return msgspec.json.decode(parts[name], type=int)

        def value() -> str:
            return recon.encode_body(self._value(self.value, bytes(parts["value"])))

        if op == operation.CLEAR:
            return operation.clear()
        if op == operation.TAKE:
            return operation.take(whole("n"))
        if op == operation.DROP:
            return operation.drop(whole("n"))
        if self.kind == "list":
            if op == operation.MOVE:
                return operation.list_move(whole("from"), whole("to"), "")
            if op == operation.UPDATE:
                return operation.list_update(whole("index"), "", value())
            if op == operation.REMOVE:
                return operation.list_remove(whole("index"), "")
        elif op in (operation.UPDATE, operation.REMOVE):
            key = recon.encode(self._value(self.key, bytes(parts["key"])))
            return operation.update(key, value()) if op == operation.UPDATE else operation.remove(key)
        raise ServerError("NT-SERVER-016", f"a {self.kind} lane knows no operation {op[:40]!r}", http_status=400)
