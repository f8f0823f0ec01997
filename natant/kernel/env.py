"""What the kernel needs from outside: time, randomness and a place to run.

``natant.loop.LoopEnv`` gives the real thing on an asyncio loop, ``natant.testing`` a virtual clock.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from random import Random
from typing import Any, Protocol

__all__ = ["Env", "Handle", "Job"]


class Handle(Protocol):
    """Something that was scheduled and can be taken back."""

    def cancel(self) -> None:
        """Take it back; nothing happens where it has already run."""


class Job(Protocol):
    """A running coroutine."""

    def cancel(self) -> bool:
        """Ask the coroutine to end by raising ``CancelledError`` in it."""

    def done(self) -> bool:
        """True once the coroutine has ended."""

    def add_done_callback(self, function: Callable[[Any], object], /) -> None:
        """Call ``function(job)`` once the coroutine has ended."""


class Env(Protocol):
    """Time, randomness and execution."""

    random: Random
    #: called when :meth:`now` has jumped ahead, so that what is due is found
    jump_hooks: list[Callable[[], None]]

    def now(self) -> float:
        """Seconds since 1970-01-01 UTC."""

    def call_soon(self, function: Callable[..., object], *args: Any) -> object:
        """Call ``function`` after what runs at present, in order of the calls."""

    def call_threadsafe(self, function: Callable[..., object], *args: Any) -> object:
        """As :meth:`call_soon`, from any thread."""

    def call_at(self, when_s: float, function: Callable[..., object], *args: Any) -> Handle:
        """Call ``function`` when :meth:`now` has reached ``when_s``."""

    def spawn(self, work: Coroutine[Any, Any, Any]) -> Job:
        """Run a coroutine concurrently."""

    def current(self) -> Job | None:
        """The job that runs at present, None outside any."""

    def future(self) -> Any:
        """A new awaitable with ``set_result``, ``set_exception``, ``done``, of the kind this environment awaits."""

    def run_blocking(self, function: Callable[..., Any], *args: Any) -> Any:
        """Run a blocking function in a thread; returns an awaitable of its result."""

    def write(self, function: Callable[[], None], done: Callable[[BaseException | None], None]) -> None:
        """Run a store write in the one thread kept for it, then ``done(error)`` back where the kernel runs."""
