"""Stopping agents that nobody has touched for a while.  One sweep for all of them; nothing per agent but a number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from natant.kernel.env import Handle
from natant.kernel.turn import Work

if TYPE_CHECKING:
    from natant.kernel.cell import Cell
    from natant.kernel.kernel import Kernel

__all__ = ["IdleSweep"]

#: ticks in one idle timeout, that is how finely idleness is measured
TICKS: Final = 8
#: agents looked at in one go
CHUNK: Final = 2000


class IdleSweep:
    """Finds idle agents and stops them; their state stays in the store.

    An agent's ``_touched`` is the tick of its kernel in which it was last used.
    """

    def __init__(self, host: Kernel) -> None:
        self._host = host
        self._handle: Handle | None = None
        self._rest: Iterator[str] | None = None
        #: agents whose ``on_stop`` has been called and that are not gone yet
        self._leaving: set[str] = set()

    def start(self) -> None:
        """Begin to tick."""
        host = self._host
        if host.config.idle_timeout_s > 0 and not host.is_volatile:
            self._arm()

    def stop(self) -> None:
        """Tick no more."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _arm(self) -> None:
        env = self._host.env
        self._handle = env.call_at(env.now() + self._host.config.idle_timeout_s / TICKS, self._tick)

    def _tick(self) -> None:
        self._host.tick += 1
        self._arm()
        if self._rest is None:
            self._rest = iter(list(self._host.agents))
            self._look()

    def _look(self) -> None:
        rest = self._rest
        if rest is None or self._host.is_stopping:
            return
        for _ in range(CHUNK):
            node = next(rest, None)
            if node is None:
                self._rest = None
                return
            cell = self._host.agents.get(node)
            if cell is not None and self._is_idle(cell):
                try:
                    self._stop(cell)
                except Exception as error:
                    self._host.broken(f"stopping {node}", error)
        self._host.env.call_soon(self._look)

    def _is_idle(self, cell: Cell) -> bool:
        return (
            self._host.tick - cell._touched >= TICKS
            and not cell._is_busy
            and not cell._pending
            and not cell._links
            and not cell._mail
            and cell.node not in self._leaving
            and not self._host.keeps_alive(cell)
        )

    def _stop(self, cell: Cell) -> None:
        if not cell._schema.has_stop:
            self._host.retire(cell)
            return
        self._leaving.add(cell.node)
        self._host.deliver(cell, Work(_stop, None, "on_stop", reply=lambda _outcome, _error: self._leave(cell)))

    def _leave(self, cell: Cell) -> None:
        """``on_stop`` has ended, what it did is durable: take the agent out of memory, unless it has something to do again."""
        self._leaving.discard(cell.node)
        host = self._host
        if host.is_halted:
            return
        if host.agents.get(cell.node) is cell and not (
            cell._is_busy or cell._pending or cell._links or cell._mail or host.keeps_alive(cell)
        ):
            host.retire(cell)


def _stop(cell: Any, _: Any) -> Any:
    return cell.on_stop()
