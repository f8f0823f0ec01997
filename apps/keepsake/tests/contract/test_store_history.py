"""A store against a plain picture of it in memory, through histories that hypothesis makes up.

Each history adds, replaces, folds, ends, removes, undoes and opens again; after each step every reading call has to tell what the
picture tells.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from keepsake.errors import KeepsakeError
from keepsake.key import Ring
from keepsake.record import Entity, Fact, Kind, Memory, Message, Share
from keepsake.store.contract import Filter, Store, Stores, Vectors, Writer
from keepsake.words.term import terms

MODEL = "toy"
WORDS = ("lighthouse", "harbour", "boats", "painting", "Zo\u00eb", "\u6771\u4eac")
NAMES = ("Zo\u00eb", "Graz")
NUMBERS = st.integers(1, 5)
PARTS = st.integers(0, 2)
TEXTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)
TIMES = st.integers(0, 9).map(float)


class Picture:
    """What a store should tell."""

    def __init__(self) -> None:
        self.messages: dict[str, Message] = {}
        self.removed: set[str] = set()
        self.seq = 0
        self.memories: dict[str, Memory] = {}
        self.vectors: dict[str, Vectors] = {}
        self.facts: dict[str, Fact] = {}
        self.documents: dict[str, bytes] = {}
        self.built = 0
        self.records: list[bytes] = []

    def copy(self) -> Picture:
        other = Picture()
        other.__dict__ = {name: value.copy() if hasattr(value, "copy") else value for name, value in vars(self).items()}
        return other

    def put(self, memory: Memory, vector: Vectors | None) -> None:
        old = self.memories.get(memory.id)
        if old is not None and old.text != memory.text:
            self.vectors.pop(memory.id, None)
        self.memories[memory.id] = memory
        if vector is not None:
            self.vectors[memory.id] = vector

    def remove(self, message: str) -> tuple[str, ...]:
        self.removed.add(message)
        self.messages.pop(message, None)
        gone = tuple(one.id for one in self.ordered() if one.message == message)
        for name in gone:
            del self.memories[name]
            self.vectors.pop(name, None)
        for name, memory in self.memories.items():
            if memory.folds_into in gone:
                self.memories[name] = replace(memory, folds_into="")
        ends = {name: fact for name, fact in self.facts.items() if fact.memory.startswith(f"{message}#")}
        self.facts = {name: fact for name, fact in self.facts.items() if name not in ends}
        for name, fact in self.facts.items():
            while fact.ended_by in ends:
                ender = ends[fact.ended_by]
                fact = replace(fact, ended=ender.ended, ended_by=ender.ended_by)
            self.facts[name] = fact
        return gone

    def ordered(self) -> list[Memory]:
        return sorted(self.memories.values(), key=lambda one: (one.seq, one.part))

    def timeline(self, wanted: Filter) -> list[Memory]:
        fitting = [
            one
            for one in self.ordered()
            if (wanted.since is None or one.said_at >= wanted.since)
            and (wanted.until is None or one.said_at < wanted.until)
            and (wanted.is_folded or not one.folds_into)
            and (not wanted.name or wanted.name in [entity.name for entity in one.entities])
            and (not wanted.area or wanted.area in [area.name for area in one.areas])
            and (not wanted.stream or one.message.startswith(f"{wanted.stream}:"))
        ]
        return sorted(fitting, key=lambda one: (-one.said_at, -one.seq, -one.part))

    def held(self, at: float) -> set[str]:
        found = set()
        for fact in self.facts.values():
            ender = self.facts.get(fact.ended_by)
            is_known = ender is None or ender.said_at <= at
            if fact.said_at <= at and fact.since <= at and (fact.ended is None or fact.ended > at or not is_known):
                found.add(fact.id)
        return found


class History(RuleBasedStateMachine):
    """Steps; each is one transaction, of which some are undone."""

    opener: Callable[[Path, Ring], Stores]

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name)
        ring = Ring(path / "keys")
        ring.make("ann")
        self.stores = type(self).opener(path, ring)
        self.stores.erase("ann")
        self.store: Store = self.stores.open("ann")
        self.picture = Picture()
        self.numbers = itertools.count(1)

    def teardown(self) -> None:
        self.store.close()
        self.stores.erase("ann")
        self.folder.cleanup()

    def write(self, step: Callable[[Writer, Picture], Any], is_undone: bool = False) -> None:
        picture = self.picture.copy()
        with suppress(KeyError), self.store.write() as writer:
            step(writer, picture)
            if is_undone:
                raise KeyError
        if not is_undone:
            self.picture = picture

    @rule(number=NUMBERS, stream=st.sampled_from(["a", "b"]), body=TEXTS, at=TIMES, is_undone=st.booleans())
    def add(self, number: int, stream: str, body: str, at: float, is_undone: bool) -> None:
        message = Message(f"{stream}:{number}", Kind.TEXT, at, at, body)

        def step(writer: Writer, picture: Picture) -> None:
            stored, is_new = writer.add_message(message)
            assert is_new == (message.id not in picture.messages and message.id not in picture.removed)
            if is_new:
                assert stored.seq > picture.seq
                picture.seq = stored.seq
                picture.messages[message.id] = stored
                memory = Memory(f"{message.id}#0", stored.seq, 0, Kind.TEXT, body, at)
                writer.put_memories([memory])
                picture.put(memory, None)
            elif message.id in picture.messages:
                assert stored == picture.messages[message.id]

        self.write(step, is_undone)

    @rule(data=st.data(), part=PARTS, text=TEXTS, name=st.sampled_from(NAMES), has_vector=st.booleans())
    def put(self, data: st.DataObject, part: int, text: str, name: str, has_vector: bool) -> None:
        if not self.picture.messages:
            return
        of = self.picture.messages[data.draw(st.sampled_from(sorted(self.picture.messages)))]
        folds_into = data.draw(st.sampled_from(["", "gone:1#0"]))
        memory = Memory(
            f"{of.id}#{part}", of.seq, part, Kind.TEXT, text, of.said_at,
            entities=(Entity("place", name, 0, 1),), areas=(Share(text.split(maxsplit=1)[0], 0.5),), folds_into=folds_into,
        )  # fmt: skip
        vector = np.eye(4, dtype=np.float32)[part : part + 1] if has_vector else None

        def step(writer: Writer, picture: Picture) -> None:
            writer.put_memories([memory], vector, MODEL if has_vector else "")
            picture.put(replace(memory, folds_into=""), vector)

        self.write(step)

    @rule(data=st.data(), is_undone=st.booleans())
    def fold(self, data: st.DataObject, is_undone: bool) -> None:
        if not self.picture.memories:
            return
        names = sorted(self.picture.memories)
        memory, into = data.draw(st.sampled_from(names)), data.draw(st.sampled_from(["", *names]))
        step = into
        while step and step != memory:
            step = self.picture.memories[step].folds_into if step in self.picture.memories else ""

        def fold(writer: Writer, picture: Picture) -> None:
            writer.fold(memory, into)
            picture.memories[memory] = replace(picture.memories[memory], folds_into=into)

        if step:
            with suppress(KeepsakeError):
                self.write(fold)
                raise AssertionError("a circle of folds was taken")
        else:
            self.write(fold, is_undone)

    @rule(data=st.data(), since=TIMES, said=TIMES)
    def tell(self, data: st.DataObject, since: float, said: float) -> None:
        """A new fact, which ends one of those that hold."""
        if not self.picture.memories:
            return
        memory = self.picture.memories[data.draw(st.sampled_from(sorted(self.picture.memories)))]
        fact = Fact(f"f{next(self.numbers)}", "Ann", "lives in", "Graz", memory.id, memory.seq, said, since)
        holding = sorted(one.id for one in self.picture.facts.values() if one.ended is None)
        ended = data.draw(st.sampled_from(["", *holding]))

        def step(writer: Writer, picture: Picture) -> None:
            writer.put_fact(fact)
            picture.facts[fact.id] = fact
            if ended:
                picture.facts[ended] = replace(picture.facts[ended], ended=since, ended_by=fact.id)
                writer.put_fact(picture.facts[ended])

        self.write(step)

    @rule(number=NUMBERS, stream=st.sampled_from(["a", "b"]), is_undone=st.booleans())
    def remove(self, number: int, stream: str, is_undone: bool) -> None:
        def step(writer: Writer, picture: Picture) -> None:
            assert writer.remove_message(f"{stream}:{number}") == picture.remove(f"{stream}:{number}")

        self.write(step, is_undone)

    @rule(name=st.sampled_from(["x", "y"]), data=st.none() | st.binary(max_size=8), is_undone=st.booleans())
    def keep(self, name: str, data: bytes | None, is_undone: bool) -> None:
        """A document, a mark and a record."""

        def step(writer: Writer, picture: Picture) -> None:
            if data is None:
                writer.remove_document("model", name)
                picture.documents.pop(name, None)
            else:
                writer.put_document("model", name, data)
                picture.documents[name] = data
            writer.set_built("words", picture.seq)
            picture.built = picture.seq
            assert writer.append_record(name.encode()) == len(picture.records)
            picture.records.append(name.encode())

        self.write(step, is_undone)

    @rule(is_undone=st.booleans())
    def clear(self, is_undone: bool) -> None:
        def step(writer: Writer, picture: Picture) -> None:
            writer.clear_derived()
            picture.memories, picture.vectors, picture.facts, picture.built = {}, {}, {}, 0

        self.write(step, is_undone)

    @rule()
    def open_again(self) -> None:
        self.store.close()
        self.store = self.stores.open("ann")

    @invariant()
    def tells_messages(self) -> None:
        kept = sorted(self.picture.messages.values(), key=lambda one: one.seq)
        assert self.store.messages() == kept
        assert self.store.head() == (kept[-1].seq if kept else 0)
        assert all(self.store.message(one.id) == one for one in kept)

    @invariant()
    def tells_memories(self) -> None:
        picture, store = self.picture, self.store
        assert store.memories() == picture.ordered()
        assert all(store.memory(one.id) == one for one in picture.ordered())
        for wanted in (
            Filter(),
            Filter(is_folded=True),
            Filter(since=3.0, until=6.0),
            Filter(name=NAMES[0]),
            Filter(stream="a"),
        ):
            assert store.timeline(wanted) == picture.timeline(wanted)
        wanted = Filter(area=WORDS[0], is_folded=True)
        assert store.timeline(wanted, limit=2) == picture.timeline(wanted)[:2]

    @invariant()
    def tells_words_and_vectors(self) -> None:
        picture, store = self.picture, self.store
        for word in WORDS:
            having = {one.id for one in picture.ordered() if set(terms(word)) & set(terms(one.text))}
            assert {name for name, _ in store.search(word)} == having
        found = {name: rows[place] for names, _, rows in store.vectors(MODEL) for place, name in enumerate(names)}
        assert list(found) == [one.id for one in picture.ordered() if one.id in picture.vectors]
        assert all(np.allclose(found[name], vector, atol=2e-3) for name, vector in picture.vectors.items())
        near = [name for name, score in store.nearest(np.eye(4, dtype=np.float32)[1], MODEL) if score > 0.5]
        assert set(near) == {name for name, vector in picture.vectors.items() if vector[0, 1] > 0.5}

    @invariant()
    def tells_facts(self) -> None:
        for at in (0.0, 4.0, 9.0):
            assert {one.id for one in self.store.facts(as_of=at)} == self.picture.held(at)
        assert {one.id for one in self.store.facts()} == {
            one.id for one in self.picture.facts.values() if one.ended is None
        }

    @invariant()
    def tells_the_rest(self) -> None:
        picture, store = self.picture, self.store
        assert {name: store.document("model", name) for name in store.documents("model")} == picture.documents
        assert (store.built("words"), store.records(), store.record_count()) == (
            picture.built, picture.records, len(picture.records),
        )  # fmt: skip


#: histories of a store in this process, and of one on a server, where each call takes longer
HISTORIES: Final = {False: 30, True: 5}


def test_a_store_tells_what_its_history_says(
    opener: Callable[[Path, Ring], Stores], request: pytest.FixtureRequest
) -> None:
    machine = type("History", (History,), {"opener": staticmethod(opener)})
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    count = HISTORIES[request.node.get_closest_marker("slow") is not None]
    run_state_machine_as_test(
        machine,
        settings=settings(max_examples=count, stateful_step_count=25, deadline=None, suppress_health_check=checks),
    )
