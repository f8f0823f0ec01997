"""A service of recognition over Speechmatics' real-time protocol, version 2, by a recogniser of this machine.

So one machine of a house hears for the small ones; and the adapter is tested against it, with drops.  Takes raw samples of 16 kHz;
what `keepsake.sound.session` speaks, and no more.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from http import HTTPStatus
from typing import Any, Final

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from keepsake.sound.contract import RATE, Heard, Recogniser

__all__ = ["open_service"]

#: bytes of a message
_MAX_MESSAGE: Final = 1 << 20
#: messages of sound that wait for the recogniser; beyond them nothing is read
_MAX_WAITING: Final = 64


async def open_service(recogniser: Recogniser, host: str, port: int, *, key: str = "") -> Server:
    """Serve until the server is closed.

    :param port: 0: a free one.
    :param key: that clients have to send as ``Authorization: Bearer``; empty: anybody may use it.
    """

    def check(connection: ServerConnection, request: Request) -> Response | None:
        sent = request.headers.get("Authorization", "")
        if key and not hmac.compare_digest(sent.encode(), f"Bearer {key}".encode()):
            return connection.respond(HTTPStatus.UNAUTHORIZED, "the key is not valid\n")
        return None

    async def handle(connection: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            await _Call(recogniser, connection).run()

    return await serve(handle, host, port, process_request=check, max_size=_MAX_MESSAGE)


class _Call:
    def __init__(self, recogniser: Recogniser, connection: ServerConnection) -> None:
        self._recogniser = recogniser
        self._connection = connection
        self._chunks: asyncio.Queue[bytes | None] = asyncio.Queue(_MAX_WAITING)
        self._taken = 0

    async def run(self) -> None:
        start = await self._start()
        if start is None:
            return
        names = [
            str(entry.get("content", "")) for entry in start.get("additional_vocab", ()) if isinstance(entry, dict)
        ]
        reader = asyncio.create_task(self._read())
        try:
            async with aclosing(self._recogniser.stream(self._samples(), names=names)) as pieces:  # type: ignore[type-var]
                async for heard in pieces:
                    await self._tell(heard)
            await self._send("EndOfTranscript")
        finally:
            reader.cancel()
            with suppress(asyncio.CancelledError, ConnectionClosed):
                await reader

    async def _start(self) -> dict[str, Any] | None:
        message = _object(await self._connection.recv())
        form = {"type": "raw", "encoding": "pcm_s16le", "sample_rate": RATE}
        if message.get("message") != "StartRecognition":
            await self._refuse("protocol_error", "a session begins with StartRecognition")
        elif message.get("audio_format") != form:
            await self._refuse("invalid_audio_type", f"audio_format has to be {json.dumps(form)}")
        elif not isinstance(config := message.get("transcription_config"), dict):
            await self._refuse("invalid_config", "transcription_config is missing")
        else:
            await self._send("RecognitionStarted", id=str(uuid.uuid4()))
            return config
        return None

    async def _read(self) -> None:
        """Confirm sound when it has a place to wait in."""
        try:
            async for message in self._connection:
                if isinstance(message, bytes):
                    await self._chunks.put(message)
                    self._taken += 1
                    await self._send("AudioAdded", seq_no=self._taken)
                elif _object(message).get("message") == "EndOfStream":
                    break
        finally:
            await self._chunks.put(None)

    async def _samples(self) -> AsyncIterator[bytes]:
        while (chunk := await self._chunks.get()) is not None:
            yield chunk

    async def _tell(self, heard: Heard) -> None:
        results: list[dict[str, Any]] = [
            {
                "type": "word",
                "start_time": word.start,
                "end_time": word.end,
                "alternatives": [{"content": word.text, "confidence": word.sureness, "language": heard.language}],
            }
            for word in heard.words
        ]
        if results and heard.is_final:
            results[-1]["is_eos"] = True
        metadata = {
            "transcript": f"{heard.text} " if heard.text else "",
            "start_time": heard.start,
            "end_time": heard.end,
        }
        kind = "AddTranscript" if heard.is_final else "AddPartialTranscript"
        await self._send(kind, format="2.9", metadata=metadata, results=results)
        if heard.is_final and heard.text:
            await self._send("EndOfUtterance", metadata={"start_time": heard.end, "end_time": heard.end})

    async def _refuse(self, kind: str, reason: str) -> None:
        await self._send("Error", type=kind, reason=reason)
        await self._connection.close(1002, kind)

    async def _send(self, kind: str, **content: object) -> None:
        await self._connection.send(json.dumps({"message": kind, **content}))


def _object(content: str | bytes) -> dict[str, Any]:
    with suppress(ValueError):
        found = json.loads(content)
        if isinstance(found, dict):
            return found
    return {}
