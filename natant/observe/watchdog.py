"""The watchdog: sees a handler that blocks the event loop, says where it hangs, and ends it.

A daemon thread looks at ``kernel.running`` and ``kernel.turn_count`` a few times a second.  A turn whose synchronous part
runs longer than ``warn_s`` is logged once, with the stack of the loop's thread.  After ``block_timeout_s`` it is
interrupted: a signal makes the main thread raise ``NT-TURN-003`` inside the handler, and the turn is rolled back and parked
like any other that raises.  This ends ``time.sleep``, blocking sockets and endless loops in Python; code in C that never
comes back to the interpreter cannot be ended, only reported.

Invariant: the error is raised only while that very turn still runs *and* the thread is in the author's code.  A handler is
never stopped inside a lane or the kernel, where a change could be half done: the watchdog tries again a moment later.

Where the loop is not in the main thread there are no signals; the interpreter is then asked to raise the error at the next
byte code (``PyThreadState_SetAsyncExc``), which does not end a ``sleep`` before its time.
"""

from __future__ import annotations

import ctypes
import gc
import logging
import signal
import sys
import threading
import time
import traceback
from types import FrameType
from typing import Any, Final, Protocol

from natant.errors import TurnError

__all__ = ["Watchdog"]

#: how often the running turn is looked at
LOOK_S: Final = 0.05
#: and how often once it is to be ended
INTERRUPT_S: Final = 0.01
#: time between two attempts to end a handler that caught the error, or where the interpreter swallowed it
RETRY_S: Final = 0.1
#: a signal that does nothing where nobody handles it, so one too many cannot hurt
SIGNAL: Final = signal.SIGURG

#: frames that are shown where the caller is not found
STACK_FRAMES: Final = 15

_LOG = logging.getLogger("natant.watchdog")
#: functions of natant that call handlers
_CALLERS: Final = ("_run", "__await__", "_answer")
#: lanes, kernel and the code that works for them
_OURS: Final = frozenset({"cronsim", "msgspec", "natant", "rocksdict", "sortedcontainers"})


class Watched(Protocol):
    """What is watched: the kernel, or all kernels of a worker."""

    @property
    def running(self) -> Any:
        """The turn whose synchronous part runs at present."""

    @property
    def turn_count(self) -> int:
        """Tells one such part from the next."""


class _Blocked(TurnError):
    """The error as the interpreter makes it, without arguments."""

    def __init__(self) -> None:
        super().__init__("NT-TURN-003", "the handler blocked the loop and was interrupted", http_status=500)


