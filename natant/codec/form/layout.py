# cython: annotation_typing=False, boundscheck=False, wraparound=False
"""How objects of one record class are read from records and written, field by field: the hot path of forms.

Reading is one loop over the items, with one call for each field that is not already of its exact type.  Writing makes a
record (:meth:`Layout.encode`), or, where only the text is wanted, goes straight to the writer (:meth:`Layout.texts`).  What
does not fit is always refused by the way over a record, so that errors do not depend on the way.

Made by :mod:`natant.codec.form.record`.  The file compiles with Cython as it is; its types are in ``layout.pxd``.
"""

from __future__ import annotations

from typing import Any, Final

from natant.codec.form.error import at, misfit, refuse, unfit
from natant.codec.form.plan import MISSING, Convert, Plan
from natant.codec.form.shape import Shape
from natant.codec.recon import raw, sheet
from natant.codec.recon.check import check_value
from natant.codec.recon.limit import MAX_WRITE_DEPTH
from natant.codec.recon.reader import record_of
from natant.codec.recon.value import Attr, Extant, Record, Slot
from natant.codec.recon.writer import Writer, encode, encode_pair
from natant.errors import CodecError, FormError

__all__ = ["Layout"]

_IS_COMPILED: Final = not __file__.endswith(".py")
_DEPTH: Final = MAX_WRITE_DEPTH


