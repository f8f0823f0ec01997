"""The entries of a map lane, read part by part as a sync sends them.

Used by :mod:`natant.link.uplink`.  Hot: types for Cython are in ``reader.pxd``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from natant.codec.recon.writer import encode
from natant.codec.warp.envelope import join
from natant.kernel.lanekind import Reader
from natant.lane.base import encode_key
from natant.lane.exact_dict import MISSING

if TYPE_CHECKING:
    from natant.kernel.cell import Cell
    from natant.lane.map_base import EntriesBase, MapBase

__all__ = ["MapReader"]


class MapReader(Reader):
    """Reads the entries of a map lane; what is set meanwhile is shown as it is when its turn comes.

    :param keys: those to show, in order.
    """

    __slots__ = ("_at", "_cell", "_entries", "_keys", "_lane")

    def __init__(self, lane: MapBase, cell: Cell, entries: EntriesBase, keys: list[Any]) -> None:
        super().__init__(iter(()))
        self._lane = lane
        self._cell = cell
        self._entries = entries
        self._keys = keys
        self._at = 0

    def read(self, count: int) -> list[str]:
        lane = self._lane
        keys = self._keys
        at = self._at
        stop = min(at + count, len(keys))
        data = self._entries.data
        out: list[str] = []
        while at < stop:
            key = keys[at]
            at += 1
            value = data.find(key)
            if value is MISSING:
                continue
            if key.__class__ is int or key.__class__ is str:
                key_text = encode(key)
            else:
                key_text = encode_key(lane, self._cell, lane.key_form, key)[0]
            if value.__class__ is int or value.__class__ is str:
                text = encode(value)
            else:
                text = lane.texts(self._cell, value)[0]
            out.append(join(f"@update(key:{key_text})", text))
        self._at = at
        self.is_done = at == len(keys)
        return out
