"""The contract of a fabric, as tests that anybody can run on theirs.

    class TestMyFabric(FabricContract):
        async def start(self, folder: Path) -> None: ...
        async def worker(self) -> Fabric: ...
        async def kill(self, fabric: Fabric) -> None: ...
        async def until(self, is_true: Callable[[], bool]) -> None: ...
        async def stop(self) -> None: ...

Each test has a ground of its own with :attr:`FabricContract.partitions` partitions.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from natant.errors import NatantError
from natant.fabric.contract import DEPOSED, Fabric, PartitionStore
from natant.store.contract import DELETE, DELETE_PREFIX, PUT, Operation

__all__ = ["FabricContract", "Heard", "barrier", "commit", "refused"]

#: messages of the test of order
MESSAGES: Final = 500


class Heard:
    """What a fabric told its worker."""

    def __init__(self, fabric: Fabric) -> None:
        self.messages: list[tuple[str, bytes]] = []
        self.gaps: list[str] = []
        self.changes = 0
        fabric.on_message = lambda worker, payload: self.messages.append((worker, payload))
        fabric.on_gap = self.gaps.append
        fabric.on_change = self._changed

    def _changed(self) -> None:
        self.changes += 1


@contextlib.contextmanager
def refused(code: str) -> Iterator[None]:
    """The block must end with an error of this code."""
    found: NatantError | None = None
    try:
        yield
    except NatantError as error:
        found = error
    assert found is not None, f"nothing was refused with {code}"
    assert found.code == code, found


async def commit(store: PartitionStore, batch: list[Operation]) -> None:
    """Commit and wait.

    :raises NatantError: as the store says.
    """
    await _wait(lambda done: store.commit(batch, done))


async def barrier(store: PartitionStore) -> None:
    """Ask whether the partition is still held, and wait.

    :raises NatantError: as the store says.
    """
    await _wait(store.barrier)


async def _wait(begin: Callable[[Callable[[BaseException | None], None]], None]) -> None:
    answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def done(error: BaseException | None) -> None:
        if error is None:
            answer.set_result(None)
        else:
            answer.set_exception(error)

    begin(done)
    assert not answer.done(), "done was called before commit returned"
    await answer


class FabricContract:
    """Tests that each fabric passes."""

    partitions = 8

    async def start(self, folder: Path) -> None:
        """Begin a ground without workers, its files in ``folder``."""
        raise AssertionError("a kit's user defines it")

    async def stop(self) -> None:
        """End what :meth:`start` and :meth:`worker` began."""

    async def worker(self) -> Fabric:
        """A fabric for a new worker, not open."""
        raise AssertionError("a kit's user defines it")

    async def kill(self, fabric: Fabric) -> None:
        """End a worker without a word."""
        raise AssertionError("a kit's user defines it")

    async def until(self, is_true: Callable[[], bool]) -> None:
        """Let time pass until it is true; fail where it does not come true within some seconds."""
        raise AssertionError("a kit's user defines it")

    async def run(self, folder: Path, body: Callable[[], Any]) -> None:
        """Run a test between start and stop."""
        await self.start(folder)
        try:
            await body()
        finally:
            await self.stop()

    async def pair(self) -> tuple[Fabric, Fabric, Heard, Heard]:
        """Two open workers that know each other, and what they hear."""
        one, two = await self.worker(), await self.worker()
        heard = Heard(one), Heard(two)
        await one.open({"name": "one"})
        await two.open({"name": "two"})
        await self.until(lambda: {*one.members} == {*two.members} == {one.worker, two.worker})
        return one, two, *heard

    async def test_members_know_each_other_and_what_each_told(self, tmp_path: Path) -> None:
        """Members know each other and what each told."""

        async def body() -> None:
            one, two, heard, _ = await self.pair()
            assert one.worker != two.worker
            assert one.members[two.worker].info["name"] == "two"
            assert two.members[one.worker].info["name"] == "one"
            assert heard.changes

        await self.run(tmp_path, body)

    async def test_who_leaves_stays_a_member_and_is_assigned_nothing(self, tmp_path: Path) -> None:
        """Who leaves stays a member and is assigned nothing."""

        async def body() -> None:
            one, two, *_ = await self.pair()
            assert await one.claim(0)
            await one.leave()
            await self.until(lambda: two.members[one.worker].is_leaving and two.owners[0] is not None)
            assert one.wanted() == []
            assert two.wanted() == [1, 2, 3, 4, 5, 6, 7]
            assert not await two.claim(0)
            await one.release(0)
            await self.until(lambda: two.wanted() == [0, 1, 2, 3, 4, 5, 6, 7])

        await self.run(tmp_path, body)

    async def test_who_closes_is_gone_at_once_and_its_claims_are(self, tmp_path: Path) -> None:
        """Who closes is gone at once and its claims are."""

        async def body() -> None:
            one, two, _, heard = await self.pair()
            assert await one.claim(3)
            one.send(two.worker, b"hello")
            await self.until(lambda: two.owners[3] is not None and len(heard.messages) == 1)
            await one.close()
            await self.until(lambda: {*two.members} == {two.worker})
            assert two.owners[3] is None
            assert heard.gaps == [one.worker]
            assert await two.claim(3)

        await self.run(tmp_path, body)

    async def test_who_is_killed_is_noticed_and_its_partitions_are_free(self, tmp_path: Path) -> None:
        """Who is killed is noticed and its partitions are free."""

        async def body() -> None:
            one, two, *_ = await self.pair()
            assert await one.claim(5)
            await self.until(lambda: two.owners[5] is not None)
            assert not await two.claim(5)
            await self.kill(one)
            await self.until(lambda: {*two.members} == {two.worker})
            assert two.wanted() == [0, 1, 2, 3, 4, 5, 6, 7]
            assert await two.claim(5)
            owner = two.owners[5]
            assert owner is not None
            assert owner.worker == two.worker

        await self.run(tmp_path, body)

    async def test_one_of_many_claims_a_partition(self, tmp_path: Path) -> None:
        """One of many claims a partition."""

        async def body() -> None:
            one, two, *_ = await self.pair()
            for partition in range(self.partitions):
                won = await asyncio.gather(one.claim(partition), two.claim(partition))
                assert sorted(won) == [False, True]
                winner = (one if won[0] else two).worker
                await self.until(lambda at=partition: all(each.owners[at] is not None for each in (one, two)))  # type: ignore[misc]
                assert all(owner and owner.worker == winner for owner in (one.owners[partition], two.owners[partition]))
                assert await asyncio.gather(one.claim(partition), two.claim(partition)) == won

        await self.run(tmp_path, body)

    async def test_epochs_grow_with_claims(self, tmp_path: Path) -> None:
        """Epochs grow with claims."""

        async def body() -> None:
            one, two, *_ = await self.pair()
            assert await one.claim(1)
            first = one.owners[1]
            await one.release(1)
            await self.until(lambda: one.owners[1] is None and two.owners[1] is None)
            assert await two.claim(1)
            second = two.owners[1]
            assert first is not None
            assert second is not None
            assert second.epoch > first.epoch

        await self.run(tmp_path, body)

    async def test_free_partitions_are_wanted_by_exactly_one(self, tmp_path: Path) -> None:
        """Free partitions are wanted by exactly one."""

        async def body() -> None:
            one, two, *_ = await self.pair()
            assert sorted(one.wanted() + two.wanted()) == list(range(self.partitions))
            assert len(one.wanted()) == len(two.wanted())

        await self.run(tmp_path, body)

    async def test_messages_come_in_order_long_and_short(self, tmp_path: Path) -> None:
        """Messages come in order long and short."""

        async def body() -> None:
            one, two, _, heard = await self.pair()
            sent = [b"", b"x" * 3_000_000, *(b"%d" % number for number in range(MESSAGES)), b"y" * 600_000]
            for payload in sent:
                one.send(two.worker, payload)
            await self.until(lambda: len(heard.messages) >= len(sent) or bool(heard.gaps))
            assert heard.messages == [(one.worker, payload) for payload in sent]
            assert heard.gaps == []

        await self.run(tmp_path, body)

    async def test_a_worker_may_answer_and_send_to_itself(self, tmp_path: Path) -> None:
        """A worker may answer and send to itself."""

        async def body() -> None:
            one, two, first, second = await self.pair()
            two.on_message = lambda worker, payload: two.send(worker, payload + b"!")
            one.send(two.worker, b"ping")
            one.send(one.worker, b"note")
            await self.until(lambda: len(first.messages) == 2)
            assert sorted(first.messages) == sorted([(two.worker, b"ping!"), (one.worker, b"note")])
            assert not second.gaps

        await self.run(tmp_path, body)

    async def test_who_is_no_member_gets_nothing_and_harms_nobody(self, tmp_path: Path) -> None:
        """Who is no member gets nothing and harms nobody."""

        async def body() -> None:
            one, two, _, heard = await self.pair()
            one.send("nobody", b"lost")
            one.send(two.worker, b"kept")
            await self.until(lambda: bool(heard.messages))
            assert heard.messages == [(one.worker, b"kept")]

        await self.run(tmp_path, body)

    async def test_a_message_without_bound_is_refused(self, tmp_path: Path) -> None:
        """A message without bound is refused."""

        async def body() -> None:
            one, two, *_ = await self.pair()
            with refused("NT-FABRIC-201"):
                one.send(two.worker, bytes(64 * 1024 * 1024 + 1))

        await self.run(tmp_path, body)

    async def test_a_store_shows_what_was_committed_and_the_next_owner_finds_it(self, tmp_path: Path) -> None:
        """A store shows what was committed and the next owner finds it."""

        async def body() -> None:
            one, two, *_ = await self.pair()
            store = await one.open_store(2)
            assert store.is_durable
            await commit(store, [(PUT, b"a/1", b"x"), (PUT, b"a/2", b""), (PUT, b"b", b"\x00\xff")])
            await commit(store, [(DELETE, b"a/1", b""), (PUT, b"c/1", b"z"), (PUT, b"c/2", b"z")])
            await commit(store, [(DELETE_PREFIX, b"c/", b""), (PUT, b"c/3", b"kept")])
            expected = [(b"a/2", b""), (b"b", b"\x00\xff"), (b"c/3", b"kept")]
            assert list(store.scan(b"")) == expected
            assert store.get(b"a/1") is None
            assert list(store.scan(b"c/")) == [(b"c/3", b"kept")]
            store.close()
            after = await two.open_store(2)
            assert list(after.scan(b"")) == expected
            other = await two.open_store(4)
            assert list(other.scan(b"")) == []
            after.close()
            other.close()

        await self.run(tmp_path, body)

    async def test_whoever_opened_a_store_last_commits_and_nobody_else(self, tmp_path: Path) -> None:
        """Whoever opened a store last commits and nobody else."""

        async def body() -> None:
            one, two, *_ = await self.pair()
            old = await one.open_store(0)
            await commit(old, [(PUT, b"k", b"old")])
            await barrier(old)
            new = await two.open_store(0)
            with refused(DEPOSED):
                await commit(old, [(PUT, b"k", b"late")])
            with refused(DEPOSED):
                await barrier(old)
            with refused(DEPOSED):
                await commit(old, [(PUT, b"k", b"later")])
            await barrier(new)
            await commit(new, [(PUT, b"n", b"new")])
            old.close()
            new.close()
            again = await one.open_store(0)
            assert list(again.scan(b"")) == [(b"k", b"old"), (b"n", b"new")]
            again.close()

        await self.run(tmp_path, body)
