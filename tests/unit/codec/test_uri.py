"""Node and lane URIs: what is echoed, what is looked up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natant.codec import uri
from natant.errors import WarpError


@pytest.mark.parametrize(
    ("node", "echo", "key"),
    [
        ("/unit/1", "/unit/1", "/unit/1"),
        ("/unit/%41", "/unit/A", "/unit/A"),
        ("/unit/%C3%A9", "/unit/%c3%a9", "/unit/%c3%a9"),
        ("/unit/x%2Fy", "/unit/x%2fy", "/unit/x%2fy"),
        ("/unit/%25%20", "/unit/%25%20", "/unit/%25%20"),
        ("/unit/a:b", "/unit/a:b", "/unit/a:b"),
        ("/unit/a@b", "/unit/a@b", "/unit/a@b"),
        ("/unit/x+y", "/unit/x+y", "/unit/x+y"),
        ("unit/rel", "unit/rel", "/unit/rel"),
        ("/unit/./x", "/unit/./x", "/unit/x"),
        ("/unit/../x", "/unit/../x", "/x"),
        ("/../x", "/../x", "/x"),
        ("/unit/..", "/unit/..", "/"),
        ("/unit/%2e%2E", "/unit/..", "/"),
        ("/unit/.x", "/unit/.x", "/unit/.x"),
        ("/unit/1?q=1", "/unit/1?q=1", "/unit/1"),
        ("/unit/1#f", "/unit/1#f", "/unit/1"),
        ("warp://host:9001/unit/abs", "warp://host:9001/unit/abs", "/unit/abs"),
        ("warp://[::1]:9001/unit/abs", "warp://[::1]:9001/unit/abs", "/unit/abs"),
        ("warp:/unit/abs", "warp:/unit/abs", "/unit/abs"),
        ("//host/unit/abs", "//host/unit/abs", "/unit/abs"),
        ("warp://host", "warp://host", "/"),
        ("swim:meta:host", "swim:meta:host", "swim:meta:host"),
        ("swim:meta:node/%2Funit%2F1", "swim:meta:node/%2funit%2f1", "swim:meta:node/%2funit%2f1"),
        ("swimos:meta:mesh", "swimos:meta:mesh", "swimos:meta:mesh"),
        ("/unit/", "/unit/", "/unit/"),
        ("/unit//x", "/unit//x", "/unit//x"),
        ("/UNIT/1", "/UNIT/1", "/UNIT/1"),
        ("", "", "/"),
    ],
)
def test_node(node: str, echo: str, key: str) -> None:
    assert uri.normalize(node) == echo
    assert uri.resolve(node) == (echo, key)


@pytest.mark.parametrize(
    "node", ["/a b", "/é", "/a%4", "/a%zz", "http://[bad", "/a[b]", "/a\\b", '/a"b', "/a\n", "/a\0", "warp://a:x/b"]
)
def test_no_uri(node: str) -> None:
    for look in (uri.check_node, uri.normalize, uri.resolve):
        with pytest.raises(WarpError, match="NT-WARP-004"):
            look(node)


@given(st.text("abA1-._~!%/:@?#", max_size=15))
def test_a_normal_uri_stays(node: str) -> None:
    try:
        echo, key = uri.resolve(node)
    except WarpError:
        return
    assert uri.normalize(echo) == echo
    assert uri.resolve(echo) == (echo, key)


@pytest.mark.parametrize(
    ("lane", "name"),
    [("info", "info"), ("nodes#/unit/", "nodes"), ("a?b#c", "a"), ("a/b", "a/b"), ("a%20b", "a b"), ("#", "")],
)
def test_lane(lane: str, name: str) -> None:
    assert uri.resolve_lane(lane) == (lane, name)


def test_segments() -> None:
    assert uri.segments("/unit/x%2fy") == ("unit", "x/y")
    assert uri.segments("swim:meta:node/%2funit") == ("swim:meta:node", "/unit")
