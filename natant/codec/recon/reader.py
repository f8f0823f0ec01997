# cython: annotation_typing=False, boundscheck=False, wraparound=False
"""The Recon reader: text to values, by recursive descent, one pass, no backtracking.

The grammar is section 3.2 of the protocol's reference, which follows the Java implementation; where other implementations
read more (an empty item in attribute arguments, ``-0x1f``, ``0b101``) this reader does too.  The expression language
(``$a.b``, ``1 + 2``) is refused.

An expression is a run of attributes and at most one value after each, all flattened into one record; an expression
without attributes is its value.  :meth:`Reader.expression` and :meth:`Reader.attributed` hold that rule,
:meth:`Reader.items` the rule for what stands between separators.

Invariants: ``pos`` never passes ``end``; every bracket costs one of ``depth``; every item costs one of ``room``.
Called by :mod:`natant.codec.recon.parse`, and for the header of an envelope by :mod:`natant.codec.warp.envelope`.
The file compiles with Cython as it is; its types are in ``reader.pxd``.
"""

from __future__ import annotations

from typing import Any, Final

from natant.codec.recon.fault import expected, fault
from natant.codec.recon.ident import is_ident_part, is_ident_start
from natant.codec.recon.limit import DEFAULT_LIMITS, MAX_DIGITS, Limits
from natant.codec.recon.string import read_data, read_quoted, read_raw
from natant.codec.recon.value import Attr, Extant, Record, Slot, UInt32, UInt64
from natant.errors import CodecError

__all__ = ["Reader"]

#: Digit by digit is the faster way to a number where this file is compiled, and the slower one where it is not.
_IS_COMPILED: Final = not __file__.endswith(".py")
_DEPTH: Final = DEFAULT_LIMITS.depth
_SIZE: Final = DEFAULT_LIMITS.size
_ITEMS: Final = DEFAULT_LIMITS.items
_POWERS: Final = tuple(float(f"1e{power}") for power in range(16))

#: characters that only begin an expression
_OPERATORS: Final = "$!+-*/<>=&|^?~."


def is_bool(word: str) -> bool:
    """True for the two words that are no text."""
    return word == "true" or word == "false"


