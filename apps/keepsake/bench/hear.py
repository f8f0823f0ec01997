"""From a spoken sentence to its words: how soon they are seen, by whoever follows the stream.

    python bench/hear.py                     (Debian: apt-get install pocketsphinx-testdata)

Recorded sentences are sent to the capture door as a microphone would, a quarter of a second at a time, with two seconds of silence behind each. A
client follows the stream's lane ``transcript``; what counts is the time from the end of the sentence to the moment when its last word is there.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
import wave
from pathlib import Path

import natant.client
import numpy as np
import websockets.asyncio.client as client

sys.path.insert(0, str(Path(__file__).parents[1]))
from keepsake.agent.value import Line
from tests.support.running import Running

FOLDER = Path("/usr/share/pocketsphinx/test/data/librivox")
RATE = 16_000
PIECE_S = 0.25
PAUSE_S = 2.0
#: louder than this, of a sample's greatest value, is speech in these recordings
LOUD = 0.02


def sentences() -> list[bytes]:
    """Recordings, each cut off where its last word ends."""
    found = []
    for path in sorted(FOLDER.glob("*.wav")):
        with wave.open(str(path)) as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
        frames = np.abs(samples[: len(samples) // 160 * 160].reshape(-1, 160)).mean(axis=1) / 32768
        last = int(np.flatnonzero(frames > LOUD / 4)[-1] + 1) * 160
        found.append(samples[:last].tobytes())
    return found


async def run(running: Running, rounds: int) -> list[float]:
    """Speak, and wait for the words."""
    token = running.token("ann")
    waits: list[float] = []
    address = f"{running.url.replace('http', 'ws')}/capture/ann/mic?kind=audio&rate={RATE}"
    async with (
        natant.client.connect(running.url.replace("http", "warp"), auth={"token": token}) as plane,
        client.connect(address, additional_headers={"authorization": f"Bearer {token}"}) as socket,
    ):
        link = plane.map("/person/ann/stream/mic", "transcript", str, Line)
        await link.synced()
        heard = asyncio.Event()
        times: list[float] = []

        async def follow() -> None:
            async for _ in link:
                times.append(time.monotonic())
                heard.set()

        follower = asyncio.create_task(follow())
        drain = asyncio.create_task(_drain(socket))
        number = 0
        for turn in range(rounds):
            for speech in sentences():
                sound = speech + bytes(int(PAUSE_S * RATE) * 2)
                end = len(speech) / 2 / RATE
                times.clear()
                begin = time.monotonic()
                size = int(PIECE_S * RATE) * 2
                for place in range(0, len(sound), size):
                    await asyncio.sleep(max(0.0, begin + (place + size) / 2 / RATE - time.monotonic()))
                    await socket.send(number.to_bytes(4, "big") + sound[place : place + size])
                    number += 1
                while not any(at >= begin + end for at in times):
                    heard.clear()
                    await asyncio.wait_for(heard.wait(), 60)
                at = min(at for at in times if at >= begin + end)
                if turn or number > len(sound) // size + 1:
                    waits.append(at - begin - end)
        follower.cancel()
        drain.cancel()
        for _, line in link.snapshot():
            print(line.text)
    return waits


async def _drain(socket: client.ClientConnection) -> None:
    async for _ in socket:
        pass


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--recogniser", default="base")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Running(Path(folder), recogniser=options.recogniser) as running:
        running.start_plane()
        running.start_worker("hear", slots=2)
        waits = asyncio.run(run(running, options.rounds))
    print(f"{len(waits)} sentences: words seen p50 {np.median(waits):.2f} s, max {max(waits):.2f} s after their end")
    return 0


if __name__ == "__main__":
    sys.exit(main())
