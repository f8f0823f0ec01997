"""The client of the capture door: sends pieces in order, keeps those that are not acknowledged, and begins again where the service says.

The service's first message says which number it wants next; an acknowledgement means that everything up to a number is durable. A connection that
breaks is made again, and what was not acknowledged is sent again; the number makes that harmless.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any, Final
from urllib.parse import quote, urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, WebSocketException

from keepsake.cli.option import Reach
from keepsake.errors import KeepsakeError

__all__ = ["Capture"]

#: pieces, and their bytes, on their way at a time
WINDOW_PIECES: Final = 2048
WINDOW_BYTES: Final = 4 << 20
#: a connection that breaks is made again so often in a row, after so many seconds, doubled each time
ATTEMPTS: Final = 8
BACKOFF_S: Final = 0.25
#: until the service has to have said something while something is on its way
ANSWER_S: Final = 60.0


class Capture:
    """One stream of one person.

    :param options: of the address: ``kind``, and for sound ``codec``, ``rate`` and ``at``.
    :ivar next: the number of the piece that the service wants next, once opened.
    """

    def __init__(self, reach: Reach, person: str, stream: str, options: dict[str, str]) -> None:
        self._token = reach.token_of(person)
        self._url = reach.socket(f"/capture/{quote(person)}/{quote(stream)}?{urlencode(options)}")
        self._at = reach.at
        self._socket: ClientConnection | None = None
        self._waiting: deque[tuple[int, str | bytes]] = deque()
        self._bytes = 0
        self.next = 0

    async def __aenter__(self) -> Capture:
        try:
            await self._open()
        except (ConnectionClosed, InvalidHandshake, OSError, TimeoutError) as error:
            raise self._unreachable(error) from None
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._socket is not None:
            with suppress(WebSocketException, OSError):
                await self._socket.close()

    async def _open(self) -> None:
        """Connect, and hear where to begin."""
        self._socket = await connect(
            self._url, additional_headers={"authorization": f"Bearer {self._token}"}, max_size=1 << 20, open_timeout=20
        ).__aenter__()
        hello = await self._receive()
        if not isinstance(hello.get("next"), int):
            raise KeepsakeError(
                "KS-CLI-006", f"{self._at} answered {str(hello)[:200]} where it should say what is next"
            )
        self.next = hello["next"]
        self._acknowledged(self.next)

    async def _receive(self) -> dict[str, Any]:
        assert self._socket is not None
        text = await asyncio.wait_for(self._socket.recv(), ANSWER_S)
        try:
            answer = json.loads(text)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise KeepsakeError("KS-CLI-006", f"{self._at} answered what is no JSON object: {text[:200]!r}")
        if "error" in answer:
            raise KeepsakeError(str(answer["error"]), str(answer.get("message", "the piece was refused")))
        return answer

    def _acknowledged(self, following: int) -> None:
        """Everything before a number is durable."""
        while self._waiting and self._waiting[0][0] < following:
            self._bytes -= len(self._waiting.popleft()[1])

    async def send(self, pieces: AsyncIterator[tuple[int, str | bytes]], acknowledged: Callable[[int], None]) -> None:
        """Send numbered pieces, without gaps; comes back when all of them are durable.

        :param acknowledged: hears the number behind the last durable piece.
        :raises KeepsakeError: what the service refuses, with its own code; ``KS-CLI-004`` where it cannot be reached any more.
        """
        failures = 0
        is_over = False
        while True:
            try:
                if self._socket is None:
                    await self._open()
                    await self._again()
                while not is_over or self._waiting:
                    if not is_over and len(self._waiting) < WINDOW_PIECES and self._bytes < WINDOW_BYTES:
                        is_over = not await self._one(pieces)
                    else:
                        self._take(await self._receive(), acknowledged)
                        failures = 0
                return
            except (ConnectionClosed, InvalidHandshake, OSError, TimeoutError) as error:
                self._socket = None
                failures += 1
                if failures >= ATTEMPTS or isinstance(error, InvalidStatus):
                    raise self._unreachable(error) from None
                await asyncio.sleep(BACKOFF_S * 2**failures)

    async def _one(self, pieces: AsyncIterator[tuple[int, str | bytes]]) -> bool:
        """Send the next piece; False where there is none."""
        found = await anext(pieces, None)
        if found is None:
            return False
        self._waiting.append(found)
        self._bytes += len(found[1])
        assert self._socket is not None
        await self._socket.send(found[1])
        return True

    async def _again(self) -> None:
        assert self._socket is not None
        for _, content in list(self._waiting):
            await self._socket.send(content)

    def _take(self, answer: dict[str, Any], acknowledged: Callable[[int], None]) -> None:
        if isinstance(answer.get("ack"), int):
            self._acknowledged(answer["ack"] + 1)
            self.next = max(self.next, answer["ack"] + 1)
            acknowledged(self.next)

    def _unreachable(self, error: Exception) -> KeepsakeError:
        if isinstance(error, InvalidStatus):
            status = error.response.status_code
            return KeepsakeError(
                "KS-CLI-004",
                f"{self._at} refused the stream with status {status}: {(error.response.body or b'')[:300].decode(errors='replace')}",
            )
        return KeepsakeError("KS-CLI-004", f"{self._at} cannot be reached: {error or type(error).__name__}")
