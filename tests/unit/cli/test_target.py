"""Which lane of which host the words of a command mean."""

from __future__ import annotations

import click
import pytest

from natant.cli.target import DEFAULT_URL, host_of, take_lane, take_node, words_only


@pytest.fixture(autouse=True)
def _no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NATANT_URL", raising=False)


@pytest.mark.parametrize(
    ("words", "at", "host", "node", "lane", "rest"),
    [
        (["/a/1", "x"], None, DEFAULT_URL, "/a/1", "x", []),
        (["a/1", "x", "5"], "warp://h:1", "warp://h:1", "/a/1", "x", ["5"]),
        (["warp://h:1/a/1?lane=x", "5"], None, "warp://h:1", "/a/1", "x", ["5"]),
        (["https://h/a/1", "x"], None, "https://h", "/a/1", "x", []),
        (["warp://h:1/a?lane=two%20words"], None, "warp://h:1", "/a", "two words", []),
    ],
)
def test_both_forms_of_a_lane(
    words: list[str], at: str | None, host: str, node: str, *, lane: str, rest: list[str]
) -> None:
    target, left = take_lane(words, at)

    assert (target.address.host_uri, target.node, target.lane, left) == (host, node, lane, rest)


def test_the_variable_is_used_unless_at_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NATANT_URL", "warp://there:2")

    assert host_of(None).host_uri == "warp://there:2"
    assert host_of("warp://h:1").host_uri == "warp://h:1"


@pytest.mark.parametrize(
    ("words", "at", "message"),
    [
        ([], None, "which node"),
        (["/a"], None, "which lane of /a"),
        (["warp://h:1/a"], None, "which lane of /a"),
        (["warp://h:1/a", "x"], "warp://h:2", "says it twice"),
    ],
)
def test_what_is_missing_or_said_twice_is_told(words: list[str], at: str | None, message: str) -> None:
    with pytest.raises(click.UsageError, match=message):
        take_lane(words, at)


def test_nodes_that_tell_about_a_host_keep_their_scheme() -> None:
    assert take_node(["swim:meta:host", "nodes"], None)[0].node == "swim:meta:host"
    assert take_node(["unit/1"], None)[0].node == "/unit/1"


def test_a_node_alone() -> None:
    target, rest = take_node(["warp://h:1"], None)

    assert (target.node, rest, str(target)) == ("/", [], "/")


def test_options_are_no_words_but_negative_numbers_are() -> None:
    assert words_only(["-5"], 1) == ["-5"]
    assert words_only(["-.5", "-"], 2) == ["-.5", "-"]
    with pytest.raises(click.NoSuchOption):
        words_only(["--jsn"], 1)
    with pytest.raises(click.UsageError, match="one word too many"):
        words_only(["1", "2"], 1)
