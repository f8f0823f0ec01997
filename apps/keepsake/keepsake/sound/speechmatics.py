"""Recognition by a service that speaks Speechmatics' real-time protocol, version 2 (docs.speechmatics.com, "Realtime API Reference").

``StartRecognition`` is answered by ``RecognitionStarted``; sound goes as binary messages, each answered by ``AudioAdded``; what was
heard comes as ``AddPartialTranscript`` and ``AddTranscript``; ``EndOfStream`` is answered by the rest and ``EndOfTranscript``.

A service may go away at any moment.  Sound is let go of here only when a final covers it: after a break the stream goes on with a
new session at the end of the last final, and nothing is lost and nothing comes twice.  `Session` has the rules and no connection.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import suppress
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from keepsake.errors import KeepsakeError
from keepsake.sound.contract import RATE, Heard
from keepsake.sound.session import Refused, Session

__all__ = ["Speechmatics"]

#: bytes of sound kept for a service that tells no finals, 5 min; beyond them nothing more is taken
_MAX_KEPT: Final = 300 * RATE * 2
#: bytes of sound in a message: 0.1 s
_CHUNK: Final = RATE // 10 * 2
#: messages of sound that a service has not confirmed
_MAX_UNCONFIRMED: Final = 512
#: bytes of a message from a service
_MAX_MESSAGE: Final = 1 << 20
#: attempts to reach a service in a row, the first wait between them and the longest one
_ATTEMPTS: Final = 8
_FIRST_WAIT_S: Final = 0.5
_LONGEST_WAIT_S: Final = 10.0
#: how long a service may take to open a connection, and to say anything at all while it has sound to hear
_OPEN_S: Final = 10.0
_SILENT_S: Final = 30.0
#: how long a service may take to say good-bye
_CLOSE_S: Final = 1.0


class Speechmatics:
    """A recogniser behind a WebSocket.

    :param url: ``wss://eu.rt.speechmatics.com/v2``, or a service of your own that speaks its protocol.
    :param key: sent as ``Authorization: Bearer``; empty: none is sent.
    :param language: ISO 639-1.
    :param wait_s: the first wait before a connection is tried again; it doubles.
    """

    def __init__(self, url: str, key: str = "", *, language: str = "en", wait_s: float = _FIRST_WAIT_S) -> None:
        self.model = f"speechmatics-{language}"
        self._url = url
        self._key = key
        self._language = language
        self._wait_s = wait_s

    async def stream(
        self, chunks: AsyncIterator[bytes], *, names: Sequence[str] = (), start: float = 0.0
    ) -> AsyncIterator[Heard]:
        """Follow a stream.

        :raises KeepsakeError: ``KS-SOUND-004`` where the service refuses; ``KS-SOUND-005`` where it cannot be reached.
        """
        sound = _Sound(chunks, round(start * RATE))
        try:
            failures, wait = 0, self._wait_s
            while await sound.is_more():
                before = sound.first
                session = Session(sound.first, language=self._language, names=names)
                try:
                    async for heard in self._hear(session, sound):
                        yield heard
                except Refused as error:
                    raise KeepsakeError("KS-SOUND-004", f"{self._url} refuses: {error}") from None
                except (OSError, TimeoutError, ConnectionClosed, InvalidHandshake) as error:
                    is_well = sound.first > before or session.is_idle
                    failures, wait = (1, self._wait_s) if is_well else (failures + 1, wait * 2)
                    if failures >= _ATTEMPTS:
                        raise KeepsakeError(
                            "KS-SOUND-005", f"{self._url} could not be reached {failures} times in a row: {error}"
                        ) from None
                    await asyncio.sleep(min(wait, _LONGEST_WAIT_S) * random.uniform(0.5, 1.0))
            if sound.error:
                raise sound.error
        finally:
            await sound.stop()

    def transcribe(self, samples: bytes, *, names: Sequence[str] = ()) -> list[Heard]:
        """A whole recording.  Not within an event loop."""

        async def chunks() -> AsyncIterator[bytes]:
            for place in range(0, len(samples), _MAX_KEPT // 10):
                yield samples[place : place + _MAX_KEPT // 10]

        async def run() -> list[Heard]:
            return [heard async for heard in self.stream(chunks(), names=names) if heard.is_final]

        return asyncio.run(run())

    async def _hear(self, session: Session, sound: _Sound) -> AsyncIterator[Heard]:
        """One session, to the stream's end or to the break."""
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        try:
            connection = await connect(
                self._url,
                additional_headers=headers,
                open_timeout=_OPEN_S,
                close_timeout=_CLOSE_S,
                max_size=_MAX_MESSAGE,
            )
        except InvalidURI as error:
            raise Refused(str(error)) from None
        except InvalidStatus as error:
            if error.response.status_code in (400, 401, 403, 404):
                raise Refused(f"HTTP {error.response.status_code}") from None
            raise
        async with connection:
            await connection.send(json.dumps(session.start()))
            sender: asyncio.Task[None] | None = None
            try:
                while not session.is_over:
                    message = await self._message(connection, session, sound)
                    for heard in session.take(message):
                        if heard.is_final:
                            sound.release(round(heard.end * RATE))
                        yield heard
                    if session.is_started and sender is None:
                        sender = asyncio.create_task(_send(connection, session, sound))
                    sound.wake()
            finally:
                if sender:
                    sender.cancel()
                    with suppress(asyncio.CancelledError, ConnectionClosed):
                        await sender

    @staticmethod
    async def _message(connection: ClientConnection, session: Session, sound: _Sound) -> dict[str, Any]:
        """The next message; a service that is silent while it has sound to hear is gone."""
        while True:
            try:
                content = await asyncio.wait_for(connection.recv(), _SILENT_S)
            except TimeoutError:
                if session.is_idle and not sound.is_over:
                    continue
                raise
            with suppress(ValueError):
                message = json.loads(content)
                if isinstance(message, dict):
                    return message
            raise Refused("a message that is no JSON object")


