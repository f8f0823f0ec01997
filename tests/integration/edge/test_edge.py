"""An edge and its hub over real servers: offline and back, once and in order, and copies that tell their age."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import nats
import pytest

from natant import Agent, Plane, command, lane
from natant.edge.agent import NODE
from natant.errors import EdgeError
from natant.fabric.nats.leaf import Edges, edge_of
from tests.support.edge import Pair, until
from tests.support.nats import engine


class Depot(Agent, route="/depot/{id}"):
    got = lane.list(int)
    note = lane.value(str, default="")
    rows = lane.map(int, str)

    @command
    def take(self, number: int) -> None:
        self.got.append(number)

    @command
    def fill(self, count: int) -> None:
        for number in range(count):
            self.rows[number] = "x" * 1000


class Sensor(Agent, route="/sensor/{id}"):
    count = lane.value(int, default=0)

    @command
    def emit(self, number: int) -> None:
        self.count += 1
        self.send("/depot/1", "take", number, host="hub:")


def plane() -> Plane:
    return Plane("edge", agents=[Depot, Sensor])


class Ear:
    """Remembers the subjects of what it hears."""

    def __init__(self) -> None:
        self.heard: set[str] = set()

    async def hear(self, message: Any) -> None:
        self.heard.add(message.subject)


def at_hub(pair: Pair) -> list[int]:
    agent: Any = pair.hub.kernel.require("/depot/1")
    return list(agent.got)


async def test_what_an_edge_sends_is_done_at_the_hub_once_and_in_order_over_cuts_and_restarts() -> None:
    async with Pair(plane) as pair:
        sent = 0

        async def emit(count: int) -> None:
            nonlocal sent
            await asyncio.gather(*(pair.send("/sensor/1", "emit", sent + each) for each in range(count)))
            sent += count

        await emit(100)
        await until(lambda: len(at_hub(pair)) >= sent, "what was sent while connected")

        await pair.cable.cut()
        await emit(400)
        assert len(at_hub(pair)) == 100
        await pair.cable.mend()
        assert await until(lambda: len(at_hub(pair)) >= sent, "what was sent offline") < 5

        await pair.cable.cut()
        await emit(200)
        await pair.stop_edge()
        await pair.start_edge()
        agent: Any = pair.edge.kernel.require("/sensor/1")
        assert agent.count == sent  # it works offline with its own state
        await emit(200)
        await pair.cable.mend()
        assert await until(lambda: len(at_hub(pair)) >= sent, "what was sent over a restart") < 5
        await pair.send(NODE, "forward", {"node": "/depot/1", "lane": "take", "value": sent})
        await until(lambda: len(at_hub(pair)) >= sent + 1, "a capture")

        assert at_hub(pair) == list(range(sent + 1))
        counts = pair.hub_side.counts()
        assert counts["edge_done"] == sent + 1
        assert counts["edge_missing"] == counts["edge_refused"] == 0
        await until(lambda: not pair.edge_side.keeper.waiting)


async def test_a_cable_that_is_dead_and_says_nothing_is_noticed() -> None:
    async with Pair(plane) as pair:
        await pair.send("/sensor/1", "emit", 0)
        await until(lambda: at_hub(pair) == [0])
        pair.cable.freeze()
        await asyncio.gather(*(pair.send("/sensor/1", "emit", each) for each in range(1, 100)))
        await until(lambda: not pair.edge_side.facts()["connected"], "the edge to notice")
        await pair.cable.thaw()

        assert await until(lambda: len(at_hub(pair)) >= 100) < 5
        assert at_hub(pair) == list(range(100))
        await until(lambda: pair.edge_side.facts()["trouble"] == "")


async def test_lanes_of_the_hub_are_read_offline_with_their_age() -> None:
    async with Pair(plane, copies=[("/depot/1", "note"), ("/depot/2", "rows"), ("/depot/1", "nothing")]) as pair:
        hub: Any = pair.edge.kernel.require(NODE)
        note, rows, nothing = "/depot/1?lane=note", "/depot/2?lane=rows", "/depot/1?lane=nothing"

        await pair.hub.command("/depot/1", "note", "ready")
        await pair.hub.command("/depot/2", "fill", 3)
        await until(lambda: hub.copies[note].value == "ready" and hub.copies[rows].value)
        assert "NT-LINK-001" in hub.copies[nothing].error
        assert len(hub.copies[rows].value) == 3
        age_s: Any = await pair.edge.read(NODE, "age")
        assert age_s < 5

        await pair.cable.cut()
        await pair.hub.command("/depot/1", "note", "changed while away")
        await until(lambda: not pair.edge_side.facts()["connected"])
        await pair.stop_edge()
        await pair.start_edge()
        hub = pair.edge.kernel.require(NODE)
        assert hub.copies[note].value == "ready"
        later_s: Any = await pair.edge.read(NODE, "age")
        assert later_s > age_s

        await pair.cable.mend()
        await until(lambda: hub.copies[note].value == "changed while away", "the copy to catch up")
        await pair.hub.command("/depot/2", "fill", 600)
        await until(lambda: "NT-EDGE-010" in hub.copies[rows].error, "the copy to say that it is too large")
        assert len(hub.copies[rows].value) == 3
        await pair.send(NODE, "forget", {"node": "/depot/1", "lane": "nothing"})
        assert nothing not in hub.copies


async def test_an_edge_hears_and_says_nothing_but_its_own() -> None:
    async with Pair(plane) as pair:
        server = pair.hub_engine.server
        assert server is not None
        assert edge_of(pair.edge_engine.spec.leaf or "") == "e1"
        await until(lambda: pair.edge_side.facts()["connected"])
        edge, hub = pair.edge_engine.nc, pair.hub_engine.nc
        root = pair.edge_engine.subjects.root
        at_edge, at_hub_side = Ear(), Ear()
        for pattern in (f"{root}.>", "_INBOX.>", "natant-edge.>"):
            await edge.subscribe(pattern, cb=at_edge.hear)
        for pattern in (f"{root}.x.>", "natant-edge.edge.*.e2", "elsewhere"):
            await hub.subscribe(pattern, cb=at_hub_side.hear)
        await edge.flush()
        await hub.flush()
        for subject in (f"{root}.x.y", "natant-edge.edge.new.e2", "elsewhere"):
            await edge.publish(subject, b"from the edge")
        for subject in (f"{root}.ev.y", "_INBOX.somebody.1", "natant-edge.edge.ack.e2.1"):
            await hub.publish(subject, b"from the hub")
        await edge.flush()
        await hub.flush()
        await pair.send("/sensor/1", "emit", 1)
        await until(lambda: at_hub(pair) == [1])

        assert f"{root}.x.y" in at_edge.heard  # it hears itself
        assert not at_edge.heard & {f"{root}.ev.y", "_INBOX.somebody.1", "natant-edge.edge.ack.e2.1"}
        assert not at_hub_side.heard
        with contextlib.suppress(Exception):
            client = await nats.connect(server.url().replace("engine", "e1"), allow_reconnect=False, connect_timeout=2)
            await client.close()
            pytest.fail("the password of an edge let in a client")


async def test_an_edge_that_is_removed_is_let_in_no_more_and_one_that_is_added_is() -> None:
    async with Pair(plane) as pair:
        edges = Edges(pair.folder / "hub-nats")
        await until(lambda: pair.edge_side.facts()["connected"])
        password = edges.all()["e1"]
        edges.remove("e1")
        await until(lambda: not pair.edge_side.facts()["connected"], "the edge to be shut out")
        edges._write({"e1": password})
        await until(lambda: pair.edge_side.facts()["connected"], "the edge to be let in again")


async def test_a_question_that_is_none_is_refused_and_counted() -> None:
    async with Pair(plane) as pair:
        await until(lambda: pair.edge_side.facts()["connected"])
        wire, subject = pair.edge_side.wire, pair.edge_side.names.questions("e1")
        for question in (b"", b"7", b"{}", b'{"verb":"copy"}', b'{"verb":"copy","lanes":[1]}', b"\xff", b"[" * 5000):
            answer = (await wire.ask(subject, question)).data
            assert b"NT-EDGE-009" in answer
        assert pair.hub_side.status.counts["questions_refused"] == 7


async def test_a_stream_that_the_server_refuses_is_told() -> None:
    async with engine("edge") as one:
        from natant.fabric.nats.wire import Log, Wire

        wire = await Wire(one.nc, one.nc.new_inbox()).open()
        log = Log(wire, "natant-edge-X")
        with pytest.raises(EdgeError, match="NT-EDGE-004"):
            await log.ensure(["x"], max_bytes=1000, replicas=3, metadata={})
        with pytest.raises(EdgeError, match="NT-EDGE-004"):
            await log.last("x")
        with pytest.raises(EdgeError, match="NT-EDGE-001"):
            await log.append("x", b"", after=0)

        assert await log.ensure(["x"], max_bytes=1000, replicas=1, metadata={"natant": "1"}) | {"natant": "1"}
        assert await log.append("x", b"1" * 300, after=0) == 1
        with pytest.raises(EdgeError, match="NT-EDGE-002"):
            await log.append("x", b"1", after=0)
        with pytest.raises(EdgeError, match="NT-EDGE-003"):
            await log.append("x", b"1" * 900, after=1)
        assert await log.append("x", b"1", after=1) == 2
        assert [entry.sequence for entry in await log.read(2, "x", max_bytes=10_000)] == [2]
        await log.purge("x", 2)
        assert await log.append("x", b"2", after=2) == 3

        few = Log(wire, "natant-edge-Y")
        await few.ensure(["y.*"], max_bytes=-1, replicas=1, metadata={}, max_per_subject=2)
        assert [await few.append("y.a", b"", after=after) for after in range(2)] == [1, 2]
        with pytest.raises(EdgeError, match="NT-EDGE-003"):
            await few.append("y.a", b"", after=2)
        assert await few.append("y.b", b"", after=0) == 3  # one that floods keeps no other out
        await few.purge("y.a", 2)
        assert await few.append("y.a", b"", after=2) == 4

        newest = await log.last("x")
        assert newest is not None
        assert newest.data == b"2"
        await wire.close()
