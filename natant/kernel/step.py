"""The steps of an ``async`` handler, made visible to the watchdog.

Between two awaits a coroutine runs like a synchronous handler and can block the loop just as well.  Each such step is
announced in ``kernel.running`` while it lasts.  Used by :mod:`natant.kernel.asyncturn` around each handler.
"""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from natant.kernel.kernel import Kernel
    from natant.kernel.turn import Turn

__all__ = ["Steps"]


class _Owner(Protocol):
    turn: Turn | None


class Steps:
    """Awaits a coroutine, step by step.

    :param owner: its ``turn`` is the one that is open at present, None outside any.
    """

    __slots__ = ("_coroutine", "_kernel", "_owner")

    def __init__(self, kernel: Kernel, owner: _Owner, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._kernel = kernel
        self._owner = owner
        self._coroutine = coroutine

    def __await__(self) -> Generator[Any, Any, Any]:
        kernel, owner, coroutine = self._kernel, self._owner, self._coroutine
        sent: Any = None
        error: BaseException | None = None
        while True:
            kernel.turn_count += 1
            kernel.running = owner.turn
            try:
                waited_for = coroutine.send(sent) if error is None else coroutine.throw(error)
            except StopIteration as done:
                return done.value
            finally:
                kernel.running = None
            try:
                sent = yield waited_for
                error = None
            except GeneratorExit:
                coroutine.close()
                raise
            except BaseException as raised:
                error = raised
