"""A JetStream key-value bucket that shows lanes, as one owner of it sees it.

Entries are put in atomic batches, one under way at a time, each fenced by the subject on which the owner of that source announced itself
last: what an owner sends that has been replaced is refused by the server.  Keys that begin with ``_`` are ours:

==================  ==========================================================================================
key                 value
==================  ==========================================================================================
``_owner.SOURCE``   who writes what comes from that store; its sequence is the fence
``_state.SOURCE``   ``{"sequence":N,"at":MS}``: all commits of that store up to N are shown, at that time
==================  ==========================================================================================

Called by :mod:`natant.egress.feed`.
"""

from __future__ import annotations

import json
import logging
import time
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final

from natant.errors import FabricError
from natant.fabric.nats.api import IS_THERE, NO_STREAM, WRONG_LAST, Refusal, ask, refused, unanswered
from natant.fabric.nats.subject import node_of, token, tokens_of

if TYPE_CHECKING:
    from natant.fabric.nats.engine import Engine

__all__ = ["LaneBucket", "bucket_key", "node_of_key"]

#: messages of one atomic batch; the server takes 1000
BATCH_MESSAGES: Final = 900
#: a value; the server's messages are at most 2 MiB, headers included
VALUE_BYTES: Final = 1024 * 1024
#: keys that one listing gives; the server shows so many at a time
LISTED_KEYS: Final = 100_000

_LOG = logging.getLogger("natant.fabric.nats")

_Message = tuple[str, bytes, dict[str, str]]


