r"""What stands in the journal of a partition: records in a chain, and the epochs they belong to.

A *record* carries one batch of the store; a batch that is too large for one message is cut into *parts*, one message each.

====================  ======================================================================
bytes                 what
====================  ======================================================================
4                     ``ntJ\x01``
4                     crc32 of the 44 bytes that follow
8                     epoch: sequence of the epoch message in whose term it was written
8                     number of the record; they go up by one
4 + 4                 which part this is, how many there are
4                     bytes behind the head
16                    link: hash of the message before it in the chain
the rest              the entry of the batch (:mod:`natant.store.entry`), or a piece of it
====================  ======================================================================

An *epoch* message is what a new owner appends before it reads: ``ntE\x01``, crc32 of the rest, 16 bytes that are the
identity of the journal, and who the owner is.

Whoever reads follows the :class:`Chain`: it knows the number and the link that must come next, so what is missing, changed,
repeated or out of its order is seen.  The entry has a checksum of its own, the head another one, and the link covers both.
Three things are no damage: a message for the second time (its acknowledgement was lost, and it was sent again), parts of a
batch whose owner was deposed before the last of them (nobody was told that it is durable), and a message of an older
epoch (the server should have refused it).

Sans-io.  Called by :mod:`natant.fabric.nats.partition_store`.
"""

from __future__ import annotations

from hashlib import sha256
from struct import Struct
from typing import Final, NamedTuple
from zlib import crc32

from natant.errors import FabricError
from natant.store.contract import Operation
from natant.store.entry import unpack, whole

__all__ = ["HEAD_SIZE", "IDENTITY_SIZE", "PART_BYTES", "Chain", "Epoch", "Position", "digest", "genesis", "pack_record"]

#: bytes of an entry that go into one message; large ones make a server copy and a link wait
PART_BYTES: Final = 512 << 10
#: bytes of a journal's identity
IDENTITY_SIZE: Final = 16
_LINK_SIZE: Final = 16
_KIND: Final = b"ntJ"
_MAGIC: Final = _KIND + b"\x01"
_EPOCH_KIND: Final = b"ntE"
_EPOCH_MAGIC: Final = _EPOCH_KIND + b"\x01"
_HEAD: Final = Struct("<4sIQQIII16s")
_CHECKED: Final = Struct("<QQIII16s")
_CHECKED_AT: Final = 8
_SUM: Final = Struct("<4sI")
#: bytes in front of what a message carries
HEAD_SIZE: Final = _HEAD.size


def digest(data: bytes) -> bytes:
    """The link to a message: the first 16 bytes of its SHA-256, which processors of today compute fastest."""
    return sha256(data).digest()[:_LINK_SIZE]


def genesis(identity: bytes) -> bytes:
    """The link of the first record of a journal."""
    return digest(identity)


