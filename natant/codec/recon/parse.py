# cython: annotation_typing=False, boundscheck=False, wraparound=False
"""Reading whole Recon texts: a value, a block or the body of an envelope.

The three differ in what may follow the first item; the grammar itself is :class:`natant.codec.recon.reader.Reader`.
Re-exported by :mod:`natant.codec.recon`.  The file compiles with Cython as it is; its types are in ``parse.pxd``.
"""

from __future__ import annotations

from typing import Any

from natant.codec.recon import raw
from natant.codec.recon.fault import expected
from natant.codec.recon.limit import DEFAULT_LIMITS, Limits
from natant.codec.recon.reader import Reader, record_of
from natant.codec.recon.value import Absent, Attr, Record, Slot
from natant.errors import CodecError

__all__ = ["decode", "decode_block", "decode_body", "read_body", "to_text"]


def to_text(text: str | bytes | bytearray) -> str:
    """Text of UTF-8 bytes.

    :raises CodecError: ``NT-RECON-009`` where the bytes are no UTF-8.
    """
    if isinstance(text, str):
        return text
    try:
        return str(text, "utf-8")
    except UnicodeDecodeError as error:
        raise CodecError("NT-RECON-009", f"byte {error.start} is not valid UTF-8; Recon is UTF-8 text") from None


def _one(out: list[Any]) -> Any:
    if not out:
        return Absent
    if len(out) == 1 and not isinstance(out[0], (Slot, Attr)):
        return out[0]
    return record_of(out)


def decode(text: str | bytes | bytearray, *, limits: Limits = DEFAULT_LIMITS) -> Any:
    """Read a Recon text: the value in it, Absent where it is empty, or a record where it has several items or slots.

    :raises CodecError: ``NT-RECON-001`` to ``NT-RECON-009``; the message names the line and column.
    """
    reader = Reader.__new__(Reader)
    reader.open(to_text(text), 0, limits)
    out: list[Any] = raw.roomy()
    reader.items(out, "\0")
    if reader.pos < reader.end:
        raise expected("a separator or the end", reader.text, reader.pos)
    return _one(out)


def decode_block(text: str | bytes | bytearray, *, limits: Limits = DEFAULT_LIMITS) -> Record:
    """Read a block, items without braces around them, as the record of its items; empty items are allowed.

    :raises CodecError: as :func:`decode`.
    """
    reader = Reader.__new__(Reader)
    reader.open(to_text(text), 0, limits)
    out: list[Any] = raw.roomy()
    reader.items(out, "\1")
    if reader.pos < reader.end:
        raise expected("a separator or the end", reader.text, reader.pos)
    return record_of(out)


def decode_body(text: str | bytes | bytearray, *, limits: Limits = DEFAULT_LIMITS) -> Any:
    """Read what follows the header of an envelope or of a map operation (reference, section 2.2).

    Header and body are one flattened record: no item is Absent, one value is that value, else the record of the rest.
    As SwimOS's decoder looks one character ahead, one character after a complete body is let pass.

    :raises CodecError: as :func:`decode`; also where the body is a slot or has further items.
    """
    return read_body(to_text(text), 0, limits)


def read_body(text: str, start: int, limits: Limits) -> Any:
    """:func:`decode_body` of ``text`` from ``start`` on; errors count lines and columns from the beginning of ``text``."""
    reader = Reader.__new__(Reader)
    reader.open(text, start, limits)
    if reader.pos == reader.end:
        return Absent
    out: list[Any] = raw.roomy()
    reader.operand(out)
    reader.attributed(out)
    if reader.pos < reader.end:
        i = reader.pos
        c = reader.text[i]
        if c == "," or c == ";" or c == "\n" or c == "\r" or c == "#":
            if c != "#":
                reader.pos += 1
            reader.whites()
            i = reader.pos
            if i < reader.end:
                raise expected("nothing further after the one value of a body", reader.text, i)
        elif c == ":" or reader.end - i > 1:
            raise expected("the end after the one value of a body", reader.text, i)
    return _one(out)
