"""The hub takes in what came from edges: in order, once, whatever is cut or killed in between."""

from __future__ import annotations

import pytest

import natant.testing
from natant import Agent, Plane, command, lane
from natant.edge import ingest
from natant.edge.batch import FORMAT, Bundle, Command, Parcel, encode, of_send
from natant.edge.ingest import Ingest, Place
from natant.edge.name import EdgeNames
from natant.edge.status import EdgeStatus
from natant.host import Host
from natant.kernel.turn import Send
from natant.testing import TestPlane
from tests.support.log import MemoryLog


class Depot(Agent, route="/depot/{id}"):
    got = lane.list(int)

    @command
    def take(self, number: int) -> None:
        self.got.append(number)


APP = Plane("ingest", [Depot])
NAMES = EdgeNames("ingest")


class Hub:
    """A hub's stream, and the ingest of whichever host runs."""

    def __init__(self) -> None:
        self.log = MemoryLog()
        self.status = EdgeStatus()
        self.ingest: Ingest

    def attach(self, host: Host) -> None:
        self.ingest = Ingest(host.kernel, self.log, NAMES, self.status)  # type: ignore[arg-type]
        host.pumps.append(self.ingest)

    def plane(self) -> TestPlane:
        return natant.testing.plane(APP, attachments=[self.attach])

    async def put(self, *bundles: tuple[int, list[int]], edge: str = "e1", origin: str = "a") -> None:
        """A parcel, as the edge would append it; the fence is not what is tested here."""
        packed = [
            (sequence, encode(Bundle(FORMAT, 0, [command_of(number) for number in numbers])))
            for sequence, numbers in bundles
        ]
        await self.raw(encode(Parcel(FORMAT, origin, packed)), edge)

    async def raw(self, data: bytes, edge: str = "e1") -> None:
        newest = await self.log.last(NAMES.parcels(edge))
        await self.log.append(NAMES.parcels(edge), data, after=0 if newest is None else newest.sequence)
        if hasattr(self, "ingest"):
            self.ingest.wake()


def command_of(number: int, node: str = "/depot/1") -> Command:
    return of_send(Send(node, "take", number, "hub:"))


async def got(p: TestPlane) -> list[int]:
    await p.clock.settle()
    found: list[int] = await p.get("/depot/1", "got")
    return found


async def test_commands_are_done_in_order_and_what_is_durable_is_deleted() -> None:
    hub = Hub()
    async with hub.plane() as p:
        await hub.put((1, [1, 2]), (2, [3]))
        await hub.put((3, [4]))
        assert await got(p) == [1, 2, 3, 4]
        await p.clock.jump(3)

        assert [entry.sequence for entry in hub.log.entries] == [2]  # the newest stays: the next one is fenced by it
        assert hub.status.counts == {"done": 4}


async def test_what_comes_twice_is_done_once() -> None:
    hub = Hub()
    async with hub.plane() as p:
        await hub.put((1, [1]), (2, [2]))
        await hub.put((1, [1]), (2, [2]), (3, [3]))

        assert await got(p) == [1, 2, 3]
        assert hub.status.counts["repeated"] == 2


async def test_a_crash_neither_loses_nor_repeats() -> None:
    hub = Hub()
    async with hub.plane() as p:
        await hub.put((1, [1, 2]))
        assert await got(p) == [1, 2]
        await p.crash()
        assert await got(p) == [1, 2]
        await hub.put((2, [3]))
        await p.restart()

        assert await got(p) == [1, 2, 3]
        assert hub.ingest.places == {("e1", "a"): Place(2)}


async def test_a_crash_in_the_middle_of_a_bundle_goes_on_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "BURST", 2)
    hub = Hub()
    await hub.put((1, list(range(20))))
    async with hub.plane() as p:
        for _ in range(6):
            await p.crash()

        assert await got(p) == list(range(20))


async def test_two_edges_and_two_streams_of_one_are_told_apart() -> None:
    hub = Hub()
    async with hub.plane() as p:
        await hub.put((1, [1]))
        await hub.put((1, [2]), edge="e2")
        await hub.put((1, [3]), origin="b")
        await hub.put((1, [1]), (2, [4]))

        assert await got(p) == [1, 2, 3, 4]


async def test_the_oldest_of_many_streams_is_forgotten() -> None:
    hub = Hub()
    async with hub.plane() as p:
        for number in range(ingest.ORIGINS + 3):
            await hub.put((1, [number]), origin=str(number))
        await got(p)
        await p.restart()

        assert [origin for _, origin in sorted(hub.ingest.places, key=lambda each: int(each[1]))] == [
            str(number) for number in range(3, ingest.ORIGINS + 3)
        ]


async def test_what_is_missing_is_told(caplog: pytest.LogCaptureFixture) -> None:
    hub = Hub()
    async with hub.plane() as p:
        await hub.put((1, [1]))
        await hub.put((4, [4]))

        assert await got(p) == [1, 4]
        assert hub.status.counts["missing"] == 2
        assert "NT-EDGE-008  2 bundles of edge e1 before number 4" in caplog.text


async def test_what_cannot_be_read_is_passed_over_and_told(caplog: pytest.LogCaptureFixture) -> None:
    hub = Hub()
    async with hub.plane() as p:
        await hub.raw(b"rubbish")
        await hub.raw(encode(Parcel(FORMAT, "a", [(1, b"rubbish")])))
        bundle = Bundle(FORMAT, 0, [("/depot/1", "take", b"{"), command_of(1, "no uri"), command_of(2)])
        await hub.raw(encode(Parcel(FORMAT, "a", [(2, encode(bundle))])))
        await hub.put((3, [3]))

        assert await got(p) == [2, 3]
        assert hub.status.counts["refused"] == 4
        assert caplog.text.count("NT-EDGE-005") == 3


async def test_a_parcel_of_nobody_is_passed_over() -> None:
    hub = Hub()
    async with hub.plane() as p:
        await hub.log.append("natant-edge.ingest.in.%zz", b"", after=0)
        await hub.put((1, [1]))

        assert await got(p) == [1]
        assert hub.status.counts["refused"] == 1


async def test_the_stream_may_be_away() -> None:
    hub = Hub()
    hub.log.is_away = True
    async with hub.plane() as p:
        await p.clock.jump(5)
        hub.log.is_away = False
        await hub.put((1, [1]))

        assert await got(p) == [1]
        assert hub.status.counts["read_failures"] > 0


async def test_a_stream_that_begins_anew_is_read_from_its_start() -> None:
    hub = Hub()
    async with hub.plane() as p:
        await hub.put((1, [1]))
        await got(p)
        hub.log.entries.clear()
        hub.log.sequence = 0
        await p.restart()
        await hub.put((1, [1]), (2, [2]))

        assert await got(p) == [1, 2]
