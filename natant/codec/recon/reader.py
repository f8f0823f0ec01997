# cython: annotation_typing=False, boundscheck=False, wraparound=False
"""The Recon reader: text to values, by recursive descent, one pass, no backtracking.

The grammar is section 3.2 of the protocol's reference, which follows the Java implementation; where other implementations
read more (an empty item in attribute arguments, ``-0x1f``, ``0b101``) this reader does too.  The expression language
(``$a.b``, ``1 + 2``) is refused.

An expression is a run of attributes and at most one value after each, all flattened into one record; an expression
without attributes is its value.  :meth:`Reader.expression` and :meth:`Reader.attributed` hold that rule,
:meth:`Reader.items` the rule for what stands between separators.

Nearly all that is sent is ASCII, and nearly all of that words, plain numbers and plain quoted text: :meth:`Reader.quick` reads
these straight from memory, or nothing at all, and the rest of the grammar then reads what it left.

Invariants: ``pos`` never passes ``end``; every bracket costs one of ``depth``; every item costs one of ``room``.
Called by :mod:`natant.codec.recon.parse`, and for the header of an envelope by :mod:`natant.codec.warp.envelope`.
The file compiles with Cython as it is; its types are in ``reader.pxd``.
"""

from __future__ import annotations

from typing import Any, Final

from natant.codec.recon import raw
from natant.codec.recon.fault import expected, fault
from natant.codec.recon.ident import is_ident_part, is_ident_start
from natant.codec.recon.limit import DEFAULT_LIMITS, Limits
from natant.codec.recon.number import read_number
from natant.codec.recon.string import read_data, read_quoted, read_raw
from natant.codec.recon.value import Attr, Extant, Record, Slot
from natant.errors import CodecError

__all__ = ["Reader", "record_of"]

#: Digit by digit is the faster way to a number where this file is compiled, and the slower one where it is not.
_IS_COMPILED: Final = not __file__.endswith(".py")
_DEPTH: Final = DEFAULT_LIMITS.depth
_SIZE: Final = DEFAULT_LIMITS.size
_ITEMS: Final = DEFAULT_LIMITS.items
#: the powers of ten that are exact as floats
_POWERS: Final = tuple(float(f"1e{power}") for power in range(23))
#: up to here every integer is exact as a float
_MAX_EXACT: Final = 2**53

#: characters that only begin an expression
_OPERATORS: Final = "$!+-*/<>=&|^?~."


def record_of(out: list[Any]) -> Record:
    """A record of the items of a list, which is of no more use afterwards."""
    record = Record.__new__(Record)
    record.items = raw.taken(out)
    return record


def is_bool(word: str) -> bool:
    """True for the two words that are no text."""
    return word == "true" or word == "false"