class Watchdog:
    """Watches one kernel.

    :param warn_s: a turn that blocks longer is logged.
    :param block_timeout_s: a turn that blocks longer is ended; 0: never.
    """

    def __init__(self, kernel: Watched, *, warn_s: float = 0.25, block_timeout_s: float = 5.0) -> None:
        self.kernel = kernel
        self.warn_s = warn_s
        self.block_timeout_s = block_timeout_s
        self.warnings = 0
        self.interrupts = 0
        self._loop_thread = 0
        self._has_signals = False
        self._previous: Any = None
        self._noted = ""
        self._noted_s = float("-inf")
        self._noted_count = -1
        self._target: tuple[int, Any] | None = None
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Watch the calling thread, which runs the loop."""
        self._loop_thread = threading.get_ident()
        self._has_signals = threading.current_thread() is threading.main_thread()
        if self._has_signals:
            self._previous = signal.signal(SIGNAL, self._on_signal)
        self._thread = threading.Thread(target=self._watch, name="natant-watchdog", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Watch no more."""
        self._stopped.set()
        self._target = None
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._has_signals:
            signal.signal(SIGNAL, self._previous or signal.SIG_DFL)

    # --- in the watchdog's thread ---------------------------------------------------------------------------------

    def _watch(self) -> None:
        kernel = self.kernel
        seen = -1
        since_s = 0.0
        is_warned = False
        next_interrupt_s = 0.0
        told = -1
        wait_s = LOOK_S
        while not self._stopped.wait(wait_s):
            wait_s = LOOK_S
            count, turn = kernel.turn_count, kernel.running
            if self._noted_count != told:  # here, since a signal handler had better not log; once for each turn
                told = self._noted_count
                _LOG.error("handler %s was interrupted after %g s", self._noted, self.block_timeout_s)
            if turn is None:
                seen = -1
                continue
            now_s = time.monotonic()
            if count != seen:
                seen, since_s, is_warned = count, now_s, False
                self._noted_s = float("-inf")
                next_interrupt_s = now_s + self.block_timeout_s
                continue
            blocked_s = now_s - since_s
            if not is_warned and blocked_s >= self.warn_s:
                is_warned = True
                self._warn(turn, count, blocked_s)
            if self.block_timeout_s and now_s >= max(next_interrupt_s, self._noted_s + RETRY_S):
                self._interrupt(turn, count)
                wait_s = INTERRUPT_S

    def _warn(self, turn: Any, count: int, blocked_s: float) -> None:
        stack = _stack(sys._current_frames().get(self._loop_thread))
        if self.kernel.turn_count != count or self.kernel.running is not turn:
            return
        self.warnings += 1
        _LOG.warning(
            "handler %s of %s blocks the loop since %.2f s; everybody waits for it. Give blocking work to self.task. It is here:\n%s",
            turn.work.label,
            turn.cell.node,
            blocked_s,
            stack,
        )

    def _interrupt(self, turn: Any, count: int) -> None:
        self._target = (count, turn)
        if self._has_signals:
            signal.pthread_kill(self._loop_thread, SIGNAL)
            return
        frame = sys._current_frames().get(self._loop_thread)
        if frame is None or not _is_in_handler(frame, turn.cell):
            return
        thread = ctypes.c_ulong(self._loop_thread)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(_Blocked))
        if self.kernel.turn_count != count or self.kernel.running is not turn:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, None)
            return
        self._note(turn)

    # --- in the loop's thread -------------------------------------------------------------------------------------

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        target, self._target = self._target, None
        if target is None or frame is None:
            return
        count, turn = target
        kernel = self.kernel
        if kernel.turn_count != count or kernel.running is not turn or not _is_in_handler(frame, turn.cell):
            return
        self._note(turn)
        raise TurnError(
            "NT-TURN-003",
            f"handler {turn.work.label} of {turn.cell.node} blocked the loop for more than {self.block_timeout_s:g} s and was "
            "interrupted; give blocking work to self.task, or raise block_timeout_s",
            http_status=500,
        )

    def _note(self, turn: Any) -> None:
        self.interrupts += 1
        self._noted = f"{turn.work.label} of {turn.cell.node}"
        self._noted_s = time.monotonic()
        self._noted_count = self.kernel.turn_count


def _stack(frame: FrameType | None) -> str:
    """The stack from where natant has called the handler."""
    frames = traceback.extract_stack(frame) if frame is not None else []
    starts = [at for at, one in enumerate(frames) if one.name in _CALLERS and "natant" in one.filename]
    start = starts[-1] + 1 if starts else max(0, len(frames) - STACK_FRAMES)
    return "".join(traceback.format_list(frames[start:])).rstrip()


def _is_in_handler(frame: FrameType, cell: Any) -> bool:
    """True where code of the agent's author runs, or something called by it; False inside natant and what it is built on.

    What the interpreter slips in (a finaliser) is looked through: it has its caller behind it.  But not a callback of the garbage
    collector, where an error would be dropped: the next look finds the handler itself.
    """
    slipped_in = {getattr(callback, "__code__", None) for callback in gc.callbacks}
    authors = {base.__module__.partition(".")[0] for base in type(cell).__mro__} - _OURS - {"builtins"}
    at: FrameType | None = frame
    while at is not None:
        root = str(at.f_globals.get("__name__", "")).partition(".")[0]
        if root in _OURS or at.f_code in slipped_in:
            return False
        if root in authors:
            return True
        at = at.f_back
    return False
