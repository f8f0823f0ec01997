"""Many streams at once: how soon a chunk is acknowledged, and whether all of it is there in the end.

    python bench/stream.py --text 2000 --audio 200 --seconds 60

starts a plane on a fresh folder, connects each stream to the capture door, sends one message a second on each stream of text and 16 kHz sound in
pieces of a quarter of a second on each stream of sound, kills the plane once on the way (``--kill``), and then compares what every stream has with
what was acknowledged. Workers are started when all was sent (``--lag``, the default) or before (``--no-lag``); they read all text, and the
person's stores are compared with what was sent.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import websockets.asyncio.client as client
from websockets.exceptions import ConnectionClosed, InvalidHandshake

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.support.running import Running

#: persons among whom the streams are shared out
PEOPLE = 100
PIECE_S = 0.25
RATE = 16_000
WORDS = [
    "tea",
    "boat",
    "garden",
    "letter",
    "winter",
    "Anna",
    "walk",
    "bread",
    "Lisbon",
    "train",
    "song",
    "rain",
    "paint",
    "Oskar",
    "hill",
    "lamp",
]


@dataclass
class Stream:
    """One stream of one person, and how it went.

    :ivar sent: texts or sizes of pieces, by number.
    """

    person: str
    name: str
    kind: str
    token: str
    sent: list[str] = field(default_factory=list)
    acknowledged: int = 0
    waits: list[float] = field(default_factory=list)
    breaks: int = 0


def piece(stream: Stream, number: int, random_: random.Random) -> str | bytes:
    """The message of a number; the same whenever it is made again."""
    if number == len(stream.sent):
        if stream.kind == "text":
            stream.sent.append(f"{stream.name} {number} " + " ".join(random_.choices(WORDS, k=12)))
        else:
            stream.sent.append("")
    if stream.kind == "text":
        return json.dumps({"n": number, "at": 1.7e9 + number, "text": stream.sent[number]})
    return number.to_bytes(4, "big") + bytes(int(PIECE_S * RATE) * 2)


async def follow(url: str, stream: Stream, count: int, every_s: float, begin: float) -> None:
    """Send ``count`` pieces at their times, and again what a break left unacknowledged."""
    random_ = random.Random(stream.name)
    address = f"{url}/capture/{stream.person}/{stream.name}?kind={stream.kind}&codec=pcm&rate={RATE}"
    while stream.acknowledged < count:
        try:
            async with client.connect(
                address, additional_headers={"authorization": f"Bearer {stream.token}"}, open_timeout=60, max_size=2**20
            ) as socket:
                first = json.loads(await socket.recv())["next"]
                stream.acknowledged = max(stream.acknowledged, first)
                times: dict[int, float] = {}
                sender = asyncio.create_task(
                    _send(
                        socket, stream, first, count=count, every_s=every_s, begin=begin, times=times, random_=random_
                    )
                )
                try:
                    while stream.acknowledged < count:
                        told = json.loads(await socket.recv())
                        if "ack" not in told:
                            raise RuntimeError(f"{stream.name}: {told}")
                        now = time.monotonic()
                        for number in range(stream.acknowledged, told["ack"] + 1):
                            if number in times:
                                stream.waits.append(now - times.pop(number))
                        stream.acknowledged = max(stream.acknowledged, told["ack"] + 1)
                finally:
                    sender.cancel()
        except (ConnectionClosed, InvalidHandshake, OSError, TimeoutError):
            stream.breaks += 1
            await asyncio.sleep(0.5 + random_.random())


async def _send(
    socket: client.ClientConnection,
    stream: Stream,
    first: int,
    *,
    count: int,
    every_s: float,
    begin: float,
    times: dict[int, float],
    random_: random.Random,
) -> None:
    for number in range(first, count):
        due = begin + number * every_s
        if (wait := due - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        message = piece(stream, number, random_)
        times[number] = time.monotonic()
        await socket.send(message)


def quantile(values: list[float], share: float) -> float:
    """A quantile in milliseconds."""
    values = sorted(values)
    return 1000 * values[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


async def run(options: argparse.Namespace, running: Running) -> list[Stream]:
    """Send everything."""
    people = [f"p{number}" for number in range(min(PEOPLE, options.text + options.audio))]
    tokens = {person: running.token(person) for person in people}
    streams = []
    for number in range(options.text + options.audio):
        person = people[number % len(people)]
        kind = "text" if number < options.text else "audio"
        streams.append(Stream(person, f"{kind}{number}", kind, tokens[person]))
    begin = time.monotonic() + 2 + len(streams) / 400
    tasks = []
    for number, stream in enumerate(streams):
        every_s = 1.0 if stream.kind == "text" else PIECE_S
        shift = random.Random(number).random() * every_s
        url = running.url.replace("http", "ws")
        tasks.append(asyncio.create_task(follow(url, stream, int(options.seconds / every_s), every_s, begin + shift)))
        if number % 20 == 0:
            await asyncio.sleep(0.05)
    if options.kill:
        await asyncio.sleep(begin - time.monotonic() + options.seconds / 2)
        await asyncio.to_thread(running.kill, "plane")
        await asyncio.to_thread(running.start_plane)
    await asyncio.gather(*tasks)
    return streams


def audit(running: Running, streams: list[Stream], options: argparse.Namespace) -> int:
    """Compare what is there with what was acknowledged; gives the number of differences."""
    wrong = 0
    for stream in streams:
        received = running.get(stream.person, "received", f"/stream/{stream.name}")
        wrong += received < stream.acknowledged
        if stream.kind == "audio" and not options.hear:
            pieces = running.get(stream.person, "waiting", f"/stream/{stream.name}")
            wrong += pieces <= 0
    print(f"received: {len(streams)} streams compared, {wrong} differ")
    if not options.read:
        return wrong
    begin = time.monotonic()
    for number in range(options.workers):
        running.start_worker("read", number, slots=2)
    texts = [stream for stream in streams if stream.kind == "text"]
    for stream in texts:
        while running.get(stream.person, "stored", f"/stream/{stream.name}") < stream.acknowledged:
            time.sleep(0.5)
    took = time.monotonic() - begin
    count = sum(len(stream.sent) for stream in texts)
    print(f"read: {count} messages in {took:.1f} s, {count / took:.0f}/s")
    from keepsake.store.sqlite import SqliteStores

    stores = SqliteStores(running.data / "people", running.ring)
    for person in {stream.person for stream in texts}:
        store = stores.open(person)
        after, found = 0, {}
        while messages := store.messages(after=after):
            found.update({message.id: message.body for message in messages})
            after = messages[-1].seq
        store.close()
        wanted = {
            f"{stream.name}:{number}": text
            for stream in texts
            if stream.person == person
            for number, text in enumerate(stream.sent[: stream.acknowledged])
        }
        differ = sum(found.get(name) != text for name, text in wanted.items()) + len(set(found) - set(wanted))
        wrong += differ
    print(f"stored: {count} messages compared, {wrong} differ")
    return wrong


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--text", type=int, default=2000)
    parser.add_argument("--audio", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kill", action="store_true")
    parser.add_argument("--read", action="store_true", help="read all text afterwards, and compare the stores")
    parser.add_argument("--hear", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Running(Path(folder), recogniser="none", embedder="none") as running:
        running.start_plane()
        streams = asyncio.run(run(options, running))
        for kind in ("text", "audio"):
            waits = [wait for stream in streams if stream.kind == kind for wait in stream.waits]
            if waits:
                print(
                    f"{kind}: {len(waits)} acknowledged, p50 {quantile(waits, 0.5):.1f} ms, "
                    f"p99 {quantile(waits, 0.99):.1f} ms, max {quantile(waits, 1):.1f} ms"
                )
        return min(audit(running, streams, options), 1)


if __name__ == "__main__":
    sys.exit(main())
