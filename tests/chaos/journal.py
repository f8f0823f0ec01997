"""Kill NATS servers and cut their power while partitions commit, and see that all that was acknowledged is there.

    python -m tests.chaos.journal --kills 10
    python -m tests.chaos.journal --races 60
    sudo python -m tests.chaos.journal --cuts 10
    sudo python -m tests.chaos.journal --cuts 1 --sync 2m     # what the servers' own default loses

In a race owners take a partition from one another.  A kill is a SIGKILL of one server of three, one after the other.  A cut takes the power from all servers at the same moment: each has its
store on an ext4 file system of its own, in a file, which is shut down without writing its journal (``FS_IOC_SHUTDOWN``); so all that
was not synced is gone.  Only root may do that.  After each, other owners open all partitions, and each has to hold what was
acknowledged, whole batches, and at most one more (``natant.testing.store_crash``).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import os
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random, SystemRandom
from typing import Final

from natant.errors import NatantError
from natant.fabric.nats.engine import Engine
from natant.fabric.nats.partition_store import PartitionStore
from natant.store.contract import PUT
from natant.testing.store_crash import LAST, audit, batch
from tests.support.journal import barrier, commit
from tests.support.nats import Cluster, NatsServer, engine_of
from tests.support.nats import engine as engine_with_server

#: partitions that commit at the same time
PARTITIONS: Final = 8
#: small, so that snapshots and purges are under way when the power goes
SNAPSHOT_AFTER_BYTES: Final = 200_000
#: how long they commit before each cut or kill, and how long after a kill
WRITE_S: Final = 2.0
#: size of each server's file system
DISK_BYTES: Final = 400 << 20
#: ext4's order to stop at once, and to leave its journal unwritten
FS_IOC_SHUTDOWN: Final = 0x8004587D
NO_LOG_FLUSH: Final = 2


class Writers:
    """All partitions, committing without a pause."""

    def __init__(self, stores: list[PartitionStore]) -> None:
        self._stores = stores
        #: the last batch of each partition that was acknowledged
        self.acknowledged = [int.from_bytes(store.get(LAST) or b"", "big") for store in stores]
        #: the longest time between two acknowledgements
        self.longest_s = 0.0
        self._tasks = [asyncio.create_task(self._write(index)) for index in range(len(stores))]

    async def _write(self, index: int) -> None:
        while True:
            number = self.acknowledged[index] + 1
            begun = time.monotonic()
            while True:
                try:
                    await commit(self._stores[index], batch(number))
                    break
                except NatantError:
                    await asyncio.sleep(1)
            self.acknowledged[index] = number
            self.longest_s = max(self.longest_s, time.monotonic() - begun)

    async def stop(self) -> None:
        """Commit no more; what is under way is never heard of again."""
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        for store in self._stores:
            store.close()
            await store.settle()


async def opened(engine: Engine) -> list[PartitionStore]:
    """All partitions, taken over."""
    return list(
        await asyncio.gather(
            *(
                PartitionStore.open(engine, number, "chaos", snapshot_after_bytes=SNAPSHOT_AFTER_BYTES)
                for number in range(PARTITIONS)
            )
        )
    )


async def audited(engine: Engine, acknowledged: list[int]) -> list[PartitionStore]:
    """All partitions, taken over and audited.

    :raises AssertionError: where one holds less than was acknowledged, or half a batch.
    """
    stores = await opened(engine)
    for store, number in zip(stores, acknowledged, strict=True):
        assert audit(store, number) <= number + 1  # type: ignore[arg-type]  # it reads
    return stores


class Disk:
    """A file system in a file."""

    def __init__(self, folder: Path, name: str) -> None:
        self._image = folder / f"{name}.img"
        self.path = folder / name
        self.path.mkdir()
        with self._image.open("wb") as file:
            file.truncate(DISK_BYTES)
        subprocess.run(["mkfs.ext4", "-q", "-F", self._image], check=True)
        self.mount()

    def mount(self) -> None:
        """Bring it back."""
        subprocess.run(["mount", "-o", "loop", self._image, self.path], check=True)

    def cut(self) -> None:
        """Nothing that was not synced gets there any more."""
        place = os.open(self.path, os.O_RDONLY)
        fcntl.ioctl(place, FS_IOC_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        os.close(place)

    def unmount(self) -> None:
        """Let go of it."""
        subprocess.run(["umount", self.path], check=True)


@contextlib.contextmanager
def cluster(sync: str, disks: list[Disk]) -> Iterator[tuple[list[NatsServer], str]]:
    """Three servers, each on its disk where there are any; or one, where there is one disk."""
    made = Cluster("chaos", sync_interval=sync)
    servers = made.servers
    for server, disk in zip(servers, disks, strict=False):
        server.values["jetstream"]["store_dir"] = disk.path / "store"
        server.values["jetstream"]["max_file_store"] = DISK_BYTES // 2
    if len(disks) == 1:
        servers = servers[:1]
        del servers[0].values["cluster"]
    try:
        for server in servers:
            server.start()
        made.wait()
        yield servers, ",".join(server.url("engine", "engine") for server in servers)
    finally:
        made.close()


async def cuts(count: int, sync: str, size: int) -> None:
    """``count`` power cuts of all ``size`` servers."""
    with tempfile.TemporaryDirectory(prefix="natant-power-") as name, contextlib.ExitStack() as stack:
        disks = []
        for number in range(size):
            disks.append(Disk(Path(name), f"disk{number}"))
            stack.callback(disks[-1].unmount)
        with cluster(sync, disks) as (servers, url):
            for number in range(count):
                await cut(number, servers, disks, url)


async def cut(number: int, servers: list[NatsServer], disks: list[Disk], url: str) -> None:
    """Commit, cut the power, bring it back, audit."""
    async with engine_of(url, "chaos") as engine:
        writers = Writers(await opened(engine))
        await asyncio.sleep(WRITE_S)
        for disk in disks:
            disk.cut()
        acknowledged = list(writers.acknowledged)
        for server in servers:
            server.kill()
        # What was acknowledged between the first cut and here may count; what was before must.
        await writers.stop()
    for disk in disks:
        disk.unmount()
        disk.mount()
    for server in servers:
        server.start()
    for server in servers:
        server.wait_until(lambda server=server: server.ask("/healthz") is not None, "become healthy")
    begun = time.monotonic()
    async with engine_of(url, "chaos") as engine:
        stores = await audited(engine, acknowledged)
        held = sum(int.from_bytes(store.get(LAST) or b"", "big") for store in stores)
        for store in stores:
            store.close()
            await store.settle()
    print(
        f"cut {number}: {sum(acknowledged)} batches acknowledged, {held} there, all audited "
        f"{time.monotonic() - begun:.1f} s after the servers were healthy",
        flush=True,
    )


async def kills(count: int) -> None:
    """``count`` kills of one server of three, one after the other."""
    with cluster("always", []) as (servers, url):
        async with engine_of(url, "chaos") as engine:
            stores = await opened(engine)
            for number in range(count):
                writers = Writers(stores)
                await asyncio.sleep(WRITE_S)
                server = servers[number % len(servers)]
                server.kill()
                before = list(writers.acknowledged)
                while any(now <= then + 1 for now, then in zip(writers.acknowledged, before, strict=True)):
                    await asyncio.sleep(0.05)
                await asyncio.sleep(WRITE_S)
                await writers.stop()
                stores = await audited(engine, writers.acknowledged)
                await asyncio.to_thread(server.start)
                await asyncio.to_thread(
                    server.wait_until, lambda server=server: server.ask("/healthz") is not None, "become healthy"
                )
                print(
                    f"kill {number}: {sum(writers.acknowledged)} batches acknowledged, none lost; "
                    f"longest wait for an acknowledgement {writers.longest_s:.1f} s",
                    flush=True,
                )


async def races(seconds: float, source: Random) -> tuple[int, int]:
    """Three owners take one partition from each other all the time, snapshots and barriers included; how many take-overs and commits.

    :raises AssertionError: where a commit that was acknowledged is not there, or something is there that nobody wrote.
    """
    wrote: dict[bytes, bytes] = {}
    unknown: set[bytes] = set()
    openings = 0
    end = time.monotonic() + seconds

    async def own(engine: Engine, name: int) -> None:
        nonlocal openings
        while time.monotonic() < end:
            size = source.choice([2_000, 4_000, 20_000])
            store = await PartitionStore.open(engine, 0, f"owner {name}", snapshot_after_bytes=size)
            openings += 1
            for number in range(source.randint(1, 400)):
                key = b"%d/%d/%d" % (name, openings, number)
                value = source.randbytes(600_000 if source.random() < 0.01 else source.randint(0, 200))
                try:
                    if source.random() < 0.1:
                        await barrier(store)
                    await commit(store, [(PUT, key, value)])
                    wrote[key] = value
                except NatantError:
                    unknown.add(key)
                    break
            if source.random() < 0.5:
                store.close()  # otherwise it goes on with its snapshot and does not know
            await asyncio.sleep(source.random() / 2)

    async with engine_with_server("chaos") as engine:
        await asyncio.gather(*(own(engine, name) for name in range(3)))
        found = dict((await PartitionStore.open(engine, 0, "audit")).scan(b""))
    assert all(found.get(key) == value for key, value in wrote.items()), "an acknowledged commit is not there"
    assert set(found) <= set(wrote) | unknown, "there is what nobody wrote"
    return openings, len(wrote)


def main() -> None:
    """Run as long as one likes."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.journal", description=__doc__)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--races", type=float, default=0, metavar="SECONDS")
    parser.add_argument("--cuts", type=int, default=0)
    parser.add_argument("--servers", type=int, default=3, choices=[1, 3], help="how many lose their power")
    parser.add_argument("--sync", default="always", help="the servers' sync_interval when the power is cut")
    option = parser.parse_args()
    if option.kills:
        asyncio.run(kills(option.kills))
    if option.races:
        seed = SystemRandom().randrange(2**32)
        openings, commits = asyncio.run(races(option.races, Random(seed)))
        print(f"seed {seed}: {openings} take-overs, {commits} commits acknowledged, none lost")
    if option.cuts:
        asyncio.run(cuts(option.cuts, option.sync, option.servers))


if __name__ == "__main__":
    main()
