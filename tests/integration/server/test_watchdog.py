"""Handlers that block the loop: seen, interrupted, rolled back, and nobody else is harmed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from natant import Agent, command, lane
from natant.codec.recon.value import Absent, Record
from natant.errors import TurnError
from natant.host import Host
from natant.observe.watchdog import Watchdog
from tests.support.serving import host_of, serving, until


class Blocker(Agent, route="/blocker/{id}"):
    """An agent whose handlers do what they should not."""

    count = lane.value(int, default=0)

    @command
    def sleep(self) -> None:
        self.count = 99
        time.sleep(100)

    @command
    def spin(self) -> None:
        self.count = 99
        number = 0
        while True:
            number += 1

    @command
    def write_without_end(self) -> None:
        while True:
            self.count += 1

    @command
    async def sleep_later(self) -> None:
        await asyncio.sleep(0)
        self.count = 99
        time.sleep(100)

    @command
    def stubborn(self) -> int:
        caught = 0
        while caught < 2:
            try:
                time.sleep(100)
            except TurnError:
                caught += 1
        return caught

    @command
    def nap(self) -> None:
        time.sleep(0.3)

    @command
    def ok(self) -> int:
        return self.count


@contextlib.asynccontextmanager
async def watched(**options: Any) -> AsyncIterator[tuple[Host, Watchdog]]:
    async with serving(Blocker) as server:
        host = host_of(server)
        dog = Watchdog(host.kernel, **options)
        dog.start()
        try:
            yield host, dog
        finally:
            dog.stop()


@pytest.mark.parametrize("name", ["sleep", "spin", "write_without_end", "sleep_later"])
async def test_a_handler_that_blocks_is_interrupted_and_rolled_back(name: str) -> None:
    async with watched(warn_s=0.05, block_timeout_s=0.2) as (host, dog):
        with pytest.raises(TurnError, match="interrupted") as caught:
            await host.command("/blocker/1", name, Absent)
        assert caught.value.code == "NT-TURN-003"
        assert (await host.command("/blocker/1", "ok", Absent)).value == 0
        assert (await host.command("/blocker/2", "ok", Absent)).value == 0
        assert dog.interrupts >= 1
        parked = await host.read("/blocker/1", "parked")
        assert isinstance(parked, Record)
        assert len(parked) == 1


async def test_a_handler_that_catches_the_interruption_gets_another() -> None:
    async with watched(warn_s=0.05, block_timeout_s=0.1) as (host, dog):
        assert (await host.command("/blocker/1", "stubborn", Absent)).value == 2
        assert dog.interrupts == 2


async def test_a_handler_that_blocks_a_little_is_told_with_its_place(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    async with watched(warn_s=0.1, block_timeout_s=0) as (host, dog):
        await host.command("/blocker/1", "nap", Absent)
        assert dog.warnings == 1
        assert dog.interrupts == 0
    text = caplog.text
    assert "handler nap of /blocker/1 blocks the loop" in text
    assert "time.sleep(0.3)" in text


class BusyKernel:
    """A kernel that is always in a turn, each time in another one."""

    def __init__(self) -> None:
        self.running = object()
        self.looks = 0
        self.has_been_looked_at = threading.Event()

    @property
    def turn_count(self) -> int:
        self.looks += 1
        if self.looks == 20:
            self.has_been_looked_at.set()
        return self.looks


def test_handlers_that_do_not_block_are_left_alone() -> None:
    kernel = BusyKernel()
    dog = Watchdog(kernel, warn_s=0.0, block_timeout_s=0.001)
    dog.start()
    try:
        assert kernel.has_been_looked_at.wait(10)
    finally:
        dog.stop()
    assert (dog.warnings, dog.interrupts) == (0, 0)


def test_a_loop_in_another_thread_is_watched_too() -> None:
    errors: list[BaseException] = []

    async def work() -> None:
        async with watched(warn_s=0.05, block_timeout_s=0.2) as (host, dog):
            with pytest.raises(TurnError) as caught:
                await host.command("/blocker/1", "spin", Absent)
            errors.append(caught.value)
            await until(lambda: dog.interrupts)

    thread = threading.Thread(target=lambda: asyncio.run(work()))
    thread.start()
    thread.join(30)
    assert [getattr(error, "code", None) for error in errors] == ["NT-TURN-003"]
