"""The plans of record classes: dataclass, ``msgspec.Struct``, TypedDict, NamedTuple.

Reading, the rules are those of the package's page: slots by name in any order, unknown ones ignored (or refused where the
class says so), missing ones from their defaults; a record without names fills the fields in order.  This is the hot path
of a command: one loop over the items, one call for each field that is not already of its exact type.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import Any

import msgspec

from natant.codec.form.error import at, misfit, refuse, short, unfit
from natant.codec.form.layout import Layout
from natant.codec.form.plan import MISSING, Convert, Definitions, Plan, Tagging, flattened
from natant.codec.form.shape import Field, Shape
from natant.codec.recon.value import Absent, Attr, Extant, Record, Slot
from natant.errors import FormError

__all__ = ["fill", "outline"]


def outline(shape: Shape) -> Plan:
    """The plan of a record class as far as it is known without its fields, for classes that contain themselves."""
    kind = shape.kind
    plan = Plan(shape.name, "record", (dict,) if shape.is_dict else (kind,))
    if not shape.is_dict and not issubclass(kind, tuple):
        plan.tagging = Tagging(shape.tag, shape.tag_field, shape.json_tag)
    plan.is_hashable = shape.is_hashable
    return plan


def fill(plan: Plan, shape: Shape, parts: list[Plan]) -> None:
    """Complete the outline ``plan``; ``parts`` are the plans of the fields, in order."""
    reader = Reader(shape, parts)
    head = (Attr(shape.tag),)
    is_tagged = shape.is_tagged
    layout = Layout(shape, parts, reader, _getter([field.attribute for field in shape.fields]))
    decode, lift = layout.decode, _lift(shape, parts, reader, is_tagged)
    encode: Convert = layout.encode
    encode_tagged: Convert = lambda obj: layout.encode_after(head, obj)  # noqa: E731  # as the plain one, but for this
    if _is_sparse(shape):
        encoders = [part.encode for part in parts]
        encode, encode_tagged = (
            _encode_sparse(shape, encoders, head if is_tagged else ()),
            _encode_sparse(shape, encoders, head),
        )
    elif layout.is_direct:
        plan.layout = layout
    lower = _lower(shape, parts, is_tagged)
    plan.turn(decode, encode, lift, lower)
    plan.schema = _schema(shape, parts, is_tagged)
    plan.is_clean = shape.is_clean and all(part.is_clean for part in parts)
    if shape.is_array:
        plan.top = flattened(decode, is_sequence=False)
    elif not any(reader.needed(field) for field in shape.fields):
        plan.top = lambda value: (
            decode(Record()) if value is Extant or value is Absent or value is None else decode(value)
        )
    tagging = plan.tagging
    if tagging is not None:
        tagging.encode = encode_tagged
        tagging.lower = _lower(shape, parts, True)
        tagging.lift = _lift(shape, parts, reader, True)
        tagging.schema = _schema(shape, parts, True)


class Reader:
    """What decoding and lifting one record class have in common: the end, when all its values are read."""

    def __init__(self, shape: Shape, parts: list[Plan]) -> None:
        self.shape = shape
        self.name = shape.name
        self.make = shape.make()
        self.blank = [field.default for field in shape.fields]
        self.index = {field.label: place for place, field in enumerate(shape.fields)}
        self.names = [field.label for field in shape.fields]
        self.expects = [part.name for part in parts]
        self.open = [place for place, field in enumerate(shape.fields) if field.default is MISSING]
        self.is_array = shape.is_array

    @staticmethod
    def needed(field: Field) -> bool:
        """Whether a record without this field is refused."""
        return field.default is MISSING and field.factory is None and not field.is_optional and field.is_argument

    def finish(self, values: list[Any], source: Any) -> Any:
        """The object of these values; those still missing take their defaults."""
        for place in self.open:
            if values[place] is MISSING:
                field = self.shape.fields[place]
                if field.factory is not None:
                    values[place] = field.factory()
                elif self.needed(field):
                    raise at(
                        refuse("NT-FORM-003", f"is missing; it takes {self.expects[place]}. Got {short(source)}"),
                        field.label,
                    )
        return self.make(values)

    def by_place(self, parts: list[Any], converts: list[Convert], source: Any) -> list[Any]:
        """The values of a record without names."""
        if len(parts) > len(converts) and not (self.is_array and not issubclass(self.shape.kind, tuple)):
            raise misfit(source, f"{self.name}, so at most {len(converts)} items")
        values = self.blank[:]
        for place, (convert, part) in enumerate(zip(converts, parts, strict=False)):
            try:
                values[place] = convert(part)
            except FormError as error:
                raise at(error, self.names[place]) from None
        return values

    def unknown(self, label: Any) -> FormError:
        """The error for a field that the class forbids."""
        return refuse("NT-FORM-004", f"got the unknown field {short(label)}; {self.name} takes {', '.join(self.names)}")


def _lift(shape: Shape, parts: list[Plan], reader: Reader, is_tagged: bool) -> Convert:
    blank, index, names = reader.blank, reader.index, reader.names
    lifters = [part.lift for part in parts]
    is_strict, tag_field, json_tag = shape.is_strict, shape.tag_field, shape.json_tag

    def check_tag(got: Any) -> None:
        if got != json_tag:
            raise refuse("NT-FORM-007", f"got the tag {short(got)}; it takes {short(json_tag)}")

    def lift(plain: Any) -> Any:
        if type(plain) is list:
            rest = plain
            if shape.is_array and is_tagged:
                check_tag(plain[0] if plain else None)
                rest = plain[1:]
            return reader.finish(reader.by_place(rest, lifters, plain), plain)
        if type(plain) is not dict:
            raise misfit(plain, shape.name)
        values = blank[:]
        for label, part in plain.items():
            place = index.get(label)
            if place is not None:
                try:
                    values[place] = lifters[place](part)
                except FormError as error:
                    raise at(error, names[place]) from None
            elif label == tag_field:
                if is_tagged:
                    check_tag(part)
            elif is_strict:
                raise reader.unknown(label)
        return reader.finish(values, plain)

    return lift


def _encode_sparse(shape: Shape, encoders: list[Convert], head: tuple[Attr, ...]) -> Convert:
    parts_of = _parts_of(shape)
    labels = [field.label for field in shape.fields]

    def encode(obj: Any) -> Record:
        items: list[Any] = list(head)
        for place, part in parts_of(obj):
            try:
                coded = encoders[place](part)
            except FormError as error:
                raise at(error, labels[place]) from None
            items.append(Slot(labels[place], coded))
        return Record(items)

    return encode


def _lower(shape: Shape, parts: list[Plan], is_tagged: bool) -> Convert:
    parts_of = _parts_of(shape)
    labels = [field.label for field in shape.fields]
    lowerers = [part.lower for part in parts]
    tag_field, json_tag, is_array = shape.tag_field, shape.json_tag, shape.is_array

    def lower(obj: Any) -> Any:
        out: dict[str, Any] = {tag_field: json_tag} if is_tagged else {}
        for place, part in parts_of(obj):
            try:
                out[labels[place]] = lowerers[place](part)
            except FormError as error:
                raise at(error, labels[place]) from None
        return list(out.values()) if is_array else out

    return lower


def _is_sparse(shape: Shape) -> bool:
    """Whether some field may be left out in writing."""
    return shape.is_dict or (
        not shape.is_array and (shape.omits_defaults or any(field.default is msgspec.UNSET for field in shape.fields))
    )


def _parts_of(shape: Shape) -> Convert:
    """A function that gives the fields of an object to write, as (place, value)."""
    kind, fields = shape.kind, shape.fields
    is_sparse = _is_sparse(shape)

    def of_object(obj: Any) -> Iterable[tuple[int, Any]]:
        if type(obj) is not kind:
            raise _wrong_class(obj, shape)
        out = []
        for place, field in enumerate(fields):
            try:
                part = getattr(obj, field.attribute)
            except AttributeError as error:
                raise unfit(obj, f"{shape.name} with all its fields set: {error}") from error
            if not is_sparse or not (part is msgspec.UNSET or (shape.omits_defaults and _is_default(field, part))):
                out.append((place, part))
        return out

    def of_dict(obj: Any) -> Iterable[tuple[int, Any]]:
        if not isinstance(obj, dict):
            raise unfit(obj, shape.name)
        out = []
        for place, field in enumerate(fields):
            if field.attribute in obj:
                out.append((place, obj[field.attribute]))
            elif not field.is_optional:
                raise unfit(obj, f"{shape.name}, so with a key {field.attribute!r}")
        if len(out) != len(obj):
            more = next(key for key in obj if key not in {field.attribute for field in fields})
            raise unfit(obj, f"{shape.name}, which does not declare the key {more!r}")
        return out

    return of_dict if shape.is_dict else of_object


def _is_default(field: Field, part: Any) -> bool:
    if field.factory is not None:
        return type(part) is field.factory and not part
    return field.default is not MISSING and (
        part is field.default or (type(part) is type(field.default) and part == field.default)
    )


def _getter(attributes: list[str]) -> Convert:
    """A function that reads these attributes of an object, in order."""
    if len(attributes) > 1:
        return attrgetter(*attributes)
    if not attributes:
        return lambda obj: ()
    one = attrgetter(attributes[0])
    return lambda obj: (one(obj),)


def _wrong_class(obj: Any, shape: Shape) -> FormError:
    if isinstance(obj, shape.kind):
        return unfit(obj, f"{shape.name} itself, not a class derived from it: declare that class, or a union of both")
    return unfit(obj, shape.name)


def _schema(shape: Shape, parts: list[Plan], is_tagged: bool) -> Any:
    def write(definitions: Definitions) -> dict[str, Any]:
        if shape.is_array:
            items = [part.schema(definitions) for part in parts]
            head: list[dict[str, Any]] = [{"const": shape.json_tag}] if is_tagged else []
            needed = [place for place, field in enumerate(shape.fields) if Reader.needed(field)]
            least = len(head) + (needed[-1] + 1 if needed else 0)
            return {"title": shape.name, "type": "array", "prefixItems": head + items, "minItems": least}
        properties: dict[str, Any] = {shape.tag_field: {"const": shape.json_tag}} if is_tagged else {}
        for field, part in zip(shape.fields, parts, strict=True):
            properties[field.label] = part.schema(definitions) | _default_schema(field, part)
        required = [shape.tag_field] if is_tagged else []
        required += [field.label for field in shape.fields if Reader.needed(field)]
        out: dict[str, Any] = {"title": shape.name, "type": "object", "properties": properties, "required": required}
        if shape.is_strict:
            out["additionalProperties"] = False
        text = (getattr(shape.kind, "__doc__", None) or "").strip()
        if text and not text.startswith(f"{shape.kind.__name__}("):
            out["description"] = text.split("\n\n")[0]
        return out

    owner = (shape.kind, shape.name, is_tagged)
    return lambda definitions: definitions.refer(shape.name, owner, write)


def _default_schema(field: Field, part: Plan) -> dict[str, Any]:
    if field.default is MISSING or field.default is msgspec.UNSET:
        return {}
    return {"default": part.lower(field.default)}