class Reader:
    """One text being read."""

    __slots__ = ("chars", "depth", "end", "is_narrow", "pos", "room", "text")

    def open(self, text: str, start: int, limits: Limits) -> None:
        """Begin at ``start`` of a text; the reader was made by ``__new__``, which is the fast way where compiled."""
        self.text = text
        self.is_narrow = raw.is_narrow(text)
        self.chars = raw.chars(text)
        self.pos = start
        self.end = len(text)
        if limits is DEFAULT_LIMITS:
            self.depth = _DEPTH
            self.room = _ITEMS
            size = _SIZE
        else:
            self.depth = limits.depth
            self.room = limits.items
            size = limits.size
        if self.end - start > size:
            raise CodecError(
                "NT-RECON-007",
                f"the text has {self.end - start} characters; the limit is {size}. Send it in parts or raise the limit",
            )

    def blanks(self) -> None:
        """Skip spaces and tabs."""
        text = self.text
        i = self.pos
        end = self.end
        while i < end and (text[i] == " " or text[i] == "\t"):
            i += 1
        self.pos = i

    def whites(self) -> None:
        """Skip blanks, newlines and comments."""
        text = self.text
        i = self.pos
        end = self.end
        while i < end:
            c = text[i]
            if c == "#":
                while i < end and text[i] != "\n" and text[i] != "\r":
                    i += 1
            elif c == " " or c == "\n" or c == "\r" or c == "\t":
                i += 1
            else:
                break
        self.pos = i

    def enter(self) -> None:
        """Count a bracket that opens."""
        self.depth -= 1
        if self.depth < 0:
            raise fault("NT-RECON-006", "brackets are nested too deeply here; flatten the value", self.text, self.pos)

    def items(self, out: list[Any], closer: str) -> None:
        """Read items to ``closer`` and past it.

        Two closers are none: NUL is the top of a text, which ends where no item goes on and has no empty items; U+0001 is
        the same with them.
        """
        text = self.text
        end = self.end
        start = self.pos - 1
        while True:
            # most items begin right here
            if self.pos < end and (text[self.pos] <= " " or text[self.pos] == "#"):
                self.whites()
            if self.pos >= end:
                if closer < " ":
                    return
                raise fault("NT-RECON-002", f'no "{closer}" closes what opens here', text, start)
            c = text[self.pos]
            if closer < " ":
                if closer == "\0" and (c == "," or c == ";" or c == ":"):
                    raise expected("a value", text, self.pos)
            elif c == closer:
                self.pos += 1
                return
            self.room -= 1
            if self.room < 0:
                raise fault("NT-RECON-007", "the text has too many items here; send it in parts", text, self.pos)
            key = self.item(True)
            i = self.pos
            c = text[i] if i < end else "\0"
            if c == ":":
                self.pos = i + 1
                slot = Slot.__new__(Slot)  # twice as fast as calling the class
                slot.key = key
                slot.value = self.item(False)
                raw.put(out, slot)
                i = self.pos
                c = text[i] if i < end else "\0"
            else:
                raw.put(out, key)
            if c == "," or c == ";" or c == "\n" or c == "\r":
                self.pos = i + 1
            elif closer < " ":
                if c != "#":
                    return
            elif c == closer:
                self.pos = i + 1
                return
            elif i >= end:
                raise fault("NT-RECON-002", f'no "{closer}" closes what opens here', text, start)
            elif c != "#":
                raise expected(f'"{closer}" or a separator', text, i)

    def item(self, is_key: bool) -> Any:
        """Read one expression and the blanks after it, the quick way where that goes on to the end of it."""
        if self.is_narrow and self.pos < self.end:
            i = self.pos
            value = self.quick(is_key)
            if value is not None:
                c = self.chars[self.pos] if self.pos < self.end else "\0"
                if c != " " and c != "\t" and c != "@":
                    return value
                self.pos = i
        return self.expression()

    def quick(self, is_key: bool) -> Any:
        """Read a word, number or quoted text; None, and nothing read, where that is not as plain as can be."""
        start = self.pos
        first = self.chars[start]
        if first in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_":
            i = raw.word_end(self.text, start + 1)
            if i < self.end and self.chars[i] > "\x7f":
                return None
            self.pos = i
            word = raw.word(self.text, start, i) if is_key else raw.known(self.text, start, i)
            if (first == "t" or first == "f") and is_bool(word):
                return first == "t"
            return word
        if first in "0123456789-":
            return self.simple() if _IS_COMPILED else None
        if first == '"':
            i = raw.quote_end(self.text, start + 1)
            if i >= 0:
                self.pos = i + 1
                return self.text[start + 1 : i]
        return None

    def expression(self) -> Any:
        """Read one expression and the blanks after it; nothing at all is Extant."""
        text = self.text
        end = self.end
        i = self.pos
        while i < end and (text[i] == " " or text[i] == "\t"):
            i += 1
        self.pos = i
        if i >= end:
            return Extant
        c = text[i]
        out: list[Any] | None = None
        value: Any = None
        if c == "@":
            out = raw.roomy()
            self.attributed(out)
            return record_of(out)
        if c == "{" or c == "[":
            out = raw.roomy()
            self.nested(out)
        elif c == "(":
            value = self.arguments()
        else:
            value = self.literal()
            if value is None:
                return Extant
        i = self.pos
        while i < end and (text[i] == " " or text[i] == "\t"):
            i += 1
        self.pos = i
        if i < end and text[i] == "@":
            if out is None:
                out = [value]
            self.attributed(out)
        return value if out is None else record_of(out)

    def attributed(self, out: list[Any]) -> None:
        """Read attributes and what follows each of them into ``out``; ends before anything else."""
        while self.pos < self.end and self.text[self.pos] == "@":
            out.append(self.attribute())
            self.operand(out)

    def operand(self, out: list[Any]) -> None:
        """Read the value after an attribute, if there is one, into ``out``; a record's items go in flat."""
        self.blanks()
        if self.pos >= self.end:
            return
        c = self.text[self.pos]
        if c == "@":
            return
        if c == "{" or c == "[":
            self.nested(out)
        elif c == "(":
            value = self.arguments()
            if isinstance(value, Record):
                out.extend(value.items)
            else:
                out.append(value)
        else:
            value = self.literal()
            if value is None:
                return
            out.append(value)
        self.blanks()

    def attribute(self) -> Any:
        """Read ``@name`` or ``@name(arguments)``."""
        text = self.text
        i = self.pos + 1
        c = text[i] if i < self.end else "\0"
        self.pos = i
        if c == '"' or c == "'":
            name, self.pos = read_quoted(text, i)
        elif c in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_" or (c > "\x7f" and is_ident_start(c)):
            name = self.ident()
        else:
            raise expected("the name of an attribute", text, i)
        attribute = Attr.__new__(Attr)
        attribute.name = name
        attribute.value = self.arguments() if self.pos < self.end and text[self.pos] == "(" else Extant
        return attribute

    def arguments(self) -> Any:
        """Read ``(items)``, after an attribute or as a value: no item is Extant, one value is itself, else a record."""
        self.enter()
        self.pos += 1
        out: list[Any] = raw.roomy()
        self.items(out, ")")
        self.depth += 1
        if not out:
            return Extant
        if len(out) == 1 and not isinstance(out[0], Slot):
            return out[0]
        return record_of(out)

    def literal(self) -> Any:
        """Read text, number, bool or data; None where none begins here."""
        if self.is_narrow:
            value = self.quick(False)
            if value is not None:
                return value
        text = self.text
        i = self.pos
        c = text[i]
        if c == '"' or c == "'":
            value, self.pos = read_quoted(text, i)
            return value
        if c in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_" or (c > "\x7f" and is_ident_start(c)):
            word = self.ident()
            if (c == "t" or c == "f") and is_bool(word):
                return c == "t"
            return word
        if c in "0123456789-":
            value, self.pos = read_number(text, i)
            return value
        if c == "%":
            data, self.pos = read_data(text, i)
            return data
        if c == "`":
            value, self.pos = read_raw(text, i)
            return value
        if c in _OPERATORS:
            raise fault("NT-RECON-008", f'"{c}" begins an expression, which natant does not read; quote text', text, i)
        return None

    def ident(self) -> str:
        """Read an identifier; its first character has been looked at."""
        text = self.text
        end = self.end
        start = self.pos
        i = start + 1
        while i < end:
            c = text[i]
            if c not in "abcdefghijklmnopqrstuvwxyz_ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-" and (
                c <= "\x7f" or not is_ident_part(c)
            ):
                break
            i += 1
        self.pos = i
        return text[start:i]

    def simple(self) -> Any:
        """Read a decimal number of at most 18 digits in one go; None, and nothing read, where it is not as plain as that."""
        chars = self.chars
        end = self.end
        i = start = self.pos
        if chars[i] == "-":
            i += 1
        first = i
        point = -1
        whole = 0
        c = "\0"
        while i < end:
            c = chars[i]
            if "0" <= c <= "9":
                if i - first >= (18 if point < 0 else 19):
                    return None
                whole = whole * 10 + (ord(c) - 48)
            elif c == "." and point < 0 and i > first:
                point = i
            else:
                break
            i += 1
        if i == first or point == i - 1 or (i < end and c in ".eExb"):
            return None
        if chars[first] == "0" and i > first + 1 and point != first + 1:
            return None
        if point < 0:
            self.pos = i
            return -whole if first > start else whole
        if whole > _MAX_EXACT:
            return None
        self.pos = i
        # both are exact as floats, so the quotient is the float nearest to the decimal
        power = _POWERS[i - 1 - point]
        number = whole / power
        return -number if first > start else number

    def markup(self, out: list[Any]) -> None:
        """Read ``[text @tag{…} {items}]``, from after its bracket to past the end of it, into ``out``."""
        text = self.text
        end = self.end
        opening = self.pos - 1
        parts: list[str] = []
        start = self.pos
        while True:
            i = self.pos
            while i < end and text[i] not in "@[]{}\\":
                i += 1
            if i > start:
                parts.append(text[start:i])
            self.pos = i
            if i >= end:
                raise fault("NT-RECON-002", 'no "]" closes what opens here', text, opening)
            c = text[i]
            if c == "\\":
                parts.append(self.escape())
                start = self.pos
                continue
            if parts:
                out.append("".join(parts))
                parts = []
            if c == "]":
                self.pos = i + 1
                return
            if c == "}":
                raise expected('text, "@", "{", "[" or "]"', text, i)
            self.room -= 1
            if self.room < 0:
                raise fault("NT-RECON-007", "the text has too many items here; send it in parts", text, i)
            if c == "@":
                inline: list[Any] = [self.attribute()]
                i = self.pos
                if i < end and (text[i] == "{" or text[i] == "["):
                    self.nested(inline)
                out.append(record_of(inline))
            else:
                self.nested(out)
            start = self.pos

    def nested(self, out: list[Any]) -> None:
        """Read a record or markup in brackets, flat, into ``out``."""
        c = self.text[self.pos]
        self.enter()
        self.pos += 1
        if c == "{":
            self.items(out, "}")
        else:
            self.markup(out)
        self.depth += 1

    def escape(self) -> str:
        """Read an escape in markup."""
        i = self.pos + 1
        c = self.text[i] if i < self.end else "\0"
        at = "\"$'/@[\\]{}bfnrt".find(c)
        if at < 0:
            raise fault(
                "NT-RECON-004",
                "an escape in markup is one of \\\" \\$ \\' \\/ \\@ \\[ \\\\ \\] \\{ \\} \\b \\f \\n \\r \\t",
                self.text,
                i,
            )
        self.pos = i + 1
        return "\"$'/@[\\]{}\b\f\n\r\t"[at]
