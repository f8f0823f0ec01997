"""A plan: what one type is in Recon and in JSON, as ready-made functions.

``build.py`` makes one plan for each type it meets and puts them together; :class:`~natant.codec.form.form.Form` is the
plan of a whole type with the author's methods around it.  A plan is complete once built and is never changed.

The four directions are ``decode`` (Recon value -> object), ``encode`` (object -> Recon value), ``lift`` (parsed JSON ->
object) and ``lower`` (object -> what a JSON writer takes).  All of them raise FormError and check what they are given:
what was encoded can always be decoded again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from natant.codec.recon.limit import MAX_WRITE_DEPTH
from natant.codec.recon.value import Absent, Attr, Extant, Record, Slot
from natant.errors import FormError

__all__ = ["DEPTH_LIMIT", "MISSING", "Convert", "Definitions", "Plan", "Tagging", "flattened"]

DEPTH_LIMIT: Final = MAX_WRITE_DEPTH
"""Most levels of records inside one another: as many as the Recon writer writes, so all that is encoded can be kept."""

Convert: TypeAlias = Callable[[Any], Any]


class Missing:
    """The type of :data:`MISSING`, which stands for a field that has no value yet."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing()


class Definitions:
    """The named parts of a JSON Schema that is being written.

    :param ref: how a part is referred to; ``{name}`` stands for its name.
    """

    __slots__ = ("owners", "parts", "ref")

    def __init__(self, ref: str) -> None:
        self.ref = ref
        self.parts: dict[str, dict[str, Any]] = {}
        self.owners: dict[str, object] = {}

    def refer(self, name: str, owner: object, write: Callable[[Definitions], dict[str, Any]]) -> dict[str, Any]:
        """A reference to the part ``name`` of ``owner``, which is written on the first call; same names get numbers."""
        label, count = name, 1
        while label in self.owners and self.owners[label] != owner:
            count += 1
            label = f"{name}_{count}"
        if label not in self.owners:
            self.owners[label] = owner
            self.parts[label] = {}
            self.parts[label] = write(self)
        return {"$ref": self.ref.format(name=label)}


class Tagging:
    """How a record class is told from others in a union: by ``@tag`` in Recon, by the member ``field`` in JSON."""

    __slots__ = ("encode", "field", "json_tag", "lift", "lower", "schema", "tag")

    def __init__(self, tag: str, field: str, json_tag: str | int) -> None:
        self.tag = tag
        self.field = field
        self.json_tag = json_tag
        self.encode: Convert
        self.lift: Convert
        self.lower: Convert
        self.schema: Callable[[Definitions], dict[str, Any]]


class Plan:
    """One type's forms.

    name: readable name, as messages print it.
    claims: the kinds of value it encodes to, of ``empty bool int float text data record``.
    takes: further kinds that it accepts when no other member of a union claims them.
    types: the Python types whose objects it encodes.
    exact_in, exact_out: a type whose objects need no call on the way in or out, else None.
    top: ``decode`` for a value that stood alone in a message body, where Recon drops the braces around one item.
    key: (parse, print) for the keys of JSON objects, None where such keys are written as pairs.
    layout: the Layout of a record class, by which its objects are written without a record in between; None where none is.
    is_exact: matches listed values only (Literal), so it may stand before a wider member in a union.
    is_hashable: its objects can be keys and members of sets.
    is_clean: msgspec's typed JSON reader gives the same object whenever it accepts the bytes.
    """

    __slots__ = (
        "claims",
        "decode",
        "encode",
        "exact_in",
        "exact_out",
        "is_any",
        "is_clean",
        "is_exact",
        "is_hashable",
        "key",
        "layout",
        "lift",
        "literals",
        "lower",
        "name",
        "schema",
        "tagging",
        "takes",
        "top",
        "types",
    )

    def __init__(self, name: str, claims: str, types: tuple[type, ...], takes: str = "") -> None:
        self.name = name
        self.claims = frozenset(claims.split())
        self.takes = frozenset(takes.split())
        self.types = types
        self.decode: Convert
        self.encode: Convert
        self.lift: Convert
        self.lower: Convert
        self.top: Convert | None = None
        self.exact_in: type | None = None
        self.exact_out: type | None = None
        self.key: tuple[Callable[[str], Any], Callable[[Any], str]] | None = None
        self.layout: Any = None
        self.literals: tuple[Any, ...] = ()
        self.schema: Callable[[Definitions], dict[str, Any]] = lambda definitions: {}
        self.tagging: Tagging | None = None
        self.is_any = False
        self.is_exact = False
        self.is_hashable = True
        self.is_clean = True

    def turn(self, decode: Convert, encode: Convert, lift: Convert | None = None, lower: Convert | None = None) -> Plan:
        """Set the four directions; a scalar's JSON is its Recon value, so the last two default to the first two."""
        self.decode = decode
        self.encode = encode
        self.lift = decode if lift is None else lift
        self.lower = encode if lower is None else lower
        return self


def flattened(decode: Convert, *, is_sequence: bool = True) -> Convert:
    """``decode`` for a sequence that stood alone in a message body.

    The body of an envelope is flattened (Recon reference, WARP 2.2): ``{1}`` arrives as 1, ``{{x:1}}`` as ``{x:1}`` and
    ``{}`` as nothing.  So a lone value that is no sequence of the declared items is read as the only item of one.

    :param is_sequence: its items are values only, so a slot or attribute among them tells a lone item.
    """

    def top(value: Any) -> Any:
        if type(value) is not Record:
            is_empty = value is Extant or value is Absent or value is None
            return decode(Record(() if is_empty else (value,)))
        if is_sequence and any(type(item) is Slot or type(item) is Attr for item in value.items):
            return decode(Record((value,)))
        try:
            return decode(value)
        except FormError as error:
            try:
                return decode(Record((value,)))
            except FormError:
                raise error from None

    return top
