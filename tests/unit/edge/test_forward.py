"""Passing on: from the edge's stream to the hub's over a cable that is cut."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from natant.edge import forward
from natant.edge.batch import FORMAT, Bundle, Parcel, decode_parcel, digest_of, encode
from natant.edge.forward import Forwarder
from natant.edge.name import EdgeNames
from natant.edge.status import EdgeStatus
from natant.fabric.nats.wire import NotThere
from tests.support.log import MemoryLog

NAMES = EdgeNames("forward")


class Answer:
    def __init__(self, facts: Any) -> None:
        self.data = facts if isinstance(facts, bytes) else json.dumps(facts).encode()


class HubWire:
    """Answers as the hub's side does, over a stream in memory."""

    def __init__(self, hub: MemoryLog) -> None:
        self.hub = hub
        self.told = 0
        self.instead: Any = None

    async def ask(self, subject: str, data: bytes) -> Answer:
        assert subject == NAMES.questions("e1")
        if self.hub.is_away:
            raise NotThere("NT-EDGE-001", "cut")
        if self.instead is not None:
            return Answer(self.instead)
        if json.loads(data)["verb"] == "ping":
            return Answer({})
        newest = await self.hub.last(NAMES.parcels("e1"))
        if newest is None:
            return Answer({"after": 0, "origin": "", "sequence": 0, "digest": ""})
        parcel = decode_parcel(newest.data)
        sequence, bundle = parcel.bundles[-1]
        return Answer(
            {"after": newest.sequence, "origin": parcel.origin, "sequence": sequence, "digest": digest_of(bundle)}
        )

    async def tell(self, subject: str, data: bytes) -> None:
        self.told += 1


class Edge:
    def __init__(self) -> None:
        self.kept = MemoryLog("EDGE")
        self.hub = MemoryLog("AGG")
        self.wire = HubWire(self.hub)
        self.status = EdgeStatus()
        self.news = asyncio.Event()
        self.forwarder = self.new()

    def new(self) -> Forwarder:
        return Forwarder(
            self.wire,  # type: ignore[arg-type]
            kept=self.kept,  # type: ignore[arg-type]
            hub=self.hub,  # type: ignore[arg-type]
            names=NAMES,
            edge="e1",
            origin="a",
            news=self.news,
            status=self.status,
        )

    async def put(self, count: int) -> None:
        for _ in range(count):
            newest = await self.kept.last(NAMES.bundles("0"))
            data = encode(Bundle(FORMAT, self.kept.sequence + 1, []))
            await self.kept.append(NAMES.bundles("0"), data, after=0 if newest is None else newest.sequence)
        self.news.set()

    def arrived(self) -> list[int]:
        """Sequences of all bundles at the hub, in order."""
        return [sequence for entry in self.hub.entries for sequence, _ in decode_parcel(entry.data).bundles]

    async def until(self, condition: Any) -> None:
        async with asyncio.timeout(20):
            while not condition():
                await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forward, "RETRY_S", 0)


async def test_all_is_forwarded_and_then_deleted() -> None:
    edge = Edge()
    await edge.put(3)
    edge.forwarder.start()
    await edge.until(lambda: edge.arrived() == [1, 2, 3])
    await edge.put(2)
    await edge.until(lambda: edge.arrived() == [1, 2, 3, 4, 5] and len(edge.kept.entries) == 1)

    assert edge.wire.told == len(edge.hub.entries)
    assert edge.status.facts["connected"]
    await edge.forwarder.stop()


async def test_a_cut_and_lost_answers_make_no_second_copy() -> None:
    edge = Edge()
    edge.forwarder.start()
    for number in range(1, 10):
        edge.hub.loses_answer = number % 2 == 0
        edge.hub.is_away = number % 3 == 0
        await edge.put(1)
        if edge.hub.is_away:
            failures = edge.status.counts["forward_failures"]
            await edge.until(lambda failures=failures: edge.status.counts["forward_failures"] > failures)
            assert not edge.status.facts["connected"]
            edge.hub.is_away = False
        await edge.until(lambda number=number: edge.arrived() == list(range(1, number + 1)))
    await edge.forwarder.stop()


async def test_another_life_goes_on_where_the_hub_is() -> None:
    edge = Edge()
    await edge.put(3)
    edge.forwarder.start()
    await edge.until(lambda: len(edge.arrived()) == 3)
    await edge.forwarder.stop()
    edge.forwarder = edge.new()
    edge.forwarder.start()
    await edge.put(1)
    await edge.until(lambda: len(edge.arrived()) == 4)

    assert edge.arrived() == [1, 2, 3, 4]
    await edge.forwarder.stop()


async def test_a_full_hub_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    edge = Edge()
    edge.hub.room = 0
    await edge.put(1)
    edge.forwarder.start()
    await edge.until(lambda: edge.status.counts["forward_failures"] > 2)
    edge.hub.room = 5
    await edge.until(lambda: edge.arrived() == [1])

    assert caplog.text.count("NT-EDGE-003") == 1
    await edge.forwarder.stop()


@pytest.mark.parametrize("count", [3, 9, 12])
async def test_an_edge_that_was_put_back_forwards_nothing(count: int, caplog: pytest.LogCaptureFixture) -> None:
    edge = Edge()
    await edge.hub.append(NAMES.parcels("e1"), encode(Parcel(FORMAT, "a", [(9, b"other")])), after=0)
    await edge.put(count)
    edge.forwarder.start()
    await edge.until(lambda: edge.status.counts["forward_failures"] > 2)

    assert caplog.text.count("NT-EDGE-006") == 1
    assert len(edge.hub.entries) == 1
    await edge.forwarder.stop()


@pytest.mark.parametrize(
    ("answer", "code"),
    [(b"rubbish", "NT-EDGE-005"), ([], "NT-EDGE-005"), ({"code": "NT-EDGE-009", "message": "no"}, "NT-EDGE-009")],
)
async def test_a_hub_that_answers_otherwise_is_told(answer: Any, code: str, caplog: pytest.LogCaptureFixture) -> None:
    edge = Edge()
    edge.wire.instead = answer
    edge.forwarder.start()
    await edge.until(lambda: edge.status.counts["forward_failures"] > 2)

    assert caplog.text.count(code) == 1
    edge.wire.instead = None
    await edge.put(1)
    await edge.until(lambda: edge.arrived() == [1])
    await edge.forwarder.stop()
