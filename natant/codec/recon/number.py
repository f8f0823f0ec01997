# cython: annotation_typing=False, boundscheck=False, wraparound=False
"""Numbers: reading them, and printing floats as Java prints them, which every SwimOS peer reads.

Called by the reader and the writer.  Types for Cython are in ``number.pxd``.
"""

from __future__ import annotations

from typing import Any, Final

from natant.codec.recon.fault import fault
from natant.codec.recon.limit import MAX_DIGITS
from natant.codec.recon.value import UInt32, UInt64
from natant.errors import CodecError

__all__ = ["float_text", "read_number"]

#: up to here every integer is a float, and a JavaScript peer reads it as an integer too
_MAX_EXACT: Final = float(2**53)


def float_text(value: float, is_exact: bool) -> str:
    """The shortest text that reads as ``value``.

    An integral float of at most 2**53 prints as an integer, or with ``.0`` where ``is_exact``.  Others print plainly between
    0.001 and ten million, and as ``1.5E-7`` outside, as Java does.

    :raises CodecError: ``NT-RECON-010`` for NaN and the infinities.
    """
    if value - value != 0.0:
        raise CodecError("NT-RECON-010", f"Recon has no number for {value}; use None or text")
    if value.is_integer() and -_MAX_EXACT <= value <= _MAX_EXACT:
        if not is_exact:
            return str(int(value))
        return repr(value) if -1e15 < value < 1e15 else f"{int(value)}.0"
    if 1e-3 <= value < 1e7 or -1e7 < value <= -1e-3:
        return repr(value)
    mantissa, _, exponent = repr(value).partition("e")
    sign = "-" if mantissa[0] == "-" else ""
    whole, _, part = mantissa.lstrip("-").partition(".")
    shift = int(exponent or "0") + len(whole) - 1
    digits = whole + part
    leading = len(digits) - len(digits.lstrip("0"))
    shift -= leading
    digits = digits.strip("0") if leading else digits.rstrip("0")
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{shift}"


def read_number(text: str, start: int) -> tuple[Any, int]:
    """Read a number, an integer, a float, or an unsigned integer in hexadecimal, and tell the offset after it.

    :raises CodecError: ``NT-RECON-003`` where it is none or too long, ``NT-RECON-008`` for a minus that begins an expression.
    """
    end = len(text)
    i = start
    if text[i] == "-":
        i += 1
    first = i
    i = _digits(text, i)
    if i == first:
        if i < end and text[i] not in " \t\r\n.eE":
            raise fault("NT-RECON-008", '"-" begins an expression, which natant does not read', text, start)
        raise fault("NT-RECON-003", "a digit must follow", text, i)
    c = text[i] if i < end else "\0"
    if text[first] == "0" and i == first + 1 and (c == "x" or c == "b"):
        return _based(text, start, i + 1, 16 if c == "x" else 2)
    if text[first] == "0" and i > first + 1:
        raise fault("NT-RECON-003", "a number has no leading zeros", text, first)
    if c != "." and c != "e" and c != "E":
        if i - first > MAX_DIGITS:
            raise fault("NT-RECON-003", f"an integer has at most {MAX_DIGITS} digits", text, start)
        return int(text[start:i]), i
    if c == ".":
        first = i + 1
        i = _digits(text, first)
        if i == first:
            raise fault("NT-RECON-003", "a digit must follow", text, i)
        c = text[i] if i < end else "\0"
    if c == "e" or c == "E":
        i += 1
        if i < end and (text[i] == "+" or text[i] == "-"):
            i += 1
        first = i
        i = _digits(text, first)
        if i == first:
            raise fault("NT-RECON-003", "a digit must follow", text, i)
    number = float(text[start:i])
    if number - number != 0.0:
        raise fault("NT-RECON-003", "the number is too large for a float", text, start)
    return number, i


def _digits(text: str, i: int) -> int:
    """The offset after the decimal digits at ``i``."""
    end = len(text)
    while i < end and text[i] in "0123456789":
        i += 1
    return i


def _based(text: str, start: int, first: int, base: int) -> tuple[int, int]:
    """Read the digits after ``0x`` or ``0b``."""
    end = len(text)
    i = first
    if base == 16:
        while i < end and text[i] in "0123456789abcdefABCDEF":
            i += 1
    else:
        while i < end and (text[i] == "0" or text[i] == "1"):
            i += 1
    if i == first or i - first > (16 if base == 16 else 64):
        raise fault("NT-RECON-003", "1 to 16 hexadecimal digits follow 0x, 1 to 64 binary ones 0b", text, first)
    number = int(text[first:i], base)
    if text[start] == "-":
        return -number, i
    if base == 2:
        return number, i
    return (UInt32(number) if i - first <= 8 else UInt64(number)), i
