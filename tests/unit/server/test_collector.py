"""The rhythm of Python's collector in a serving process."""

from __future__ import annotations

import gc
import sys
import weakref

import pytest

from natant.server.collector import Collector


class Loop:
    """Something that refers to itself, as counting references cannot free."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture
def blocks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many memory blocks are in use, as the tests want it."""
    used = [1_000_000]
    monkeypatch.setattr(sys, "getallocatedblocks", lambda: used[0])
    return used


async def test_everything_is_looked_at_once_memory_has_grown_by_half(blocks: list[int]) -> None:
    collector = Collector()
    collector.start()
    try:
        made = Loop()
        ghost = weakref.ref(made)
        del made
        blocks[0] = 1_400_000
        collector.sweep()
        assert collector.collections == 0
        blocks[0] = 1_600_000
        collector.sweep()
        assert collector.collections == 1
        assert ghost() is None
        collector.sweep()
        assert collector.collections == 1
    finally:
        collector.stop()


async def test_a_stop_gives_back_what_was_set_before(blocks: list[int]) -> None:
    before = gc.get_threshold()
    frozen = gc.get_freeze_count()
    collector = Collector()
    collector.start()
    assert gc.get_threshold() != before
    assert gc.get_freeze_count() > frozen
    collector.stop()
    collector.stop()
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
