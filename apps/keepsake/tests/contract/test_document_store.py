"""Transactions over single documents: writers that die at any step, that are slow, or that meet."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keepsake.errors import KeepsakeError
from keepsake.key import Ring
from keepsake.record import Fact, Kind, Memory, Message
from keepsake.store.contract import Filter
from keepsake.store.document import Document, DocumentStore
from keepsake.store.document.view import LEASE_S
from keepsake.store.mongo import MongoStores
from keepsake.store.opensearch import OpenSearchStores
from keepsake.store.s3 import S3Blobs
from keepsake.store.seal import Seal

Server = dict[str, Any]


class Clock:
    """Time that passes when it is looked at."""

    def __init__(self, step_s: float = 0.0) -> None:
        self.now = 1_000_000.0
        self.step_s = step_s

    def __call__(self) -> float:
        self.now += self.step_s
        return self.now


class Killed(BaseException):
    """The end of a process in the middle of something."""


@pytest.fixture
def start(memory_driver: Callable[[Server], Any], ring: Ring) -> Callable[..., DocumentStore]:
    """Opens a store over a server, as a process of its own would; with ``steps`` it dies after so many of the server's changes."""

    def started(server: Server, clock: Clock, steps: int | None = None) -> DocumentStore:
        driver = memory_driver(server)
        store = DocumentStore(driver, ring.key("ann"), now=clock)
        if steps is not None:
            die_after(driver, steps)
        return store

    return started


def die_after(driver: Any, steps: int) -> None:
    left = steps

    def step() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Killed

    swap, change = driver.swap, driver.change

    def dying_swap(state: object) -> bool:
        step()
        return bool(swap(state))

    def dying_change(
        puts: Sequence[tuple[str, Document]], removals: Sequence[tuple[str, str]], cleared: Sequence[str]
    ) -> None:
        for collection in cleared:
            step()
            change([], [], [collection])
        for removal in removals:
            step()
            change([], [removal], [])
        for put in puts:
            step()
            change([put], [], [])

    driver.swap, driver.change = dying_swap, dying_change


def fill(store: DocumentStore, *numbers: int) -> None:
    with store.write() as writer:
        for number in numbers:
            body = f"the canary sang {number}"
            message, is_new = writer.add_message(Message(f"a:{number}", Kind.TEXT, 1.0, 1.0, body))
            assert is_new
            memory = Memory(f"{message.id}#0", message.seq, 0, Kind.TEXT, body, 1.0)
            writer.put_memories([memory], np.eye(2, dtype=np.float32)[:1], "toy")
            writer.put_fact(Fact(f"f{number}", "Ann", "heard", "it", memory.id, message.seq, 1.0, 1.0))
            writer.append_record(b"%d" % number)


def told(store: DocumentStore) -> tuple[object, ...]:
    vectors = [name for names, _, _ in store.vectors("toy") for name in names]
    facts = sorted(fact.id for fact in store.facts())
    messages = [message.id for message in store.messages()]
    found = sorted(name for name, _ in store.search("canaries"))
    memories = [memory.id for memory in store.memories()]
    return messages, memories, found, vectors, facts, store.records(), len(store.timeline(Filter()))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.integers(0, 40), is_removal=st.booleans())
def test_a_writer_that_dies_leaves_all_or_nothing(
    start: Callable[..., DocumentStore], steps: int, is_removal: bool
) -> None:
    server: Server = {}
    clock = Clock()
    fill(start(server, clock), 1, 2)
    before = told(start(server, clock))
    dying = start(server, clock, steps)
    is_dead = False
    try:
        with dying.write() as writer:
            if is_removal:
                writer.remove_message("a:1")
                writer.append_record(b"gone")
            else:
                writer.clear_derived()
                writer.append_record(b"clear")
    except Killed:
        is_dead = True
    clock.now += LEASE_S + 1
    left = told(start(server, clock))
    after_messages = ["a:2"] if is_removal else ["a:1", "a:2"]
    after = [after_messages, *([["a:2#0"]] * 3 if is_removal else [[]] * 3)]
    assert left == before or list(left[:4]) == after
    assert is_dead or left != before, "what was said to be stored is"
    assert len(left[5]) == (2 if left == before else 3)  # type: ignore[arg-type]
    again = start(server, clock)
    fill(again, 3)
    assert again.head() == 3


def test_a_writer_waits_for_another_one_and_gives_up(start: Callable[..., DocumentStore]) -> None:
    server: Server = {}
    first, second = start(server, Clock()), start(server, Clock(step_s=5.0))
    with first.write() as writer:
        writer.put_document("a", "b", b"1")
        with pytest.raises(KeepsakeError, match="KS-STORE-007"):
            fill(second, 1)
    fill(second, 1)
    assert first.head() == 1


