"""The elements of a JSON array, one after the other, however long the array is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import IO, Any, Final

__all__ = ["ELEMENT_CHARS", "elements"]

#: characters of one element; a longer one is given up
ELEMENT_CHARS: Final = 64 << 20
READ_CHARS: Final = 1 << 20

_decoder: Final = json.JSONDecoder()


def elements(file: IO[str]) -> Iterator[tuple[int, Any]]:
    """Number from 1, and value, of each element of the array that the file is.

    Where an element is broken the error itself is its value, and nothing follows it: after it there is no telling where the next begins.
    """
    buffer = file.read(READ_CHARS).lstrip("\ufeff \t\r\n")
    if not buffer.startswith("["):
        yield 1, ValueError("it does not begin with [")
        return
    at, number = 1, 0
    while True:
        while (at := _skip(buffer, at)) == len(buffer):
            buffer, at = file.read(READ_CHARS), 0
            if not buffer:
                yield number + 1, ValueError("it ends within the array")
                return
        if buffer[at] == "]":
            return
        number += 1
        wanted = READ_CHARS
        while True:
            try:
                value, end = _decoder.raw_decode(buffer, at)
            except (ValueError, RecursionError) as error:
                more = file.read(wanted) if len(buffer) - at < ELEMENT_CHARS else ""
                if not more or isinstance(error, RecursionError):
                    yield number, ValueError(str(error))
                    return
                buffer, at = buffer[at:] + more, 0
                wanted *= 2  # so that a long element is not tried too often
                continue
            break
        yield number, value
        at = end


def _skip(buffer: str, at: int) -> int:
    """The first place that is neither space nor comma."""
    while at < len(buffer) and buffer[at] in " \t\r\n,":
        at += 1
    return at
