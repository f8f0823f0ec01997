"""Commit groups: many turns of many agents, one atomic batch, one fsync.

A unit is added when its turn ends.  At the end of the tick the open group is cut and written in the store's own
thread while the next group gathers.  When the batch is durable its units are released in the order in which they
were added.  When the store fails, nothing is released, the same batch is tried again until it succeeds, and the
host refuses new work meanwhile.

Whatever one unit raises while it is released is reported and harms none of the others.
A hot module: types for Cython are in ``journal.pxd``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

from natant.errors import NatantError, StoreError
from natant.kernel import key
from natant.kernel.batch import gather
from natant.kernel.env import Env
from natant.store.contract import DEPOSED

__all__ = ["Journal", "StorePort", "Unit"]

#: how long after a failed commit the same batch is tried again
RETRY_AFTER_S: Final = 1.0
#: units that may gather behind a write before the host counts as congested
MAX_OPEN_UNITS: Final = 20_000


class StorePort(Protocol):
    """What the kernel needs of a store; ``natant.store.contract`` says it in full."""

    is_durable: bool

    def get(self, key: bytes) -> bytes | None:
        """The value of a key."""

    def scan(self, prefix: bytes) -> Any:
        """Pairs by prefix, in order."""

    def apply(self, batch: Any) -> None:
        """Make a batch durable."""

    def close(self) -> None:
        """Release the files."""


class Unit(Protocol):
    """What is committed together."""

    @property
    def records(self) -> list[tuple[int, bytes, bytes]]:
        """What is written: operation, key and value each."""

    def release(self, sequence: int) -> None:
        """Publish; the records are durable."""


class _Barrier:
    """Something to do behind the units that are on their way."""

    __slots__ = ("function", "records")

    def __init__(self, function: Callable[[int], None]) -> None:
        self.function = function
        self.records: list[tuple[int, bytes, bytes]] = []

    def release(self, sequence: int) -> None:
        self.function(sequence)


class Journal:
    """The way from ended turns to released units."""

    def __init__(
        self, store: StorePort, env: Env, before_cut: Callable[[list[tuple[int, bytes, bytes]]], None]
    ) -> None:
        self.store = store
        self.env = env
        self.sequence = int.from_bytes(store.get(key.SEQUENCE) or b"", "big")
        #: why the last commit failed, None while all is well
        self.fault: NatantError | None = None
        self.groups = 0
        self.units = 0
        self._before_cut = before_cut
        #: a store that writes without a thread has it: ``commit(batch, done)``, and ``done(error or None)`` later
        self._commit: Callable[..., None] | None = getattr(store, "commit", None)
        self._open: list[Unit] = []
        self._writing: list[Unit] | None = None
        self._is_cut_due = False
        self._is_closed = False
        self._idle_waiters: list[Callable[[], None]] = []
        #: called after each release, when links may have something to send and congestion may be over
        self.on_release: Callable[[], None] = lambda: None
        #: told of each failed attempt
        self.on_fault: Callable[[NatantError], None] = lambda error: None
        #: told that somebody else owns what is kept here: nothing can be written ever again
        self.on_deposed: Callable[[NatantError], None] = lambda error: None
        #: told what a unit, or what is added to each batch, raised
        self.on_broken: Callable[[str, Exception], None] = lambda what, error: None

    @property
    def is_idle(self) -> bool:
        """True where everything that was added is durable and released, or never will be."""
        return self._is_closed or (not self._open and self._writing is None)

    @property
    def has_open(self) -> bool:
        """True where a group gathers that will be cut."""
        return bool(self._open)

    @property
    def is_congested(self) -> bool:
        """True where new work should wait: the store fails, or is far behind."""
        return self.fault is not None or self.is_full

    @property
    def is_full(self) -> bool:
        """True where no turn should be run that can wait."""
        return len(self._open) >= MAX_OPEN_UNITS

    def add(self, unit: Unit) -> None:
        """Put a unit into the open group."""
        self._open.append(unit)
        if not self._is_cut_due:
            self._is_cut_due = True
            self.env.call_soon(self._cut)

    def after(self, function: Callable[[int], None]) -> None:
        """Call ``function(sequence)`` once all units added so far are released; at once where there are none."""
        if self._open:
            self._open.append(_Barrier(function))
        elif self._writing is not None:
            self._writing.append(_Barrier(function))
        else:
            self._release(_Barrier(function), self.sequence)

    def when_idle(self, function: Callable[[], None]) -> None:
        """Call ``function`` once nothing is on its way any more."""
        if self.is_idle:
            function()
        else:
            self._idle_waiters.append(function)

    def close(self) -> None:
        """Write no more: the store is about to be closed."""
        self._is_closed = True

    def _cut(self) -> None:
        self._is_cut_due = False
        if self._is_closed or self._writing is not None or not self._open:
            return
        group = self._open
        self._open = []
        batch = gather(group)
        self._writing = group  # from here on, what is to be done after it can be added to it
        try:
            self._before_cut(batch)
        except Exception as error:
            self.on_broken("a commit group", error)
        self.sequence += 1
        batch.append((0, key.SEQUENCE, key.number(self.sequence)))
        self._write(batch)

    def _write(self, batch: list[tuple[int, bytes, bytes]]) -> None:
        store = self.store
        if self._is_closed:
            return

        def work() -> None:
            store.apply(batch)

        def done(error: BaseException | None) -> None:
            if error is None:
                self._written()
            else:
                self._failed(batch, error)

        if self._commit is not None:
            self._commit(batch, done)
            return
        if store.is_durable:
            self.env.write(work, done)
            return
        try:
            work()
        except Exception as error:
            self._failed(batch, error)
        else:
            self._written()

    def _written(self) -> None:
        self.fault = None
        group = self._writing or []
        self.groups += 1
        self.units += len(group)
        sequence = self.sequence
        for unit in group:
            self._release(unit, sequence)
        self._writing = None
        if self._open and not self._is_cut_due:
            self._is_cut_due = True
            self.env.call_soon(self._cut)
        self.on_release()
        if self.is_idle and self._idle_waiters:
            waiters, self._idle_waiters = self._idle_waiters, []
            for waiter in waiters:
                waiter()

    def _release(self, unit: Unit, sequence: int) -> None:
        try:
            unit.release(sequence)
        except Exception as error:
            self.on_broken("what follows a commit", error)

    def _end(self, error: NatantError) -> None:
        """Nothing can be made durable here any more: what is on its way never happened, and nobody need wait for it."""
        self._is_closed = True
        self._open = []
        self._writing = None
        waiters, self._idle_waiters = self._idle_waiters, []
        self.on_deposed(error)
        for waiter in waiters:
            waiter()

    def _failed(self, batch: list[tuple[int, bytes, bytes]], error: BaseException) -> None:
        if isinstance(error, NatantError):
            self.fault = error
        else:
            self.fault = StoreError("NT-STORE-006", f"the store failed with {type(error).__name__}: {error}")
        if self.fault.code == DEPOSED:
            self._end(self.fault)
            return
        self.on_fault(self.fault)
        self.env.call_at(self.env.now() + RETRY_AFTER_S, self._write, batch)
