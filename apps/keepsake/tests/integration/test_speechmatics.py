"""The adapter for Speechmatics' protocol against a server of that protocol, with connections that break.

Between the two is a relay that cuts connections, doubles messages and delays confirmations.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import numpy as np
import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from keepsake.asset import is_there
from keepsake.errors import KeepsakeError
from keepsake.sound.contract import RATE, Heard, Recogniser, Word
from keepsake.sound.service import open_service
from keepsake.sound.speechmatics import Speechmatics


class Seconds:
    """Hears, for each second, the loudness of its first sample as a word, or nothing where it is silent."""

    model = "seconds"

    async def stream(
        self, chunks: AsyncIterator[bytes], *, names: Sequence[str] = (), start: float = 0.0
    ) -> AsyncIterator[Heard]:
        kept, at = b"", 0
        async for chunk in chunks:
            kept += chunk
            while len(kept) >= 2 * RATE:
                yield Heard("...", at, at + 0.5, is_final=False)
                yield self.heard(kept, at, at + 1.0)
                kept, at = kept[2 * RATE :], at + 1
        if kept:
            yield self.heard(kept, at, at + len(kept) / 2 / RATE)

    @staticmethod
    def heard(sound: bytes, start: float, end: float) -> Heard:
        value = int(np.frombuffer(sound[:2], "<i2")[0])
        words = (Word(f"w{value}", start + 0.1, start + 0.2),) if value else ()
        return Heard(f"w{value}" if value else "", start, end, is_final=True, words=words, language="en")

    def transcribe(self, samples: bytes, *, names: Sequence[str] = ()) -> list[Heard]:
        return []


SOUND = b"".join(np.full(RATE, value, "<i2").tobytes() for value in [1, 2, 3, 0, 4, 5, 6, 7, 0, 0, 8, 9])
EXPECTED = ["w1", "w2", "w3", "w4", "w5", "w6", "w7", "w8", "w9"]


async def chunked(sound: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(sound), size):
        yield sound[start : start + size]
        await asyncio.sleep(0)


class Relay:
    """Passes messages on; cuts the connection after so many of the server's, one number for each connection."""

    def __init__(self, cuts: list[int]) -> None:
        self.cuts = list(cuts)
        self.connections = 0

    @asynccontextmanager
    async def open(self, target: str) -> AsyncIterator[str]:
        async def handle(client: ServerConnection) -> None:
            self.connections += 1
            left = self.cuts.pop(0) if self.cuts else -1
            async with connect(target, close_timeout=0.1) as server:

                async def up() -> None:
                    with suppress(ConnectionClosed):
                        async for message in client:
                            await server.send(message)

                sending = asyncio.create_task(up())
                try:
                    late: list[str | bytes] = []
                    async for message in server:
                        if left == 0:
                            client.transport.abort()
                            return
                        left -= 1
                        kind = json.loads(message)["message"]
                        if kind == "AudioAdded" and len(late) < 3:
                            late.append(message)  # confirmations come late, in the wrong order
                            continue
                        for held in (*reversed(late), message):
                            await client.send(held)
                        late.clear()
                        if kind == "AddTranscript":
                            await client.send(message)  # and finals twice
                except ConnectionClosed:
                    pass
                finally:
                    sending.cancel()

        async with serve(handle, "127.0.0.1", 0) as relay:
            yield f"ws://127.0.0.1:{next(iter(relay.sockets)).getsockname()[1]}"


async def listen(recogniser: Recogniser, sound: bytes, cuts: list[int], size: int = 4000) -> tuple[list[Heard], Relay]:
    relay = Relay(cuts)
    server = await open_service(recogniser, "127.0.0.1", 0)
    target = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
    async with server, relay.open(target) as url:
        client = Speechmatics(url, wait_s=0.001)
        heard = [piece async for piece in client.stream(chunked(sound, size), start=100.0)]
    return heard, relay


@pytest.mark.parametrize("cuts", [[], [0], [3], [40, 1, 0, 25], [20] * 6, [60, 60]])
def test_everything_is_heard_once_and_in_order_whatever_breaks(cuts: list[int]) -> None:
    heard, relay = asyncio.run(listen(Seconds(), SOUND, cuts))

    finals = [piece for piece in heard if piece.is_final]
    assert [piece.text for piece in finals if piece.text] == EXPECTED
    ends = [piece.end for piece in finals]
    assert ends == sorted(set(ends))
    assert ends[-1] == pytest.approx(100.0 + len(SOUND) / 2 / RATE)
    assert relay.connections >= len(cuts)
    assert [word.start for piece in finals for word in piece.words][:3] == pytest.approx([100.1, 101.1, 102.1])


def test_a_recording_is_heard() -> None:
    async def run() -> list[Heard]:
        server = await open_service(Seconds(), "127.0.0.1", 0, key="secret")
        async with server:
            url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
            return await asyncio.to_thread(Speechmatics(url, "secret").transcribe, SOUND)

    assert [piece.text for piece in asyncio.run(run()) if piece.text] == EXPECTED


def test_a_wrong_key_is_refused_at_once() -> None:
    async def run() -> None:
        server = await open_service(Seconds(), "127.0.0.1", 0, key="secret")
        async with server:
            url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
            async for _ in Speechmatics(url, "guess").stream(chunked(SOUND, 4000)):
                pass

    with pytest.raises(KeepsakeError, match=r"KS-SOUND-004 .* HTTP 401"):
        asyncio.run(run())


def test_a_service_that_is_not_there_is_named_in_the_end() -> None:
    async def run() -> None:
        async for _ in Speechmatics("ws://127.0.0.1:9", wait_s=0.001).stream(chunked(SOUND, 4000)):
            pass

    with pytest.raises(KeepsakeError, match=r"KS-SOUND-005 .* 8 times in a row"):
        asyncio.run(run())


@pytest.mark.parametrize(
    "message",
    [
        "hello",
        '{"message": "EndOfStream"}',
        '{"message": "StartRecognition", "audio_format": {"type": "file"}}',
        '{"message": "StartRecognition", "audio_format": {"type": "raw", "encoding": "pcm_s16le", "sample_rate": 16000}}',
    ],
)
def test_the_service_refuses_what_it_does_not_speak(message: str) -> None:
    async def run() -> str:
        server = await open_service(Seconds(), "127.0.0.1", 0)
        async with (
            server,
            connect(f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}") as connection,
        ):
            await connection.send(message)
            return str(json.loads(await connection.recv())["message"])

    assert asyncio.run(run()) == "Error"


@pytest.mark.slow
def test_whisper_behind_the_protocol_hears_what_whisper_hears() -> None:
    from pathlib import Path

    from keepsake.sound.decode import blocks
    from keepsake.sound.whisper import Whisper

    path = Path("/usr/share/pocketsphinx/test/data/librivox/sense_and_sensibility_01_austen_64kb-0930.wav")
    if not path.exists() or not is_there("whisper-tiny.en"):
        pytest.skip("needs pocketsphinx-testdata and keepsake[speech,models]")
    sound = b"".join(blocks(path)) + bytes(2 * RATE)
    whisper = Whisper(name="whisper-tiny.en", partial_s=0)

    heard, _ = asyncio.run(listen(whisper, sound, [6]))

    assert [piece.text for piece in heard if piece.is_final and piece.text] == [
        piece.text for piece in whisper.transcribe(sound) if piece.text
    ]
