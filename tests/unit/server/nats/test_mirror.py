"""The copy of a followed lane shows what the lane holds, after each event."""

from __future__ import annotations

import json
from typing import Any

import pytest

from natant.codec import recon
from natant.codec.form import form
from natant.server.http.lanejson import LaneJson
from natant.server.nats.mirror import Mirror


def mirror(kind: str, **types: Any) -> Mirror:
    return Mirror(LaneJson(kind, {role: form(found) for role, found in types.items()}))


def told(copy: Mirror, body: str) -> Any:
    return json.loads(copy.apply(recon.decode_body(body)))


def test_a_value_is_the_last_one() -> None:
    copy = mirror("value", value=float)

    assert copy.state() == b"null"
    assert told(copy, "3") == {"op": "set", "value": 3.0}
    assert copy.state() == b"3.0"


def test_a_supply_lane_has_no_state() -> None:
    copy = mirror("supply", value=str)

    assert told(copy, "hi") == {"op": "set", "value": "hi"}
    assert copy.state() == b"null"


def test_a_map_is_cut_in_recon_order() -> None:
    copy = mirror("map", key=int, value=str)
    for key in (10, 9, 2):
        told(copy, f"@update(key:{key}) k{key}")

    assert told(copy, "@take(2)") == {"op": "take", "n": 2}
    assert json.loads(copy.state()) == {"2": "k2", "9": "k9"}
    told(copy, "@drop(1)")
    assert json.loads(copy.state()) == {"9": "k9"}
    told(copy, "@remove(key:9)")
    assert copy.state() == b"{}"


def test_a_list_tells_an_insert_from_an_update() -> None:
    copy = mirror("list", value=str)

    assert told(copy, "@update(index:0,key:a) x")["op"] == "insert"
    assert told(copy, "@update(index:1,key:b) y")["op"] == "insert"
    assert told(copy, "@update(index:1,key:b) z") == {"op": "update", "index": 1, "value": "z"}
    assert told(copy, "@update(index:0,key:c) w") == {"op": "insert", "index": 0, "value": "w"}
    assert told(copy, "@move(from:0,to:2,key:c)") == {"op": "move", "from": 0, "to": 2}
    assert copy.state() == b'["x","z","w"]'
    assert told(copy, "@remove(index:0,key:a)") == {"op": "remove", "index": 0}
    assert told(copy, "@remove(index:0,key:a)") == {"op": "none"}
    told(copy, "@take(1)")
    assert copy.state() == b'["z"]'
    told(copy, "@drop(1)")
    assert copy.state() == b"[]"


@pytest.mark.parametrize("kind", ["list", "map"])
def test_clear_empties(kind: str) -> None:
    copy = mirror(kind, key=str, value=int)
    told(copy, "@update(index:0,key:a) 1" if kind == "list" else "@update(key:a) 1")

    assert told(copy, "@clear") == {"op": "clear"}
    assert json.loads(copy.state()) in ([], {})
