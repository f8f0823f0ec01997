"""What commands print: data on stdout, talk and progress on stderr, tables for people, JSON for programs.

Colours come only on a terminal, never where ``NO_COLOR`` is set; no meaning is carried by colour alone.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Self

import click
import msgspec

__all__ = ["Progress", "day", "paint", "put", "put_json", "put_table", "size", "talk", "tell"]

#: a cell of a table shows at most so many characters
CELL_WIDTH: Final = 70
#: between two drawings of a bar
DRAW_S: Final = 0.1
BAR_WIDTH: Final = 24


def _has_colour(is_stderr: bool) -> bool:
    stream = sys.stderr if is_stderr else sys.stdout
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, colour: str, *, is_stderr: bool = False) -> str:
    """``text`` in a colour where colours are welcome."""
    return click.style(text, fg=colour) if _has_colour(is_stderr) else text


def talk(text: str = "") -> None:
    """Say something to the person, on stderr."""
    click.echo(text, err=True)


def put(text: str) -> None:
    """Print a line of data on stdout."""
    click.echo(text)


def put_json(value: Any) -> None:
    """Print one JSON value on one line of stdout."""
    put(msgspec.json.encode(value).decode())


def put_table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows in columns under a head; nothing where there are no rows."""
    cells = [[_short(cell) for cell in row] for row in rows]
    if not cells:
        return
    widths = [max(len(head[i]), *(len(row[i]) for row in cells)) for i in range(len(head))]
    put(paint(_line([name.upper() for name in head], widths), "cyan"))
    for row in cells:
        put(_line(row, widths))


def _short(cell: Any) -> str:
    text = "-" if cell is None else str(cell).replace("\n", " ")
    return text if len(text) <= CELL_WIDTH else text[: CELL_WIDTH - 1] + "…"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def tell(code: str, message: str, hint: str = "") -> None:
    """Print a failure on stderr."""
    talk(f"{paint(code, 'red', is_stderr=True)}  {' '.join(message.split())}")
    if hint:
        talk(f"try: {hint}")
    talk(f"more: keepsake errors {code}")


def day(epoch: float) -> str:
    """A time as ``2023-05-14 08:30``, in UTC."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%d %H:%M")


def size(count: float) -> str:
    """Bytes for people."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":
            break
        count /= 1024
    return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"


class Progress:
    """A bar on stderr, where that is a terminal.

    :param what: what is counted, ``messages``.
    :param total: of the measure that :meth:`show` is told, often bytes.
    """

    def __init__(self, what: str, total: float) -> None:
        self.what, self.total = what, max(total, 1e-9)
        self.is_shown = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self.begun = time.monotonic()
        self._drawn = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.is_shown and self._drawn:
            click.echo("\r\x1b[K", err=True, nl=False)

    def show(self, done: float, count: int, name: str = "") -> None:
        """How far it is.

        :param count: things that are done, for the rate.
        """
        now = time.monotonic()
        if not self.is_shown or now - self._drawn < DRAW_S:
            return
        self._drawn = now
        share = min(1.0, done / self.total)
        passed = max(now - self.begun, 1e-9)
        left = passed / share - passed if share > 0.01 else None
        full = round(share * BAR_WIDTH)
        bar = "█" * full + "░" * (BAR_WIDTH - full)
        rest = f"  {left:.0f} s left" if left is not None else ""
        text = f"{bar} {share:4.0%}  {count:,} {self.what}, {count / passed:,.0f}/s{rest}  {name}"
        click.echo("\r\x1b[K" + text[: max(20, _columns() - 1)], err=True, nl=False)


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns
    except OSError:
        return 80
