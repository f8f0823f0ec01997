"""Blob lanes: contents in the object store, references in the journal; with and without NATS alike."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from natant import Agent, Plane, command, lane
from natant.codec.recon.value import Absent
from natant.egress.large import LargeValues
from natant.errors import FabricError, LaneError, NatantError
from natant.fabric.nats.object import ObjectBlobs
from natant.host import Host
from natant.kernel import blob as kernel_blob
from natant.kernel.blob import GRACE_S, BlobPort, Blobs
from natant.lane import BlobRef
from natant.loop import LoopEnv
from natant.store.blob import FolderBlobs, MemoryBlobs
from natant.store.memory import MemoryStore
from tests.support.nats import NatsServer, engine, engine_of

Ports = Callable[[str], tuple[BlobPort, ...]]


class Camera(Agent, route="/camera/{id}"):
    """Something with large values."""

    photo = lane.blob()
    table = lane.blob(dict[str, float], name="table")
    count = lane.value(int, 0)

    @command
    async def shoot(self, size: int) -> str:
        """Take a photo of so many bytes."""
        ref = await self.photo.put(b"\x01" * size)
        self.count += 1
        if size == 13:
            raise ValueError("after the upload")
        return ref.digest

    @command
    async def measure(self, value: float) -> float:
        """Keep a table, and read it again."""
        await self.table.put({"a": value})
        found = await self.table.read()
        assert found is not None
        return found["a"]

    @command
    async def size(self) -> int:
        """Bytes of the photo."""
        return len(await self.photo.read() or b"")

    @command
    def wipe(self) -> None:
        """Have no photo."""
        self.photo.clear()

    @command
    def assign(self) -> None:
        """Do it the wrong way."""
        self.photo = b"x"


@contextlib.asynccontextmanager
async def running(ports: Ports | None, store: MemoryStore) -> AsyncIterator[Host]:
    env = LoopEnv()
    store.close = lambda: None  # type: ignore[method-assign]
    attachments = () if ports is None else (LargeValues(ports).attach,)
    host = Host(Plane("cameras", [Camera]), store=store, env=env, attachments=attachments)
    await host.start()
    try:
        yield host
    finally:
        await host.stop()
        env.close()


@contextlib.asynccontextmanager
async def places(kind: str, folder: Path) -> AsyncIterator[Ports]:
    """Where contents are kept, of one kind."""
    if kind == "nats":
        async with engine("cameras") as started:
            yield lambda source: (ObjectBlobs(started, source),)
    elif kind == "folder":
        yield lambda source: (FolderBlobs(folder / "blobs"),)
    else:
        kept = (MemoryBlobs(),)
        yield lambda source: kept


def in_memory() -> Ports:
    kept = (MemoryBlobs(),)
    return lambda source: kept


async def ask(host: Host, verb: str, value: Any = Absent) -> Any:
    return (await host.command("/camera/1", verb, value)).value


async def age(host: Host, monkeypatch: pytest.MonkeyPatch) -> Blobs:
    """Let the time pass after which contents are removed."""
    blobs = host.kernel.blobs
    assert blobs is not None
    now = host.env.now
    monkeypatch.setattr(host.env, "now", lambda: now() + 2 * GRACE_S)
    await blobs.sweep()
    monkeypatch.setattr(host.env, "now", now)
    return blobs


def code_of(caught: pytest.ExceptionInfo[NatantError]) -> str:
    return caught.value.code


@pytest.mark.parametrize("kind", ["nats", "folder", "memory"])
async def test_contents_outlive_restarts_and_go_when_nothing_names_them(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = MemoryStore()
    async with places(kind, tmp_path) as ports:
        async with running(ports, store) as host:
            first = await ask(host, "shoot", 300_000)
            assert await ask(host, "measure", 1.5) == 1.5
            source = host.kernel.outbox.identity
        async with running(ports, store) as host:
            assert await ask(host, "size") == 300_000
            (port,) = ports(source)
            shown: Any = await host.read("/camera/1", "photo")
            assert shown.get("digest") == first
            assert shown.get("size") == 300_000
            second = await ask(host, "shoot", 5)
            blobs = await age(host, monkeypatch)
            assert await port.get(first) is None, "it was replaced"
            assert await ask(host, "size") == 5
            assert second in await port.list()
            await ask(host, "wipe")
            await age(host, monkeypatch)
            assert await port.get(second) is None
            assert blobs.removed == 2
            assert (await host.read("/camera/1", "photo")) is Absent
            assert await ask(host, "size") == 0
            assert await ask(host, "measure", 2.5) == 2.5


async def test_a_failed_turn_takes_the_reference_back_and_its_content_goes_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = MemoryBlobs()
    async with running(lambda _: (kept,), MemoryStore()) as host:
        good = await ask(host, "shoot", 7)
        with pytest.raises(NatantError):
            await ask(host, "shoot", 13)
        assert await ask(host, "size") == 7
        assert len(kept.contents) == 2
        await age(host, monkeypatch)
        assert list(kept.contents) == [good]


async def test_one_content_stays_while_any_lane_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = MemoryBlobs()
    async with running(lambda _: (kept,), MemoryStore()) as host:
        await ask(host, "shoot", 7)
        await host.command("/camera/2", "shoot", 7)
        await ask(host, "wipe")
        await age(host, monkeypatch)
        assert (await host.command("/camera/2", "size", Absent)).value == 7
        assert len(kept.contents) == 1


async def test_a_client_sends_bytes_to_the_lane_itself() -> None:
    async with running(in_memory(), MemoryStore()) as host:
        await host.command("/camera/1", "photo", b"abc")
        assert await ask(host, "size") == 3
        with pytest.raises(NatantError) as misfit:
            await host.command("/camera/1", "table", "no table")
        assert code_of(misfit).startswith("NT-FORM")
        await host.command("/camera/1", "photo", Absent)
        assert await ask(host, "size") == 0


async def test_what_is_gone_or_damaged_is_never_given_out(caplog: pytest.LogCaptureFixture) -> None:
    kept = MemoryBlobs()
    async with running(lambda _: (kept,), MemoryStore()) as host:
        digest = await ask(host, "shoot", 100)
        kept.contents[digest] = (b"\x02" * 100, 0.0)
        with pytest.raises(NatantError) as damaged:
            await ask(host, "size")
        await kept.drop(digest)
        with pytest.raises(NatantError) as gone:
            await ask(host, "size")

    assert "NT-LANE-020" in str(damaged.value) + str(gone.value) + caplog.text


async def test_wrong_use_is_refused(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(kernel_blob, "BLOB_BYTES", 10)
    async with running(in_memory(), MemoryStore()) as host:
        with pytest.raises(NatantError):
            await ask(host, "assign")
        with pytest.raises(LaneError) as large:
            await host.command("/camera/1", "photo", b"x" * 11)
    async with running(None, MemoryStore()) as host:
        with pytest.raises(LaneError) as nowhere:
            await host.command("/camera/1", "photo", b"x")

    assert "NT-LANE-018" in caplog.text
    assert code_of(large) == "NT-LANE-021"
    assert code_of(nowhere) == "NT-LANE-019"


async def test_nothing_happens_while_the_object_store_is_away(tmp_path: Path) -> None:
    with NatsServer(tmp_path / "server", {"jetstream": {"store_dir": tmp_path / "store"}}) as server:
        async with engine_of(server.url(), "cameras") as started:
            ports: Ports = lambda source: (ObjectBlobs(started, source), FolderBlobs(tmp_path / "blobs"))  # noqa: E731
            async with running(ports, MemoryStore()) as host:
                await host.command("/camera/1", "photo", b"abc")
                server.kill()
                with pytest.raises(FabricError) as away:
                    await host.command("/camera/1", "photo", b"def")
                server.start()
                assert await ask(host, "size") == 3
                await host.command("/camera/1", "photo", b"defg")
                assert await ask(host, "size") == 4

    assert code_of(away) == "NT-FABRIC-106"


async def test_others_find_the_object_by_the_name_in_the_reference() -> None:
    async with (
        engine("cameras") as started,
        running(lambda source: (ObjectBlobs(started, source),), MemoryStore()) as host,
    ):
        await ask(host, "shoot", 200_000)
        shown: Any = await host.read("/camera/1", "photo")
        objects = await started.js.object_store("natant-cameras-obj-values")
        found = await objects.get(str(shown.get("object")))

    assert found.data == b"\x01" * 200_000
    assert BlobRef(str(shown.get("digest")), 200_000, str(shown.get("object"))).size == len(found.data)
