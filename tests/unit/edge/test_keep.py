"""What agents send to the hub is kept in the edge's stream: once, in order, whatever is lost in between."""

from __future__ import annotations

import asyncio

import pytest

import natant.testing
from natant import Agent, Plane, command, lane
from natant.edge import keep
from natant.edge.batch import decode_bundle, to_send
from natant.edge.keep import Keeper
from natant.edge.name import EdgeNames
from natant.edge.status import EdgeStatus
from natant.errors import NatantError
from natant.testing import TestPlane
from tests.support.log import MemoryLog


class Depot(Agent, route="/depot/{id}"):
    got = lane.list(int)

    @command
    def take(self, number: int) -> None:
        self.got.append(number)


class Sensor(Agent, route="/sensor/{id}"):
    @command
    def shout(self, size: int) -> None:
        self.send("/depot/1", "take", "x" * size, host="hub:")

    @command
    def emit(self, number: int) -> None:
        self.send("/depot/1", "take", number, host="hub:")


APP = Plane("keep", [Sensor, Depot])


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep, "RETRY_S", 0)


def keeper(log: MemoryLog, status: EdgeStatus | None = None) -> Keeper:
    return Keeper(log, EdgeNames("keep"), status or EdgeStatus())  # type: ignore[arg-type]


def kept(log: MemoryLog) -> list[int]:
    return [int(to_send(text).body) for entry in log.entries for text in decode_bundle(entry.data).commands]


async def until(p: TestPlane, log: MemoryLog, count: int) -> None:
    while len(kept(log)) < count:
        await p.clock.settle()
    await p.clock.settle()


async def test_each_command_is_kept_and_leaves_the_outbox() -> None:
    log = MemoryLog()
    box = keeper(log)
    async with natant.testing.plane(APP, attachments=[box.attach]) as p:
        box.start()
        for number in range(50):
            await p.command("/sensor/1", "emit", number)
        await until(p, log, 50)

        assert kept(log) == list(range(50))
        assert box.waiting == 0
        assert not [stored for stored, _ in p.store.scan(b"o")]
        await box.stop()


async def test_what_waits_is_put_together_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep, "BUNDLE_COMMANDS", 20)
    log = MemoryLog()
    box = keeper(log)
    async with natant.testing.plane(APP, attachments=[box.attach]) as p:
        for number in range(50):
            await p.command("/sensor/1", "emit", number)
        assert box.waiting == 50
        box.start()
        await until(p, log, 50)

        assert [len(decode_bundle(entry.data).commands) for entry in log.entries] == [20, 20, 10]
        await box.stop()


async def test_an_answer_that_is_lost_makes_no_second_copy() -> None:
    log = MemoryLog()
    box = keeper(log)
    async with natant.testing.plane(APP, attachments=[box.attach]) as p:
        box.start()
        for number in range(5):
            log.loses_answer = True
            await p.command("/sensor/1", "emit", number)
            await until(p, log, number + 1)

        assert kept(log) == list(range(5))
        await box.stop()


async def test_another_writer_is_noticed() -> None:
    log = MemoryLog()
    status = EdgeStatus()
    box = keeper(log, status)
    async with natant.testing.plane(APP, attachments=[box.attach]) as p:
        box.start()
        await p.command("/sensor/1", "emit", 1)
        await until(p, log, 1)
        first = log.entries[0]
        await log.append(first.subject, first.data, after=first.sequence)  # NT-EDGE-002 for the keeper's next one
        await p.command("/sensor/1", "emit", 2)
        await until(p, log, 3)

        assert kept(log) == [1, 1, 2]
        await box.stop()


async def test_a_crash_neither_loses_nor_repeats() -> None:
    log = MemoryLog()
    box = keeper(log)
    async with natant.testing.plane(APP, attachments=[lambda host: box.attach(host)]) as p:
        box.start()
        await p.command("/sensor/1", "emit", 1)
        await until(p, log, 1)
        log.is_away = True
        await p.command("/sensor/1", "emit", 2)
        await box.stop()
        log.is_away = False
        box = keeper(log)
        await p.crash()
        box.start()
        await until(p, log, 2)
        await p.command("/sensor/1", "emit", 3)
        await until(p, log, 3)

        assert kept(log) == [1, 2, 3]
        await box.stop()


async def test_a_crash_after_the_stream_had_it_and_before_the_outbox_knew() -> None:
    log = MemoryLog()
    box = keeper(log)
    async with natant.testing.plane(APP, attachments=[lambda host: box.attach(host)]) as p:
        await p.command("/sensor/1", "emit", 1)
        records = [(0, name, text) for name, text in p.store.scan(b"o")]
        box.start()
        await until(p, log, 1)
        await box.stop()
        p.store.apply(records)  # as if the end of the record had not reached the disk
        box = keeper(log)
        await p.crash()
        box.start()
        await p.command("/sensor/1", "emit", 2)
        await until(p, log, 2)

        assert kept(log) == [1, 2]
        await box.stop()


async def test_a_full_stream_is_told_once_and_all_waits(caplog: pytest.LogCaptureFixture) -> None:
    log = MemoryLog()
    log.room = 1
    status = EdgeStatus()
    box = keeper(log, status)
    async with natant.testing.plane(APP, attachments=[box.attach]) as p:
        box.start()
        for number in range(3):
            await p.command("/sensor/1", "emit", number)
        while status.counts["keep_failures"] < 3:
            await asyncio.sleep(0)
        log.room = 10
        await until(p, log, 3)

        assert kept(log) == [0, 1, 2]
        assert caplog.text.count("NT-EDGE-003") == 1
        await box.stop()


async def test_a_command_that_is_too_long_is_refused_in_the_turn() -> None:
    box = keeper(MemoryLog())
    async with natant.testing.plane(APP, attachments=[box.attach]) as p:
        with pytest.raises(NatantError, match="NT-LINK-011"):
            await p.command("/sensor/1", "shout", keep.LONGEST)

        assert box.waiting == 0


async def test_who_has_no_hub_is_one() -> None:
    async with natant.testing.plane(APP) as p:
        await p.command("/sensor/1", "emit", 7)

        assert await p.get("/depot/1", "got") == [7]
