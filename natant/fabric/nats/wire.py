"""Questions and answers over one connection, and streams as append-only logs with one writer for each subject.

A :class:`Wire` has reply subjects of its own below one root, so that an edge can be allowed to hear its answers and nobody else's.
A :class:`Log` appends with a fence: the writer says which sequence its subject's last message has, and the server refuses it where that
is not so.  A message whose acknowledgement was lost is thereby never stored twice, however long ago that was.

Called by :mod:`natant.edge` for what is stored and forwarded.
"""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, Self

from natant.errors import EdgeError

__all__ = ["Displaced", "Entry", "Full", "Log", "NotThere", "Wire"]

#: how long an answer may take before the other side counts as away
ANSWER_TIMEOUT_S: Final = 3.0
#: messages that one read of a log gives at most
READ_MESSAGES: Final = 512
#: error numbers of the server: https://github.com/nats-io/nats-server/blob/main/server/errors.json
_WRONG_LAST: Final = frozenset({10071, 10164})
_FULL: Final = frozenset({10023, 10047, 10077, 10109})
_NO_MESSAGE: Final = 10037
_NO_STREAM: Final = 10059
_STREAM_EXISTS: Final = 10058


class NotThere(EdgeError):
    """Nobody answered: the cable is cut, or who should answer is not up (``NT-EDGE-001``)."""


class Displaced(EdgeError):
    """The last message of the subject is not the one that was expected (``NT-EDGE-002``): look at it and go on behind it."""


class Full(EdgeError):
    """The stream takes no more until something has been taken out of it (``NT-EDGE-003``)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One message of a log.

    :ivar sequence: its number in the log.
    :ivar at: when the server stored it, as RFC 3339 text; empty where that was not said.
    """

    sequence: int
    subject: str
    data: bytes
    headers: dict[str, str]
    at: str = ""


class Wire:
    """Asks over one connection of nats-py.

    :param root: answers come to ``root.NUMBER``.
    """

    def __init__(self, nc: Any, root: str) -> None:
        self._nc = nc
        self._root = root
        self._number = 0
        self._open: dict[str, Callable[[Any], None]] = {}
        self._subscription: Any = None

    async def open(self) -> Self:
        """Listen for answers."""
        self._subscription = await self._nc.subscribe(f"{self._root}.*", cb=self._take)
        return self

    async def close(self) -> None:
        """Stop listening; harmless where the connection is gone."""
        subscription, self._subscription = self._subscription, None
        if subscription is not None and self._nc.is_connected:
            await subscription.unsubscribe()

    async def listen(self, subject: str, take: Callable[[Any], Awaitable[None]], *, queue: str = "") -> Any:
        """Call ``take(message)`` for what comes to ``subject``; of a queue group one member gets each message."""
        return await self._nc.subscribe(subject, queue=queue, cb=take)

    async def tell(self, subject: str, data: bytes, *, headers: dict[str, str] | None = None) -> None:
        """Publish, and do not wait for anybody."""
        if self._nc.is_connected:
            await self._nc.publish(subject, data, headers=headers)

    async def _take(self, message: Any) -> None:
        waiting = self._open.get(message.subject)
        if waiting is not None:
            waiting(message)

    async def ask(
        self,
        subject: str,
        data: bytes = b"",
        *,
        headers: dict[str, str] | None = None,
        timeout_s: float = ANSWER_TIMEOUT_S,
    ) -> Any:
        """The one answer to a question, a message of nats-py.

        :raises NotThere: ``NT-EDGE-001``.
        """
        found: list[Any] = []

        def take(message: Any) -> bool:
            found.append(message)
            return True

        await self._exchange(subject, data, headers, timeout_s, take)
        return found[0]

    async def ask_many(self, subject: str, data: bytes, *, timeout_s: float = ANSWER_TIMEOUT_S) -> list[Any]:
        """All answers to a question whose last has a status and no more.

        :raises NotThere: ``NT-EDGE-001``.
        """
        found: list[Any] = []

        def add(message: Any) -> bool:
            if message.headers and "Status" in message.headers:
                return True
            found.append(message)
            return False

        await self._exchange(subject, data, None, timeout_s, add)
        return found

    async def _exchange(
        self,
        subject: str,
        data: bytes,
        headers: dict[str, str] | None,
        timeout_s: float,
        take: Callable[[Any], bool],
    ) -> None:
        if not self._nc.is_connected:
            raise NotThere("NT-EDGE-001", "the NATS server of this plane is not connected; it is tried again")
        self._number += 1
        reply = f"{self._root}.{self._number}"
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def answer(message: Any) -> None:
            if done.done():
                return
            if message.headers and message.headers.get("Status") == "503":
                done.set_exception(NotThere("NT-EDGE-001", f"nobody listens to {subject}; it is tried again"))
            elif take(message):
                done.set_result(None)

        self._open[reply] = answer
        try:
            await self._nc.publish(subject, data, reply=reply, headers=headers)
            async with asyncio.timeout(timeout_s):
                await done
        except TimeoutError:
            raise NotThere(
                "NT-EDGE-001", f"no answer from {subject} within {timeout_s:g} s; it is tried again"
            ) from None
        finally:
            del self._open[reply]
            done.cancel()


