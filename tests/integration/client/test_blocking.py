"""The blocking client, from plain threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from natant.client import State, blocking
from natant.errors import ClientError
from tests.support.process import ServerProcess, free_port


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with ServerProcess() as running:
        yield running


def test_lanes_are_followed_set_and_read(server: ServerProcess) -> None:
    with blocking.connect(server.uri) as client:
        assert client.is_connected
        info = client.value("/unit/1", "info", str).synced()
        assert info.get() is None
        following = info.changes(wait_s=5.0)
        info.set("hello")
        assert next(following).new == "hello"
        assert info.get() == "hello"
        assert (info.state, info.is_synced) == (State.SYNCED, True)
        assert info.age() < 60
        assert info.source.node == "/unit/1"
        client.command("/unit/1", "publish", {"t": 5, "v": 7})
        assert next(following) is not None
        info.close()
        assert list(following) == []
        assert client.ask("/unit/1", "fill", 3) is None
        assert client.get("/unit/1", "history") is not None
        assert client.describe("/unit/1")["agent"] == "Unit"
        assert "/unit/1" in [node["node"] for node in client.nodes("/unit/")]


def test_maps_lists_and_events(server: ServerProcess) -> None:
    with blocking.connect(server.uri) as client:
        with client.map("/zoo/1", "map", str, int).synced() as entries:
            changes = entries.changes(wait_s=5.0)
            entries.put("a", 1)
            entries.put("b", 2)
            assert [next(changes).key, next(changes).key] == ["a", "b"]
            assert (entries["a"], entries.get("q", 9), "b" in entries, len(entries)) == (1, 9, True, 2)
            assert entries.items() == entries.snapshot() == [("a", 1), ("b", 2)]
            assert list(entries) == ["a", "b"]
            entries.remove("a")
            assert next(changes).kind == "removed"
            entries.clear()
            assert next(changes).kind == "cleared"
        elements = client.list("/zoo/1", "list", str).synced()
        changes = elements.changes(wait_s=5.0)
        elements.append("a")
        elements.insert(0, "b")
        assert [next(changes).new, next(changes).new] == ["a", "b"]
        elements.set(0, "c")
        next(changes)
        assert (list(elements), elements[0], len(elements)) == (["c", "a"], "c", 2)
        elements.remove(0)
        next(changes)
        assert elements.snapshot() == ["a"]
        elements.clear()
        assert next(changes).kind == "cleared"
        events = client.event("/zoo/1", "command", str).linked()
        following = events.changes(wait_s=5.0)
        events.command("go")
        assert next(following).new == "go"


def test_changes_end_after_silence(server: ServerProcess) -> None:
    with blocking.connect(server.uri) as client:
        assert list(client.value("/unit/2", "info").synced().changes(wait_s=0.05)) == []


def test_one_client_serves_many_threads(server: ServerProcess) -> None:
    with blocking.connect(server.uri) as client:
        entries = client.map("/zoo/many", "map", int, int).synced()

        def work(number: int) -> None:
            for step in range(25):
                client.ask("/zoo/many", "mapOps", {"op": "put", "k": 100 * number + step, "v": number})

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        changes = entries.changes(wait_s=5.0)
        while len(entries) < 100:
            next(changes)

        assert {value for _, value in entries.snapshot()} == {0, 1, 2, 3}


def test_it_works_only_while_it_is_open(server: ServerProcess) -> None:
    client = blocking.connect(server.uri)
    with pytest.raises(ClientError, match="NT-CLIENT-008"):
        client.value("/unit/1", "info")
    with client:
        link = client.value("/unit/1", "info")
    with pytest.raises(ClientError, match="NT-CLIENT-008"):
        link.get()
    client.close()


def test_nobody_listens() -> None:
    with (
        pytest.raises(ClientError, match="NT-CLIENT-001"),
        blocking.connect(f"warp://127.0.0.1:{free_port()}", wait_s=0.2),
    ):
        pass


def test_a_refused_link_is_told(server: ServerProcess) -> None:
    with blocking.connect(server.uri) as client, pytest.raises(ClientError, match="NT-CLIENT-003"):
        client.value("/unit/1", "nope").synced()