class LaneBucket:
    """One bucket.

    :param name: as the lane declares it.
    """

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self.name = engine.subjects.lane_bucket(name)
        self._stream = f"KV_{self.name}"
        self._prefix = f"$KV.{self.name}."
        self._source = ""
        self._fence = 0

    async def open(self, source: str) -> bool:
        """Take over what comes from a store; True where the bucket had to be made.

        :raises FabricError: ``NT-FABRIC-105`` to ``-107`` where it cannot be had now.
        """
        self._source = source
        is_new = False
        try:
            await self._ask(f"$JS.API.STREAM.INFO.{self._stream}", b"")
        except Refusal as refusal:
            if refusal.number != NO_STREAM:
                raise refused(refusal, f"looking at bucket {self.name}") from None
            is_new = await self._make()
        owner = json.dumps({"life": token_hex(4), "at": int(time.time() * 1000)}).encode()
        answer = await self._put([(f"{self._prefix}_owner.{source}", owner, {})])
        self._fence = int(answer["seq"])
        return is_new

    async def put(self, entries: list[tuple[str, bytes | None]], sequence: int, state: bytes | None) -> None:
        """Put entries, None deletes one, and with them where the store stands.

        :raises FabricError: ``NT-FABRIC-401`` where another owner has taken over; ``-105`` to ``-107`` otherwise.
        """
        about = {
            "Natant-Source": self._source,
            "Natant-Sequence": str(sequence),
            "Natant-At": str(int(time.time() * 1000)),
        }
        messages = [self._message(key, value, about) for key, value in entries]
        if state is not None:
            messages.append((f"{self._prefix}_state.{self._source}", state, {}))
        for start in range(0, len(messages), BATCH_MESSAGES):
            subject, data, headers = messages[start]
            fence = {
                "Nats-Expected-Last-Subject-Sequence": str(self._fence),
                "Nats-Expected-Last-Subject-Sequence-Subject": f"{self._prefix}_owner.{self._source}",
            }
            part = [(subject, data, headers | fence), *messages[start + 1 : start + BATCH_MESSAGES]]
            await self._put(part)

    async def keys(self) -> list[str]:
        """All keys of lanes in the bucket."""
        found: list[str] = []
        while True:
            body = json.dumps({"subjects_filter": f"{self._prefix}>", "offset": len(found)}).encode()
            try:
                answer = await self._ask(f"$JS.API.STREAM.INFO.{self._stream}", body)
            except Refusal as refusal:
                raise refused(refusal, f"listing bucket {self.name}") from None
            subjects = answer["state"].get("subjects") or {}
            found += subjects
            if len(subjects) < LISTED_KEYS or len(found) >= answer.get("total", 0):
                break
        skipped = len(self._prefix)
        return [subject[skipped:] for subject in found if not subject[skipped:].startswith("_")]

    # --- inside ---------------------------------------------------------------------------------------------------

    def _message(self, key: str, value: bytes | None, about: dict[str, str]) -> _Message:
        if value is None:
            return self._prefix + key, b"", {"KV-Operation": "DEL", **about}
        if len(value) > VALUE_BYTES:
            _LOG.error(
                "NT-FABRIC-402  %s in bucket %s has %d bytes, more than %d; it is shown as an error",
                key,
                self.name,
                len(value),
                VALUE_BYTES,
            )
            return self._prefix + key, b"null", {"Natant-Error": "NT-FABRIC-402", **about}
        return self._prefix + key, value, about

    async def _put(self, messages: list[_Message]) -> dict[str, Any]:
        """Put some messages, all or none."""
        nc = self._engine.nc
        what = f"writing {len(messages)} entries of bucket {self.name}"
        batch = token_hex(8)
        try:
            if len(messages) > 1:
                for number, (subject, data, headers) in enumerate(messages[:-1], 1):
                    await nc.publish(subject, data, headers=_batch(headers, batch, number))
            subject, data, headers = messages[-1]
            if len(messages) > 1:
                headers = {**_batch(headers, batch, len(messages)), "Nats-Batch-Commit": "1"}
            return await self._ask(subject, data, headers)
        except Refusal as refusal:
            if refusal.number == WRONG_LAST:
                raise await self._replaced() from None
            raise refused(refusal, what) from None
        except FabricError:
            raise
        except Exception as error:
            raise unanswered(what, f"{type(error).__name__}: {error}") from error

    async def _ask(self, subject: str, data: bytes, headers: dict[str, str] | None = None) -> dict[str, Any]:
        """One request; asked again by whoever called, who knows what is to be asked by then."""
        from nats import errors

        try:
            return await ask(self._engine.nc, subject, data, headers or None)
        except (errors.Error, ConnectionError, OSError, ValueError) as error:
            raise unanswered(f"asking for bucket {self.name}", f"{type(error).__name__} {error}") from None

    async def _replaced(self) -> FabricError:
        """Why the fence did not hold: another owner, or a bucket that was made anew."""
        subject = f"$JS.API.STREAM.MSG.GET.{self._stream}"
        body = json.dumps({"last_by_subj": f"{self._prefix}_owner.{self._source}"}).encode()
        try:
            answer = await self._ask(subject, body)
        except Refusal as refusal:
            return refused(refusal, f"bucket {self.name} was made anew by somebody")
        if int(answer["message"]["seq"]) < self._fence:
            return unanswered(f"bucket {self.name}", "it was made anew by somebody")
        return FabricError(
            "NT-FABRIC-401",
            f"bucket {self.name} is shown by another process now, which has taken over the store {self._source}; this one shows no more",
        )

    async def _make(self) -> bool:
        config = {
            "name": self._stream,
            "subjects": [f"{self._prefix}>"],
            "retention": "limits",
            "storage": "file",
            "discard": "new",
            "num_replicas": self._engine.replicas,
            "max_msgs_per_subject": 1,
            "max_msg_size": 2 * VALUE_BYTES,
            "allow_direct": True,
            "allow_rollup_hdrs": True,
            "deny_delete": True,
            "allow_atomic": True,
        }
        try:
            await self._ask(f"$JS.API.STREAM.CREATE.{self._stream}", json.dumps(config).encode())
        except Refusal as refusal:
            if refusal.number != IS_THERE:
                raise refused(refusal, f"making bucket {self.name}") from None
        return True


def _batch(headers: dict[str, str], batch: str, number: int) -> dict[str, str]:
    return {**headers, "Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)}


def bucket_key(node: str, entry: str | None = None) -> str:
    """The key of a node's value, or of one entry of its map."""
    tokens = [*tokens_of(node), *(() if entry is None else (token(entry),))]
    key = ".".join(tokens).replace("%", "=").replace("~", "=7E")
    return "=5F" + key[1:] if key.startswith("_") else key  # those are the bucket's own


def node_of_key(key: str, *, is_map: bool) -> str:
    """The node that a key belongs to.

    :raises FabricError: ``NT-FABRIC-010`` where it is no key of a bucket of lanes.
    """
    if key.startswith("=5F"):
        key = "_" + key[3:]
    tokens = key.replace("=7E", "~").replace("=", "%").split(".")
    return node_of(tokens[:-1] if is_map else tokens)
