"""Bugs to plant, each of a kind that a durable runtime can have: a checker that never caught one is no checker.

:func:`plant` replaces one method of natant in the process that serves.  The comment says what goes wrong then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from natant.ingress.pump import Pump
from natant.kernel import key
from natant.kernel.idwindow import IdWindows
from natant.kernel.outbox import Outbox
from natant.store.contract import Operation
from natant.store.rocks import RocksStore

__all__ = ["BUGS", "plant"]


def _tail_is_dropped() -> None:
    """Acknowledged before it is on the disk: what a lost page cache would do to a store without fsync."""
    apply, held = RocksStore.apply, list[Sequence[Operation]]()

    def late(self: RocksStore, batch: Sequence[Operation]) -> None:
        held.append(batch)
        if len(held) >= 20:
            for each in held:
                apply(self, each)
            held.clear()

    _replace(RocksStore, "apply", late)


def _ids_are_forgotten() -> None:
    """A command that comes again is done again."""
    _replace(IdWindows, "answer_duplicate", lambda self, cell, work: False)


def _ids_are_not_durable() -> None:
    """The window of ids does not survive a restart."""
    _drop_records(lambda record: record[1].startswith(key.ID))


def _sends_are_not_durable() -> None:
    """What has not arrived when the process dies never will."""
    _replace(Outbox, "record", lambda self, batch: None)


def _sends_stay() -> None:
    """What has arrived stays in the outbox and comes again after a restart."""
    _drop_records(lambda record: record[0] == 1 and record[1].startswith(key.OUTBOX))


def _positions_are_not_durable() -> None:
    """The source begins anew after a restart."""
    _replace(Pump, "_journal", lambda self, batch: None)


def _timers_are_not_durable() -> None:
    """What was set and has not rung when the process dies never will."""
    _drop_records(lambda record: record[0] == 0 and record[1].startswith(key.TIMER))


def _batches_are_torn() -> None:
    """A batch is written in two halves, and the process may die between: here the second half of each twentieth batch is lost."""
    apply, count = RocksStore.apply, [0]

    def torn(self: RocksStore, batch: Sequence[Operation]) -> None:
        count[0] += 1
        apply(self, batch if count[0] % 20 else batch[: max(1, len(batch) // 2)])

    _replace(RocksStore, "apply", torn)


BUGS: Final[dict[str, Callable[[], None]]] = {
    "tail-is-dropped": _tail_is_dropped,
    "ids-are-forgotten": _ids_are_forgotten,
    "ids-are-not-durable": _ids_are_not_durable,
    "sends-are-not-durable": _sends_are_not_durable,
    "sends-stay": _sends_stay,
    "positions-are-not-durable": _positions_are_not_durable,
    "timers-are-not-durable": _timers_are_not_durable,
    "batches-are-torn": _batches_are_torn,
}


def plant(name: str) -> None:
    """Plant one bug in this process."""
    BUGS[name]()


def _replace(kind: type, name: str, function: Any) -> None:
    setattr(kind, name, function)


def _drop_records(is_dropped: Callable[[Operation], bool]) -> None:
    """Let the store forget records of one kind."""
    apply = RocksStore.apply

    def drop(self: RocksStore, batch: Sequence[Operation]) -> None:
        apply(self, [record for record in batch if not is_dropped(record)])

    _replace(RocksStore, "apply", drop)
