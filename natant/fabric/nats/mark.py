r"""How far a journal had got, noted in another stream.

A server that finds a damaged message in the file of a stream cuts the file off there and goes on: what came after is gone, and what is
left looks whole.  So each owner notes at times what was acknowledged, beside the snapshots, and whoever opens the partition refuses
a journal that ends before its mark.

A mark is ``ntM\x01``, crc32 of the rest, the identity of the journal, number and sequence of the last record, and the epoch.  Sans-io.
"""

from __future__ import annotations

from struct import Struct
from typing import Final
from zlib import crc32

from natant.errors import FabricError
from natant.fabric.nats.record import Position

__all__ = ["pack_mark", "unpack_mark"]

_KIND: Final = b"ntM"
_MAGIC: Final = _KIND + b"\x01"
_MARK: Final = Struct("<4sI16sQQQ16s")
_CHECKED_AT: Final = 8


def pack_mark(at: Position) -> bytes:
    """The message."""
    body = _MARK.pack(_MAGIC, 0, at.identity, at.number, at.sequence, at.epoch, at.link)[_CHECKED_AT:]
    return _MAGIC + crc32(body).to_bytes(4, "little") + body


def unpack_mark(message: bytes, place: str) -> Position:
    """The position that a mark tells of.

    :raises FabricError: ``NT-FABRIC-103`` where it is damaged, ``NT-FABRIC-108`` where a newer natant wrote it.
    """
    if message[:3] == _KIND and message[3:4] not in {b"", _MAGIC[3:]}:
        raise FabricError(
            "NT-FABRIC-108",
            f"{place} has format {message[3]}, which this natant does not know; it reads format {_MAGIC[3]}. "
            "Run the version that wrote it, or a newer one.",
        )
    if len(message) != _MARK.size or message[:_CHECKED_AT] != _MAGIC + crc32(message[_CHECKED_AT:]).to_bytes(
        4, "little"
    ):
        raise FabricError(
            "NT-FABRIC-103",
            f"{place} is damaged: it does not fit its checksum or its size. Bring the stream of the snapshots back from a backup.",
        )
    _, _, identity, number, sequence, epoch, link = _MARK.unpack(message)
    return Position(identity, number, link, sequence, epoch)
