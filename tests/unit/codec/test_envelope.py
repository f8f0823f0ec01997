"""Envelopes: both ways of reading agree, what is refused and how, printing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natant.codec import recon, warp
from natant.codec.recon import Absent, Attr, Record, Slot
from natant.codec.uri import check_node
from natant.codec.warp import envelope as module
from natant.errors import CodecError, WarpError
from tests.unit.codec.strategy import shape, values

tags = st.sampled_from(sorted(warp.NODE_TAGS))
nodes = st.text("abcZ09-._~!$&'()*+,;=:@/%?#", max_size=12)
lanes = st.one_of(st.text(max_size=6), st.sampled_from(["info", "true", "a/b", "nodes#/unit/", "a b"]))


def facts(envelope: warp.Envelope) -> Any:
    body: Any
    try:
        body = shape(envelope.body)
    except CodecError as error:
        body = error.code
    return [envelope.tag, envelope.node, envelope.lane, envelope.prio, envelope.rate, envelope.body_text, body]


def outcome(read: Any, text: str) -> Any:
    try:
        return facts(read(text))
    except WarpError as error:
        return error.code


def quoted(text: str) -> str:
    return '"' + recon.encode(text + " ")[1:-2] + '"'


@given(tags, nodes, lanes, values, st.sampled_from(["", "", " 1 2", "{", "\n1", "@a,@b", "  "]))
def test_both_ways_of_reading_agree(tag: str, node: str, lane: str, value: Any, rest: str) -> None:
    """The common form is cut apart; the same text after a blank goes through the Recon reader."""
    text = warp.encode(tag, node, lane, recon.encode_body(value)) + rest
    assert outcome(warp.decode, text) == outcome(warp.decode, " " + text)
    text = f"@{tag}(node:{quoted(node)},lane:{quoted(lane)}){rest}"
    assert outcome(warp.decode, text) == outcome(warp.decode, " " + text)


@given(st.text("@(){}[],;:\"'\\ #ab1\n/", max_size=30), tags)
def test_both_ways_agree_on_wreckage(text: str, tag: str) -> None:
    for whole in (text, f"@{tag}({text}", f'@{tag}(node:"/a"{text}', f'@{tag}(node:"/a",lane:{text}'):
        assert outcome(warp.decode, whole) == outcome(warp.decode, " " + whole)


@given(tags, nodes, lanes, values, st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
def test_what_is_printed_reads_back(tag: str, node: str, lane: str, value: Any, prio: float, rate: float) -> None:
    body = recon.encode_body(value, whole=True)
    text = warp.encode(tag, node, lane, body, prio, rate)
    try:
        check_node(node)
    except WarpError:
        with pytest.raises(WarpError, match="NT-WARP-004"):
            warp.decode(text)
        return
    envelope = warp.decode(text.encode())
    assert [envelope.tag, envelope.node, envelope.lane, envelope.prio, envelope.rate] == [tag, node, lane, prio, rate]
    assert shape(envelope.body) == shape(recon.decode_body(body))


@given(st.one_of(nodes, st.from_regex(r"(/[a-z.%]{0,3}){0,3}", fullmatch=True)))
def test_the_quick_look_at_a_node_agrees_with_the_slow_one(node: str) -> None:
    if hasattr(module, "_is_plain") and module._is_plain(node):
        check_node(node)
        assert "%" not in node


@pytest.mark.parametrize(
    ("text", "tag", "node", "lane", "prio", "body"),
    [
        ('@link(node:"/a",lane:b)', "link", "/a", "b", 0.0, Absent),
        ('@link("/a",b)', "link", "/a", "b", 0.0, Absent),
        ('@link("/a",lane:b,prio:0.5)', "link", "/a", "b", 0.5, Absent),
        ('@link(lane:b,node:"/a")@x', "link", "/a", "b", 0.0, Record([Attr("x")])),
        ('@link(node:"/a";lane:b)', "link", "/a", "b", 0.0, Absent),
        ('@link(node:"/a"\nlane:b\n)', "link", "/a", "b", 0.0, Absent),
        ("  @link( node : '/a' , lane : `b` )  ", "link", "/a", "b", 0.0, Absent),
        ('# hello\n@link(node:"/a",lane:b)', "link", "/a", "b", 0.0, Absent),
        ('@sync(node:"/a",lane:b,zzz:1)', "sync", "/a", "b", 0.0, Absent),
        ('@link(node:"/a",lane:5)', "link", "/a", "5", 0.0, Absent),
        ('@link(node:"/a",lane:true)', "link", "/a", "true", 0.0, Absent),
        ('@link(node:"/a",lane:"b c")', "link", "/a", "b c", 0.0, Absent),
        ('@link(node:"\\/a",lane:b)', "link", "/a", "b", 0.0, Absent),
        ('@link(node:"/a",lane:b,prio:x)', "link", "/a", "b", 0.0, Absent),
        ('@command(node:"/a",lane:b) 1', "command", "/a", "b", 0.0, 1),
        ('@command(node:"/a",lane:b)1', "command", "/a", "b", 0.0, 1),
        ('@command(node:"/a",lane:b){x:1}', "command", "/a", "b", 0.0, Record([Slot("x", 1)])),
        ("@auth", "auth", None, None, 0.0, Absent),
        ("@auth{token:abc}", "auth", None, None, 0.0, Record([Slot("token", "abc")])),
        ("@deauthed(x) y", "deauthed", None, None, 0.0, "y"),
    ],
)
def test_forms(text: str, tag: str, node: str | None, lane: str | None, prio: float, body: Any) -> None:
    envelope = warp.decode(text)
    assert (envelope.tag, envelope.node, envelope.lane, envelope.prio) == (tag, node, lane, prio)
    assert envelope.body == body
    assert envelope.body is envelope.body


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ("", "NT-WARP-001"),
        ("garbage", "NT-WARP-001"),
        ("@", "NT-WARP-001"),
        ("42", "NT-WARP-001"),
        ('{@link(node:"/a",lane:b)}', "NT-WARP-001"),
        ('@link(node:"/a",lane:b', "NT-WARP-001"),
        ("@link(node:/a,lane:b)", "NT-WARP-001"),
        ("@link(" + "{" * 100, "NT-WARP-001"),
        ('@LINK(node:"/a",lane:b)', "NT-WARP-002"),
        ("@hello", "NT-WARP-002"),
        ("@link()", "NT-WARP-003"),
        ("@link", "NT-WARP-003"),
        ("@link(lane:b)", "NT-WARP-003"),
        ('@link(node:"/a")', "NT-WARP-003"),
        ("@link(node:{x:1},lane:b)", "NT-WARP-003"),
        ('@link(node:"/a b",lane:b)', "NT-WARP-004"),
        ('@link(node:"/é",lane:b)', "NT-WARP-004"),
        ('@link(node:"http://[bad",lane:b)', "NT-WARP-004"),
        ('@link(node:"/%4",lane:b)', "NT-WARP-004"),
        (b'@link(node:"/a",lane:"\xff")', "NT-WARP-005"),
    ],
    ids=lambda part: repr(part)[:30],
)
def test_refused(payload: str | bytes, code: str) -> None:
    with pytest.raises(WarpError) as caught:
        warp.decode(payload)
    assert caught.value.code == code


def test_a_wrong_body_is_told_when_it_is_read() -> None:
    envelope = warp.decode('@command(node:"/a",lane:b){')
    for _ in range(2):
        with pytest.raises(CodecError, match="NT-RECON-002"):
            envelope.body  # noqa: B018 - reading it decodes it


def test_print() -> None:
    assert warp.encode("link", "/a", "b", "", 0.5, 1.0) == '@link(node:"/a",lane:b,prio:0.5,rate:1)'
    assert warp.encode("event", "/a", "true", "42") == '@event(node:"/a",lane:"true") 42'
    assert warp.encode("authed", None, None, "{a:1}") == "@authed{a:1}"
    assert repr(warp.decode('@link("/a",b)  x')) == 'Envelope(@link(node:"/a",lane:b)  x)'
    head = warp.header("event", "/a", "b")
    for body, blank in [
        ("{}", ""),
        ("@a", ""),
        ('"x"', ""),
        ("%AA==", ""),
        ("x", " "),
        ("-1", " "),
        ("", ""),
        (" 1", ""),
    ]:
        assert warp.join(head, body) == head + blank + body
