"""The Recon vectors and the echoes of a live SwimOS server.

Every vector outside the expression language must parse to its structure, print its canonical text where it has no dialect,
and survive the exact form.  What natant prints on purpose in another way is listed here, each with its reason.
"""

from __future__ import annotations

import base64
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from natant.codec import recon, warp
from natant.codec.recon import Absent, Attr, Extant, Record, Slot, UInt32, UInt64
from natant.errors import CodecError
from tests.unit.codec.strategy import shape

DATA = Path(__file__).parent / "data"

#: Sources of the expression language (selectors, operators, functions), which natant does not read.
EXPRESSION_SOURCES = ("ReconSelector", "ReconOperator", "ReconFunc")

MARKUP = "markup is read and never printed, as Rust peers cannot read it; every peer reads the braces"
WORD = 'text "true" and "false" is quoted, else it comes back as a bool'
FILLER = "bits after the end of the data are not kept; the data itself is the same"
NAMED = "an envelope is printed by natant.codec.warp with named headers; see test_envelope_vector"

#: What natant prints instead of the canonical text, by input.
DEVIATIONS = {
    "[Hello, @em[world]!]": ('{"Hello, ",@em world,"!"}', MARKUP),
    "[Hello, {6}]": ('{"Hello, ",6}', MARKUP),
    "[Hello, {6}!]": ('{"Hello, ",6,"!"}', MARKUP),
    "[Wait {1,2}]@second[ longer@please]": ('{"Wait ",1,2}@second{" longer",@please}', MARKUP),
    "[Hello, {{}}!]": ('{"Hello, ",{},"!"}', MARKUP),
    "[Hello, {{1,2}}!]": ('{"Hello, ",{1,2},"!"}', MARKUP),
    "[Hello, {1@second}!]": ('{"Hello, ",1@second,"!"}', MARKUP),
    '@hello("world"; %AA==; 42; true)': ("@hello(world,%AA==,42,true)", MARKUP),
    '@hello("world", 42) @test(name: "parse", pending: false)': (
        "@hello(world,42)@test(name:parse,pending:false)",
        MARKUP,
    ),
    '@hello() { "world", 42 }': ("@hello{world,42}", MARKUP),
    '{ "world", 42 } @signed()': ("{world,42}@signed", MARKUP),
    "[A: {%AA==}.]": ('{"A: ",%AA==,"."}', MARKUP),
    "[A: {42}.]": ('{"A: ",42,"."}', MARKUP),
    "[A: @answer(number: 42, true).]": ('{"A: ",@answer(number:42,true),"."}', MARKUP),
    "[A: @good@answer.]": ('{"A: ",@good,@answer,"."}', MARKUP),
    "[A: @good()@answer().]": ('{"A: ",@good,@answer,"."}', MARKUP),
    "[Hello, @em()[world]!]": ('{"Hello, ",@em world,"!"}', MARKUP),
    '[Hello, @em(class:"subject",style:"italic")[world]!]': (
        '{"Hello, ",@em(class:subject,style:italic) world,"!"}',
        MARKUP,
    ),
    "[A: @answer{42}.]": ('{"A: ",@answer 42,"."}', MARKUP),
    '[A: @answer("secret"){42}.]': ('{"A: ",@answer(secret) 42,"."}', MARKUP),
    '"true"': ('"true"', WORD),
    "%AAA=@hello()%BBB=": ("%AAA=@hello%BBA=", FILLER),
}

EXPRESSION = "the expression language is refused"
#: Echoes of the live server that natant's differ from; None where natant refuses the body.
ECHO_DEVIATIONS = {
    '"true"': ('"true"', WORD),
    "[a @b c]": ('{"a ",@b," c"}', MARKUP),
    "[x@y(1)z]": ("{x,@y(1),z}", MARKUP),
    " $a.b": (None, EXPRESSION),
    " (1+2)": (None, EXPRESSION),
    " -a": (None, EXPRESSION),
    " $foo": (None, EXPRESSION),
    " *": (None, EXPRESSION),
    " a%b": (None, EXPRESSION),
}


