r"""A partition's records at one moment, packed: *pieces* of at most one message each, and the *head* that vouches for them.

The records stand in the order of their keys in *sections*, each for itself: 4 bytes of length, then zlib's format over the number of
records (4), the lengths of all keys and values (4 + 4 each), the keys, the values.  The sections, one behind the other, are cut into
pieces without regard to where a section ends.

The head is ``ntH\x01``, crc32 of the rest, the position in the journal up to which the snapshot reaches, the number of records,
the sequence of the first piece in its stream, and the hash of each piece.  A piece that is missing, cut short or changed does
not fit its hash.

Sans-io.  Called by :mod:`natant.fabric.nats.archive`.
"""

from __future__ import annotations

import sys
import zlib
from array import array
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from struct import Struct
from typing import Final, NamedTuple

from natant.errors import FabricError
from natant.fabric.nats.record import IDENTITY_SIZE, PART_BYTES, Position, digest

__all__ = ["Head", "pack_pieces", "unpack_pieces"]

#: bytes of keys and values in one section, on an average
SECTION_BYTES: Final = 256 << 10
#: how hard zlib tries: not at all, since the server compresses what it keeps (S2) at a tenth of the cost
LEVEL: Final = 0
_KIND: Final = b"ntH"
_MAGIC: Final = _KIND + b"\x01"
_SUM: Final = Struct("<4sI")
_HEAD: Final = Struct("<16sQ16sQQQQI")
_LENGTH: Final = Struct("<I")
_DIGEST_SIZE: Final = 16
_IS_SWAPPED: Final = sys.byteorder == "big"
assert IDENTITY_SIZE == _DIGEST_SIZE == 16

Pair = tuple[bytes, bytes]


class Head(NamedTuple):
    """What vouches for a snapshot."""

    #: up to where in the journal it reaches
    position: Position
    #: records in it
    records: int
    #: sequence of its first piece in the stream of the snapshots
    first: int
    #: hash of each piece
    digests: tuple[bytes, ...]

    def pack(self) -> bytes:
        """The message."""
        at = self.position
        body = _HEAD.pack(
            at.identity, at.number, at.link, at.sequence, at.epoch, self.records, self.first, len(self.digests)
        ) + b"".join(self.digests)
        return _SUM.pack(_MAGIC, zlib.crc32(body)) + body

    @classmethod
    def unpack(cls, message: bytes, place: str) -> Head:
        """The head in ``message``.

        :raises FabricError: ``NT-FABRIC-103`` where it is damaged, ``NT-FABRIC-108`` where a newer natant wrote it.
        """
        if message[:3] == _KIND and message[:4] != _MAGIC and len(message) > _SUM.size:
            raise FabricError(
                "NT-FABRIC-108",
                f"{place} has format {message[3]}, which this natant does not know; it reads format {_MAGIC[3]}. "
                "Run the version that wrote it, or a newer one.",
            )
        body = message[_SUM.size :]
        if (
            len(body) < _HEAD.size
            or _SUM.unpack_from(message) != (_MAGIC, zlib.crc32(body))
            or len(body) != _HEAD.size + _HEAD.unpack_from(body)[-1] * _DIGEST_SIZE
        ):
            raise _damaged(place, "its head does not fit its checksum or its size")
        identity, number, link, sequence, epoch, count, first, _ = _HEAD.unpack_from(body)
        digests = tuple(body[at : at + _DIGEST_SIZE] for at in range(_HEAD.size, len(body), _DIGEST_SIZE))
        return cls(Position(identity, number, link, sequence, epoch), count, first, digests)


def pack_pieces(values: Mapping[bytes, bytes], piece_bytes: int = PART_BYTES) -> list[bytes]:
    """The pieces of a snapshot of all records."""
    blob = b"".join(_sections(values))
    return [blob[at : at + piece_bytes] for at in range(0, len(blob), piece_bytes)]


def unpack_pieces(head: Head, pieces: Sequence[bytes], place: str) -> dict[bytes, bytes]:
    """All records, in the order of their keys.

    :raises FabricError: ``NT-FABRIC-103`` where a piece does not fit the head.
    """
    for index, expected in enumerate(head.digests):
        if index >= len(pieces) or digest(pieces[index]) != expected:
            raise _damaged(place, f"piece {index} of {len(head.digests)} is missing or does not fit its hash")
    blob = b"".join(pieces)
    values: dict[bytes, bytes] = {}
    at = 0
    while at < len(blob):
        start = at + _LENGTH.size
        at = start + _LENGTH.unpack_from(blob, at)[0]
        values.update(_unpacked(zlib.decompress(blob[start:at])))
    if len(values) != head.records:
        raise _damaged(place, f"it holds {len(values)} records, expected {head.records}")
    return values


def _sections(records: Mapping[bytes, bytes]) -> Iterator[bytes]:
    keys = sorted(records)
    values = list(map(records.__getitem__, keys))
    size = sum(map(len, keys)) + sum(map(len, values))
    step = max(1, len(keys) * SECTION_BYTES // max(size, 1))
    for at in range(0, len(keys), step):
        yield _packed(keys[at : at + step], values[at : at + step])


def _packed(keys: list[bytes], values: list[bytes]) -> bytes:
    lengths = array("I", [*map(len, keys), *map(len, values)])
    if _IS_SWAPPED:
        lengths.byteswap()
    body = zlib.compress(b"".join((_LENGTH.pack(len(keys)), lengths.tobytes(), *keys, *values)), LEVEL)
    return _LENGTH.pack(len(body)) + body


def _unpacked(body: bytes) -> Iterator[Pair]:
    count = _LENGTH.unpack_from(body)[0]
    start = _LENGTH.size + 8 * count
    lengths = array("I", body[_LENGTH.size : start])
    if _IS_SWAPPED:
        lengths.byteswap()
    found = [body[at:end] for at, end in pairwise(accumulate(lengths, initial=start))]
    return zip(found[:count], found[count:], strict=True)


def _damaged(place: str, cause: str) -> FabricError:
    return FabricError(
        "NT-FABRIC-103",
        f"{place} is damaged: {cause}. Nothing of it is used; bring the stream of the snapshots back from a backup.",
        place=place,
    )
