"""What every store promises of what is removed, and of persons: nothing is left, nothing is shared."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import replace

import numpy as np
import pytest

from keepsake.errors import KeepsakeError
from keepsake.key import Ring
from keepsake.record import Entity, Fact, Kind, Memory, Message, Share
from keepsake.store.contract import Store, Stores, Vectors, Writer

MODEL = "toy"


def message(
    number: int, body: str = "We saw the lighthouse", said_at: float | None = None, stream: str = "walk"
) -> Message:
    return Message(f"{stream}:{number}", Kind.TEXT, 1000.0 + number if said_at is None else said_at, 2000.0, body)


def memory(of: Message, part: int = 0, text: str = "", **fields: object) -> Memory:
    whole = Memory(f"{of.id}#{part}", of.seq, part, of.kind, text or of.body, of.said_at)
    return replace(whole, **fields)  # type: ignore[arg-type]


def add(writer: Writer, *messages: Message) -> list[Memory]:
    """Stores each message as one memory."""
    kept = [memory(writer.add_message(one)[0]) for one in messages]
    writer.put_memories(kept)
    return kept


def fill(store: Store, *bodies: str) -> list[Memory]:
    with store.write() as writer:
        return add(writer, *(message(number, body) for number, body in enumerate(bodies, 1)))


def ids(found: Iterable[tuple[str, float]]) -> list[str]:
    return [name for name, _ in found]


def unit(*rows: list[float]) -> Vectors:
    vectors = np.array(rows, np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)  # type: ignore[no-any-return]


def is_refused(code: str) -> AbstractContextManager[object]:
    return pytest.raises(KeepsakeError, match=code)


def fact(name: str, of: str, since: float = 10.0, **fields: object) -> Fact:
    whole = Fact(name, "Ann", "lives in", name, of, 1, since, since)
    return replace(whole, **fields)  # type: ignore[arg-type]


class TestRemoval:
    def test_takes_all_that_was_derived(self, store: Store) -> None:
        kept = fill(store, "the canary sang", "the boat sank")
        with store.write() as writer:
            named = replace(kept[0], entities=(Entity("person", "Canary", 0, 1),), areas=(Share("canary", 1.0),))
            writer.put_memories([named], unit([1, 0]), MODEL)
            writer.put_fact(fact("canary", "walk:1#0"))
        assert store.find("canary") != []
        with store.write() as writer:
            assert writer.remove_message("walk:1") == ("walk:1#0",)
        assert store.find("canary") == []
        assert (store.message("walk:1"), store.memory("walk:1#0"), store.search("canary")) == (None, None, [])
        assert (store.nearest(unit([1, 0])[0], MODEL), store.facts()) == ([], [])
        assert ids(store.search("boat")) == ["walk:2#0"]

    def test_of_derived_things_leaves_the_messages(self, store: Store) -> None:
        kept = fill(store, "the canary sang")
        with store.write() as writer:
            writer.put_memories(kept, unit([1, 0]), MODEL)
            writer.put_fact(fact("f", "walk:1#0"))
            writer.set_built("words", 1)
            writer.put_document("feedback", "1", b"good")
            writer.clear_derived()
        assert (store.memories(), store.facts(), store.built("words"), list(store.vectors(MODEL))) == ([], [], 0, [])
        assert store.search("canary") == []
        assert [one.body for one in store.messages()] == ["the canary sang"]
        assert store.document("feedback", "1") == b"good"
        with store.write() as writer:
            writer.put_memories(kept, unit([1, 0, 0]), MODEL)
        assert ids(store.search("canary")) == ["walk:1#0"]


class TestPersons:
    def test_never_meet(self, stores: Stores) -> None:
        ann, ben = stores.open("ann"), stores.open("ben")
        fill(ann, "the canary sang")
        fill(ben, "the boat sank")
        assert (ben.search("canary"), ben.find("canary"), ann.find("boat")) == ([], [], [])
        assert [one.body for one in ben.messages()] == ["the boat sank"]
        assert (ann.person, ben.person, stores.people()) == ("ann", "ben", ["ann", "ben"])
        ann.close()
        ben.close()

    def test_are_erased_alone(self, stores: Stores, ring: Ring) -> None:
        for person in ("ann", "ben"):
            opened = stores.open(person)
            fill(opened, f"the canary of {person}")
            opened.close()
        stores.erase("ann")
        stores.erase("ann")
        assert stores.people() == ["ben"]
        again = stores.open("ann")
        assert (again.head(), again.find("canary")) == (0, [])
        again.close()
        left = stores.open("ben")
        assert left.head() == 1
        left.close()

    def test_without_a_key_have_no_store(self, stores: Stores, ring: Ring) -> None:
        stores.open("ann").close()
        ring.destroy("ann")
        for person in ("ann", "nobody"):
            with is_refused("KS-KEY-001"):
                stores.open(person)
        assert stores.people() == []

    def test_another_key_opens_nothing(self, stores: Stores, ring: Ring) -> None:
        opened = stores.open("ann")
        fill(opened, "the canary sang")
        opened.close()
        ring.destroy("ann")
        ring.make("ann")
        with is_refused("KS-STORE-001"):
            stores.open("ann")
        stores.erase("ann")
        stores.open("ann").close()

    def test_that_are_erased_while_they_are_written_store_nothing(self, stores: Stores) -> None:
        opened = stores.open("ann")
        stores.erase("ann")
        with is_refused("KS-STORE-006"):
            fill(opened, "lost?")
        opened.close()


class TestProof:
    @pytest.mark.parametrize("needle", ["canary", "CANARY", "The Canary", "canaries"])
    def test_finds_a_text_in_any_place(self, store: Store, needle: str) -> None:
        fill(store, "the canaries: the canary sang")
        assert "message" in store.find(needle)
        with store.write() as writer:
            writer.put_document("model", "names", "the canaries, The Canary".encode("utf-32-le"))
            writer.remove_message("walk:1")
        assert store.find(needle) == ["document"]

    def test_wants_a_text(self, store: Store) -> None:
        with is_refused("KS-STORE-009"):
            store.find(" ")

    def test_size_grows(self, store: Store) -> None:
        before = store.size()
        fill(store, *["x" * 10_000] * 20)
        assert store.size() > before
