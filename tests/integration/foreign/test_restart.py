"""SwimOS's clients, unmodified, while their server is killed or stopped and comes back on the same data and port."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.foreign.peer import Peer, browser_command, node_command, python_command
from tests.support.process import ServerProcess


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with ServerProcess(data=tmp_path / "data") as running:
        yield running


@pytest.fixture(params=["node", "browser"])
def peer(request: pytest.FixtureRequest, server: ServerProcess) -> Iterator[Peer]:
    command = node_command() if request.param == "node" else browser_command()
    with Peer(command, server.uri) as running:
        yield running


def test_links_survive_a_crash_of_the_server(peer: Peer, server: ServerProcess) -> None:
    peer.follow("info", "value", "/unit/1", "info")
    peer.follow("map", "map", "/zoo/1", "map")
    peer.follow("list", "list", "/zoo/1", "list")
    peer.follow("join", "map", "/join/1", "joinValue")
    peer.ask("set", name="info", value="before")
    for key in ("a", "b", "c"):
        peer.ask("put", name="map", key=key, value="1")
        peer.ask("command", node="/zoo/1", lane="listOps", value=f"{{op:add,v:{key}}}")
    peer.ask("command", node="/zoo/jx", lane="setValue", value="x0")
    peer.shows("map", "map", [["a", "1"], ["b", "1"], ["c", "1"]])
    peer.shows("list", "list", ["a", "b", "c"])
    peer.shows("join", "map", [["x", "x0"], ["y", ""]])

    server.kill()
    peer.hears("map", "disconnected")
    peer.forget()
    server.start()
    with Peer(node_command(), server.uri) as other:
        other.ask("command", node="/zoo/1", lane="mapOps", value="{op:remove,k:b}")
        other.ask("command", node="/zoo/1", lane="listOps", value="{op:remove,i:1}")
        other.ask("command", node="/zoo/jx", lane="setValue", value="x1")
        other.follow("map", "map", "/zoo/1", "map")
        other.shows("map", "map", [["a", "1"], ["c", "1"]])
        other.follow("info", "value", "/unit/1", "info")
        other.shows("info", "value", "before")

    for name in ("info", "map", "list", "join"):
        peer.hears(name, "synced")
    peer.shows("info", "value", "before")
    peer.shows("map", "map", [["a", "1"], ["c", "1"]])
    peer.shows("list", "list", ["a", "c"])
    peer.shows("join", "map", [["x", "x1"], ["y", ""]])
    peer.ask("put", name="map", key="d", value="2")
    peer.shows("map", "map", [["a", "1"], ["c", "1"], ["d", "2"]])


def test_links_survive_a_planned_restart(peer: Peer, server: ServerProcess) -> None:
    peer.follow("info", "value", "/unit/1", "info")
    peer.ask("set", name="info", value="before")
    peer.shows("info", "value", "before")
    server.stop()
    peer.hears("info", "disconnected")
    peer.forget()
    server.start()
    peer.hears("info", "synced")
    peer.ask("set", name="info", value="after")

    peer.shows("info", "value", "after")


def test_the_python_client_links_again(server: ServerProcess) -> None:
    """After a reconnect it asks again for the link that it opened last; what ``@clear`` says it does not understand."""
    with Peer(python_command(), server.uri) as peer:
        peer.follow("map", "map", "/zoo/1", "map")
        peer.ask("put", name="map", key="a", value=1)
        peer.shows("map", "map", [["a", 1]])
        server.kill()
        peer.forget()
        server.start()
        peer.hears("map", "synced")
        peer.hears("map", "updated", key="a", value=1)
        peer.ask("put", name="map", key="b", value=2)

        peer.shows("map", "map", [["a", 1], ["b", 2]])