class Log:
    """One stream.

    :param name: of the stream.
    """

    def __init__(self, wire: Wire, name: str) -> None:
        self._wire = wire
        self.name = name

    async def ensure(
        self,
        subjects: list[str],
        *,
        max_bytes: int,
        replicas: int,
        metadata: dict[str, str],
        max_per_subject: int = -1,
    ) -> dict[str, str]:
        """Create the stream where it is missing.

        :param max_per_subject: messages that one subject may hold; the next is refused (:class:`Full`).
        :return: its metadata: that of whoever created it.
        :raises EdgeError: ``NT-EDGE-004`` where the server refuses.
        """
        wanted = {
            "name": self.name, "subjects": subjects, "retention": "limits", "storage": "file", "discard": "new",
            "max_bytes": max_bytes, "num_replicas": replicas, "allow_direct": True, "duplicate_window": 1_000_000_000,
            "max_msgs_per_subject": max_per_subject, "discard_new_per_subject": max_per_subject > 0,
            "metadata": metadata,
        }  # fmt: skip
        error: dict[str, Any] = {}
        for verb, body in (("INFO", b""), ("CREATE", json.dumps(wanted).encode()), ("INFO", b"")):
            answer = await self._api(f"STREAM.{verb}.{self.name}", body)
            if "error" not in answer:
                return dict(answer["config"].get("metadata") or {})
            error = answer["error"]
            if error.get("err_code") not in (_NO_STREAM, _STREAM_EXISTS):
                break
        raise _refused(self.name, error)

    async def append(self, subject: str, data: bytes, *, after: int) -> int:
        """Store a message behind the one of the sequence ``after``, the last of its subject; 0 where it is the first.

        :return: its sequence.
        :raises EdgeError: :class:`Displaced`, :class:`Full`, :class:`NotThere`, or ``NT-EDGE-004``.
        """
        headers = {"Nats-Expected-Stream": self.name, "Nats-Expected-Last-Subject-Sequence": str(after)}
        answer = json.loads((await self._wire.ask(subject, data, headers=headers)).data)
        error = answer.get("error")
        if error is None:
            return int(answer["seq"])
        code = error.get("err_code")
        if code in _WRONG_LAST:
            raise Displaced(
                "NT-EDGE-002", f"the last message of {subject} is not number {after}: {error.get('description')}"
            )
        if code in _FULL:
            raise Full(
                "NT-EDGE-003",
                f"stream {self.name} takes no more ({error.get('description')}); what waits is kept and tried again, give the "
                "stream more room or bring the hub back",
            )
        raise _refused(self.name, error)

    async def last(self, subject: str) -> Entry | None:
        """The newest message of a subject."""
        answer = await self._api(f"STREAM.MSG.GET.{self.name}", json.dumps({"last_by_subj": subject}).encode())
        error = answer.get("error")
        if error is not None:
            if error.get("err_code") == _NO_MESSAGE:
                return None
            raise _refused(self.name, error)
        found = answer["message"]
        return Entry(int(found["seq"]), found["subject"], b64decode(found.get("data") or ""), {}, found.get("time", ""))

    async def read(self, start: int, subject: str, *, max_bytes: int) -> list[Entry]:
        """Messages of a subject, or of many by a wildcard, from the sequence ``start`` on, in order; empty where there are none."""
        question = {"seq": start, "next_by_subj": subject, "batch": READ_MESSAGES, "max_bytes": max_bytes}
        answers = await self._wire.ask_many(f"$JS.API.DIRECT.GET.{self.name}", json.dumps(question).encode())
        return [_entry(answer) for answer in answers]

    async def purge(self, subject: str, below: int) -> None:
        """Delete the messages of a subject before the sequence ``below``."""
        body = json.dumps({"filter": subject, "seq": below}).encode()
        answer = await self._api(f"STREAM.PURGE.{self.name}", body)
        if answer.get("error") is not None:
            raise _refused(self.name, answer["error"])

    async def facts(self) -> dict[str, Any]:
        """The state of the stream as the server tells it: ``messages``, ``bytes``, ``first_seq``, ``last_seq``."""
        answer = await self._api(f"STREAM.INFO.{self.name}", b"")
        if answer.get("error") is not None:
            raise _refused(self.name, answer["error"])
        return dict(answer["state"])

    async def _api(self, what: str, body: bytes) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((await self._wire.ask(f"$JS.API.{what}", body)).data)
        return found


def _entry(message: Any) -> Entry:
    headers = dict(message.headers or {})
    return Entry(
        int(headers["Nats-Sequence"]),
        headers["Nats-Subject"],
        message.data,
        headers,
        headers.get("Nats-Time-Stamp", ""),
    )


def _refused(name: str, error: dict[str, Any]) -> EdgeError:
    return EdgeError(
        "NT-EDGE-004",
        f"the NATS server refused work on stream {name}: {error.get('description')} ({error.get('err_code')}); see that the "
        "stream exists and its account allows it",
    )