def load(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / name).read_text("utf-8").splitlines()]


VECTORS = [
    vector
    for vector in load("recon_vectors.jsonl")
    if not any(source in vector["source"] for source in EXPRESSION_SOURCES)
]


def named(vector: dict[str, Any]) -> str:
    return f"{vector['source'].rpartition('/')[2]} {vector['input'][:40]!r}"


def build(structure: dict[str, Any]) -> Any:
    """The value that a vector's tagged structure means."""
    ((kind, content),) = structure.items()
    if kind == "record":
        return Record([build_item(item) for item in content])
    if kind == "data":
        return base64.b64decode(content)
    makers: dict[str, Any] = {"text": str, "int": int, "float": float, "u32": UInt32, "u64": UInt64, "bool": bool}
    if kind in makers:
        return makers[kind](content)
    return {"absent": Absent, "extant": Extant}[kind]


def build_item(structure: dict[str, Any]) -> Any:
    if "attr" in structure:
        return Attr(*map(build, structure["attr"]))
    if "slot" in structure:
        return Slot(*map(build, structure["slot"]))
    return build(structure)


def decode(vector: dict[str, Any]) -> Any:
    return (recon.decode_block if vector.get("mode") == "block" else recon.decode)(vector["input"])


def encode(vector: dict[str, Any], value: Any, exact: bool = False) -> str:
    return (recon.encode_block if vector.get("mode") == "block" else recon.encode)(value, exact=exact)


@pytest.mark.parametrize("vector", [v for v in VECTORS if v["kind"] == "error"], ids=named)
def test_error(vector: dict[str, Any]) -> None:
    with pytest.raises(CodecError):
        decode(vector)


@pytest.mark.parametrize("vector", [v for v in VECTORS if v["kind"] != "error"], ids=named)
def test_vector(vector: dict[str, Any]) -> None:
    value = decode(vector)
    if "structure" in vector and not vector.get("envelope"):
        assert shape(value) == shape(build(vector["structure"]))
    again = vector.copy()
    again["input"] = encode(vector, value, exact=True)
    assert shape(decode(again)) == shape(value)
    if vector["canonical"] is not None and not vector.get("dialect") and not vector.get("envelope"):
        expected, _ = DEVIATIONS.get(vector["input"], (vector["canonical"], ""))
        assert encode(vector, value) == expected


@pytest.mark.parametrize("vector", [v for v in VECTORS if v.get("envelope")], ids=named)
def test_envelope_vector(vector: dict[str, Any]) -> None:
    envelope = warp.decode(vector["input"])
    body = recon.encode_body(envelope.body)
    printed = warp.encode(envelope.tag, envelope.node, envelope.lane, body, envelope.prio, envelope.rate)
    assert printed == vector["canonical"]


def test_deviations_are_of_vectors_that_exist() -> None:
    assert {vector["input"] for vector in VECTORS} >= DEVIATIONS.keys()


def echoes() -> list[tuple[str, str | None]]:
    frames = [frame for frame in load("warp_capture.jsonl") if frame["scenario"] == "recon.echo_value_lane"]
    pairs = []
    for sent, answer in pairwise(frames):
        if sent["dir"] == "c2s" and sent["text"].startswith("@command"):
            pairs.append((sent["text"], answer["text"] if answer["op"] == "text" else None))
    return pairs


@pytest.mark.parametrize(("sent", "answer"), echoes(), ids=lambda text: str(text).partition("info)")[2])
def test_echo(sent: str, answer: str | None) -> None:
    """What a value lane that takes anything echoes; no answer means that the server refused the body."""
    envelope = warp.decode(sent)
    written = sent.partition(",lane:info)")[2]
    if written in ECHO_DEVIATIONS:
        text, _ = ECHO_DEVIATIONS[written]
        answer = None if text is None else warp.encode("event", envelope.node, envelope.lane, text)
    if answer is None:
        with pytest.raises(CodecError):
            envelope.body  # noqa: B018 - reading it decodes it
    else:
        assert warp.encode("event", envelope.node, envelope.lane, recon.encode_body(envelope.body)) == answer
