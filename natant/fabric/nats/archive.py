"""The snapshots of a partition: pieces and a head in the stream that all partitions share.

Pieces are written first, under subjects of their own, then the head, which names them; it is replaced only where it is the one that was
read, so of two who write at the same time one succeeds.  Pieces of other snapshots go when the new head is there.  Whoever dies in
between leaves pieces behind that the next one removes.

Called by :mod:`natant.fabric.nats.partition_store`.
"""

from __future__ import annotations

import asyncio
import base64
import json
from typing import TYPE_CHECKING, Any, Final

from natant.errors import FabricError
from natant.fabric.nats.api import (
    ANSWER_S,
    IS_THERE,
    NO_MESSAGE,
    NO_STREAM,
    WRONG_LAST,
    Refusal,
    ask,
    patiently,
    refused,
)
from natant.fabric.nats.mark import pack_mark, unpack_mark
from natant.fabric.nats.record import PART_BYTES, Position, digest
from natant.fabric.nats.snapshot import Head, pack_pieces, unpack_pieces

if TYPE_CHECKING:
    from natant.fabric.nats.engine import Engine

__all__ = ["Archive"]

#: pieces that are written or read at the same time
WINDOW: Final = 4
#: room of a message for its headers
OVERHEAD_BYTES: Final = 1024
#: how often a piece that is not there is asked for again: a follower may lag behind its leader
MISSING_TRIES: Final = 20
MISSING_PAUSE_S: Final = 0.05


