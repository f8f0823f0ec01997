"""The writers: each sends one acknowledged command after the other, by HTTP with an ``Idempotency-Key``, whatever happens to the server.

What gets no answer is sent again with the same key until it has one, or, now and then, given up for ever.  Now and then a
command that was answered is sent once more, which must change nothing.
"""

from __future__ import annotations

import asyncio
import json
from random import Random
from typing import Final

from tests.chaos.audit import History, Sent

__all__ = ["Unanswered", "Writer", "request"]

#: how often an unanswered command is given up, an answered one sent again
GIVE_UP: Final = 0.15
AGAIN: Final = 0.05
#: how long one answer may take; a server that is killed answers never
ANSWER_WAIT_S: Final = 10.0
#: between tries while the server is down
RETRY_S: Final = 0.02


class Unanswered(Exception):
    """Nobody knows whether the command took effect."""


class Connection:
    """One HTTP connection, made when it is needed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def request(self, method: str, target: str, body: bytes = b"", headers: str = "") -> tuple[int, bytes]:
        """Status and body of the answer.

        :raises Unanswered: where none came.
        """
        try:
            async with asyncio.timeout(ANSWER_WAIT_S):
                if self._streams is None:
                    self._streams = await asyncio.open_connection("127.0.0.1", self._port)
                reader, writer = self._streams
                head = f"{method} {target} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {len(body)}\r\n{headers}\r\n"
                writer.write(head.encode() + body)
                lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                size = next(int(line[15:]) for line in lines if line.lower().startswith("content-length:"))
                return int(lines[0].split()[1]), await reader.readexactly(size)
        except (OSError, EOFError, StopIteration) as error:
            self.close()
            raise Unanswered(repr(error)) from error

    def close(self) -> None:
        """Let the connection go."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def request(port: int, target: str) -> object:
    """What a GET gives, read as JSON.

    :raises Unanswered: where it gives nothing.
    """
    connection = Connection(port)
    try:
        status, body = await connection.request("GET", target)
    finally:
        connection.close()
    if status != 200:
        raise Unanswered(f"{target}: {status} {body.decode()}")
    answer: object = json.loads(body)
    return answer


class Writer:
    """One writer; what it sees goes into the history."""

    def __init__(self, name: str, port: int, ledgers: int, history: History, random: Random) -> None:
        self._name = name
        self._ledgers = ledgers
        self._history = history
        self._random = random
        self._connection = Connection(port)
        self._number = 0
        self.retries = 0
        self.repeats = 0
        self.given_up = 0
        self.is_stopping = False

    async def run(self) -> None:
        """Write until told to stop; what is under way then is brought to its end."""
        while not self.is_stopping:
            self._number += 1
            sent = Sent(
                f"{self._name}-{self._number}",
                self._random.randrange(self._ledgers),
                self._number,
                self._random.randrange(1, 1000),
            )
            self._history.sent[sent.key] = sent
            await self._write(sent)
            if sent.answer is not None and self._random.random() < AGAIN:
                await self._repeat(sent)
        self._connection.close()

    async def _write(self, sent: Sent) -> None:
        may_give_up = self._random.random() < GIVE_UP
        while True:
            try:
                sent.answer = await self._send(sent)
            except Unanswered:
                if may_give_up:
                    self.given_up += 1
                    return
                self.retries += 1
                await asyncio.sleep(RETRY_S)
            else:
                return

    async def _repeat(self, sent: Sent) -> None:
        self.repeats += 1
        try:
            answer = await self._send(sent)
        except Unanswered:
            return
        if answer != sent.answer:
            self._history.contradictions.append(f"{sent.key} ({sent.answer}, then {answer})")

    async def _send(self, sent: Sent) -> int:
        body = json.dumps({"key": sent.key, "number": sent.number, "amount": sent.amount}).encode()
        headers = f"content-type: application/json\r\nidempotency-key: {sent.key}\r\n"
        status, answer = await self._connection.request("POST", f"/ledger/{sent.ledger}?lane=add", body, headers)
        if status == 503:  # stopping, or the store waits: not done, to be tried again
            self._connection.close()
            raise Unanswered("503")
        assert status == 200, f"{sent.key}: {status} {answer.decode()}"
        value: int = json.loads(answer)["value"]
        return value
