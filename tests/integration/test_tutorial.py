"""The tutorial of SwimOS: in virtual time, and with its driver against a real server."""

from __future__ import annotations

from pathlib import Path

from examples.tutorial.plane import Count, Reading, plane
from examples.tutorial.source import feed
from natant.client import connect
from natant.testing import plane as run
from tests.support.process import ROOT, ServerProcess

NODE = "/unit/master"


async def test_a_reading_goes_through_all_three_views() -> None:
    async with run(plane, start_s=1_000.0) as p:
        await p.command(NODE, "publish", Reading(1, 2, 3))
        await p.clock.jump(2)
        await p.command(NODE, "publish", Reading(4, 5, 6))
        await p.clock.jump(3)
        await p.command(NODE, "publish", Reading(7, 8, 9))
        assert await p.get(NODE, "latest") == Reading(7, 8, 9)
        assert await p.get(NODE, "history") == [
            (1_000_000, Reading(1, 2, 3)),
            (1_002_000, Reading(4, 5, 6)),
            (1_005_000, Reading(7, 8, 9)),
        ]
        assert await p.get(NODE, "histogram") == {1_000_000: Count(2), 1_005_000: Count(1)}


async def test_the_history_holds_the_last_200_and_the_histogram_two_minutes() -> None:
    async with run(plane, start_s=1_000.0) as p:
        for number in range(205):
            await p.command(NODE, "publish", Reading(number, 0, 0))
        history = await p.get(NODE, "history")
        assert [reading.foo for _, reading in history] == list(range(5, 205))
        await p.clock.jump(121)
        await p.command(NODE, "publish", Reading(0, 0, 0))
        assert await p.get(NODE, "histogram") == {1_120_000: Count(1)}


async def test_what_no_reading_is_changes_nothing() -> None:
    async with run(plane) as p:
        await p.command(NODE, "publish", Reading(1, 2, 3))
        peer = p.connect()
        peer.session.receive(b'@command(node:"/unit/master",lane:publish){foo:high,bar:2,baz:3}')
        await p.clock.settle()
        assert await p.get(NODE, "latest") == Reading(1, 2, 3)


async def test_the_driver_feeds_a_real_server(tmp_path: Path) -> None:
    with ServerProcess(ROOT / "examples/tutorial/plane.py", data=tmp_path / "data") as server:
        await feed(server.uri, count=3)
        server.restart()
        async with connect(server.uri) as host:
            latest = await host.value(NODE, "latest", Reading).synced()
            history = await host.list(NODE, "history").synced()
            assert len(history) == 3
            assert latest.get() == Reading(43, 58, 71)