class Archive:
    """The snapshots of one partition.

    :ivar size_bytes: of the newest snapshot that was read or written, as it is stored.
    """

    def __init__(self, engine: Engine, partition: int) -> None:
        subjects = engine.subjects
        self.size_bytes = 0
        self._engine = engine
        self._courier = engine.courier
        self._stream = subjects.snapshot_stream
        self._root = subjects.snapshot(partition, "")
        self._place = f"the snapshot of partition {partition} in the stream {self._stream}"
        self._head_sequence = 0
        self._mark_sequence = 0
        self._is_made = False

    async def newest(self) -> Head | None:
        """The head of the newest snapshot, None where there is none.

        :raises FabricError: ``NT-FABRIC-103`` damaged, ``NT-FABRIC-106`` no answer, ``NT-FABRIC-107`` refused.
        """
        self._head_sequence, data = await self._get("head")
        return Head.unpack(data, self._place) if self._head_sequence else None

    async def marked(self) -> Position | None:
        """How far the journal reached at least, None where nobody noted it yet.

        :raises FabricError: as :meth:`newest`.
        """
        self._mark_sequence, data = await self._get("mark")
        return unpack_mark(data, f"the mark of {self._place}") if self._mark_sequence else None

    async def mark(self, position: Position) -> None:
        """Note how far the journal reaches, unless somebody else noted a later place meanwhile.

        :raises FabricError: ``NT-FABRIC-105`` no room, ``NT-FABRIC-106`` no answer, ``NT-FABRIC-107`` refused.
        """
        await self._make()
        known = await self._note(position)
        if known is not None and known.number < position.number:
            await self._note(position)

    async def _note(self, position: Position) -> Position | None:
        """Replace the mark that we know; where another one is there, that one."""
        expected = {"Nats-Expected-Last-Subject-Sequence": str(self._mark_sequence)}
        try:
            self._mark_sequence = await self._put("mark", pack_mark(position), expected)
        except FabricError as error:
            if error.code != "NT-FABRIC-107":
                raise
            return await self.marked()
        return None

    async def _get(self, tail: str) -> tuple[int, bytes]:
        """Sequence and content of the message under a subject, from the leader; sequence 0 where there is none."""
        what = f"reading {self._place}"
        body = json.dumps({"last_by_subj": f"{self._root}{tail}"}).encode()
        subject = f"$JS.API.STREAM.MSG.GET.{self._stream}"
        try:
            found = (await patiently(lambda: ask(self._courier, subject, body), what))["message"]
        except Refusal as refusal:
            if refusal.number in {NO_MESSAGE, NO_STREAM}:
                return 0, b""
            raise refused(refusal, what) from None
        return int(found["seq"]), base64.b64decode(found.get("data", ""))

    async def read(self, head: Head) -> dict[bytes, bytes]:
        """All records of a snapshot, in the order of their keys.

        :raises FabricError: ``NT-FABRIC-103`` damaged or gone, ``NT-FABRIC-106`` no answer.
        """
        pieces: list[bytes] = []
        count = len(head.digests)
        for start in range(0, count, WINDOW):
            indexes = range(start, min(start + WINDOW, count))
            pieces += await asyncio.gather(*(self._piece(head, index) for index in indexes))
        self.size_bytes = sum(map(len, pieces))
        # In a thread: to unpack a large one takes longer than a link should wait.
        return await asyncio.get_running_loop().run_in_executor(None, unpack_pieces, head, pieces, self._place)

    async def write(self, position: Position, values: dict[bytes, bytes]) -> Head:
        """Store a snapshot and make it the newest one.

        :raises FabricError: ``NT-FABRIC-105`` no room, ``NT-FABRIC-106`` no answer, ``NT-FABRIC-107`` refused: for example since
            another owner has stored one meanwhile.
        """
        await self._make()
        limit = min(PART_BYTES, self._courier.max_payload - OVERHEAD_BYTES)
        loop = asyncio.get_running_loop()
        pieces = await loop.run_in_executor(None, pack_pieces, values, limit)
        name = _name(position)
        sequences: list[int] = []
        for start in range(0, len(pieces), WINDOW):
            indexes = range(start, min(start + WINDOW, len(pieces)))
            sequences += await asyncio.gather(*(self._put(f"c.{name}.{index}", pieces[index], {}) for index in indexes))
        first = min(sequences, default=0)
        head = Head(position, len(values), first, tuple(map(digest, pieces)))
        expected = {"Nats-Expected-Last-Subject-Sequence": str(self._head_sequence)}
        self._head_sequence = await self._put("head", head.pack(), expected)
        self.size_bytes = sum(map(len, pieces))
        await self._call("PURGE", {"filter": f"{self._root}c.>", **({"seq": first} if first else {})})
        return head

    async def _piece(self, head: Head, index: int) -> bytes:
        subject = f"$JS.API.DIRECT.GET.{self._stream}.{self._root}c.{_name(head.position)}.{index}"
        for _ in range(MISSING_TRIES):
            got = await patiently(lambda: self._courier.request(subject, b"", timeout=ANSWER_S), self._place)
            if b"\r\nNats-Sequence: " in got.head:
                return got.data
            await asyncio.sleep(MISSING_PAUSE_S)
        raise FabricError(
            "NT-FABRIC-103",
            f"{self._place} is damaged: piece {index} of {len(head.digests)} is missing. Nothing of it is used; bring the stream "
            "of the snapshots back from a backup.",
        )

    async def _put(self, tail: str, data: bytes, headers: dict[str, str]) -> int:
        what = f"writing {self._place}"
        subject = f"{self._root}{tail}"
        try:
            answer = await patiently(lambda: ask(self._courier, subject, data, headers), what)
        except Refusal as refusal:
            if refusal.number == WRONG_LAST:
                # Somebody else's is the newest one now, or ours is and its acknowledgement was lost: go on from there.
                await self.newest()
            raise refused(refusal, what) from None
        return int(answer["seq"])

    async def _make(self) -> None:
        """Make the stream where it is not there."""
        if self._is_made:
            return
        config = {
            "name": self._stream,
            "subjects": [self._engine.subjects.all_snapshots],
            "retention": "limits",
            "storage": "file",
            "discard": "new",
            "num_replicas": self._engine.replicas,
            "max_msgs_per_subject": 1,
            "allow_direct": True,
            "compression": "s2",
        }
        await self._call("CREATE", config)
        self._is_made = True

    async def _call(self, verb: str, body: dict[str, Any]) -> None:
        what = f"changing {self._place}"
        subject = f"$JS.API.STREAM.{verb}.{self._stream}"
        try:
            await patiently(lambda: ask(self._courier, subject, json.dumps(body).encode()), what)
        except Refusal as refusal:
            if refusal.number != IS_THERE:
                raise refused(refusal, what) from None


def _name(position: Position) -> str:
    return f"{position.epoch}-{position.number}"