class Reader:
    """One text being read."""

    __slots__ = ("depth", "end", "pos", "room", "text")

    def open(self, text: str, limits: Limits) -> None:
        """Begin at the start of a text; the reader was made without arguments, which is the fast way where compiled."""
        self.text = text
        self.pos = 0
        self.end = len(text)
        if limits is DEFAULT_LIMITS:
            self.depth = _DEPTH
            self.room = _ITEMS
            size = _SIZE
        else:
            self.depth = limits.depth
            self.room = limits.items
            size = limits.size
        if self.end > size:
            raise CodecError(
                "NT-RECON-007",
                f"the text has {self.end} characters; the limit is {size}. Send it in parts or raise the limit",
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
            i = self.pos
            if c in "abcdefghijklmnopqrstuvwxyz":
                # a word and a colon, as most slots begin; what turns out to be something else is read again
                key = self.ident()
                if self.pos >= end or text[self.pos] != ":" or ((c == "t" or c == "f") and is_bool(key)):
                    self.pos = i
                    key = self.expression()
            else:
                key = self.expression()
            i = self.pos
            c = text[i] if i < end else "\0"
            if c == ":":
                self.pos = i + 1
                slot = Slot.__new__(Slot)  # twice as fast as calling the class
                slot.key = key
                slot.value = self.expression()
                out.append(slot)
                i = self.pos
                c = text[i] if i < end else "\0"
            else:
                out.append(key)
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
            out = []
            self.attributed(out)
            return Record(out)
        if c == "{" or c == "[":
            out = []
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
            return Record(out)
        if out is None:
            return value
        record = Record.__new__(Record)
        record.items = tuple(out)
        return record

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
        if self.pos < self.end and text[self.pos] == "(":
            return Attr(name, self.arguments())
        return Attr(name)

    def arguments(self) -> Any:
        """Read ``(items)``, after an attribute or as a value: no item is Extant, one value is itself, else a record."""
        self.enter()
        self.pos += 1
        out: list[Any] = []
        self.items(out, ")")
        self.depth += 1
        if not out:
            return Extant
        if len(out) == 1 and not isinstance(out[0], Slot):
            return out[0]
        return Record(out)

    def literal(self) -> Any:
        """Read text, number, bool or data; None where none begins here."""
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
            return self.number()
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

    def number(self) -> Any:
        """Read a number: an integer, a float, or an unsigned integer in hexadecimal."""
        if _IS_COMPILED:
            value = self.simple()
            if value is not None:
                return value
        text = self.text
        end = self.end
        start = self.pos
        i = start
        if text[i] == "-":
            i += 1
        first = i
        while i < end and text[i] in "0123456789":
            i += 1
        if i == first:
            if i < end and text[i] not in " \t\r\n.eE":
                raise fault("NT-RECON-008", '"-" begins an expression, which natant does not read', text, start)
            raise fault("NT-RECON-003", "a digit must follow", text, i)
        c = text[i] if i < end else "\0"
        if text[first] == "0" and i == first + 1 and (c == "x" or c == "b"):
            return self.based(start, i + 1, 16 if c == "x" else 2)
        if text[first] == "0" and i > first + 1:
            raise fault("NT-RECON-003", "a number has no leading zeros", text, first)
        if c != "." and c != "e" and c != "E":
            self.pos = i
            if i - first > MAX_DIGITS:
                raise fault("NT-RECON-003", f"an integer has at most {MAX_DIGITS} digits", text, start)
            return int(text[start:i])
        if c == ".":
            i += 1
            first = i
            while i < end and text[i] in "0123456789":
                i += 1
            if i == first:
                raise fault("NT-RECON-003", "a digit must follow", text, i)
            c = text[i] if i < end else "\0"
        if c == "e" or c == "E":
            i += 1
            if i < end and (text[i] == "+" or text[i] == "-"):
                i += 1
            first = i
            while i < end and text[i] in "0123456789":
                i += 1
            if i == first:
                raise fault("NT-RECON-003", "a digit must follow", text, i)
        self.pos = i
        number = float(text[start:i])
        if number - number != 0.0:
            raise fault("NT-RECON-003", "the number is too large for a float", text, start)
        return number

    def simple(self) -> Any:
        """Read a decimal number of at most 15 digits in one go; None, and nothing read, where it is not as plain as that."""
        text = self.text
        end = self.end
        i = start = self.pos
        is_negative = text[i] == "-"
        if is_negative:
            i += 1
        first = i
        point = -1
        whole = 0
        c = "\0"
        while i < end:
            c = text[i]
            if "0" <= c <= "9":
                whole = whole * 10 + (ord(c) - 48)
            elif c == "." and point < 0 and i > first:
                point = i
            else:
                break
            i += 1
            if i - start > 17:
                return None
        digits = i - first - (1 if point >= 0 else 0)
        if digits > 15 or digits == 0 or point == i - 1 or (i < end and c in ".eExb"):
            return None
        if text[first] == "0" and digits > 1 and point != first + 1:
            return None
        self.pos = i
        if point < 0:
            return -whole if is_negative else whole
        # both are exact as floats, so the quotient is the float nearest to the decimal
        power = _POWERS[i - 1 - point]
        number = whole / power
        return -number if is_negative else number

    def based(self, start: int, first: int, base: int) -> Any:
        """Read the digits after ``0x`` or ``0b``."""
        text = self.text
        end = self.end
        i = first
        if base == 16:
            while i < end and text[i] in "0123456789abcdefABCDEF":
                i += 1
        else:
            while i < end and (text[i] == "0" or text[i] == "1"):
                i += 1
        self.pos = i
        if i == first or i - first > (16 if base == 16 else 64):
            raise fault("NT-RECON-003", "1 to 16 hexadecimal digits follow 0x, 1 to 64 binary ones 0b", text, first)
        number = int(text[first:i], base)
        if text[start] == "-":
            return -number
        if base == 2:
            return number
        return UInt32(number) if i - first <= 8 else UInt64(number)

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
                out.append(Record(inline))
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
