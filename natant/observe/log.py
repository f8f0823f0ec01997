"""Logs: on stderr, for people or as JSON lines for machines.

Everything in natant logs through the standard ``logging`` under ``natant``; this module decides what that looks like.
Called by the command line; a program that embeds natant keeps its own logging set-up.
"""

from __future__ import annotations

import logging
import sys
import time
from typing import Any, Final, Literal, TextIO

import msgspec

from natant.errors import NatantError

__all__ = ["HumanFormat", "JsonFormat", "set_up"]

#: attributes that every record has; anything else was given with ``extra=``
_USUAL: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

_COLOR: Final = {"WARNING": "33", "ERROR": "31", "CRITICAL": "1;31", "DEBUG": "2"}


class JsonFormat(logging.Formatter):
    """One JSON object a line.

    ``time`` (epoch seconds), ``level``, ``logger``, ``message``, then ``code`` and ``error`` where there is one, and what was
    given with ``extra=``.
    """

    def format(self, record: logging.LogRecord) -> str:
        facts: dict[str, Any] = {
            "time": round(record.created, 6),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            if isinstance(error, NatantError):
                facts["code"] = error.code
            facts["error"] = f"{type(error).__name__}: {error}"
            facts["traceback"] = self.formatException(record.exc_info)
        for name, value in vars(record).items():
            if name not in _USUAL and name not in facts:
                facts[name] = value if isinstance(value, str | int | float | bool | None) else repr(value)
        return msgspec.json.encode(facts).decode()


class HumanFormat(logging.Formatter):
    """``12:04:31 warning natant.server  message``, coloured where somebody looks."""

    def __init__(self, *, is_colored: bool = False) -> None:
        super().__init__()
        self._is_colored = is_colored

    def format(self, record: logging.LogRecord) -> str:
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        level = f"{record.levelname.lower():7}"
        color = _COLOR.get(record.levelname)
        if self._is_colored and color is not None:
            level = f"\033[{color}m{level}\033[0m"
        text = f"{clock} {level} {record.name}  {record.getMessage()}"
        if record.exc_info and record.exc_info[1] is not None:
            text += "\n" + self.formatException(record.exc_info)
        return text


def set_up(
    *, form: Literal["human", "json"] = "human", level: str = "info", stream: TextIO | None = None
) -> logging.Handler:
    """Send the logs of natant, and warnings of everybody else, to ``stream`` (stderr unless told otherwise).

    :return: the handler, for who wants to take it away again.
    """
    out = sys.stderr if stream is None else stream
    handler = logging.StreamHandler(out)
    handler.setFormatter(JsonFormat() if form == "json" else HumanFormat(is_colored=out.isatty()))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("natant").setLevel(level.upper())
    # uvicorn warns of each bad request without saying whose; the server counts and tells them itself
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    return handler