def pack_record(
    epoch: int, number: int, link: bytes, entry: bytes, part_bytes: int = PART_BYTES
) -> tuple[list[bytes], bytes]:
    """The messages of one batch, and the link that comes after them.

    :param entry: of the batch, as :func:`natant.store.entry.pack` gives it for the same number.
    """
    count = max(1, -(-len(entry) // part_bytes))
    messages: list[bytes] = []
    for index in range(count):
        piece = entry if count == 1 else entry[index * part_bytes : (index + 1) * part_bytes]
        checksum = crc32(_CHECKED.pack(epoch, number, index, count, len(piece), link))
        message = _HEAD.pack(_MAGIC, checksum, epoch, number, index, count, len(piece), link) + piece
        link = digest(message)
        messages.append(message)
    return messages, link


class Epoch(NamedTuple):
    """What a new owner appends before all else."""

    #: of the journal, the same in all its epochs
    identity: bytes
    #: who the owner is, for people
    owner: str

    def pack(self) -> bytes:
        """The message."""
        body = self.identity + self.owner.encode()
        return _SUM.pack(_EPOCH_MAGIC, crc32(body)) + body

    @classmethod
    def unpack(cls, message: bytes, place: str) -> Epoch:
        """The epoch that ``message`` tells of.

        :raises FabricError: ``NT-FABRIC-101`` where it is damaged, ``NT-FABRIC-108`` where a newer natant wrote it.
        """
        _check_kind(message, _EPOCH_KIND, _EPOCH_MAGIC, place)
        body = message[_SUM.size :]
        if len(body) < IDENTITY_SIZE or crc32(body) != _SUM.unpack_from(message)[1]:
            raise _damaged(place, "the epoch does not fit its checksum")
        return cls(body[:IDENTITY_SIZE], body[IDENTITY_SIZE:].decode("utf-8", "replace"))


class Position(NamedTuple):
    """A place in a journal: behind a record."""

    #: of the journal
    identity: bytes
    #: of the last record
    number: int
    #: that the next record has to have
    link: bytes
    #: in the stream: of the last message read
    sequence: int
    #: sequence of the newest epoch message up to there
    epoch: int

    @classmethod
    def start(cls, identity: bytes) -> Position:
        """Before the first message."""
        return cls(identity, 0, genesis(identity), 0, 0)


class Chain:
    """Reads a journal from a position on and believes nothing.

    :param start: behind which record to begin.
    :param place: what the journal is called, for errors.
    :ivar epoch: sequence of the newest epoch message, 0 before there was one.
    :ivar ignored: messages for the second time, and of older epochs.
    """

    def __init__(self, start: Position, place: str) -> None:
        self.identity = start.identity
        self.number = start.number
        self.link = start.link
        self.sequence = start.sequence
        self.epoch = start.epoch
        self.ignored = 0
        self._place = place
        #: link of the last message, be it a whole record or a part
        self._latest = start.link
        self._pieces: list[bytes] = []

    @property
    def position(self) -> Position:
        """Behind the last whole record."""
        return Position(self.identity, self.number, self.link, self.sequence, self.epoch)

    def take_epoch(self, sequence: int, message: bytes) -> None:
        """The next message, which is an epoch.

        :raises FabricError: ``NT-FABRIC-101``, ``NT-FABRIC-102`` or ``NT-FABRIC-104`` where it cannot be the next one.
        """
        self._step(sequence)
        found = Epoch.unpack(message, f"{self._place}, message {sequence}")
        if found.identity != self.identity:
            raise FabricError(
                "NT-FABRIC-104",
                f"{self._place} is not the journal it was: message {sequence} has the identity {found.identity.hex()}, "
                f"expected {self.identity.hex()}. The stream was deleted and made again, or replaced; bring it back from a backup.",
            )
        self.epoch = sequence
        # Whoever wrote the parts that wait here never got to the last of them.
        self._pieces = []
        self._latest = self.link

    def take(self, sequence: int, message: bytes) -> list[Operation] | None:
        """The next message, which is a record: its batch, or None where there is nothing to do (yet).

        :raises FabricError: ``NT-FABRIC-101`` damaged, ``NT-FABRIC-102`` something is missing before it.
        """
        self._step(sequence)
        place = f"{self._place}, message {sequence}"
        _check_kind(message, _KIND, _MAGIC, place)
        if len(message) < HEAD_SIZE:
            raise _damaged(place, "it is shorter than its head")
        _, checksum, epoch, number, index, count, size, link = _HEAD.unpack_from(message)
        if crc32(message[_CHECKED_AT:HEAD_SIZE]) != checksum or len(message) != HEAD_SIZE + size:
            raise _damaged(place, "its head does not fit its checksum or its size")
        if epoch < self.epoch:
            self.ignored += 1
            return None
        if epoch == self.epoch and (number, index) < (self.number + 1, len(self._pieces)):
            self.ignored += 1  # sent again after its acknowledgement was lost
            return None
        wanted = (self.epoch, self.number + 1, len(self._pieces), self._latest if index else self.link)
        if (epoch, number, index, link) != wanted:
            raise FabricError(
                "NT-FABRIC-102",
                f"records are missing in {self._place}: message {sequence} is {_name(epoch, number, index, link)}, "
                f"expected {_name(*wanted)}. Nothing was skipped; bring the stream back from a backup.",
            )
        own = self._latest = digest(message)
        self._pieces.append(message[HEAD_SIZE:])
        if index + 1 < count:
            return None
        entry = self._pieces[0] if count == 1 else b"".join(self._pieces)
        if whole(entry, 0) != (number, len(entry)):
            raise _damaged(place, f"the batch of record {number} does not fit its checksum")
        self._pieces = []
        self.number, self.link = number, own
        return unpack(entry, 0)

    def _step(self, sequence: int) -> None:
        if self.sequence and sequence != self.sequence + 1:
            raise FabricError(
                "NT-FABRIC-102",
                f"messages are missing in {self._place}: {sequence} follows {self.sequence}. "
                "Nothing was skipped; bring the stream back from a backup.",
            )
        self.sequence = sequence


def _name(epoch: int, number: int, index: int, link: bytes) -> str:
    return f"part {index} of record {number} of epoch {epoch} with the link {link.hex()}"


def _check_kind(message: bytes, kind: bytes, magic: bytes, place: str) -> None:
    if message[:4] == magic:
        return
    if message[:3] == kind and len(message) > len(magic):
        raise FabricError(
            "NT-FABRIC-108",
            f"{place} has format {message[3]}, which this natant does not know; it reads format {magic[3]}. "
            "Run the version that wrote it, or a newer one.",
        )
    raise _damaged(place, f"it begins with {message[:4]!r}, expected {magic!r}")


def _damaged(place: str, cause: str) -> FabricError:
    return FabricError(
        "NT-FABRIC-101",
        f"{place} is damaged: {cause}. Nothing was skipped; bring the stream back from a backup.",
        place=place,
    )
