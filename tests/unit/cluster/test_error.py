"""What goes wrong between workers is said with a code, and harms nobody else."""

from __future__ import annotations

import asyncio
import logging

import pytest

import natant.testing
from natant.cluster import message
from natant.cluster.message import pack_error, pack_identity, unpack_error
from natant.errors import FabricError, TurnError
from natant.link.identity import Identity
from tests.unit.cluster.test_worker import APP, NODES


@pytest.mark.parametrize("parcel", [b"", b"\x00", b"no parcel", message.pack([]) + b"x", b"\x91\x01", b"\x91\x90"])
def test_what_is_no_parcel_is_refused(parcel: bytes) -> None:
    with pytest.raises(FabricError, match="NT-FABRIC-301"):
        message.unpack(parcel)


def test_claims_that_are_no_plain_data_cannot_go_to_another_worker() -> None:
    with pytest.raises(FabricError, match="NT-FABRIC-302"):
        pack_identity(Identity("eve", claims=object()))


def test_an_error_comes_over_as_itself() -> None:
    error = unpack_error(pack_error(TurnError("NT-TURN-007", "busy", http_status=429, what=object())))
    assert type(error) is TurnError
    assert (error.code, error.message, error.context) == ("NT-TURN-007", "busy", {"http_status": 429})


async def test_a_broken_parcel_harms_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    async with natant.testing.cluster(APP) as c:
        one, two = c.workers
        with caplog.at_level(logging.ERROR, "natant"):
            one.fabric.send(two.fabric.worker, b"nonsense")
            one.trunk.send(two.fabric.worker, (99, "unknown"))
            await c.clock.jump(0.1)
        assert "NT-FABRIC-301" in caplog.text
        assert two.counters.faults == 2
        for node in NODES:
            await c.command(node, "add", 1)


async def test_a_partition_that_nobody_can_take_up_is_told_of() -> None:
    async with natant.testing.cluster(APP, workers=2) as c:
        c.kill(c.workers[1])
        survivor = c.workers[0]

        async def broken(partition: int) -> object:
            raise FabricError("NT-FABRIC-100", "no journal")

        survivor.fabric.open_store = broken  # type: ignore[method-assign, assignment]
        lost = [node for node in NODES if survivor.gate.partition(node) not in survivor.hosts]
        with pytest.raises(FabricError, match="NT-FABRIC-304"):
            await c.command(lost[0], "add", 1)
        assert survivor.health()["partition_faults"]
        kept = [node for node in NODES if survivor.gate.partition(node) in survivor.hosts]
        assert (await c.command(kept[0], "add", 1)).value == 1


async def test_a_worker_that_dies_before_it_answers_is_asked_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    async with natant.testing.cluster(APP) as c:
        one, two = c.workers
        node = next(node for node in NODES if c.owner(node) is two)
        c.ground.cut(one.fabric.worker, two.fabric.worker)
        with pytest.raises(FabricError, match="NT-FABRIC-303"):
            await c._await(one.calls._ask_worker(two.fabric.worker, one.gate.partition(node), ("describe", node)))
        c.ground.mend(one.fabric.worker, two.fabric.worker)
        monkeypatch.setattr("natant.cluster.call.CALL_LIMIT", 0)
        with pytest.raises(FabricError, match="NT-FABRIC-305"):
            await c.command(node, "add", 1)


async def test_a_fault_of_another_worker_is_told_as_one() -> None:
    async with natant.testing.cluster(APP) as c:
        one, two = c.workers
        node = next(node for node in NODES if c.owner(node) is two)

        async def broken(*_: object, **__: object) -> object:
            raise RuntimeError("this cannot be")

        two.hosts[two.gate.partition(node)].describe = broken  # type: ignore[method-assign, assignment]
        with pytest.raises(FabricError, match="NT-FABRIC-306"):
            await c._await(one.describe(node))


async def test_a_worker_that_has_stopped_says_so() -> None:
    async with natant.testing.cluster(APP) as c:
        worker = c.workers[0]
        await c.stop(worker)
        with pytest.raises(FabricError, match="NT-FABRIC-307"):
            await asyncio.wait_for(worker.read("/counter/1", "count"), 1)
