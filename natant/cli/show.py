"""What commands print: data on stdout, talk on stderr, tables for people, JSON for programs.

Colours have fixed meanings (red: a failure, yellow: a warning, green: well, cyan: a name) and come only on a terminal, never where
``NO_COLOR`` is set; no meaning is carried by colour alone.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import click

__all__ = ["cell_text", "has_colour", "paint", "put", "put_json", "put_table", "put_value", "talk", "wants_progress"]

#: a cell of a table shows at most so many characters
CELL_WIDTH: Final = 60


def has_colour(is_stderr: bool = True) -> bool:
    """True where colours are welcome."""
    stream = sys.stderr if is_stderr else sys.stdout
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def wants_progress() -> bool:
    """True where a line that is overwritten makes sense."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def paint(text: str, colour: str, *, bold: bool = False, is_stderr: bool = True) -> str:
    """``text`` in a colour where colours are welcome."""
    return click.style(text, fg=colour, bold=bold) if has_colour(is_stderr) else text


def talk(text: str = "") -> None:
    """Say something to the person, on stderr."""
    click.echo(text, err=True, color=has_colour())


def put(text: str) -> None:
    """Print a line of data on stdout."""
    click.echo(text, color=has_colour(is_stderr=False))


def put_json(value: Any) -> None:
    """Print one JSON value on one line of stdout."""
    put(value.decode() if isinstance(value, bytes) else to_json(value))


def to_json(value: Any) -> str:
    """Plain Python as compact JSON."""
    import msgspec

    return msgspec.json.encode(value).decode()


def cell_text(value: Any) -> str:
    """A value as it looks in a table or alone: text bare, the rest as JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return "-"
    return to_json(value)


def _short(text: str) -> str:
    line = text.replace("\n", " ")
    return line if len(line) <= CELL_WIDTH else line[: CELL_WIDTH - 1] + "…"


def put_table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows in columns, with a head; nothing where there are no rows."""
    cells = [[_short(cell_text(cell)) for cell in row] for row in rows]
    if not cells:
        return
    widths = [max(len(head[i]), *(len(row[i]) for row in cells)) for i in range(len(head))]
    put(paint(_line([name.upper() for name in head], widths), "cyan", is_stderr=False))
    for row in cells:
        put(_line(row, widths))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def put_value(value: Any) -> None:
    """Print a lane's state for people: maps and lists as tables, the rest as it is."""
    if isinstance(value, Mapping) and value:
        if all(isinstance(item, Mapping) and item for item in value.values()):
            columns = _columns(value.values())
            put_table(["key", *columns], [[key, *(item.get(name) for name in columns)] for key, item in value.items()])
        else:
            put_table(["key", "value"], value.items())
    elif isinstance(value, list) and value:
        if all(isinstance(item, Mapping) and item for item in value):
            columns = _columns(value)
            put_table(["#", *columns], [[at, *(item.get(name) for name in columns)] for at, item in enumerate(value)])
        else:
            put_table(["#", "value"], enumerate(value))
    elif isinstance(value, Mapping | list):
        talk("(empty)")
    elif value is None:
        talk("(not set)")
    else:
        put(cell_text(value))


def _columns(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """The names of all fields, in the order they are first met."""
    return list(dict.fromkeys(name for row in rows for name in row))