class Layout:
    """The fields of one record class, in order, as lists that go by the place of a field."""

    __slots__ = (
        "attributes",
        "blank",
        "decoders",
        "encoders",
        "end",
        "exact_in",
        "exact_out",
        "head",
        "index",
        "is_array",
        "is_direct",
        "is_made",
        "is_strict",
        "kind",
        "labels",
        "layouts",
        "marks",
        "name",
        "nullable",
        "open",
        "read",
        "reader",
        "shape",
        "tag",
        "tag_field",
    )

    def __init__(self, shape: Shape, parts: list[Plan], reader: Any, read: Convert) -> None:
        self.shape = shape
        self.kind = shape.kind
        self.name = shape.name
        self.labels = reader.names
        self.attributes = [field.attribute for field in shape.fields]
        self.index = reader.index
        self.blank = reader.blank
        self.open = reader.open
        self.reader = reader
        self.read = read
        self.tag = shape.tag if shape.is_tagged else None
        self.tag_field = shape.tag_field
        self.is_strict = shape.is_strict
        self.is_array = shape.is_array
        self.is_made = _IS_COMPILED and shape.is_plainly_made()
        self.exact_in = [part.exact_in for part in parts]
        # a float is written as it is as well; the writer refuses those that the form refuses
        self.exact_out = [float if part.exact_in is float else part.exact_out for part in parts]
        self.decoders = [part.decode for part in parts]
        self.encoders = [part.encode for part in parts]
        self.layouts = [part.layout for part in parts]
        self.nullable = [_takes_none(part) for part in parts]
        self.head = (Attr(shape.tag),) if shape.is_tagged else ()
        start = f"@{encode(shape.tag)}{{" if shape.is_tagged else "{"
        #: what stands before each field's value
        self.marks = [
            f"{',' if place else start}{encode(label)}:"
            for place, label in enumerate(self.labels)
            if type(label) is str
        ]
        self.is_direct = bool(self.marks) and len(self.marks) == len(parts) and not shape.is_array

    def decode(self, value: Any) -> Any:
        """The object of a record.

        :raises FormError: NT-FORM-002, 003, 004, 006 or 007 where it does not fit.
        """
        if type(value) is not Record:
            raise misfit(value, self.name)
        values = self.blank[:]
        index, exact = self.index, self.exact_in
        items = value.items
        place = unnamed = named = 0
        try:
            for item in items:
                if type(item) is Slot:
                    slot = item
                    found = index.get(slot.key)
                    if found is not None:
                        place = found
                        named += 1
                        part = slot.value
                        values[place] = part if type(part) is exact[place] else self.decoders[place](part)
                    elif self.is_strict and slot.key != self.tag_field:
                        place = -1
                        raise self.reader.unknown(slot.key)
                elif type(item) is not Attr:
                    unnamed += 1
                elif self.tag is not None and item is items[0] and item.name != self.tag:
                    place = -1
                    raise refuse("NT-FORM-007", f"got the tag @{item.name}; it takes @{self.tag}")
        except FormError as error:
            raise (error if place < 0 else at(error, self.labels[place])) from None
        if unnamed and not named:
            rest = [item for item in items if type(item) is not Attr and type(item) is not Slot]
            values = self.reader.by_place(rest, self.decoders, value)
        elif unnamed and self.is_strict:
            raise misfit(value, f"{self.name}, so named fields only")
        for place in self.open:
            if values[place] is MISSING:
                return self.reader.finish(values, value)
        return raw.made(self.kind, self.attributes, values) if self.is_made else self.reader.make(values)

    def encode(self, obj: Any) -> Record:
        """The record of an object.

        :raises FormError: NT-FORM-008 where it does not fit.
        """
        return self.encode_after(self.head, obj)

    def encode_after(self, head: tuple[Attr, ...], obj: Any) -> Record:
        """:meth:`encode`, with other attributes before the fields."""
        if type(obj) is not self.kind:
            raise self.wrong_class(obj)
        items: list[Any] = list(head) if head else raw.roomy()
        place = 0
        try:
            for part in self.read(obj):
                kind = type(part)
                if kind is not self.exact_out[place] or (kind is float and part - part != 0.0):
                    part = self.encoders[place](part)
                if self.is_array:
                    items.append(part)
                else:
                    slot = Slot.__new__(Slot)
                    slot.key = self.labels[place]
                    slot.value = part
                    raw.put(items, slot)
                place += 1
        except FormError as error:
            raise at(error, self.labels[place]) from None
        except AttributeError as error:
            raise unfit(obj, f"{self.name} with all its fields set: {error}") from error
        return record_of(items)

    def texts(self, obj: Any) -> tuple[str, str]:
        """The body of an object for links, and its exact text for the journal.

        :raises FormError: as :meth:`encode`.
        :raises CodecError: as :func:`~natant.codec.recon.encode_pair`.
        """
        try:
            writer = Writer.__new__(Writer)
            writer.open(False)
            self.write(writer, obj)
            body = sheet.to_text(writer.out)
            if not writer.is_lossy:
                return body, body
            writer = Writer.__new__(Writer)
            writer.open(True)
            self.write(writer, obj)
            return body, sheet.to_text(writer.out)
        except (FormError, CodecError, AttributeError):
            return encode_pair(self.encode(obj))

    def check(self, obj: Any) -> None:
        """See that an object can be written, without writing it.

        :raises FormError, CodecError: as :meth:`texts`.
        """
        try:
            self.look(obj, _DEPTH)
        except (FormError, CodecError, AttributeError):
            encode_pair(self.encode(obj))

    def write(self, writer: Writer, obj: Any) -> None:
        """Write an object as a record.

        :raises FormError, CodecError, AttributeError: where it does not fit; :meth:`encode` says what is wrong.
        """
        if type(obj) is not self.kind:
            raise self.wrong_class(obj)
        writer.enter()
        for place, part in enumerate(self.read(obj)):
            sheet.add(writer.out, self.marks[place])
            kind = type(part)
            if kind is self.exact_out[place]:
                writer.value(part)
            elif part is not None or not self.nullable[place]:
                layout = self.layouts[place]
                if layout is not None and kind is layout.kind:
                    layout.write(writer, part)
                else:
                    writer.value(self.encoders[place](part))
        sheet.mark(writer.out, "}")
        writer.depth += 1

    def look(self, obj: Any, depth: int) -> None:
        """Go over an object as :meth:`write` does."""
        if type(obj) is not self.kind:
            raise self.wrong_class(obj)
        if depth <= 0:
            raise CodecError("NT-RECON-006", "the value nests too deeply")  # the way over a record words it
        for place, part in enumerate(self.read(obj)):
            kind = type(part)
            if kind is self.exact_out[place]:
                check_value(part, depth - 1)
            elif part is not None or not self.nullable[place]:
                layout = self.layouts[place]
                if layout is not None and kind is layout.kind:
                    layout.look(part, depth - 1)
                else:
                    check_value(self.encoders[place](part), depth - 1)

    def wrong_class(self, obj: Any) -> FormError:
        """The error for an object of another class."""
        if isinstance(obj, self.kind):
            return unfit(
                obj, f"{self.name} itself, not a class derived from it: declare that class, or a union of both"
            )
        return unfit(obj, self.name)


def _takes_none(plan: Plan) -> bool:
    """True where None is written as nothing."""
    if type(None) not in plan.types:
        return False
    try:
        return plan.encode(None) is Extant
    except Exception:  # a class that contains itself, which is not complete yet
        return False
