"""How floats are printed: as Java prints them, which every SwimOS peer reads."""

from __future__ import annotations

from typing import Final

from natant.errors import CodecError

__all__ = ["float_text"]

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
