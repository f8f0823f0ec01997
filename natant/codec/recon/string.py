# cython: annotation_typing=False, boundscheck=False, wraparound=False
"""Reading quoted text, raw text and data: each function takes the text and an offset, and gives what it read and the
offset after it.  Called by the reader only.  Types for Cython are in ``string.pxd``.
"""

from __future__ import annotations

from binascii import a2b_base64
from typing import Final

from natant.codec.recon.fault import fault

__all__ = ["read_data", "read_quoted", "read_raw"]

_ESCAPES: Final = {
    '"': '"', "$": "$", "'": "'", "/": "/", "@": "@", "[": "[", "\\": "\\", "]": "]", "{": "{", "}": "}",
    "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t",
}  # fmt: skip
#: what stands for half a surrogate pair, as no UTF-8 text can hold one
_REPLACEMENT: Final = "\ufffd"


def read_quoted(text: str, start: int) -> tuple[str, int]:
    """Read a text in double or single quotes.

    :raises CodecError: ``NT-RECON-002`` where it is not closed, ``NT-RECON-004`` for a wrong escape or control character.
    """
    stop = text.find(text[start], start + 1)
    if stop < 0:
        raise fault("NT-RECON-002", "no quote closes the text that opens here", text, start)
    piece = text[start + 1 : stop]
    if "\\" not in piece and piece.isprintable():
        return piece, stop + 1
    return _read_slowly(text, start)


def _read_slowly(text: str, start: int) -> tuple[str, int]:
    quote = text[start]
    end = len(text)
    i = begin = start + 1
    parts: list[str] = []
    while i < end:
        c = text[i]
        if c == quote:
            parts.append(text[begin:i])
            return "".join(parts), i + 1
        if c < " ":
            raise fault("NT-RECON-004", f"control character U+{ord(c):04X} in a text; write it as an escape", text, i)
        if c != "\\":
            i += 1
            continue
        parts.append(text[begin:i])
        escape = text[i + 1 : i + 2]
        if escape == "u":
            part, i = _read_unit(text, i)
            parts.append(part)
        elif escape in _ESCAPES:
            parts.append(_ESCAPES[escape])
            i += 2
        elif i + 1 >= end:
            break
        else:
            raise fault("NT-RECON-004", "not an escape", text, i)
        begin = i
    raise fault("NT-RECON-002", "no quote closes the text that opens here", text, start)


def _hex(text: str, at: int) -> int:
    digits = text[at : at + 4]
    if len(digits) < 4 or not all(c in "0123456789abcdefABCDEF" for c in digits):
        raise fault("NT-RECON-004", "four hexadecimal digits must follow \\u", text, at)
    return int(digits, 16)


def _read_unit(text: str, at: int) -> tuple[str, int]:
    r"""Read ``\uXXXX``, or two of them that are one character."""
    unit = _hex(text, at + 2)
    if 0xD800 <= unit < 0xDC00 and text[at + 6 : at + 8] == "\\u":
        low = _hex(text, at + 8)
        if 0xDC00 <= low < 0xE000:
            return chr(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00)), at + 12
    return (_REPLACEMENT if 0xD800 <= unit < 0xE000 else chr(unit)), at + 6


def read_raw(text: str, start: int) -> tuple[str, int]:
    """Read a text in one or three back-ticks, in which a backslash only stands before another or before a back-tick.

    :raises CodecError: ``NT-RECON-002`` where it is not closed, ``NT-RECON-004`` for a control character in a short one.
    """
    quote = "```" if text.startswith("```", start) else "`"
    if quote == "`" and text.startswith("``", start):
        return "", start + 2
    end = len(text)
    i = start + len(quote)
    out: list[str] = []
    while i < end:
        c = text[i]
        if c == "\\" and i + 1 < end:
            i += 1
            if text[i] != "\\" and text[i] != "`":
                out.append("\\")
            out.append(text[i])
            i += 1
        elif c == "`" and text.startswith(quote, i):
            return "".join(out), i + len(quote)
        elif c < " " and quote == "`":
            raise fault("NT-RECON-004", f"control character U+{ord(c):04X}; use three back-ticks", text, i)
        else:
            out.append(c)
            i += 1
    raise fault("NT-RECON-002", "no back-tick closes the text that opens here", text, start)


def read_data(text: str, start: int) -> tuple[bytes, int]:
    """Read ``%`` and base64 in groups of four.

    :raises CodecError: ``NT-RECON-005`` where the last group is not whole.
    """
    end = len(text)
    i = start + 1
    while i < end and text[i] in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/":
        i += 1
    digits = i - start - 1
    while i < end and text[i] == "=" and i - start - 1 - digits < 2:
        i += 1
    if (i - start - 1) % 4 or (digits % 4 == 0 and i - start - 1 > digits):
        raise fault("NT-RECON-005", "data is base64 in groups of four, the last one padded with =", text, start)
    return a2b_base64(text[start + 1 : i]), i
