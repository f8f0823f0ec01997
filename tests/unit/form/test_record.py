"""Record classes: dataclasses, Structs, TypedDicts, NamedTuples, generics, classes that contain themselves."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Generic, NamedTuple, NotRequired, Required, TypedDict, TypeVar

import msgspec
import pytest
from typing_extensions import TypeAliasType

from natant.codec import recon
from natant.codec.form import form
from natant.codec.recon import Absent, Attr, Extant, Record
from natant.errors import FormError

T = TypeVar("T")
U = TypeVar("U")


def refusal(call: Any, *arguments: Any) -> FormError:
    with pytest.raises(FormError) as caught:
        call(*arguments)
    return caught.value


@dataclass
class Fix:
    lat: float
    lon: float
    speed: float | None = None
    tags: list[str] = field(default_factory=list)


@dataclass
class Trip:
    name: str
    fix: Fix
    stops: dict[str, Fix] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Strict:
    __forbid_unknown__: ClassVar[bool] = True
    b: int = 1
    a: int


@dataclass
class Base:
    x: int
    _: dataclasses.KW_ONLY
    k: int = 5


@dataclass
class Derived(Base):
    count: ClassVar[int] = 0
    y: int = 0


@dataclass
class Counted:
    start: dataclasses.InitVar[int] = 3
    total: int = field(init=False)

    def __post_init__(self, start: int) -> None:
        self.total = start


@dataclass
class Ordered:
    low: int
    high: int

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError("low is above high")


@dataclass
class Nothing:
    pass


@dataclass
class Tagged:
    __tag__ = "fix"
    n: int = 0


@dataclass
class Tree:
    value: int
    kids: list[Tree] = field(default_factory=list)
    twin: Tree | None = None


@dataclass
class Box(Generic[T]):
    inside: T
    more: dict[str, T] = field(default_factory=dict)


@dataclass
class Pair(Box[int], Generic[U]):
    other: U | None = None


class Unit(msgspec.Struct, rename={"top_speed": "topSpeed"}, frozen=True):
    name: str
    top_speed: Annotated[int, msgspec.Meta(ge=0)] = 7
    gone: int | msgspec.UnsetType = msgspec.UNSET


class Sparse(msgspec.Struct, omit_defaults=True, kw_only=True):
    a: int = 1
    b: list[int] = msgspec.field(default_factory=list)
    c: str


class Shut(msgspec.Struct, forbid_unknown_fields=True, tag="shut"):
    x: int


class Row(msgspec.Struct, array_like=True, tag="row"):
    x: int
    y: int = 2


class Plain(msgspec.Struct, array_like=True):
    x: int
    y: int = 2


class Guarded(msgspec.Struct):
    x: int

    def __post_init__(self) -> None:
        if self.x < 0:
            raise ValueError("x is below 0")


class Holder(msgspec.Struct, Generic[T]):
    held: T


class Options(TypedDict, total=False):
    deep: Required[bool]
    name: str


class More(Options):
    size: NotRequired[int]
    kind: str


class Spot(NamedTuple):
    x: int
    y: int = 0


FULL = Fix(1.5, 2.0, 3.0, ["a"])


@pytest.mark.parametrize(
    ("kind", "obj", "text"),
    [
        (Fix, FULL, "{lat:1.5,lon:2,speed:3,tags:{a}}"),
        (Trip, Trip("t", Fix(1.0, 2.5), {"s": FULL}), None),
        (Strict, Strict(a=5), "{b:1,a:5}"),
        (Derived, Derived(1, 2, k=3), "{x:1,k:3,y:2}"),
        (Nothing, Nothing(), "{}"),
        (Tagged, Tagged(5), "@fix{n:5}"),
        (Tree, Tree(1, [Tree(2), Tree(3, [Tree(4)])], Tree(5)), None),
        (Box[str], Box("a", {"b": "c"}), "{inside:a,more:{b:c}}"),
        (Box[list[int]], Box([1]), "{inside:{1},more:{}}"),
        (Box, Box(5), "{inside:5,more:{}}"),
        (Pair[str], Pair(1, {}, "x"), "{inside:1,more:{},other:x}"),
        (Unit, Unit("u", 9), "{name:u,topSpeed:9}"),
        (Unit, Unit("u", 9, 5), "{name:u,topSpeed:9,gone:5}"),
        (Sparse, Sparse(c="x"), "{c:x}"),
        (Sparse, Sparse(a=2, b=[1], c="x"), "{a:2,b:{1},c:x}"),
        (Shut, Shut(1), "@shut{x:1}"),
        (Row, Row(1), "@row{1,2}"),
        (Plain, Plain(1), "{1,2}"),
        (Guarded, Guarded(1), "{x:1}"),
        (Holder[int], Holder(5), "{held:5}"),
        (Options, {"deep": True}, "{deep:true}"),
        (More, {"deep": True, "kind": "k", "size": 3}, "{deep:true,size:3,kind:k}"),
        (Spot, Spot(1, 2), "{1,2}"),
        (list[Spot], [Spot(1, 2), Spot(3)], "{{1,2},{3,0}}"),
    ],
)
def test_a_record_comes_back_as_it_was(kind: Any, obj: Any, text: str | None) -> None:
    known = form(kind)
    written = recon.encode(known.encode(obj))

    if text is not None:
        assert written == text
    assert known.decode(recon.decode(written)) == obj
    assert known.from_json(known.to_json(obj)) == obj
    assert type(known.decode(recon.decode(written))) is type(obj)


@pytest.mark.parametrize(
    ("kind", "text", "obj"),
    [
        (Fix, "{lon:2,lat:1,colour:red}", Fix(1.0, 2.0)),
        (Fix, "@Fix{lat:1,lon:2}", Fix(1.0, 2.0)),
        (Fix, "@other(5){lat:1,lon:2}", Fix(1.0, 2.0)),
        (Fix, "{1,2}", Fix(1.0, 2.0)),
        (Fix, "{1,2,3,{a,b}}", Fix(1.0, 2.0, 3.0, ["a", "b"])),
        (Fix, "@Fix{1,2}", Fix(1.0, 2.0)),
        (Fix, "{lat:1,lon:2,speed:}", Fix(1.0, 2.0)),
        (Fix, "{lat:0,lat:1,lon:2}", Fix(1.0, 2.0)),
        (Fix, '{lat:1,"a word",lon:2}', Fix(1.0, 2.0)),
        (Strict, "{a:1}", Strict(a=1)),
        (Tagged, "{n:5}", Tagged(5)),
        (Tagged, "{}", Tagged()),
        (Shut, "{x:1}", Shut(1)),
        (Plain, "{1}", Plain(1)),
        (Plain, "{1,2,3}", Plain(1, 2)),
        (Plain, "{x:1,y:5}", Plain(1, 5)),
        (Spot, "{x:1}", Spot(1)),
    ],
)
def test_a_record_is_read_with_patience(kind: Any, text: str, obj: Any) -> None:
    assert form(kind).decode(recon.decode(text)) == obj


@pytest.mark.parametrize(
    ("kind", "json", "obj"),
    [
        (Fix, '{"lon":2,"lat":1,"colour":"red"}', Fix(1.0, 2.0)),
        (Fix, "[1,2]", Fix(1.0, 2.0)),
        (Fix, '{"@tag":"Fix","lat":1,"lon":2}', Fix(1.0, 2.0)),
        (Tagged, '{"n":5}', Tagged(5)),
        (Spot, '{"x":1}', Spot(1)),
        (Shut, '{"x":1}', Shut(1)),
        (Strict, '{"@tag":"Strict","a":1}', Strict(a=1)),
        (Plain, "[1,2,3]", Plain(1, 2)),
    ],
)
def test_json_is_read_with_patience_too(kind: Any, json: str, obj: Any) -> None:
    assert form(kind).from_json(json) == obj


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        (Fix, "{lat:x,lon:2}", 'NT-FORM-002  at lat got "x" (text); it takes float'),
        (Trip, "{name:t,fix:{lat:1,lon:x}}", 'NT-FORM-002  at fix.lon got "x" (text); it takes float'),
        (
            Trip,
            "{name:t,fix:{lat:1,lon:2},stops:{a:{lat:1,lon:2,tags:{q,5}}}}",
            "NT-FORM-002  at stops.a.tags[1] got 5 (int); it takes str",
        ),
        (Trip, "{name:t,fix:5}", "NT-FORM-002  at fix got 5 (int); it takes Fix"),
        (Fix, "{lat:1}", "NT-FORM-003  at lon is missing; it takes float. Got {lat:1}"),
        (Fix, "{1}", "NT-FORM-003  at lon is missing; it takes float. Got {1}"),
        (Trip, "{name:t,fix:{}}", "NT-FORM-003  at fix.lat is missing; it takes float. Got {}"),
        (Fix, "{1,x}", 'NT-FORM-002  at lon got "x" (text); it takes float'),
        (Fix, "{1,2,3,{a},5}", 'NT-FORM-002  got {1,2,3,{"a"},5} (record); it takes Fix, so at most 4 items'),
        (Strict, "{a:1,c:2}", 'NT-FORM-004  got the unknown field "c"; Strict takes b, a'),
        (Strict, "{a:1,2}", "NT-FORM-002  got {a:1,2} (record); it takes Strict, so named fields only"),
        (Shut, "{x:1,c:2}", 'NT-FORM-004  got the unknown field "c"; Shut takes x'),
        (list[Strict], "{{a:1},{a:1,c:2}}", 'NT-FORM-004  at [1] got the unknown field "c"; Strict takes b, a'),
        (Unit, "{name:u,topSpeed:-1}", "NT-FORM-005  at topSpeed got -1; it takes int, at least 0"),
        (Ordered, "{low:2,high:1}", "NT-FORM-006  Ordered refused its fields: low is above high"),
        (dict[str, Ordered], "{a:{low:2,high:1}}", "NT-FORM-006  at a Ordered refused its fields: low is above high"),
        (Guarded, "{x:-1}", "NT-FORM-006  Guarded refused its fields: x is below 0"),
        (Tagged, "@move{n:1}", "NT-FORM-007  got the tag @move; it takes @fix"),
        (Shut, "@Shut{x:1}", "NT-FORM-007  got the tag @Shut; it takes @shut"),
        (Tree, "{value:1,kids:{{value:x}}}", 'NT-FORM-002  at kids[0].value got "x" (text); it takes int'),
        (Options, "{name:x}", 'NT-FORM-003  at deep is missing; it takes bool. Got {name:"x"}'),
        (Spot, "{1,2,3}", "NT-FORM-002  got {1,2,3} (record); it takes Spot, so at most 2 items"),
    ],
)
def test_a_wrong_record_is_told_by_its_field(kind: Any, text: str, message: str) -> None:
    assert str(refusal(form(kind).decode, recon.decode(text))) == message


@pytest.mark.parametrize(
    ("kind", "json", "message"),
    [
        (Trip, '{"name":"t","fix":{"lat":1,"lon":"x"}}', 'NT-FORM-002  at fix.lon got "x" (text); it takes float'),
        (Fix, "5", "NT-FORM-002  got 5 (int); it takes Fix"),
        (Fix, '{"lat":1}', "NT-FORM-003  at lon is missing; it takes float. Got {lat:1}"),
        (Strict, '{"a":1,"c":2}', 'NT-FORM-004  got the unknown field "c"; Strict takes b, a'),
        (Shut, '{"x":1,"c":2}', 'NT-FORM-004  got the unknown field "c"; Shut takes x'),
        (Shut, '{"type":"open","x":1}', 'NT-FORM-007  got the tag "open"; it takes "shut"'),
        (Row, "[1,2]", 'NT-FORM-007  got the tag 1; it takes "row"'),
        (Tagged, '{"@tag":"move"}', 'NT-FORM-007  got the tag "move"; it takes "fix"'),
        (Ordered, '{"low":2,"high":1}', "NT-FORM-006  Ordered refused its fields: low is above high"),
        (Unit, '{"name":"u","topSpeed":-1}', "NT-FORM-005  at topSpeed got -1; it takes int, at least 0"),
    ],
)
def test_wrong_json_is_told_by_its_field(kind: Any, json: str, message: str) -> None:
    assert str(refusal(form(kind).from_json, json)) == message


@pytest.mark.parametrize(
    ("kind", "obj", "path"),
    [
        (Fix, 5, ""),
        (Fix, {"lat": 1.0, "lon": 2.0}, ""),
        (Fix, Fix(1.0, "x"), "lon"),  # type: ignore[arg-type]
        (Fix, Fix(1.0, float("nan")), "lon"),
        (Trip, Trip("t", Fix(1.0, 2.0, tags=["a", 5])), "fix.tags[1]"),  # type: ignore[list-item]
        (Base, Derived(1), ""),
        (Unit, Unit("u", "x"), "topSpeed"),  # type: ignore[arg-type]
        (Sparse, Sparse(c=5), "c"),  # type: ignore[arg-type]
        (Options, {"deep": True, "more": 1}, ""),
        (Options, {"name": "x"}, ""),
        (Options, [1], ""),
        (Fix, Fix.__new__(Fix), ""),
    ],
)
def test_a_wrong_object_is_not_written(kind: Any, obj: Any, path: str) -> None:
    for call in (form(kind).encode, form(kind).to_json):
        error = refusal(call, obj)
        assert error.code == "NT-FORM-008"
        assert error.context["path"] == path


def test_a_field_that_init_does_not_take_is_kept() -> None:
    counted = Counted()
    counted.total = 9

    assert form(Counted).decode(form(Counted).encode(counted)) == counted
    assert form(Counted).from_json(form(Counted).to_json(counted)) == counted
    assert form(Counted).decode(Record()).total == 3


def test_defaults_are_not_shared() -> None:
    first, second = (form(Fix).decode(Record.of({"lat": 1, "lon": 2})) for _ in range(2))
    first.tags.append("a")

    assert second.tags == []


def test_a_record_of_defaults_may_stand_for_nothing() -> None:
    assert form(Nothing).decode(Absent) == Nothing()
    assert form(Tagged).decode(Extant) == Tagged()
    assert refusal(form(Fix).decode, Extant).code == "NT-FORM-002"


def test_forms_are_made_once() -> None:
    assert form(Fix) is form(Fix)
    assert form(list[Fix]) is form(list[Fix])
    assert form(Fix).name == "Fix"
    assert form(dict[str, list[Fix | None]]).name == "dict[str, list[Fix | None]]"
    assert form(Box[int]).name == "Box[int]"
    assert repr(form(int)) == "form(int)"
    assert not form(Fix).is_any
    assert form(Any).is_any


@dataclass(kw_only=True)
class Careful:
    n: int

    def __post_init__(self) -> None:
        if self.n == 0:
            raise FormError("NT-FORM-005", "n is 0; it takes another number")
        if self.n < 0:
            raise TypeError("n is below 0")


def test_a_class_may_refuse_in_its_own_words() -> None:
    assert str(refusal(form(list[Careful]).decode, Record([Record.of({"n": 0}), 1]))) == (
        "NT-FORM-005  at [0] n is 0; it takes another number"
    )
    assert str(refusal(form(Careful).decode, Record.of({"n": -1}))) == (
        "NT-FORM-006  Careful refused its fields: n is below 0"
    )


def test_json_of_a_tagged_array_starts_with_its_tag() -> None:
    assert form(Row).to_json(Row(1)) == b'["row",1,2]'
    assert form(Row).from_json('["row",1.0]') == Row(1)
    assert refusal(form(Row).from_json, "[]").code == "NT-FORM-007"


def test_aliases() -> None:
    pairs = TypeAliasType("pairs", list[tuple[int, T]], type_params=(T,))
    plain = TypeAliasType("plain", dict[str, Fix])
    loop = TypeAliasType("loop", "list[loop]")  # type: ignore[misc]

    assert form(plain).name == "dict[str, Fix]"
    assert form(pairs[str]).name == "list[tuple[int, str]]"
    assert refusal(form, loop).code == "NT-FORM-001"


def test_a_tag_is_not_inherited() -> None:
    @dataclass
    class Child(Tagged):
        pass

    assert form(Child).encode(Child(1)) == Record.of({"n": 1})
    assert form(Tagged | Child).encode(Child(1)) == Record.of({"n": 1}, "Child")


def test_attributes_are_no_fields() -> None:
    assert refusal(form(Fix).decode, Record([Attr("lat", 1), Attr("lon", 2)])).code == "NT-FORM-003"
