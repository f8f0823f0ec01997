"""SwimOS's Python client, unmodified, against a real server.

It has no lists, knows ``@update`` and ``@remove`` of a map and ignores ``@clear``, ``@take`` and ``@drop``.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.foreign.peer import Peer, python_command
from tests.support.process import ServerProcess


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with ServerProcess() as running:
        yield running


@pytest.fixture
def peer(server: ServerProcess) -> Iterator[Peer]:
    with Peer(python_command(), server.uri) as running:
        yield running


def test_a_value_is_followed_and_set(peer: Peer) -> None:
    peer.follow("info", "value", "/unit/1", "info")
    peer.ask("command", node="/unit/1", lane="setInfo", value=7)
    peer.hears("info", "set", value=7)
    peer.ask("set", name="info", value="two words")
    peer.hears("info", "set", value="two words")
    peer.shows("info", "value", "two words")


def test_a_map_is_followed_and_changed(peer: Peer) -> None:
    peer.follow("map", "map", "/zoo/1", "map")
    peer.ask("put", name="map", key="a", value=1)
    peer.ask("put", name="map", key="b", value="two words")
    peer.shows("map", "map", [["a", 1], ["b", "two words"]])
    peer.ask("remove", name="map", key="a")
    peer.hears("map", "removed", key="a")
    peer.shows("map", "map", [["b", "two words"]])


def test_joins_are_followed(peer: Peer) -> None:
    peer.ask("command", node="/zoo/jx", lane="setValue", value="x0")
    peer.ask("command", node="/zoo/jy", lane="setValue", value=5)
    peer.follow("values", "map", "/join/1", "joinValue")
    peer.shows("values", "map", [["x", "x0"], ["y", 5]])
    peer.ask("command", node="/zoo/jx", lane="setValue", value="x1")
    peer.shows("values", "map", [["x", "x1"], ["y", 5]])


def test_joined_maps_are_followed(peer: Peer) -> None:
    # A client each: all but the first link of a client count as closed to it.
    with Peer(python_command(), peer.host) as source:
        source.follow("source", "map", "/zoo/xs", "map")
        source.ask("put", name="source", key="a", value=1)
        peer.follow("maps", "map", "/join/1", "joinMap")
        peer.shows("maps", "map", [["a", 1]])
        source.ask("remove", name="source", key="a")
        peer.shows("maps", "map", [])


def test_events_are_followed(peer: Peer) -> None:
    peer.follow("supply", "event", "/zoo/1", "supply")
    peer.ask("command", node="/zoo/1", lane="push", value="alarm")
    peer.hears("supply", "event", value="alarm")
