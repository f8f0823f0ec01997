"""What a bucket shows of a lane: keys and JSON, made from the records in the store.

===========  ==============================  =======================================
lane         key                             value
===========  ==============================  =======================================
value        tokens of the node              the JSON of the lane; no key: never set
map          tokens of the node and the key  the JSON of the entry
===========  ==============================  =======================================

A key is made as a subject's tokens are, with ``=`` in place of ``%`` and ``=7E`` for ``~``, which keys of a bucket cannot have:
the entry ``4.2`` of ``/vehicle/7`` is ``vehicle.7.4=2E2``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from natant.codec import recon
from natant.errors import NatantError
from natant.fabric.nats.bucket import bucket_key
from natant.kernel import key as keys
from natant.lane.map_base import STAMPED
from natant.server.http.lanejson import LaneJson

if TYPE_CHECKING:
    from natant.kernel.kernel import Kernel

__all__ = ["Show", "split"]

#: bytes before the text in a record of a map lane with ``keep``
_STAMP_BYTES: Final = 9


def split(entry: bytes) -> tuple[str, str, bytes]:
    """Node, lane and sub-key of the key of a lane's record."""
    node, lane, sub = entry[1:].split(b"\0", 2)
    return node.decode(), lane.decode(), sub


class Show:
    """How one lane is shown.

    :param lane: a value or map lane with a bucket.
    """

    def __init__(self, lane: Any) -> None:
        self.lane = lane
        self.is_map = lane.kind != "value"
        self._json = LaneJson(lane.kind, lane.types())

    def entry(self, kernel: Kernel, entry: bytes) -> tuple[str, bytes | None] | None:
        """The key and the committed value of a record, None for one that is gone; None in all for a record that is not shown."""
        node, _, sub = split(entry)
        record = kernel.store.get(entry)
        if not self.is_map:
            return bucket_key(node), None if record is None else self._value(record)
        if sub[:1] == b"\0":
            return None
        key = bucket_key(node, self._json.key_text(recon.decode(sub.decode())))
        if record is None:
            return key, None
        return key, self._value(record[_STAMP_BYTES:] if record[:1] == STAMPED else record)

    def entries(self, kernel: Kernel, node: str) -> Iterator[bytes]:
        """The keys of all records of the lane of one agent."""
        for stored, _ in kernel.store.scan(keys.lane_prefix(node, self.lane.name)):
            if self.is_map or split(stored)[2] == b"":
                yield stored

    def _value(self, record: bytes) -> bytes:
        if not record:
            return b"null"
        try:
            return self._json.item(recon.decode(record.decode()))
        except (NatantError, UnicodeDecodeError):
            return b"null"  # the agent will say what is wrong with its record when it reads it
