"""SwimOS's JavaScript client, unmodified, in Node.js and in headless Chromium, against a real server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.foreign.peer import Peer, browser_command, node_command
from tests.support.process import ServerProcess


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with ServerProcess() as running:
        yield running


@pytest.fixture(scope="module", params=["node", "browser"])
def process(request: pytest.FixtureRequest, server: ServerProcess) -> Iterator[Peer]:
    command = node_command() if request.param == "node" else browser_command()
    with Peer(command, server.uri) as running:
        yield running


@pytest.fixture
def peer(process: Peer) -> Iterator[Peer]:
    yield process
    process.close_all()


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A name for the agents of one test."""
    return "".join(letter for letter in request.node.name if letter.isalnum())


def test_a_value_is_followed_and_set(peer: Peer, name: str) -> None:
    peer.follow("info", "value", f"/unit/{name}", "info")
    peer.ask("command", node=f"/unit/{name}", lane="setInfo", value='@status(ok){a:1,b:"two words"}')
    peer.shows("info", "value", '@status(ok){a:1,b:"two words"}')
    peer.ask("set", name="info", value="42")
    peer.shows("info", "value", "42")
    peer.hears("info", "set", value="42")
    peer.ask("command", node=f"/unit/{name}", lane="setInfo", value="{true,false,1.5,%aGVsbG8=}")
    peer.shows("info", "value", "{true,false,1.5,%aGVsbG8=}")
    peer.ask("close", name="info")
    peer.follow("again", "value", f"/unit/{name}", "info")
    peer.shows("again", "value", "{true,false,1.5,%aGVsbG8=}")


def test_a_map_is_followed_and_changed(peer: Peer, name: str) -> None:
    peer.follow("map", "map", f"/zoo/{name}", "map")
    peer.ask("put", name="map", key="a", value="1")
    peer.ask("put", name="map", key='"b c"', value="{x:1,y:2}")
    peer.ask("command", node=f"/zoo/{name}", lane="mapOps", value="{op:put,k:5,v:five}")
    peer.shows("map", "map", [["a", "1"], ['"b c"', "{x:1,y:2}"], ["5", "five"]])
    peer.hears("map", "updated", key="5", value="five")
    peer.ask("remove", name="map", key="a")
    peer.shows("map", "map", [['"b c"', "{x:1,y:2}"], ["5", "five"]])
    peer.hears("map", "removed", key="a")
    peer.ask("command", node=f"/zoo/{name}", lane="mapOps", value="{op:drop,n:1}")
    peer.shows("map", "map", [["5", "five"]])
    peer.ask("command", node=f"/zoo/{name}", lane="mapOps", value="{op:clear}")
    peer.shows("map", "map", [])


def test_a_list_is_followed_and_changed(peer: Peer, name: str, server: ServerProcess) -> None:
    peer.follow("list", "list", f"/zoo/{name}", "list")
    for value in ("a", "b", "c"):
        peer.ask("command", node=f"/zoo/{name}", lane="listOps", value=f"{{op:add,v:{value}}}")
    peer.shows("list", "list", ["a", "b", "c"])
    peer.ask("command", node=f"/zoo/{name}", lane="listOps", value="{op:insert,i:1,v:x}")
    peer.shows("list", "list", ["a", "x", "b", "c"])
    peer.ask("command", node=f"/zoo/{name}", lane="listOps", value="{op:set,i:0,v:aa}")
    peer.ask("command", node=f"/zoo/{name}", lane="listOps", value="{op:move,from:0,to:2}")
    peer.shows("list", "list", ["x", "b", "aa", "c"])
    peer.ask("command", node=f"/zoo/{name}", lane="listOps", value="{op:remove,i:1}")
    peer.shows("list", "list", ["x", "aa", "c"])
    peer.ask("replace", name="list", index=2, value="cc")
    peer.hears("list", "updated", key="2", value="cc")
    peer.ask("cut", name="list", index=0)
    peer.shows("list", "list", ["aa", "cc"])
    # The client shows what it pushed itself twice, with every server: it does not know its own key again.
    peer.ask("push", name="list", value="z")
    peer.shows("list", "list", ["aa", "cc", "z", "z"])
    with Peer(node_command(), server.uri) as other:
        other.follow("list", "list", f"/zoo/{name}", "list")
        other.shows("list", "list", ["aa", "cc", "z"])


def test_joins_are_followed(peer: Peer) -> None:
    peer.ask("command", node="/zoo/jx", lane="setValue", value="x0")
    peer.follow("values", "map", "/join/1", "joinValue")
    peer.ask("command", node="/zoo/jy", lane="setValue", value="{y:0}")
    peer.shows("values", "map", [["x", "x0"], ["y", "{y:0}"]])
    peer.ask("command", node="/zoo/jx", lane="setValue", value="x1")
    peer.shows("values", "map", [["x", "x1"], ["y", "{y:0}"]])

    peer.follow("maps", "map", "/join/1", "joinMap")
    peer.ask("command", node="/zoo/xs", lane="mapOps", value="{op:put,k:a,v:1}")
    peer.ask("command", node="/zoo/ys", lane="mapOps", value="{op:put,k:b,v:2}")
    peer.shows("maps", "map", [["a", "1"], ["b", "2"]])
    peer.ask("command", node="/zoo/xs", lane="mapOps", value="{op:remove,k:a}")
    peer.shows("maps", "map", [["b", "2"]])


def test_events_are_followed(peer: Peer, name: str) -> None:
    peer.follow("supply", "event", f"/zoo/{name}", "supply")
    peer.follow("echo", "event", f"/zoo/{name}", "command")
    peer.ask("command", node=f"/zoo/{name}", lane="push", value="@alarm{level:3}")
    peer.hears("supply", "event", value="@alarm{level:3}")
    peer.ask("command", node=f"/zoo/{name}", lane="command", value="go")
    peer.hears("echo", "event", value="go")
    peer.follow("demand", "value", f"/zoo/{name}", "demand")
    peer.shows("demand", "value", "cued")


def test_what_is_not_there_is_unlinked(peer: Peer, name: str) -> None:
    peer.ask("open", name="lane", kind="value", node=f"/unit/{name}", lane="nope")
    peer.ask("open", name="node", kind="value", node="/nope/1", lane="info")
    peer.hears("lane", "unlinked")
    peer.hears("node", "unlinked")
    peer.follow("good", "value", f"/unit/{name}", "info")


def test_relative_and_encoded_nodes_are_answered_in_their_spelling(peer: Peer) -> None:
    for link, node in (("relative", "unit/7"), ("encoded", "/unit/%C3%A9"), ("dots", "/unit/./7")):
        peer.follow(link, "value", node, "info")
    peer.ask("command", node="/unit/7", lane="setInfo", value="seven")
    peer.shows("relative", "value", "seven")
    peer.shows("dots", "value", "seven")
