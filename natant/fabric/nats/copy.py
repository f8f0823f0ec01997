"""Copies a whole stream from one server to another: messages, sequences, gaps, consumers, as the server's own backup has them.

Sequences matter: a snapshot of a partition names the sequence of the journal that it covers, and a fence names one as well.  A mirror
would forget the numbers of deleted messages at the end of a stream; a backup keeps all.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from natant.errors import FabricError
from natant.fabric.nats.api import NO_STREAM, Refusal

if TYPE_CHECKING:
    from nats.aio.client import Client

__all__ = ["StreamState", "call", "copy_stream", "state_of", "wait_for_copies"]

#: bytes of one message of a backup; the server acknowledges each
CHUNK_BYTES: Final = 512 * 1024
#: time for one answer; a restore writes all to the disk before its last
ANSWER_S: Final = 30.0
LAST_ANSWER_S: Final = 300.0
#: time for all copies of a stream to be level with its leader
LEVEL_S: Final = 60.0
#: between two looks at them
LOOK_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class StreamState:
    """What must be equal when a stream was copied whole."""

    messages: int
    bytes: int
    first: int
    last: int
    deleted: int
    subjects: int
    consumers: int

    @classmethod
    def read(cls, state: Mapping[str, Any]) -> StreamState:
        """From the server's form of it."""
        names = ("messages", "bytes", "first_seq", "last_seq", "num_deleted", "num_subjects", "consumer_count")
        return cls(*(int(state.get(name) or 0) for name in names))


async def call(
    nc: Client, api: str, body: Mapping[str, Any] | None = None, *, wait_s: float = ANSWER_S
) -> dict[str, Any]:
    """Ask JetStream's API.

    :raises Refusal: what it said.
    """
    message = await nc.request(f"$JS.API.{api}", json.dumps(body).encode() if body else b"", timeout=wait_s)
    return _read(message.data)


def _read(data: bytes) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(data)
    if error := answer.get("error"):
        raise Refusal(int(error.get("err_code") or 0), str(error.get("description")))
    return answer


async def state_of(nc: Client, stream: str) -> StreamState | None:
    """The state of a stream; None where there is none."""
    try:
        return StreamState.read((await call(nc, f"STREAM.INFO.{stream}"))["state"])
    except Refusal as error:
        if error.number == NO_STREAM:
            return None
        raise


async def copy_stream(source: Client, target: Client, stream: str, *, replicas: int) -> StreamState:
    """Copy a stream that nobody writes to at present.

    :param replicas: copies the stream gets at the target.
    :return: its state, the same at both.
    :raises FabricError: ``NT-FABRIC-013`` where a server refuses, stops answering, or the copy is not equal.
    """
    try:
        async with asyncio.timeout(None) as limit:
            return await _copy(source, target, stream, replicas, limit)
    except (Refusal, TimeoutError, OSError, ValueError, KeyError) as error:
        raise _failed(stream, str(error) or type(error).__name__) from error
    except Exception as error:
        from nats.errors import Error as NatsError

        if isinstance(error, NatsError):
            raise _failed(stream, str(error) or type(error).__name__) from error
        raise


async def _copy(source: Client, target: Client, stream: str, replicas: int, limit: asyncio.Timeout) -> StreamState:
    loop = asyncio.get_running_loop()
    inbox = source.new_inbox()
    chunks = await source.subscribe(inbox)
    try:
        backup = await call(source, f"STREAM.SNAPSHOT.{stream}", {"deliver_subject": inbox, "chunk_size": CHUNK_BYTES})
        config = {**backup["config"], "num_replicas": replicas}
        restore = await call(target, f"STREAM.RESTORE.{stream}", {"config": config, "state": backup["state"]})
        while True:
            limit.reschedule(loop.time() + ANSWER_S)
            chunk = await chunks.next_msg(ANSWER_S)
            if not chunk.data:
                break
            limit.reschedule(loop.time() + ANSWER_S)
            answer = await target.request(restore["deliver_subject"], chunk.data, timeout=ANSWER_S)
            if answer.data:
                _read(answer.data)
            if chunk.reply:
                await source.publish(chunk.reply)
        if chunk.headers and not str(chunk.headers.get("Status", "200")).startswith("2"):
            raise ValueError(f"the backup broke off: {dict(chunk.headers)}")
        limit.reschedule(loop.time() + LAST_ANSWER_S)
        _read((await target.request(restore["deliver_subject"], b"", timeout=LAST_ANSWER_S)).data)
        limit.reschedule(None)
    finally:
        with contextlib.suppress(Exception):
            await chunks.unsubscribe()
    before, after = await state_of(source, stream), await state_of(target, stream)
    if before != after or before is None:
        raise ValueError(f"the copy is not equal: {before} became {after}")
    return before


async def wait_for_copies(nc: Client, stream: str, replicas: int) -> None:
    """Wait until all copies of a stream are level with its leader.

    :raises FabricError: ``NT-FABRIC-013`` where they are not within a minute.
    """
    deadline_s = time.monotonic() + LEVEL_S
    while True:
        cluster = (await call(nc, f"STREAM.INFO.{stream}")).get("cluster") or {}
        others = cluster.get("replicas") or []
        if replicas == 1 or (len(others) >= replicas - 1 and all(other.get("current") for other in others)):
            return
        if time.monotonic() > deadline_s:
            raise _failed(stream, f"its copies are not level after {LEVEL_S:g} s: {others}")
        await asyncio.sleep(LOOK_S)


def _failed(stream: str, reason: str) -> FabricError:
    return FabricError(
        "NT-FABRIC-013",
        f"the stream {stream} was not copied ({reason}); the old store is untouched and still the one that counts. Mend the cause, "
        "then run the same command again.",
        stream=stream,
    )
