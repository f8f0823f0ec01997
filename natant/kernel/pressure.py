"""Holding back what brings work, while the host cannot take more.

Two things are waited for: that the host as a whole is not congested (the store keeps up, not too many sends are under way), and
that one agent's mailbox has room.  Who waits is known by a key, so that one who goes away is forgotten.
Called by sessions and sources, and by the kernel where work has been taken off.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from natant.kernel.cell import Cell
    from natant.kernel.kernel import Kernel

__all__ = ["Pressure"]


class Pressure:
    """Who waits until work is welcome again; each is told once."""

    def __init__(self, host: Kernel) -> None:
        self._host = host
        self._waiting: dict[Hashable, Callable[[], None]] = {}
        #: who waits for one agent; its name, since an agent that is stopped has room again
        self._for_room: dict[str, dict[Hashable, Callable[[], None]]] = {}

    @property
    def is_high(self) -> bool:
        """True where connections should stop reading."""
        return self._host.journal.is_congested or self._host.outbox.is_congested

    def is_full(self, cell: Cell) -> bool:
        """True where the agent's mailbox is at its bound."""
        return cell._mail is not None and len(cell._mail) >= self._host.config.mailbox_limit

    def wait(self, key: Hashable, function: Callable[[], None]) -> None:
        """Call ``function`` when the host is not congested."""
        self._waiting[key] = function

    def wait_for_room(self, cell: Cell, key: Hashable, function: Callable[[], None]) -> None:
        """Call ``function`` when half of the agent's mailbox is free and the host is not congested."""
        self._for_room.setdefault(cell.node, {})[key] = function

    def forget(self, key: Hashable) -> None:
        """Who waited under ``key`` is gone."""
        self._waiting.pop(key, None)
        for node in [node for node, waiting in self._for_room.items() if waiting.pop(key, None) and not waiting]:
            del self._for_room[node]

    def look(self) -> None:
        """The host may have become able to take work: called after each commit."""
        if self._waiting and not self.is_high:
            waiting, self._waiting = self._waiting, {}
            for function in waiting.values():
                self._host.env.call_soon(function)

    def look_at(self, cell: Cell) -> None:
        """Work has been taken out of an agent's mailbox."""
        if self._for_room and cell.node in self._for_room and not self._is_half_full(cell):
            self._waiting.update(self._for_room.pop(cell.node))
        self.look()

    def release(self, cell: Cell) -> None:
        """The agent takes no more work: nobody need wait for it."""
        self._waiting.update(self._for_room.pop(cell.node, {}))
        self.look()

    def _is_half_full(self, cell: Cell) -> bool:
        return cell._mail is not None and len(cell._mail) > self._host.config.mailbox_limit // 2
