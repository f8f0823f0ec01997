"""The part of an agent that the kernel sees: its name, the state of its lanes, and where it stands in its turns.

Memory matters here, since there may be millions: a cell is a handful of pointers; mailbox, links and lane states
come to life when first needed.  A hot module: types for Cython are in ``cell.pxd``.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, ClassVar, Final  # noqa: F401  # named in a comment below

if TYPE_CHECKING:
    from natant.kernel.kernel import Kernel
    from natant.kernel.lanekind import LaneKind
    from natant.kernel.schema import Schema  # noqa: F401  # named in a comment below
    from natant.kernel.turn import Turn

__all__ = ["UNLOADED", "Cell"]


class Unloaded:
    """The state of a lane that nobody has touched since its agent came to life."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNLOADED"


UNLOADED: Final = Unloaded()


class Cell:
    """An agent as the kernel sees it.

    Invariants: ``_turn`` is set exactly while a turn of this agent may write its lanes; ``_is_busy`` is True while an
    asynchronous turn is open, and then deliveries wait in ``_mail``; ``_pending`` counts units that are not yet durable; ``_links`` is None only where nobody is linked and nobody will be before
    the units under way are durable, so that a change then needs no event.
    """

    __slots__ = ("_host", "_is_busy", "_links", "_mail", "_pending", "_state", "_touched", "_turn", "_is_known", "node")

    #: of the class; a comment, since Cython takes an annotation for an attribute of each object
    _schema = None  # type: ClassVar[Schema]  # type: ignore[assignment]

    node: str
    _host: Kernel
    _state: list[Any]
    _links: dict[int, list[Any]] | None
    _mail: deque[Any] | None
    _turn: Turn | None
    _is_busy: bool
    _pending: int
    _touched: int
    _is_known: bool

    def _bind(self, host: Any, node: str) -> None:
        """Give a new object its name and place; called once by the host."""
        self.node = node
        self._host = host
        self._state = self._schema.blank[:]
        self._links = None
        self._mail = None
        self._turn = None
        self._is_busy = False
        self._pending = 0
        self._touched = 0
        self._is_known = False

    def _lane(self, name: str) -> LaneKind | None:
        """The lane of this name, None where there is none."""
        return self._schema.lanes.get(name)
