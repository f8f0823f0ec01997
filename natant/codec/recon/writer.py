# cython: annotation_typing=False, boundscheck=False, wraparound=False
"""The Recon writer: values to text in the canonical compact form (reference, section 3.4).

Two forms are printed. The *wire* form is what SwimOS prints: ``1.0`` as ``1``, a record of one item in attribute
arguments without braces. The *exact* form keeps what the wire form drops, so that reading it gives an equal value of the
same type; it is what the journal keeps. Most values print the same in both.

Never printed: markup (Rust peers cannot read it), and the words ``true`` and ``false`` for text.
Called by :mod:`natant.codec.recon`.  The file compiles with Cython as it is; its types are in ``writer.pxd``.
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Mapping
from typing import Any, Final

from natant.codec.recon import sheet
from natant.codec.recon.ident import is_ident
from natant.codec.recon.limit import MAX_DIGITS, MAX_WRITE_DEPTH
from natant.codec.recon.number import float_text
from natant.codec.recon.value import AbsentType, Attr, ExtantType, Record, Slot, UInt32, UInt64
from natant.errors import CodecError

__all__ = ["encode", "encode_block", "encode_body", "encode_pair"]

_ESCAPES: Final = {
    **{code: f"\\u{code:04X}" for code in range(32)},
    ord('"'): '\\"', ord("\\"): "\\\\", 8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r",
}  # fmt: skip
_surrogate = re.compile("[\ud800-\udfff]").search
#: integers of more bits are counted digit by digit, as CPython refuses to print very long ones
_SMALL_BITS: Final = 13_000


class Writer:
    """One value being written.  ``is_lossy`` tells that the wire form dropped something."""

    __slots__ = ("depth", "is_exact", "is_lossy", "out")

    def open(self, is_exact: bool) -> None:
        """Begin a text; the writer was made by ``__new__``, which is the fast way where compiled."""
        self.out: sheet.Sheet = sheet.blank()
        self.is_exact = is_exact
        self.is_lossy = False
        self.depth = MAX_WRITE_DEPTH

    def value(self, value: Any) -> None:
        """Write a value as it stands alone, in a record or as the key or value of a slot."""
        kind = type(value)
        if kind is str:
            self.text(value)
        elif kind is int:
            if not sheet.plain_int(self.out, value):
                sheet.add(self.out, _integer(value))
        elif kind is float:
            self.real(value)
        elif kind is bool:
            sheet.add(self.out, "true" if value else "false")
        elif kind is Record:
            self.record(value.items)
        elif kind is ExtantType or kind is AbsentType or value is None:
            return
        elif kind is dict:
            self.pairs(value)
        elif kind is list or kind is tuple:
            self.record(tuple(value))
        elif kind is bytes:
            sheet.add(self.out, _data(value))
        elif kind is UInt32 or kind is UInt64:
            sheet.add(self.out, _unsigned(value))
        else:
            self.value(_plain(value))

    def text(self, text: str) -> None:
        """Write a text, in quotes where it is no word."""
        if not sheet.plain_text(self.out, text):
            sheet.add(self.out, _text(text))

    def real(self, value: float) -> None:
        """Write a float; notes where the wire form gives up its type."""
        done = sheet.plain_float(self.out, value, self.is_exact)
        if done == 0:
            text = float_text(value, self.is_exact)
            sheet.add(self.out, text)
            if "." not in text:
                self.is_lossy = True
        elif done == 2:
            self.is_lossy = True

    def enter(self) -> None:
        """Count a bracket that opens."""
        self.depth -= 1
        if self.depth < 0:
            raise _too_deep()

    def record(self, items: tuple[Any, ...]) -> None:
        """Write a record as a value: in braces, or as an expression where it has attributes."""
        self.enter()
        if _has_attr(items):
            self.expression(items)
        else:
            sheet.mark(self.out, "{")
            self.block(items)
            sheet.mark(self.out, "}")
        self.depth += 1

    def pairs(self, pairs: dict[Any, Any]) -> None:
        """Write a dict as a record of its slots."""
        self.enter()
        mark = "{"
        for key, value in pairs.items():
            sheet.mark(self.out, mark)
            self.value(key)
            sheet.mark(self.out, ":")
            self.value(value)
            mark = ","
        if mark == "{":
            sheet.mark(self.out, mark)
        sheet.mark(self.out, "}")
        self.depth += 1

    def expression(self, items: tuple[Any, ...]) -> None:
        """Write items some of which are attributes: ``{…}@a(…) 1@b{…}``."""
        start = 0
        count = len(items)
        for i in range(count):
            item = items[i]
            if type(item) is Attr:
                if i > start:
                    self.operand(items[start:i], start > 0)
                self.attribute(item)
                start = i + 1
        if start < count:
            self.operand(items[start:], True)

    def operand(self, items: tuple[Any, ...], follows: bool) -> None:
        """Write the items between attributes: one plain value stands bare, anything else in braces."""
        if len(items) == 1:
            value = items[0]
            kind = type(value)
            if kind is str:
                text = _text(value)
                if follows and text[0] != '"':
                    sheet.mark(self.out, " ")
                sheet.add(self.out, text)
                return
            if kind is int or kind is float or kind is bool or kind is bytes or kind is UInt32 or kind is UInt64:
                if follows and kind is not bytes:
                    sheet.mark(self.out, " ")
                self.value(value)
                return
        sheet.mark(self.out, "{")
        self.block(items)
        sheet.mark(self.out, "}")

    def attribute(self, attr: Any) -> None:
        """Write ``@name`` or ``@name(arguments)``."""
        name = attr.name
        if type(name) is not str:
            name = str(name)
        sheet.mark(self.out, "@")
        self.text(name)
        value = attr.value
        kind = type(value)
        if kind is ExtantType or kind is AbsentType or value is None:
            return
        sheet.mark(self.out, "(")
        if kind is dict or kind is list or kind is tuple:
            value = _record_of(value)
            kind = Record
        if kind is Record:
            self.arguments(value.items)
        else:
            self.value(value)
        sheet.mark(self.out, ")")

    def arguments(self, items: tuple[Any, ...]) -> None:
        """Write a record as the arguments of an attribute: without braces where that can be read back."""
        count = len(items)
        if count == 0:
            sheet.add(self.out, "{}")
            return
        is_bare = True
        for item in items:
            kind = type(item)
            if kind is Attr or kind is ExtantType or kind is AbsentType or item is None:
                is_bare = False
            elif kind is Slot and _is_empty(item.key):
                # "(:1)" is an error in Java
                is_bare = False
        if is_bare and count == 1 and type(items[0]) is not Slot:
            # "(1)" reads as 1 and not as a record of it
            self.is_lossy = True
            is_bare = not self.is_exact
        if is_bare:
            self.enter()
            self.block(items)
            self.depth += 1
        else:
            self.record(items)

    def block(self, items: tuple[Any, ...]) -> None:
        """Write items with commas between them."""
        out = self.out
        is_first = True
        for item in items:
            if is_first:
                is_first = False
            else:
                sheet.mark(out, ",")
            if type(item) is Slot:
                slot = item
                self.value(slot.key)
                sheet.mark(out, ":")
                self.value(slot.value)
            elif type(item) is Attr:
                self.attribute(item)
            else:
                self.value(item)
        if items and _is_empty(items[len(items) - 1]):
            # a trailing separator is dropped, so an empty last item needs one more
            sheet.mark(out, ",")

    def body(self, value: Any, is_whole: bool) -> None:
        """Write a value as the body of an envelope: its items join the record that the header began."""
        kind = type(value)
        if kind is list or kind is tuple or (kind is dict and not value):
            value = _record_of(value)
            kind = Record
        if kind is not Record:
            self.value(value)
            return
        items: tuple[Any, ...] = value.items
        if len(items) > 1 or (len(items) == 1 and (type(items[0]) is Slot or type(items[0]) is Attr)):
            self.record(items)
        elif is_whole:
            sheet.mark(self.out, "{")
            self.record(items)
            sheet.mark(self.out, "}")
        elif items:
            self.enter()
            self.operand(items, False)
            self.depth += 1


def _too_deep() -> CodecError:
    return CodecError(
        "NT-RECON-006", f"the value nests deeper than {MAX_WRITE_DEPTH} records; flatten it before it is encoded"
    )


def _has_attr(items: tuple[Any, ...]) -> bool:
    for item in items:  # noqa: SIM110  # any() of a generator makes no C function
        if type(item) is Attr:
            return True
    return False


def _is_empty(value: Any) -> bool:
    kind = type(value)
    return kind is ExtantType or kind is AbsentType or value is None


def _record_of(value: Any) -> Record:
    if isinstance(value, Mapping):
        return Record([Slot(key, item) for key, item in value.items()])
    return Record(value)


def _text(text: str) -> str:
    if text.isascii():
        if text.isprintable() and '"' not in text and "\\" not in text:
            return text if is_ident(text) and text != "true" and text != "false" else f'"{text}"'
        return '"' + text.translate(_ESCAPES) + '"'
    if is_ident(text):
        return text
    if _surrogate(text):
        raise CodecError(
            "NT-RECON-010", f"text {text[:24]!r} has half a surrogate pair, which UTF-8 cannot hold; replace it"
        )
    return '"' + text.translate(_ESCAPES) + '"'


def _integer(value: int) -> str:
    if value.bit_length() > _SMALL_BITS and abs(value) >= 10**MAX_DIGITS:
        raise CodecError(
            "NT-RECON-010", f"an integer of more than {MAX_DIGITS} digits cannot be written; use text or data"
        )
    return str(value)


def _unsigned(value: int) -> str:
    digits = 8 if type(value) is UInt32 else 16
    if not 0 <= value < 16**digits:
        raise CodecError("NT-RECON-010", f"{int(value)} does not fit {type(value).__name__}; use a plain int")
    return f"0x{int(value):0{digits}x}"


def _data(value: bytes) -> str:
    return "%" + b2a_base64(value, newline=False).decode("ascii")


def _plain(value: Any) -> Any:
    """A value of one of the exact types for one of a subclass or of a type like them."""
    if isinstance(value, (Attr, Slot)):
        return Record((value,))
    for kind in (str, UInt32, UInt64, int, float):
        if isinstance(value, kind):
            return kind(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, Record):
        return Record(value.items)
    if isinstance(value, (Mapping, list, tuple)):
        return _record_of(value)
    raise CodecError(
        "NT-RECON-010",
        f"{type(value).__name__} is no Recon value; declare the type on the lane, or give text, a number, bool, bytes, "
        "dict, list, Record or None",
    )


def encode(value: Any, *, exact: bool = False) -> str:
    """Print a value: canonical compact Recon.

    Plain Python is taken too: a dict is a record of slots, a list or tuple a record of values, None is Extant.

    :param exact: print what :func:`~natant.codec.recon.decode` reads back as an equal value of the same types.
    :raises CodecError: ``NT-RECON-010`` for what Recon cannot hold (NaN, infinity, an unknown type), ``NT-RECON-006`` for
        nesting without end.
    """
    writer = Writer.__new__(Writer)
    writer.open(exact)
    kind = type(value)
    if exact and (kind is ExtantType or value is None):
        return "()"
    writer.value(value)
    return sheet.to_text(writer.out)


def encode_block(value: Any, *, exact: bool = False) -> str:
    """Print the items of a record without braces around them; other values, and records with attributes, as ever.

    :raises CodecError: as :func:`encode`.
    """
    kind = type(value)
    if kind is dict or kind is list or kind is tuple:
        value = _record_of(value)
    if type(value) is not Record or _has_attr(value.items):
        return encode(value, exact=exact)
    writer = Writer.__new__(Writer)
    writer.open(exact)
    writer.block(value.items)
    return sheet.to_text(writer.out)


def encode_body(value: Any, *, whole: bool = False) -> str:
    """Print a value as a body, to follow the header of an envelope or of a map operation; nothing where it is empty.

    A body is flattened into the header's record, so SwimOS prints a record of one value as that value and an empty record
    as nothing (reference, section 2.2).

    :param whole: print ``{{1}}`` and ``{{}}`` for those two, which every SwimOS reader takes for the record itself.
    :raises CodecError: as :func:`encode`.
    """
    writer = Writer.__new__(Writer)
    writer.open(False)
    writer.body(value, whole)
    return sheet.to_text(writer.out)


def encode_pair(value: Any, *, whole: bool = False) -> tuple[str, str]:
    """Print a value as a body for links and in the exact form for the journal.

    :param whole: as for :func:`encode_body`.
    :returns: body and exact text; one object twice where both are the same.
    :raises CodecError: as :func:`encode`.
    """
    kind = type(value)
    writer = Writer.__new__(Writer)
    writer.open(False)
    if kind is ExtantType or value is None:
        return "", "()"
    if kind is Record or kind is dict or kind is list or kind is tuple:
        writer.body(value, whole)
        body = sheet.to_text(writer.out)
        if writer.is_lossy or len(value) < 2:
            text = encode(value, exact=True)
            return body, (body if text == body else text)
        return body, body
    writer.value(value)
    body = sheet.to_text(writer.out)
    return body, (encode(value, exact=True) if writer.is_lossy else body)
