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
_IS_COMPILED: Final = not __file__.endswith(".py")
_surrogate = re.compile("[\ud800-\udfff]").search
#: integers of more bits are counted digit by digit, as CPython refuses to print very long ones
_SMALL_BITS: Final = 13_000


class Writer:
    """One value being written.  ``is_lossy`` tells that the wire form dropped something."""

    __slots__ = ("depth", "is_exact", "is_lossy", "out")

    def __init__(self, is_exact: bool) -> None:
        self.out: list[str] = []
        self.is_exact = is_exact
        self.is_lossy = False
        self.depth = MAX_WRITE_DEPTH

    def value(self, value: Any) -> None:
        """Write a value as it stands alone, in a record or as the key or value of a slot."""
        kind = type(value)
        if kind is str:
            self.out.append(_text(value))
        elif kind is int:
            self.out.append(_integer(value))
        elif kind is float:
            self.out.append(self.floating(value))
        elif kind is bool:
            self.out.append("true" if value else "false")
        elif kind is Record:
            self.record(value.items)
        elif kind is ExtantType or kind is AbsentType or value is None:
            return
        elif kind is dict:
            self.record(tuple([Slot(key, item) for key, item in value.items()]))
        elif kind is list or kind is tuple:
            self.record(tuple(value))
        elif kind is bytes:
            self.out.append(_data(value))
        elif kind is UInt32 or kind is UInt64:
            self.out.append(_unsigned(value))
        else:
            self.value(_plain(value))

    def floating(self, value: float) -> str:
        """The text of a float; notes where the wire form gives up its type."""
        if 1e-3 <= value < 1e7:
            text = repr(value)
            if text[len(text) - 2 :] != ".0":
                return text
        if self.is_exact:
            return float_text(value, True)
        text = float_text(value, False)
        if "." not in text:
            self.is_lossy = True
        return text

    def enter(self) -> None:
        """Count a bracket that opens."""
        self.depth -= 1
        if self.depth < 0:
            raise _too_deep()

    def record(self, items: tuple[Any, ...]) -> None:
        """Write a record as a value: in braces, or as an expression where it has attributes."""
        self.enter()
        for item in items:
            if type(item) is Attr:
                self.expression(items)
                break
        else:
            self.out.append("{")
            self.block(items)
            self.out.append("}")
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
            kind = type(items[0])
            if (
                kind is str
                or kind is int
                or kind is float
                or kind is bool
                or kind is bytes
                or kind is UInt32
                or kind is UInt64
            ):
                if follows:
                    at = len(self.out)
                    self.out.append(" ")
                    self.value(items[0])
                    if self.out[at + 1][0] in '"%':
                        self.out[at] = ""
                else:
                    self.value(items[0])
                return
        self.out.append("{")
        self.block(items)
        self.out.append("}")

    def attribute(self, attr: Any) -> None:
        """Write ``@name`` or ``@name(arguments)``."""
        name = attr.name
        if type(name) is not str:
            name = str(name)
        self.out.append("@")
        self.out.append(_text(name))
        value = attr.value
        kind = type(value)
        if kind is ExtantType or kind is AbsentType or value is None:
            return
        self.out.append("(")
        if kind is dict or kind is list or kind is tuple:
            value = _record_of(value)
            kind = Record
        if kind is Record:
            self.arguments(value.items)
        else:
            self.value(value)
        self.out.append(")")

    def arguments(self, items: tuple[Any, ...]) -> None:
        """Write a record as the arguments of an attribute: without braces where that can be read back."""
        count = len(items)
        if count == 0:
            self.out.append("{}")
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
                out.append(",")
            kind = type(item)
            if kind is Slot:
                self.value(item.key)
                out.append(":")
                self.value(item.value)
            elif kind is Attr:
                self.attribute(item)
            else:
                self.value(item)
        if items and _is_empty(items[len(items) - 1]):
            # a trailing separator is dropped, so an empty last item needs one more
            out.append(",")

    def body(self, value: Any, is_whole: bool) -> None:
        """Write a value as the body of an envelope: its items join the record that the header began."""
        kind = type(value)
        if kind is dict or kind is list or kind is tuple:
            value = _record_of(value)
            kind = Record
        if kind is not Record:
            self.value(value)
            return
        items: tuple[Any, ...] = value.items
        if len(items) > 1 or (len(items) == 1 and (type(items[0]) is Slot or type(items[0]) is Attr)):
            self.record(items)
        elif is_whole:
            self.out.append("{")
            self.record(items)
            self.out.append("}")
        elif items:
            self.enter()
            self.operand(items, False)
            self.depth += 1


def _too_deep() -> CodecError:
    return CodecError(
        "NT-RECON-006", f"the value nests deeper than {MAX_WRITE_DEPTH} records; flatten it before it is encoded"
    )


def _is_empty(value: Any) -> bool:
    kind = type(value)
    return kind is ExtantType or kind is AbsentType or value is None


def _record_of(value: Any) -> Record:
    if isinstance(value, Mapping):
        return Record([Slot(key, item) for key, item in value.items()])
    return Record(value)


def _is_word(text: str) -> bool:
    """True for an identifier of ASCII without a dash, which most keys and words are, but for ``true`` and ``false``."""
    if not _IS_COMPILED:
        return text.isascii() and text.isidentifier() and text != "true" and text != "false"
    is_first = True
    for c in text:
        if c not in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_" and (is_first or c not in "0123456789"):
            return False
        is_first = False
    return not is_first and text != "true" and text != "false"


def _text(text: str) -> str:
    if _is_word(text):
        return text
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
    writer = Writer(exact)
    kind = type(value)
    if exact and (kind is ExtantType or value is None):
        return "()"
    writer.value(value)
    return "".join(writer.out)


def encode_block(value: Any, *, exact: bool = False) -> str:
    """Print the items of a record without braces around them; other values, and records with attributes, as ever.

    :raises CodecError: as :func:`encode`.
    """
    kind = type(value)
    if kind is dict or kind is list or kind is tuple:
        value = _record_of(value)
    if type(value) is not Record or any(type(item) is Attr for item in value.items):
        return encode(value, exact=exact)
    writer = Writer(exact)
    writer.block(value.items)
    return "".join(writer.out)


def encode_body(value: Any, *, whole: bool = False) -> str:
    """Print a value as a body, to follow the header of an envelope or of a map operation; nothing where it is empty.

    A body is flattened into the header's record, so SwimOS prints a record of one value as that value and an empty record
    as nothing (reference, section 2.2).

    :param whole: print ``{{1}}`` and ``{{}}`` for those two, which every SwimOS reader takes for the record itself.
    :raises CodecError: as :func:`encode`.
    """
    writer = Writer(False)
    writer.body(value, whole)
    return "".join(writer.out)


def encode_pair(value: Any, *, whole: bool = False) -> tuple[str, str]:
    """Print a value as a body for links and in the exact form for the journal.

    :param whole: as for :func:`encode_body`.
    :returns: body and exact text; one object twice where both are the same.
    :raises CodecError: as :func:`encode`.
    """
    kind = type(value)
    writer = Writer(False)
    if kind is ExtantType or value is None:
        return "", "()"
    if kind is Record or kind is dict or kind is list or kind is tuple:
        writer.body(value, whole)
        body = "".join(writer.out)
        if writer.is_lossy or len(value) < 2:
            text = encode(value, exact=True)
            return body, (body if text == body else text)
        return body, body
    writer.value(value)
    body = "".join(writer.out)
    return body, (encode(value, exact=True) if writer.is_lossy else body)
