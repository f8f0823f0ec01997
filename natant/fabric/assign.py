"""Who should own which partition: rendezvous hashing, balanced, that moves nothing without need.

Every worker computes the same from the same members and owners and asks nobody.  Each member that is not leaving has a quota, an
equal share rounded down or up; who owns much already has the larger one.  An owner keeps what it has up to its quota, the partitions
that rank highest with it; free partitions fall to whom they rank highest with among those below their quota.  So when a worker dies
only its own partitions move, when one joins only its share does, and no two workers differ by more than one partition.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from natant.fabric.partition import fnv1a

__all__ = ["assign", "score"]


def score(worker: str, partition: int) -> int:
    """How high a partition ranks with a worker, 0 to 2**32 - 1."""
    mixed = fnv1a(f"{worker}/{partition}".encode())
    # FNV leaves neighbours close; the finalizer of MurmurHash3 scatters them.
    mixed = ((mixed ^ (mixed >> 16)) * 0x85EBCA6B) & 0xFFFFFFFF
    mixed = ((mixed ^ (mixed >> 13)) * 0xC2B2AE35) & 0xFFFFFFFF
    return mixed ^ (mixed >> 16)


def assign(workers: Collection[str], owners: Sequence[str | None]) -> dict[str, list[int]]:
    """The partitions that each worker should own.

    :param workers: ids of those who may own something.
    :param owners: by partition, who owns it now; None where it is free.
    :returns: by worker ascending partitions.  A partition that its owner has too much, or whose owner is not in ``workers`` (it leaves),
        is in nobody's list until it is released.
    """
    if not workers:
        return {}
    owned: dict[str, list[int]] = {worker: [] for worker in workers}
    free: list[int] = []
    for partition, owner in enumerate(owners):
        if owner is None:
            free.append(partition)
        elif owner in owned:
            owned[owner].append(partition)
    share, more = divmod(len(owners), len(owned))
    room: dict[str, int] = {}
    for place, worker in enumerate(sorted(owned, key=lambda name: (-len(owned[name]), name))):
        quota = share + (place < more)
        kept = owned[worker]
        if len(kept) > quota:
            owned[worker] = sorted(kept, key=lambda partition: -score(worker, partition))[:quota]
        room[worker] = quota - len(owned[worker])
    pairs = [(-score(name, each), name, each) for name, space in room.items() if space for each in free]
    taken: set[int] = set()
    for _, worker, partition in sorted(pairs):
        if room[worker] and partition not in taken:
            room[worker] -= 1
            taken.add(partition)
            owned[worker].append(partition)
    return {worker: sorted(partitions) for worker, partitions in owned.items()}
