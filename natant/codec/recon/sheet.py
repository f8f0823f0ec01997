"""A text that is being put together, where it is compiled and where it is not.

``sheet.pxd`` declares the same names as C functions that write UTF-8 into one block of memory; compiled modules take those
and never call these, for which a sheet is a list of pieces.  What is plain is written in one go; where a function says that
it has written nothing, the rules of the writer say what the text is.
"""

from __future__ import annotations

from typing import TypeAlias

__all__ = ["Sheet", "add", "blank", "mark", "plain_float", "plain_int", "plain_text", "to_bytes", "to_text"]

Sheet: TypeAlias = list[str]


def blank() -> Sheet:
    """An empty sheet."""
    return []


def mark(sheet: Sheet, char: str) -> None:
    """Write one ASCII character."""
    sheet.append(char)


def add(sheet: Sheet, text: str) -> None:
    """Write a text as it is; it has no half of a surrogate pair."""
    sheet.append(text)


def plain_text(sheet: Sheet, text: str) -> bool:
    """Write a text as Recon where it is ASCII and needs no escapes; False, and nothing written, else."""
    if text.isascii() and text.isidentifier() and text != "true" and text != "false":
        sheet.append(text)
        return True
    return False


def plain_int(sheet: Sheet, number: int) -> bool:
    """Write an integer where it fits 64 bits; False, and nothing written, else."""
    if -(2**63) <= number < 2**63:
        sheet.append(str(number))
        return True
    return False


def plain_float(sheet: Sheet, number: float, is_exact: bool) -> int:
    """Write a float where it has few digits and no exponent; 0 where nothing was written, 2 where it looks like an integer."""
    if not (1e-3 <= number < 1e7 or -1e7 < number <= -1e-3):
        return 0
    text = repr(number)
    is_integral = not is_exact and text.endswith(".0")
    sheet.append(text[:-2] if is_integral else text)
    return 2 if is_integral else 1


def to_text(sheet: Sheet) -> str:
    """What was written; the sheet is of no more use afterwards."""
    return "".join(sheet)


def to_bytes(sheet: Sheet) -> bytes:
    """What was written, in UTF-8; the sheet is of no more use afterwards."""
    return "".join(sheet).encode()
