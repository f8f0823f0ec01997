"""Tokens of nodes and their partitions: one node, one spelling, the server's own hash."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from natant.codec.uri import resolve
from natant.errors import FabricError, WarpError
from natant.fabric.contract import deposed
from natant.fabric.partition import fnv1a, partition_of, partition_of_tokens
from natant.fabric.token import node_of, text_of, token, tokens_of

ALLOWED = re.compile(r"[A-Za-z0-9\-_~%]+").fullmatch


@pytest.mark.parametrize(
    ("node", "tokens"),
    [
        ("/room/42", ("room", "42")),
        ("/room/4.2", ("room", "4%2E2")),
        ("warp://host:9001/room/42?a=b#c", ("room", "42")),
        ("room/%34%32", ("room", "42")),
        ("/a%20b/*", ("a%20b", "%2A")),
        ("/", ("%",)),
        ("/room/", ("room", "%")),
        ("/a%2Fb", ("a%2Fb",)),
        ("/h%c3%a4", ("h%C3%A4",)),
        ("/x:y@z", ("x%3Ay%40z",)),
        ("swim:meta:host", ("swim:meta:host",)),
        ("swim:meta:node/%2funit/lane", ("swim:meta:node", "%2Funit", "lane")),
    ],
)
def test_a_node_has_its_tokens(node: str, tokens: tuple[str, ...]) -> None:
    assert tokens_of(node) == tokens
    assert node_of(tokens) == resolve(node)[1]


@pytest.mark.parametrize(
    "tokens", [("a b",), ("%61",), ("a%2fb",), ("room", "4%2e2"), ("%2E",), ("%", "a"), (":",), ("%FF%", "a"), ()]
)
def test_tokens_that_no_node_has_are_refused(tokens: tuple[str, ...]) -> None:
    with pytest.raises(FabricError, match="NT-FABRIC-010"):
        node_of(tokens)


@pytest.mark.parametrize("written", ["", "a.b", "%61", "%2a", "%FF", "a%"])
def test_a_token_that_is_not_the_one_form_of_its_text_is_refused(written: str) -> None:
    with pytest.raises(FabricError, match="NT-FABRIC-010"):
        text_of(written)


def test_text_without_utf_8_has_no_token() -> None:
    with pytest.raises(FabricError, match="NT-FABRIC-010"):
        token("\ud800")


def test_what_is_no_uri_has_no_tokens() -> None:
    with pytest.raises(WarpError, match="NT-WARP-004"):
        tokens_of("/a b")


@given(st.text())
def test_any_text_is_one_token_and_comes_back(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()

    assert ALLOWED(token(text))
    assert text_of(token(text)) == text


@given(st.lists(st.text(alphabet="a.*> %/:\u00e4", min_size=0, max_size=3), min_size=1, max_size=4))
def test_tokens_come_back_as_the_same_node(segments: list[str]) -> None:
    tokens = tuple(token(segment) for segment in segments)
    assume(not {"%2E", "%2E%2E"} & {*tokens})  # dots are resolved away: no node has these
    assume(tokens[0] != "%" or len(tokens) == 1)  # two slashes begin a host

    assert tokens_of(node_of(tokens)) == tokens


def test_the_hash_is_fnv_1a() -> None:
    assert fnv1a(b"") == 0x811C9DC5
    assert fnv1a(b"a") == 0xE40C292C
    assert fnv1a(b"foobar") == 0xBF9CF968


def test_a_partition_is_that_of_the_tokens_in_a_row() -> None:
    assert partition_of("/room/42", 64) == fnv1a(b"room42") % 64
    assert (
        partition_of("/room/42", 64) == partition_of("warp://h/room/42", 64) == partition_of_tokens(("room", "42"), 64)
    )


def test_partitions_are_even() -> None:
    counts = [0] * 64
    for number in range(6400):
        counts[partition_of(f"/vehicle/{number}", 64)] += 1

    assert min(counts) > 50
    assert max(counts) < 150


def test_a_deposed_owner_is_told_so() -> None:
    assert str(deposed(7)).startswith("NT-FABRIC-100  another worker has taken partition 7 over")