def test_a_writer_that_was_too_slow_stores_nothing(start: Callable[..., DocumentStore]) -> None:
    server: Server = {}
    clock = Clock()
    slow, other = start(server, clock), start(server, clock)

    def be_slow() -> None:
        with slow.write() as writer:
            writer.put_document("a", "b", b"late")
            clock.now += LEASE_S + 1
            fill(other, 1)

    with pytest.raises(KeepsakeError, match="KS-STORE-007"):
        be_slow()
    assert slow.document("a", "b") is None
    assert slow.head() == 1
    fill(slow, 2)


def test_a_transaction_sees_itself(start: Callable[..., DocumentStore]) -> None:
    store = start({}, Clock())
    fill(store, 1, 2, 3)
    with store.write() as writer:
        writer.remove_message("a:3")
        assert (store.head(), [one.id for one in store.messages(limit=2)]) == (2, ["a:1", "a:2"])
        writer.clear_derived()
        assert (store.memories(), store.facts()) == ([], [])
        writer.put_document("a", "b", b"1")
        assert (store.documents("a"), store.document("a", "b")) == (["b"], b"1")
        writer.remove_document("a", "b")
        assert store.document("a", "b") is None
        writer.set_built("words", 7)
        assert store.built("words") == 7


def test_a_transaction_that_is_too_large_is_refused(start: Callable[..., DocumentStore]) -> None:
    store = start({}, Clock())
    with pytest.raises(KeepsakeError, match="KS-STORE-011"), store.write() as writer:
        writer.put_document("a", "b", bytes(13_000_000))
    assert store.document("a", "b") is None
    fill(store, 1)


def test_a_later_layout_is_refused(start: Callable[..., DocumentStore], ring: Ring) -> None:
    server: Server = {}
    start(server, Clock())
    state = server["state"]
    later = Seal(ring.key("ann")).close(b'{"layout": 9}', f"state/{state.version}")
    server["state"] = type(state)(state.version, later)
    with pytest.raises(KeepsakeError, match="KS-STORE-002"):
        start(server, Clock())


def test_new_rules_for_terms_index_anew(start: Callable[..., DocumentStore], monkeypatch: pytest.MonkeyPatch) -> None:
    server: Server = {}
    fill(start(server, Clock()), 1)
    for module in ("seal", "document.writer"):
        monkeypatch.setattr(
            f"keepsake.store.{module}.terms", lambda text: [word[::-1] for word in text.lower().split()]
        )
    again = start(server, Clock())
    assert [name for name, _ in again.search("canary")] == ["a:1#0"]
    assert again.search("canaries") == []


def test_a_document_given_for_another_is_refused(start: Callable[..., DocumentStore]) -> None:
    server: Server = {}
    store = start(server, Clock())
    fill(store, 1, 2)
    first, second = sorted(server["message"].values(), key=lambda one: one.id)
    server["message"][second.id] = Document(second.id, first.body, second.tags)
    with pytest.raises(KeepsakeError, match="KS-KEY-002"):
        store.messages()


def test_the_server_reads_nothing(start: Callable[..., DocumentStore]) -> None:
    server: Server = {}
    store = start(server, Clock())
    fill(store, 1)
    assert {"message", "memory", "words"} <= set(store.find("canary"))
    held = repr(server).lower()
    assert "memory" in held
    assert not any(word in held for word in ("canary", "sang", "heard", "toy"))
    store.close()


@pytest.mark.parametrize(
    ("module", "extra", "make"),
    [
        ("pymongo", "mongo", lambda ring: MongoStores("mongodb://127.0.0.1:1/", ring).open("ann")),
        ("opensearchpy", "search", lambda ring: OpenSearchStores("http://127.0.0.1:1/", ring).open("ann")),
        ("minio", "s3", lambda _: S3Blobs("http://127.0.0.1:1", "keepsake", "a", "b")),
    ],
)
def test_a_driver_that_is_not_installed_is_told(
    ring: Ring, monkeypatch: pytest.MonkeyPatch, module: str, extra: str, make: Callable[[Ring], object]
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(KeepsakeError, match=rf"KS-STORE-010.*keepsake\[{extra}\]"):
        make(ring)


@pytest.mark.parametrize(
    "make",
    [
        lambda ring: MongoStores("mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=200", ring).open("ann"),
        lambda ring: OpenSearchStores("http://127.0.0.1:1/", ring).open("ann"),
        lambda ring: OpenSearchStores("opensearch+https://user:password@127.0.0.1:1/", ring).open("ann"),
        lambda _: S3Blobs("http://127.0.0.1:1", "keepsake", "a", "b"),
    ],
)
def test_a_server_out_of_reach_is_told(
    ring: Ring, make: Callable[[Ring], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keepsake.store.mongo.CONNECT_TIMEOUT_MS", 200)
    with pytest.raises(KeepsakeError, match="KS-STORE-008"):
        make(ring)
