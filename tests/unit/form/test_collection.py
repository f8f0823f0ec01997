"""Lists, tuples, sets and mappings, and what a message body does to those of one item."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest

from natant.codec import recon
from natant.codec.form import form
from natant.codec.recon import Absent, Attr, Extant, Record, Slot
from natant.errors import FormError


@dataclass
class Fix:
    lat: float
    lon: float = 0.0


@dataclass(frozen=True)
class Place:
    x: int
    y: int


class Pair(NamedTuple):
    a: int
    b: str = "b"


def refusal(call: Any, *arguments: Any) -> FormError:
    with pytest.raises(FormError) as caught:
        call(*arguments)
    return caught.value


@pytest.mark.parametrize(
    ("kind", "text", "obj"),
    [
        (list, "{1,a}", [1, "a"]),
        (Sequence[int], "{1,2}", [1, 2]),
        (Iterable[int], "{1,2}", [1, 2]),
        (tuple, "{1,a}", (1, "a")),
        (tuple[()], "{}", ()),
        (tuple[int, ...], "{}", ()),
        (AbstractSet[int], "{1,1,2}", {1, 2}),
        (frozenset[Place], "{{x:1,y:2}}", frozenset({Place(1, 2)})),
        (dict, "{a:1,2:b}", {"a": 1, 2: "b"}),
        (Mapping[int, float], "{1:2,3:4.5}", {1: 2.0, 3: 4.5}),
        (MutableMapping[str, int], "{}", {}),
        (dict[str, dict[int, list[str]]], "{a:{1:{x,y}}}", {"a": {1: ["x", "y"]}}),
        (dict[Place, int], "{{x:1,y:2}:5}", {Place(1, 2): 5}),
        (Pair, "{5}", Pair(5)),
        (Pair, "{a:5,b:c}", Pair(5, "c")),
        (list[Pair], "{{1,x},{2}}", [Pair(1, "x"), Pair(2)]),
    ],
)
def test_a_collection_is_read(kind: Any, text: str, obj: Any) -> None:
    got = form(kind).decode(recon.decode(text))

    assert got == obj
    assert type(got) is type(obj)
    assert form(kind).decode(form(kind).encode(obj)) == obj
    assert form(kind).from_json(form(kind).to_json(obj)) == obj


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (list[int], Record([1, "x"]), 'at [1] got "x" (text); it takes int'),
        (list[list[int]], Record([Record([1]), Record([2, True])]), "at [1][1] got true (bool); it takes int"),
        (list[Fix], Record([Record.of({"lat": "x"})]), 'at [0].lat got "x" (text); it takes float'),
        (tuple[int, str], Record([1]), "got {1} (record); it takes tuple[int, str], 2 items"),
        (tuple[int, str], Record([1, 2]), "at [1] got 2 (int); it takes str"),
        (dict[str, int], Record.of({"a": "x"}), 'at a got "x" (text); it takes int'),
        (dict[str, int], Record.of({"a b": "x"}), 'at ["a b"] got "x" (text); it takes int'),
        (dict[int, int], Record.of({"5": 1}), 'at ["5"] got "5" (text); it takes int'),
        (dict[str, int], Record([1]), "got 1 (int); it takes dict[str, int], so slots only"),
        (dict[str, int], Record([Attr("a")]), "got @a (attribute); it takes dict[str, int], so slots only"),
        (dict[str, int], "x", 'got "x" (text); it takes dict[str, int]'),
        (list[int], Record([Slot("a", 1), Slot("b", 2)]), "at [0] got {a:1,b:2} (record); it takes int"),
    ],
)
def test_the_path_leads_to_the_item(kind: Any, value: Any, message: str) -> None:
    error = refusal(form(kind).decode, value)

    assert str(error) == f"NT-FORM-002  {message}"


@pytest.mark.parametrize(
    ("kind", "json", "message"),
    [
        (list[int], '[1,"x"]', 'at [1] got "x" (text); it takes int'),
        (list[int], "{}", "got {} (object); it takes list[int]"),
        (tuple[int, str], "[1]", "got {1} (array); it takes tuple[int, str], 2 items"),
        (tuple[int, str], '["a","b"]', 'at [0] got "a" (text); it takes int'),
        (dict[int, int], '{"x":1}', 'at x got "x" (text); it takes int'),
        (dict[int, int], '{"1":"x"}', 'at ["1"] got "x" (text); it takes int'),
        (dict[int, int], "5", "got 5 (int); it takes dict[int, int]"),
        (dict[tuple[int, int], int], "[[1]]", "at [0] got {1} (array); it takes a pair of key and value"),
        (dict[tuple[int, int], int], '[[[1,2],3],[[1,"x"],3]]', 'at [1][1] got "x" (text); it takes int'),
    ],
)
def test_json_has_the_same_paths(kind: Any, json: str, message: str) -> None:
    assert str(refusal(form(kind).from_json, json)) == f"NT-FORM-002  {message}"


@pytest.mark.parametrize(
    ("kind", "obj", "path"),
    [
        (list[int], [1, "x"], "[1]"),
        (list[int], "text", ""),
        (list[int], {1}, ""),
        (set[int], [1], ""),
        (tuple[int, str], (1,), ""),
        (tuple[int, str], (1, 2), "[1]"),
        (dict[str, int], {"a": "x"}, "a"),
        (dict[str, int], {5: 1}, "[5]"),
        (dict[str, int], [("a", 1)], ""),
        (dict[Any, int], {None: 1}, "[]"),
    ],
)
def test_a_wrong_object_is_refused_with_its_path(kind: Any, obj: Any, path: str) -> None:
    error = refusal(form(kind).encode, obj)

    assert error.code == "NT-FORM-008"
    assert error.context["path"] == path


def test_near_relatives_are_written() -> None:
    assert form(list[int]).encode((1, 2)) == Record([1, 2])
    assert form(tuple[int, int]).encode([1, 2]) == Record([1, 2])
    assert form(set[int]).encode(frozenset({1})) == Record([1])
    assert form(dict[str, int]).encode(OrderedDict(a=1)) == Record.of({"a": 1})
    assert form(dict[str, int]).encode(defaultdict(int, a=1)) == Record.of({"a": 1})


def test_a_set_always_makes_the_same_text() -> None:
    words = {f"word{number}" for number in range(50)}

    assert form(set[str]).encode(words) == Record(sorted(words))
    mixed = form(set[int | str]).encode({2, "b", 1, "a"})
    assert mixed == form(set[int | str]).encode({"a", 1, "b", 2})
    assert form(set[Place]).to_json({Place(2, 1), Place(1, 2)}) == form(set[Place]).to_json({Place(1, 2), Place(2, 1)})


@pytest.mark.parametrize(
    "kind", [set[list[int]], dict[Fix, int], dict[int | None, int], dict[None, int], frozenset[dict[str, int]]]
)
def test_keys_and_members_must_be_fit_to_be_such(kind: Any) -> None:
    assert refusal(form, kind).code == "NT-FORM-001"


@pytest.mark.parametrize(
    ("kind", "obj"),
    [
        (list[int], []),
        (list[int], [1]),
        (list[int], [1, 2]),
        (list[str], ["a b"]),
        (list[Fix], [Fix(1.0)]),
        (list[Fix], [Fix(1.0), Fix(2.0)]),
        (list[dict[str, int]], [{"a": 1}]),
        (list[list[int]], [[1, 2]]),
        (list[list[int]], [[1], [2, 3]]),
        (set[int], {5}),
        (tuple[int], (5,)),
        (tuple[str, ...], ()),
        (dict[str, int], {}),
        (Pair, Pair(1)),
        (list[int] | None, [1]),
        (list[Fix] | None, [Fix(1.0)]),
        (list[int] | str, [5]),
        (list[Any], [Record.of({"x": 1})]),
        (list[Any], [Record([Attr("a"), 1, 2])]),
        (dict[str, list[int]], {"a": [1]}),
    ],
)
def test_a_message_body_keeps_what_flattening_leaves(kind: Any, obj: Any) -> None:
    """The body of an envelope drops the braces around one item (Recon reference, WARP 2.2)."""
    body = form(kind).encode(obj)
    if type(body) is Record and not body.items:
        body = Absent
    elif type(body) is Record and len(body.items) == 1 and type(body.items[0]) not in (Slot, Attr):
        body = body.items[0]

    assert form(kind).decode(body) == obj


def test_flattening_is_undone_at_the_top_only() -> None:
    assert refusal(form(dict[str, list[int]]).decode, Record.of({"a": 1})).code == "NT-FORM-002"
    assert refusal(form(list[list[int]]).decode, Record([1, Record([2])])).code == "NT-FORM-002"
    assert form(list[int] | None).decode(Extant) is None


@pytest.mark.parametrize(
    ("kind", "obj"),
    [
        (list[int], 5),
        (tuple[int, int], (1,)),
        (dict[str, int], [1]),
        (dict[str, int], {"a": "x"}),
        (dict[tuple[int, int], int], {5: 1}),
    ],
)
def test_a_wrong_object_is_not_written_as_json(kind: Any, obj: Any) -> None:
    assert refusal(form(kind).to_json, obj).code == "NT-FORM-008"


def test_a_slot_among_untyped_items_becomes_a_record() -> None:
    pairs = form(dict[str, tuple[Any, Any]])

    assert pairs.decode(Record.of({"k": Record([1, Slot("a", 2)])})) == {"k": (1, Record.of({"a": 2}))}
    assert form(dict[str, list[Any]]).decode(Record.of({"k": Record([1, Slot("a", 2)])})) == {
        "k": [1, Record.of({"a": 2})]
    }
