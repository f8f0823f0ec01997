"""Log lines as events: what goes through Python's ``logging`` under ``natant`` reaches the log lanes of meta nodes.

Nothing is formatted while nobody is linked.  A line that carries a ``node`` goes to that node's lanes too.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from natant.codec import recon
from natant.codec.recon.value import Attr, Record, Slot
from natant.kernel.change import PUSH, Event
from natant.kernel.turn import offer

if TYPE_CHECKING:
    from natant.kernel.cell import Cell
    from natant.observe.meta.lane import LogLane

__all__ = ["LEVELS", "LaneHandler"]

TRACE: Final = 5

#: lane name -> (least level of Python's logging, tag of the event)
LEVELS: Final[dict[str, tuple[int, str]]] = {
    "traceLog": (0, "trace"),
    "debugLog": (logging.DEBUG, "debug"),
    "infoLog": (logging.INFO, "info"),
    "warnLog": (logging.WARNING, "warn"),
    "errorLog": (logging.ERROR, "error"),
    "failLog": (logging.CRITICAL, "fail"),
}


def lane_of(level: int) -> str:
    """The log lane for a level of Python's logging."""
    return [name for name, (least, _) in LEVELS.items() if level >= least][-1]


class LaneHandler(logging.Handler):
    """Gives log records to the log lanes that have links; records of other threads are left to the loop."""

    def __init__(self, lanes: dict[str, list[LogLane]], call: Any) -> None:
        super().__init__()
        self._lanes = lanes
        self._call = call

    def emit(self, record: logging.LogRecord) -> None:
        """Called by ``logging``, from any thread."""
        try:
            name = lane_of(record.levelno)
            watched = [(lane, cell) for lane in self._lanes[name] for cell in list(lane.watched)]
            if watched:
                self._call(self._tell, name, record, watched)
        except Exception:
            self.handleError(record)

    def _tell(self, name: str, record: logging.LogRecord, watched: list[tuple[LogLane, Cell]]) -> None:
        node = getattr(record, "node", None)
        slots = [Slot("time", int(record.created * 1000))]
        if node is not None:
            slots.append(Slot("node", node))
        text = recon.encode_body(Record([Attr(LEVELS[name][1], Record(slots)), record.getMessage()]))
        for lane, cell in watched:
            about = getattr(cell, "about", None)
            if about is not None and about != node:
                continue
            links = cell._links
            if not links or lane.index not in links:
                lane.watched.discard(cell)
                continue
            offer(cell, [Event(lane.index, PUSH, text)])
