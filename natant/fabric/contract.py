"""What a fabric does for the workers of one plane.  ``natant.testing.fabric_kit`` holds the tests that each must pass.

A *worker* is one process, or one life of it: its id is new each time.  A *partition* is a share of the plane's agents with a journal
of its own; at most one worker can commit to it, whatever anybody believes: :meth:`Fabric.open_store` takes the journal over and
everybody who had it before is *deposed*.  Members and owners say who works and who should be asked; they may be late and are hints.
Messages between workers arrive in order or are known to be lost.

All callbacks run in the event loop, never inside a call of the one who is called back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from natant.errors import FabricError
from natant.store.contract import DEPOSED, Operation

__all__ = ["DEPOSED", "Fabric", "Member", "Owner", "PartitionStore", "deposed"]


def deposed(partition: int) -> FabricError:
    """What a commit to a partition gives that another worker has taken over."""
    return FabricError(
        DEPOSED,
        f"another worker has taken partition {partition} over; what was not yet committed here is not done. Ask the new owner.",
        http_status=503,
    )


@dataclass(frozen=True, slots=True)
class Member:
    """A worker that lives, as far as is known."""

    worker: str
    #: what the worker told of itself when it opened: plain JSON, for example where its server listens
    info: Mapping[str, Any] = field(default_factory=dict)
    #: it gives its partitions away and takes none
    is_leaving: bool = False


@dataclass(frozen=True, slots=True)
class Owner:
    """Who claimed a partition."""

    worker: str
    #: grows with each claim of the partition; it orders claims and is no fence
    epoch: int


class PartitionStore(Protocol):
    """The durable state of one partition: reads in memory, commits to the journal behind a fence.

    Reads are those of :class:`natant.store.contract.Store` and show all commits that succeeded.
    """

    is_durable: bool

    def get(self, key: bytes) -> bytes | None:
        """The value of ``key``."""

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """All pairs whose key starts with ``prefix``, in the order of their keys, as of the time of the call."""

    def commit(self, batch: Sequence[Operation], done: Callable[[BaseException | None], None]) -> None:
        """Begin to make all operations of ``batch`` true at once; ``done(error)`` is called later, in the loop.

        One commit at a time.  ``done(None)``: durable, and reads show it.  An error of code :data:`DEPOSED`: another worker took the
        partition over, this store commits nothing any more, drop it.  Any other error: the caller tries the same batch again.
        """

    def barrier(self, done: Callable[[BaseException | None], None]) -> None:
        """Find out whether this store still holds the partition: ``done(None)`` where it did after this call, errors as for :meth:`commit`."""

    def close(self) -> None:
        """Let go of what it holds; the state stays, for the next owner."""


class Fabric(Protocol):
    """The ground on which the workers of a plane stand."""

    #: our id, new with each life
    worker: str
    #: the members by id, ourselves included while we are open
    members: Mapping[str, Member]
    #: by partition: who claimed it, None where nobody who lives did; as long as the plane has partitions
    owners: Sequence[Owner | None]
    #: members or owners are other than before
    on_change: Callable[[], None]
    #: ``(worker, payload)``, in the order of that worker's sends; it may be a member we have not heard of yet
    on_message: Callable[[str, bytes], None]
    #: messages between that worker and us were lost, or it is no member any more: forget all state shared with it.  Called on both
    #: sides where both live; messages after the call belong together again.
    on_gap: Callable[[str], None]

    async def open(self, info: Mapping[str, Any]) -> None:
        """Become a member.

        :param info: told to the others, plain JSON.
        :raises FabricError: where the ground cannot be reached.
        """

    async def leave(self) -> None:
        """Be assigned nothing more; what is owned is still ours until it is released."""

    async def close(self) -> None:
        """Cease to be a member, at once for everybody; claims are gone."""

    def send(self, worker: str, payload: bytes) -> None:
        """Send to a worker, at most once; callers pack what they have."""

    async def open_store(self, partition: int) -> PartitionStore:
        """Take a partition's journal over and recover its state; from now on earlier owners commit nothing.

        :raises FabricError: where the journal cannot be read or is damaged.
        """

    async def claim(self, partition: int) -> bool:
        """Enter ourselves as owner; False where a member has it, or somebody was faster."""

    async def release(self, partition: int) -> None:
        """Take ourselves out of the table of owners; nothing happens where we are not in it."""

    def counts(self) -> dict[str, int]:
        """What metrics show, counted since the start: ``verdicts`` (workers found dead), ``gaps`` (losses of messages), and more."""

    def wanted(self) -> list[int]:
        """The partitions we should own, ascending: ours that we should keep and free ones that fall to us.

        A free one that we still run, because somebody had it and died while we were away, must be opened anew.
        """