async def _send(connection: ClientConnection, session: Session, sound: _Sound) -> None:
    """Send what there is from the session's beginning on, as fast as the service confirms it."""
    place = session.first
    with suppress(ConnectionClosed):  # the receiver sees it too
        while True:
            chunk = await sound.after(place, lambda: session.unconfirmed < _MAX_UNCONFIRMED)
            if not chunk:
                break
            await connection.send(chunk)
            session.sent(len(chunk) // 2)
            place += len(chunk) // 2
        await connection.send(json.dumps(session.end()))


class _Sound:
    """Samples from the last final's end on.

    :ivar first: the number of the first sample that is kept.
    :ivar is_over: no more samples come.
    :ivar error: what the stream ended with.
    """

    def __init__(self, chunks: AsyncIterator[bytes], first: int) -> None:
        self.first = first
        self.is_over = False
        self.error: Exception | None = None
        self._chunks = chunks
        self._kept = bytearray()
        self._changed = asyncio.Event()
        self._task = asyncio.create_task(self._take())

    async def _take(self) -> None:
        try:
            async for chunk in self._chunks:
                self._kept += chunk
                self.wake()
                while len(self._kept) >= _MAX_KEPT:
                    await self._wait()
        except Exception as error:  # it is raised where the stream is followed
            self.error = error
        self.is_over = True
        self.wake()

    async def is_more(self) -> bool:
        """Wait for sound; False where the stream ends without any."""
        while len(self._kept) < 2 and not self.is_over:
            await self._wait()
        return len(self._kept) >= 2

    def wake(self) -> None:
        """Something changed: whoever waits looks again."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def _wait(self) -> None:
        await self._changed.wait()

    async def after(self, place: int, may_send: Any) -> bytes:
        """Samples from a place on, as soon as there are some and may be sent; empty at the stream's end."""
        while True:
            at = (place - self.first) * 2
            chunk = bytes(self._kept[at : at + _CHUNK]) if at >= 0 else b""
            chunk = chunk[: len(chunk) // 2 * 2]
            if chunk and may_send() and (len(chunk) == _CHUNK or self.is_over or len(chunk) >= _CHUNK // 4):
                return chunk
            if self.is_over and not chunk:
                return b""
            await self._wait()

    def release(self, sample: int) -> None:
        """A final covers all before this sample."""
        del self._kept[: (sample - self.first) * 2]
        self.first = sample

    async def stop(self) -> None:
        """Take no more, and let the stream know."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        if isinstance(self._chunks, AsyncGenerator):
            await self._chunks.aclose()
