"""A stream keeps what it is given, once, in order, until it is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import natant.testing
import pytest
from natant import Agent, Job, Plane, command, lane

from keepsake.agent import stream as module
from keepsake.agent.seal import Draft, open_draft, seal_draft, seal_lines
from keepsake.agent.stream import Stream
from keepsake.agent.value import HeardAll, HeardPiece, HearJob, Line, Noted, Reading, ReadJob, Take
from keepsake.key import Ring

NODE = "/person/ann/stream/phone"
AUDIO = "/person/ann/stream/mic"


class Owner(Agent, route="/person/{person}"):
    """Takes note of what streams tell."""

    told = lane.list(Noted)

    @command
    def noted(self, what: Noted) -> None:
        self.told.append(what)

    @command
    def heard(self, what: HeardAll) -> None:
        pass


class Home:
    """A plane with a stream whose pieces are read by a function of the test."""

    def __init__(self, folder: Path, read: Callable[[ReadJob], int] | None = None) -> None:
        self.ring = Ring(folder)
        self.key = self.ring.make("ann")
        self.blobs: dict[str, bytes] = {}
        self.read: list[tuple[int, list[str]]] = []
        self._read = read
        blobs = SimpleNamespace(put=self._put, remove=lambda _person, name: self.blobs.pop(name))
        house = SimpleNamespace(ring=self.ring, blobs=blobs, edge="")
        bound: Any = type("Stream", (Stream,), {"house": house})
        self.plane = Plane("test", [bound, Owner])
        self.plane.queue("read", attempts=2, backoff=(1.0, 1.0))(self._work)
        self.plane.queue("hear", attempts=2)(self._hear)

    def _put(self, _person: str, content: bytes) -> str:
        name = str(len(self.blobs))
        self.blobs[name] = content
        return name

    async def _work(self, job: Job[ReadJob]) -> Reading:
        what = job.input
        texts = [
            open_draft(self.key, piece, what.stream, what.first + place).text for place, piece in enumerate(what.pieces)
        ]
        if "poison" in texts:
            raise ValueError("poison")
        self.read.append((what.first, texts))
        lines = [Line(f"{what.stream}:{what.first + place}#0", 0.0, text) for place, text in enumerate(texts)]
        return Reading(len(texts), len(texts), what.first + len(texts), seal_lines(self.key, lines, what.stream))

    async def _hear(self, job: Job[HearJob]) -> HeardAll:
        await asyncio.Event().wait()
        raise AssertionError

    def take(self, number: int, *texts: str) -> Take:
        pieces = [seal_draft(self.key, Draft(text), "phone", number + place) for place, text in enumerate(texts)]
        return Take(number, "text", pieces)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


async def test_what_is_taken_is_read_in_order_and_then_let_go(home: Home) -> None:
    async with natant.testing.plane(home.plane) as p:
        taken = await p.command(NODE, "take", home.take(0, "one", "two"))
        assert taken.value.get("next") == 2
        await p.command(NODE, "take", home.take(2, "three"))
        await p.clock.jump(1)

        assert [text for _, texts in home.read for text in texts] == ["one", "two", "three"]
        assert await p.get(NODE, "pieces") == {}
        assert await p.get(NODE, "waiting") == 0
        assert [line.text for line in (await p.get(NODE, "transcript")).values()] == ["one", "two", "three"]


async def test_a_piece_that_comes_again_is_there_once(home: Home) -> None:
    async with natant.testing.plane(home.plane) as p:
        p.queues["read"].paused = True
        await p.command(NODE, "take", home.take(0, "one", "two"))
        again = await p.command(NODE, "take", home.take(1, "another two", "three"))

        assert again.value.get("next") == 3
        p.queues["read"].paused = False
        p.queues["read"].look()
        await p.clock.jump(1)
        assert [text for _, texts in home.read for text in texts] == ["one", "two", "three"]


async def test_a_gap_is_refused_and_the_next_number_is_told(home: Home) -> None:
    async with natant.testing.plane(home.plane) as p:
        with pytest.raises(Exception, match=r"KS-AGENT-002 .* the next one is 0"):
            await p.command(NODE, "take", home.take(1, "two"))
        assert await p.get(NODE, "received") == 0


async def test_pieces_of_another_kind_are_refused(home: Home) -> None:
    async with natant.testing.plane(home.plane) as p:
        await p.command(NODE, "take", home.take(0, "one"))
        with pytest.raises(Exception, match="KS-AGENT-001"):
            await p.command(NODE, "take", Take(1, "audio", [b"x"], [1]))


async def test_pieces_that_are_too_large_are_refused(home: Home) -> None:
    async with natant.testing.plane(home.plane) as p:
        with pytest.raises(Exception, match="KS-AGENT-003"):
            await p.command(NODE, "take", Take(0, "text", [bytes(module.PIECE_BYTES + 1)]))


async def test_a_piece_that_cannot_be_read_is_put_aside_and_the_others_are_read(home: Home) -> None:
    async with natant.testing.plane(home.plane) as p:
        await p.command(NODE, "take", home.take(0, "one", "poison", "three"))
        await p.clock.jump(30)

        assert [text for _, texts in home.read for text in texts] == ["one", "three"]
        assert list(await p.get(NODE, "aside")) == [1]
        assert (await p.get(NODE, "state")).aside == 1
        assert await p.get(NODE, "pieces") == {}


async def test_nothing_is_taken_for_somebody_who_is_gone(home: Home) -> None:
    async with natant.testing.plane(home.plane) as p:
        home.ring.destroy("ann")
        with pytest.raises(Exception, match="KS-KEY-001"):
            await p.command(NODE, "take", home.take(0, "one"))


async def test_what_is_acknowledged_is_there_after_a_crash(home: Home) -> None:
    async with natant.testing.plane(home.plane) as p:
        p.queues["read"].paused = True
        await p.command(NODE, "take", home.take(0, "one", "two"))
        await p.crash()
        p.queues["read"].paused = False
        p.queues["read"].look()
        await p.clock.jump(1)

        assert [text for _, texts in home.read for text in texts] == ["one", "two"]


async def test_what_waits_is_read_in_batches(home: Home) -> None:
    async with natant.testing.plane(home.plane) as p:
        p.queues["read"].paused = True
        for number in range(200):
            await p.command(NODE, "take", home.take(number, str(number)))
        p.queues["read"].paused = False
        p.queues["read"].look()
        await p.clock.jump(5)

        assert [text for _, texts in home.read for text in texts] == [str(number) for number in range(200)]
        assert len(home.read) == 1 + -(-199 // module.BATCH_PIECES)


async def test_sound_is_released_up_to_where_it_was_heard(home: Home) -> None:
    async with natant.testing.plane(home.plane) as p:
        await p.command(AUDIO, "take", Take(0, "audio", [b"a", b"b", b"c"], [100, 100, 100]))
        await p.command(AUDIO, "heard", HeardPiece(250))

        assert list(await p.get(AUDIO, "pieces")) == [2]
        await p.command(AUDIO, "heard", HeardPiece(300))
        assert await p.get(AUDIO, "waiting") == 0


async def test_sound_that_waits_is_moved_out_of_memory_and_removed_when_it_was_heard(home: Home) -> None:
    async with natant.testing.plane(home.plane) as p:
        size = 128 * 1024
        for number in range(20):
            await p.command(AUDIO, "take", Take(number, "audio", [bytes([number]) * size], [1000]))
            await p.clock.settle()
        pieces = await p.get(AUDIO, "pieces")
        assert await p.get(AUDIO, "resident") <= module.SPILL_BYTES
        assert await p.get(AUDIO, "waiting") == 20 * size
        for number, piece in pieces.items():
            content = home.blobs[piece.blob][piece.offset : piece.offset + piece.size] if piece.blob else piece.sealed
            assert content == bytes([number]) * size

        await p.command(AUDIO, "heard", HeardPiece(20_000))
        await p.clock.settle()
        assert home.blobs == {}
        assert await p.get(AUDIO, "waiting") == 0
        assert await p.get(AUDIO, "resident") == 0


async def test_a_lane_of_sound_needs_a_length_for_each_piece(home: Home) -> None:
    async with natant.testing.plane(home.plane) as p:
        with pytest.raises(Exception, match="KS-AGENT-006"):
            await p.command(AUDIO, "take", Take(0, "audio", [b"a", b"b"], [100]))
