"""The journal of a partition as a stream of JetStream: appends behind a fence, and reading.

Each append names the sequence of its owner's epoch message and is refused by the server once a newer owner has appended another
one.  One append is in flight at a time: a server of a cluster refuses a second one behind the same fence.

Called by :mod:`natant.fabric.nats.partition_store`.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import secrets
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from natant.errors import FabricError
from natant.fabric.contract import deposed
from natant.fabric.nats.api import (
    IS_THERE,
    NO_MESSAGE,
    NO_STREAM,
    WRONG_LAST,
    Refusal,
    ask,
    patiently,
    refused,
    unanswered,
)
from natant.fabric.nats.record import PART_BYTES

if TYPE_CHECKING:
    from natant.fabric.nats.engine import Engine

__all__ = ["Journal", "Message"]

#: what the server remembers of message ids: longer than an append is tried again
DUPLICATE_WINDOW_S: Final = 30
#: bytes and messages that are read with one request
PAGE_BYTES: Final = 8 << 20
PAGE_MESSAGES: Final = 2000
#: how long the next message of a page is waited for
PAGE_ANSWER_S: Final = 2.0
#: how often a read that came up short is tried again: a follower may lag behind its leader
SHORT_READS: Final = 40
SHORT_READ_PAUSE_S: Final = 0.1
#: room of a message for its headers and its head
OVERHEAD_BYTES: Final = 1024
#: no answer to an append in this time: see whether the stream is still there
LOOK_AFTER_S: Final = 1.0
_ORIGIN: Final = re.compile(rb"\r\nNats-Subject: (\S+)\r\nNats-Sequence: (\d+)")
_LAST: Final = re.compile(r"wrong last sequence: (\d+)")


class Message(NamedTuple):
    """One message of the stream."""

    sequence: int
    is_epoch: bool
    data: bytes


class Journal:
    """The stream of one partition.

    :param engine: the connection and the names.
    :ivar place: what it is called in errors.
    """

    def __init__(self, engine: Engine, partition: int) -> None:
        subjects = engine.subjects
        self._engine = engine
        self._courier = engine.courier
        self._stream = subjects.journal_stream(partition)
        self._epochs = subjects.epoch(partition)
        self._records = subjects.record(partition)
        self._partition = partition
        self._fence: dict[str, str] = {}
        self.place = f"the journal {self._stream} of partition {partition}"
        self.epoch = 0

    @property
    def part_bytes(self) -> int:
        """How much of a batch one message takes."""
        return min(PART_BYTES, self._courier.max_payload - OVERHEAD_BYTES)

    # Appending -------------------------------------------------------------------------------------------------------

    async def create(self, max_bytes: int) -> None:
        """Make the stream; nothing happens where it is there.

        :raises FabricError: ``NT-FABRIC-105`` no room, ``NT-FABRIC-106`` no answer, ``NT-FABRIC-107`` refused otherwise.
        """
        config = {
            "name": self._stream,
            "subjects": [self._epochs, self._records],
            "retention": "limits",
            "storage": "file",
            "discard": "new",
            "num_replicas": self._engine.replicas,
            "max_bytes": max_bytes,
            "duplicate_window": DUPLICATE_WINDOW_S * 1_000_000_000,
            "allow_direct": True,
        }
        await self._call("CREATE", config, f"making {self.place}")

    async def append_epoch(self, message: bytes, message_id: str, expected: int | None = None) -> int:
        """Become the owner: from now on every earlier owner is refused.  Returns the new epoch.

        :param expected: the sequence of the newest epoch, 0 for none; None where it does not matter.
        :raises FabricError: as :meth:`append`.
        """
        headers = {"Nats-Msg-Id": message_id}
        if expected is not None:
            headers["Nats-Expected-Last-Subject-Sequence"] = str(expected)
        self.epoch = await self._publish(self._epochs, message, headers)
        self._fence = {
            "Nats-Expected-Last-Subject-Sequence": str(self.epoch),
            "Nats-Expected-Last-Subject-Sequence-Subject": self._epochs,
        }
        return self.epoch

    async def append(self, message: bytes, message_id: str) -> int:
        """Append behind the fence; the sequence of the message once it is durable.

        The same message with the same id may be appended again after an error, and is there once in effect.

        :raises FabricError: ``NT-FABRIC-100`` another owner took over, ``NT-FABRIC-104`` the journal is gone,
            ``NT-FABRIC-105`` no room (nothing was written), ``NT-FABRIC-106`` no answer, ``NT-FABRIC-107`` refused otherwise.
        """
        return await self._publish(self._records, message, {"Nats-Msg-Id": message_id, **self._fence})

    async def _publish(self, subject: str, message: bytes, headers: dict[str, str]) -> int:
        loop = asyncio.get_running_loop()
        begin = loop.time()
        is_behind = False

        async def attempt() -> dict[str, Any]:
            nonlocal is_behind
            is_behind = False
            try:
                return await ask(self._courier, subject, message, headers)
            except Refusal as refusal:
                last = _LAST.search(refusal.text)
                if last is not None and int(last[1]) < self.epoch:
                    # A new leader that has not caught up yet, or a stream that was emptied: time tells.
                    is_behind = True
                    raise OSError(refusal.text) from None
                raise
            except Exception:
                if loop.time() - begin > LOOK_AFTER_S:
                    await self._look()
                raise

        try:
            answer = await patiently(attempt, f"appending to {self.place}", again=self._count_again)
        except Refusal as refusal:
            if refusal.number == WRONG_LAST:
                raise deposed(self._partition) from None
            if refusal.number == NO_STREAM:
                raise self.gone() from None
            raise refused(refusal, f"appending to {self.place}") from None
        except FabricError:
            if is_behind:
                raise self.gone() from None
            raise
        return int(answer["seq"])

    def _count_again(self) -> None:
        self._engine.journals.journal_retries += 1

    async def _look(self) -> None:
        """Tell a stream that is gone from one that has no leader at present."""
        try:
            await ask(self._courier, f"$JS.API.STREAM.INFO.{self._stream}")
        except Refusal as refusal:
            if refusal.number == NO_STREAM:
                raise

    def gone(self) -> FabricError:
        """The error for a stream that was there."""
        return FabricError(
            "NT-FABRIC-104",
            f"{self.place} is gone: its stream was deleted or emptied. Bring it back from a backup; it is not made again by itself.",
        )

    # Reading ---------------------------------------------------------------------------------------------------------

    async def last(self) -> int | None:
        """The sequence of the last message there ever was, 0 where there was none, None where there is no stream.

        :raises FabricError: ``NT-FABRIC-106`` no answer, ``NT-FABRIC-107`` refused.
        """
        found = await self._find(f"$JS.API.STREAM.INFO.{self._stream}", b"")
        return int(found["state"]["last_seq"]) if found else None

    async def newest_epoch(self) -> Message | None:
        """The newest epoch message; None where there is none, or no stream.

        :raises FabricError: ``NT-FABRIC-106`` no answer, ``NT-FABRIC-107`` refused.
        """
        body = json.dumps({"last_by_subj": self._epochs}).encode()
        found = await self._find(f"$JS.API.STREAM.MSG.GET.{self._stream}", body)
        if not found:
            return None
        message = found["message"]
        return Message(int(message["seq"]), True, base64.b64decode(message.get("data", "")))

    async def _find(self, subject: str, body: bytes) -> dict[str, Any]:
        """What the server says, nothing where there is no such thing."""
        what = f"reading {self.place}"
        try:
            return await patiently(lambda: ask(self._courier, subject, body), what)
        except Refusal as refusal:
            if refusal.number in {NO_MESSAGE, NO_STREAM}:
                return {}
            raise refused(refusal, what) from None

    async def read(self, first: int, last: int) -> AsyncIterator[list[Message]]:
        """All messages from ``first`` to ``last``, page by page, in their order; some may be missing in between.

        :raises FabricError: ``NT-FABRIC-106`` where ``last`` does not come.
        """
        short = 0
        while first <= last:
            page = [message for message in await self._page(first) if message.sequence <= last]
            if page:
                first = page[-1].sequence + 1
                yield page
                continue
            short += 1
            if short > SHORT_READS:
                raise unanswered(f"reading {self.place}", f"message {last} was acknowledged and does not come")
            await asyncio.sleep(SHORT_READ_PAUSE_S)

    async def _page(self, first: int) -> list[Message]:
        """Messages from ``first`` on, as far as they come."""
        courier = self._courier
        page: list[Message] = []
        ended = asyncio.get_running_loop().create_future()

        def take(_subject: bytes, _reply: bytes, head: bytes, data: bytes) -> None:
            found = _ORIGIN.search(head)
            if found is not None:
                page.append(Message(int(found[2]), found[1].endswith(b".epoch"), data))
            elif not ended.done():
                ended.set_result(None)

        inbox = f"{self._engine.spec.inbox}.{secrets.token_hex(11)}"
        number = courier.subscribe(inbox, take)
        try:
            body = json.dumps({"seq": first, "batch": PAGE_MESSAGES, "max_bytes": PAGE_BYTES}).encode()
            courier.publish(f"$JS.API.DIRECT.GET.{self._stream}", body, reply=inbox)
            count = -1
            while not ended.done() and count < len(page):
                count = len(page)
                await asyncio.wait([ended], timeout=PAGE_ANSWER_S)
        except OSError:
            # What has come is good; the rest is asked for again.
            pass
        finally:
            courier.unsubscribe(number)
        return page

    async def purge(self, before: int, epochs_before: int) -> None:
        """Let go of records with a sequence below ``before`` and of epochs below ``epochs_before``.

        Never the whole stream: without the newest epoch every append is refused.

        :raises FabricError: ``NT-FABRIC-106`` no answer, ``NT-FABRIC-107`` refused.
        """
        what = f"purging {self.place}"
        await self._call("PURGE", {"filter": self._records, "seq": before}, what)
        await self._call("PURGE", {"filter": self._epochs, "seq": epochs_before}, what)

    async def _call(self, verb: str, body: dict[str, Any], what: str) -> None:
        subject = f"$JS.API.STREAM.{verb}.{self._stream}"
        try:
            await patiently(lambda: ask(self._courier, subject, json.dumps(body).encode()), what)
        except Refusal as refusal:
            if refusal.number != IS_THERE:
                raise refused(refusal, what) from None
