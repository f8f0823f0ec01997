"""What the codec does with memory where it is compiled, and what stands for it where it is not.

``raw.pxd`` declares the same names as C functions; compiled modules take those and never call these.  No rule of Recon or
WARP is in here: only how characters are reached and told apart, and how objects are put together.
"""

from __future__ import annotations

import re
from typing import Any

__all__ = ["chars", "is_narrow", "is_small", "known", "made", "put", "quote_end", "roomy", "taken", "word", "word_end"]

_word = re.compile("[A-Za-z0-9_-]*").match
_quote = re.compile(r'[^"\\\x00-\x1f]*').match


def is_narrow(text: str) -> bool:
    """True where :func:`chars` can be taken: each character is one byte in memory."""
    return text.isascii()


def chars(text: str) -> str:
    """The characters of a narrow text as an array, to be read by index while the text is held."""
    return text


def word_end(text: str, start: int) -> int:
    """The offset after the ASCII letters, digits, ``_`` and ``-`` from ``start`` on."""
    found = _word(text, start)
    return start if found is None else found.end()


def quote_end(text: str, start: int) -> int:
    """The offset of the next double quote; -1 where there is none, or a backslash or control character before it."""
    found = _quote(text, start)
    end = start if found is None else found.end()
    return end if text.startswith('"', end) else -1


def word(text: str, start: int, stop: int) -> str:
    """``text[start:stop]``, plain ASCII; the same object each time where it was asked for lately, as names are."""
    return text[start:stop]


def known(text: str, start: int, stop: int) -> str:
    """``text[start:stop]``, plain ASCII; the object of :func:`word` where there is one, but none is kept for it."""
    return text[start:stop]


def is_small(number: int) -> bool:
    """True where an integer fits 64 bits."""
    return -(2**63) <= number < 2**63


def roomy() -> list[Any]:
    """An empty list with room for some items."""
    return []


def put(out: list[Any], item: Any) -> None:
    """Append to a list."""
    out.append(item)


def taken(out: list[Any]) -> tuple[Any, ...]:
    """The items of a list, which is of no more use afterwards."""
    return tuple(out)


def made(kind: Any, attributes: list[str], values: list[Any]) -> Any:
    """A new object with these attributes, made as a dataclass without ``__post_init__`` makes it."""
    obj = kind.__new__(kind)
    for attribute, value in zip(attributes, values, strict=True):
        object.__setattr__(obj, attribute, value)
    return obj
