"""Events of any lane, as JSON and as lines for people."""

from __future__ import annotations

import json

import pytest

from natant.cli.follow import EVENT_LIMIT, Follower, as_facts, as_text
from natant.codec import recon
from natant.link.change import Change


@pytest.mark.parametrize(
    ("body", "facts", "text"),
    [
        ("42", {"op": "set", "value": 42}, "42"),
        ("", {"op": "set", "value": None}, "-"),
        ('"two words"', {"op": "set", "value": "two words"}, "two words"),
        ("{x:1}", {"op": "set", "value": {"x": 1}}, '{"x":1}'),
        ("@update(key:a) 5", {"op": "update", "key": "a", "value": 5}, "a: 5"),
        ("@update(key:{x:1}){y:2}", {"op": "update", "key": {"x": 1}, "value": {"y": 2}}, '{"x":1}: {"y":2}'),
        ("@remove(key:a)", {"op": "remove", "key": "a"}, "a removed"),
        ("@clear", {"op": "clear"}, "all removed"),
        ("@take(3)", {"op": "take", "n": 3}, "all but the first 3 removed"),
        ("@drop(2)", {"op": "drop", "n": 2}, "the first 2 removed"),
        ("@update(index:0,key:k) a", {"op": "update", "index": 0, "value": "a"}, "[0]: a"),
        ("@remove(index:4,key:k)", {"op": "remove", "index": 4}, "[4] removed"),
        ("@move(from:0,to:2,key:k)", {"op": "move", "from": 0, "to": 2}, "[0] moved to [2]"),
    ],
)
def test_an_event_has_facts_and_words(body: str, facts: object, text: str) -> None:
    value = recon.decode_body(body)

    assert json.loads(as_facts(value)) == facts
    assert as_text(value) == text


async def test_events_wait_within_a_bound_and_signs_always() -> None:
    follower = Follower("/a", "x", wants_sync=True, rate=0, prio=0)
    for number in range(EVENT_LIMIT + 3):
        follower._hear(Change("event", None, number))
    follower._hear(Change("stale", None, "gone"))

    assert follower.missed == 3
    kinds = [(await follower.next()).kind for _ in range(EVENT_LIMIT + 1)]
    assert kinds[-1] == "stale"
