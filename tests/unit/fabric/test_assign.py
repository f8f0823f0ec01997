"""Partitions are shared evenly, and as few as can be move."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natant.fabric.assign import assign


def settle(workers: list[str], owners: list[str | None]) -> tuple[list[str | None], int]:
    """Hand over until nobody wants to; the owners at the end, and how many partitions moved."""
    owners, moved = list(owners), 0
    for _ in range(len(owners) + 2):
        wanted = assign(workers, owners)
        before = list(owners)
        for partition, owner in enumerate(before):
            if owner is not None and partition not in wanted.get(owner, ()):
                owners[partition] = None
        for worker, partitions in wanted.items():
            for partition in partitions:
                if owners[partition] is None and before[partition] is None:
                    owners[partition], moved = worker, moved + 1
        if owners == before:
            return owners, moved
    raise AssertionError("partitions wander for ever")


def counts(owners: list[str | None]) -> list[int]:
    return sorted(owners.count(worker) for worker in {*owners})


@pytest.mark.parametrize("workers", [1, 2, 3, 5, 7, 64])
def test_a_new_plane_is_shared_evenly(workers: int) -> None:
    owners, moved = settle([f"w{number}" for number in range(workers)], [None] * 64)

    assert moved == 64
    assert counts(owners)[-1] - counts(owners)[0] <= 1


def test_a_worker_that_dies_moves_only_its_own() -> None:
    owners, _ = settle(["a", "b", "c"], [None] * 64)
    orphaned = [None if owner == "c" else owner for owner in owners]

    after, moved = settle(["a", "b"], orphaned)

    assert moved == owners.count("c")
    assert all(one == other for one, other in zip(orphaned, after, strict=True) if one)
    assert counts(after) == [32, 32]


def test_a_worker_that_joins_takes_only_its_share() -> None:
    owners, _ = settle(["a", "b"], [None] * 64)

    after, moved = settle(["a", "b", "c"], owners)

    assert moved == 21
    assert counts(after) == [21, 21, 22]


def test_what_a_leaving_worker_has_is_left_to_it_until_released() -> None:
    assert assign(["a"], ["leaving", None, "a"]) == {"a": [1, 2]}


def test_nobody_gets_anything_where_nobody_works() -> None:
    assert assign([], [None, "a"]) == {}


names = st.sampled_from(["a", "b", "c", "d", "e"])


@given(st.sets(names, min_size=1), st.lists(st.none() | names, min_size=1, max_size=40))
def test_it_settles_from_anywhere_and_is_even(workers: set[str], owners: list[str | None]) -> None:
    free = [owner if owner in workers else None for owner in owners]
    after, _ = settle(sorted(workers), free)

    assert None not in after
    have = [after.count(worker) for worker in workers]
    assert max(have) - min(have) <= 1
