"""What every store promises (`keepsake.store.contract`), said by examples.  `test_store_history.py` tries the rest at random."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import replace

import numpy as np
import pytest

from keepsake.errors import KeepsakeError
from keepsake.record import Entity, Fact, Kind, Memory, Message, Precision, Share, Source, When
from keepsake.store.contract import Filter, Store, Stores, Vectors, Writer

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


class TestMessages:
    def test_are_numbered_in_order_and_read_as_they_were(self, store: Store) -> None:
        whole = Message(
            "chat:7",
            Kind.AUDIO,
            1.5,
            2.25,
            "Gr\u00fc\u00dfe, \u6771\u4eac \U0001f600 'quoted' \"twice\" \\ \0 \ud800",
            "Ann",
            "Europe/Vienna",
            Source("slack", "general", "t", "https://example.org", "a.json", "Graz"),
            "blob",
            (0.5, 3.5),
        )
        with store.write() as writer:
            first, is_new = writer.add_message(whole)
            second, _ = writer.add_message(message(8))
        assert is_new
        assert (first.seq, second.seq) == (1, 2)
        assert store.message("chat:7") == replace(whole, seq=1)
        assert store.messages() == [first, second]
        assert store.messages(after=1) == [second]
        assert store.messages(limit=1) == [first]
        assert store.head() == 2

    def test_are_stored_once(self, store: Store) -> None:
        with store.write() as writer:
            first, _ = writer.add_message(message(1))
            again, is_new = writer.add_message(message(1, "Something else"))
        assert (again, is_new) == (first, False)
        with store.write() as writer:
            assert writer.add_message(message(1, "Something else")) == (first, False)
        assert store.messages() == [first]

    def test_keep_their_numbers_to_themselves(self, store: Store) -> None:
        fill(store, "one", "two")
        with store.write() as writer:
            writer.remove_message("walk:2")
            third, _ = writer.add_message(message(3))
        assert third.seq == 3, "a removed one's number is not given again"

    def test_that_were_removed_do_not_come_back(self, store: Store) -> None:
        fill(store, "the secret", "the rest")
        with store.write() as writer:
            writer.remove_message("walk:1")
        with store.write() as writer:
            again, is_new = writer.add_message(message(1, "the secret"))
            writer.put_memories([memory(message(1, "the secret"))])
            writer.put_fact(fact("f", "walk:1#0"))
        assert (again.seq, is_new) == (0, False)
        assert [one.id for one in store.memories()] == ["walk:2#0"]
        assert store.facts() == []
        assert store.find("secret") == []

    def test_that_are_removed_before_they_came_do_not_come(self, store: Store) -> None:
        with store.write() as writer:
            assert writer.remove_message("walk:1") == ()
            assert not writer.add_message(message(1))[1]
        assert store.head() == 0

    @pytest.mark.parametrize(
        "bad",
        [
            message(1, said_at=float("nan")),
            message(1, said_at=float("inf")),
            replace(message(1), id="no number"),
            replace(message(1), id="\ud800:1"),
            replace(message(1), id=":1"),
        ],
    )
    def test_that_nobody_could_read_are_refused(self, store: Store, bad: Message) -> None:
        with is_refused("KS-STORE-005"), store.write() as writer:
            writer.add_message(bad)
        assert store.head() == 0


class TestTransactions:
    def test_are_whole_or_nothing(self, store: Store) -> None:
        with is_refused("KS-STORE-004"), store.write() as writer:
            add(writer, message(1))
            writer.put_document("model", "names", b"1")
            writer.append_record(b"r")
            writer.set_built("words", 1)
            writer.put_memories([memory(message(2))])
        assert (store.head(), store.memories(), store.documents("model")) == (0, [], [])
        assert (store.record_count(), store.built("words"), store.search("lighthouse")) == (0, 0, [])
        fill(store, "again")
        assert store.head() == 1

    def test_are_read_by_who_writes_them(self, store: Store) -> None:
        with store.write() as writer:
            writer.append_record(b"r")
            add(writer, message(1))
            assert store.records() == [b"r"]
            assert store.head() == 1

    def test_are_seen_by_others_when_they_ended(self, stores: Stores, store: Store) -> None:
        other = stores.open("ann")
        with store.write() as writer:
            add(writer, message(1))
            assert other.head() == 0
        assert other.head() == 1
        assert ids(other.search("lighthouse")) == ["walk:1#0"]
        other.close()

    def test_are_not_begun_twice(self, store: Store) -> None:
        with store.write(), is_refused("KS-STORE-006"), store.write():
            pass
        fill(store, "still works")

    def test_outlast_the_process(self, stores: Stores) -> None:
        first = stores.open("ann")
        fill(first, "one", "two")
        first.close()
        again = stores.open("ann")
        assert [one.body for one in again.messages()] == ["one", "two"]
        again.close()


class TestMemories:
    def test_are_read_as_they_were(self, store: Store) -> None:
        with store.write() as writer:
            of, _ = writer.add_message(message(1, "Tea with Zo\u00eb in Graz yesterday"))
            whole = memory(
                of,
                speaker="Ann",
                meant=(When(0.0, 86400.0, Precision.DAY, "yesterday"),),
                language="en",
                entities=(Entity("person", "Zo\u00eb", 9, 12), Entity("place", "Graz", 16, 20)),
                areas=(Share("friends", 0.75),),
                phrases=("tea",),
                source=Source(app="demo"),
                zone="Europe/Vienna",
                span=(1.0, 2.0),
            )
            writer.put_memories([whole])
        assert store.memory("walk:1#0") == whole
        assert store.memories() == [whole]
        assert store.memory("walk:1#1") is None

    def test_take_the_place_of_those_with_their_ids(self, store: Store) -> None:
        (old,) = fill(store, "We saw the lighthouse")
        new = replace(old, text="We saw the harbour", entities=(Entity("place", "Harbour", 0, 1),))
        with store.write() as writer:
            writer.put_memories([new])
        assert store.memories() == [new]
        assert store.search("lighthouse") == []
        assert ids(store.search("harbour")) == [new.id]
        assert [one.id for one in store.timeline(Filter(name="harbour"))] == [new.id]
        assert store.find("lighthouse") == ["message"]

    def test_of_one_message_stay_together(self, store: Store) -> None:
        with store.write() as writer:
            for number in (1, 2, 3):
                of, _ = writer.add_message(message(number))
                writer.put_memories([memory(of, part, f"part {part}") for part in (2, 0, 1)])
        assert [one.id for one in store.memories(limit=1)] == ["walk:1#0", "walk:1#1", "walk:1#2"]
        assert [one.id for one in store.memories(after=1, limit=4)] == [
            f"walk:{n}#{p}" for n in (2, 3) for p in (0, 1, 2)
        ]
        assert store.memories(after=3) == []

    def test_without_their_message_are_refused(self, store: Store) -> None:
        with is_refused("KS-STORE-004"), store.write() as writer:
            writer.put_memories([memory(message(1))])

    @pytest.mark.parametrize("fields", [{"id": "walk:1#1"}, {"id": "walk:1"}, {"said_at": float("nan")}, {"part": -1}])
    def test_that_contradict_themselves_are_refused(self, store: Store, fields: dict[str, object]) -> None:
        with is_refused("KS-STORE-005"), store.write() as writer:
            of, _ = writer.add_message(message(1))
            writer.put_memories([memory(of, **fields)])  # type: ignore[arg-type]

    def test_are_shown_newest_first(self, store: Store) -> None:
        with store.write() as writer:
            add(
                writer,
                message(1, said_at=30.0),
                message(2, said_at=10.0),
                message(3, said_at=20.0),
                message(4, said_at=30.0),
            )
        assert [one.id for one in store.timeline(Filter())] == ["walk:4#0", "walk:1#0", "walk:3#0", "walk:2#0"]
        assert [one.id for one in store.timeline(Filter(), limit=1)] == ["walk:4#0"]
        assert [one.id for one in store.timeline(Filter(since=20.0, until=30.0))] == ["walk:3#0"]

    def test_are_shown_by_name_area_and_stream(self, store: Store) -> None:
        with store.write() as writer:
            for number, name, area in ((1, "Zo\u00eb", "Friends"), (2, "Graz", "travel"), (3, "Zo\u00eb", "travel")):
                of, _ = writer.add_message(message(number, stream="a" if number < 3 else "b:c"))
                writer.put_memories([memory(of, entities=(Entity("person", name, 0, 1),), areas=(Share(area, 0.5),))])
        assert [one.id for one in store.timeline(Filter(name="ZO\u00cb"))] == ["b:c:3#0", "a:1#0"]
        assert [one.id for one in store.timeline(Filter(area="friends"))] == ["a:1#0"]
        assert [one.id for one in store.timeline(Filter(stream="b:c"))] == ["b:c:3#0"]
        assert [one.id for one in store.timeline(Filter(name="zo\u00eb", area="Travel"))] == ["b:c:3#0"]
        assert store.timeline(Filter(name="nobody")) == []


class TestFolds:
    def test_hide_and_can_be_undone(self, store: Store) -> None:
        first, second = fill(store, "one", "one again")
        with store.write() as writer:
            writer.fold(second.id, first.id)
        assert [one.id for one in store.timeline(Filter())] == [first.id]
        assert [one.folds_into for one in store.timeline(Filter(is_folded=True))] == [first.id, ""]
        assert [one.folds_into for one in store.memories()] == ["", first.id]
        with store.write() as writer:
            writer.fold(second.id, "")
        assert len(store.timeline(Filter())) == 2

    def test_end_with_what_they_fold_into(self, store: Store) -> None:
        first, second = fill(store, "one", "one again")
        with store.write() as writer:
            writer.fold(second.id, first.id)
            folded = replace(second, folds_into=first.id)
            assert writer.remove_message("walk:1") == (first.id,)
        assert [one.id for one in store.timeline(Filter())] == [second.id]
        with store.write() as writer:
            writer.put_memories([folded])
        assert [one.id for one in store.timeline(Filter())] == [second.id], (
            "what it repeated is gone: it stands for itself"
        )

    def test_never_go_in_circles(self, store: Store) -> None:
        one, two, three = fill(store, "a", "b", "c")
        with store.write() as writer:
            writer.fold(one.id, two.id)
            writer.fold(two.id, three.id)
        for memory, into in ((three, one), (three, three), (two, one)):
            with is_refused("KS-STORE-005"), store.write() as writer:
                writer.fold(memory.id, into.id)

    def test_of_what_is_not_there_are_refused(self, store: Store) -> None:
        (one,) = fill(store, "a")
        with is_refused("KS-STORE-004"), store.write() as writer:
            writer.fold(one.id, "walk:9#0")


class TestSearch:
    def test_finds_forms_of_a_word_and_ranks_rare_ones_first(self, store: Store) -> None:
        fill(store, "I painted the boat", "The boat sank", "The boat was sold", "Painting is work")
        assert set(ids(store.search("paintings"))) == {"walk:1#0", "walk:4#0"}
        assert ids(store.search("Did you paint a boat?"))[0] == "walk:1#0"
        scores = [score for _, score in store.search("paint boat")]
        assert scores == sorted(scores, reverse=True)
        assert len(store.search("boat", limit=2)) == 2

    @pytest.mark.parametrize(
        "words", ["", " ", '"', "NEAR(", "a OR", "terms:boat", "bo*", "-", "'; drop table memory", "\ud800", "boat\0"]
    )
    def test_takes_words_and_no_language(self, store: Store, words: str) -> None:
        fill(store, "nothing of that here")
        assert store.search(words) == []

    def test_knows_other_scripts(self, store: Store) -> None:
        fill(
            store,
            "\u6771\u4eac\u90fd\u306b\u884c\u3063\u305f",
            "\u041c\u043e\u0441\u043a\u0432\u0430 \u0437\u0438\u043c\u043e\u0439",
            "S\u00e3o Paulo",
        )
        assert ids(store.search("\u6771\u4eac")) == ["walk:1#0"]
        assert ids(store.search("\u043c\u043e\u0441\u043a\u0432\u0430")) == ["walk:2#0"]
        assert ids(store.search("sao paulo")) == ["walk:3#0"]


class TestVectors:
    def test_are_read_in_order_and_found_by_cosine(self, store: Store) -> None:
        kept = fill(store, "a", "b", "c")
        rows = unit([1, 0, 0], [0.8, 0.6, 0], [0, 0, 1])
        with store.write() as writer:
            writer.put_memories(kept, rows, MODEL)
        ((names, seqs, found),) = store.vectors(MODEL)
        assert (names, seqs) == ([one.id for one in kept], [1, 2, 3])
        assert found.dtype == np.float32
        assert np.allclose(found, rows, atol=2e-3)
        assert [names for names, _, _ in store.vectors(MODEL, after=2)] == [["walk:3#0"]]
        best = store.nearest(rows[1], MODEL, limit=2)
        assert ids(best) == ["walk:2#0", "walk:1#0"]
        assert [score for _, score in best] == pytest.approx([1.0, 0.8], abs=2e-3)
        assert (list(store.vectors("other")), store.nearest(rows[0], "other")) == ([], [])

    def test_stay_while_the_text_does(self, store: Store) -> None:
        (kept,) = fill(store, "a")
        with store.write() as writer:
            writer.put_memories([kept], unit([1, 0]), MODEL)
            writer.put_memories([replace(kept, language="en")])
        assert ids(store.nearest(unit([1, 0])[0], MODEL)) == [kept.id]
        with store.write() as writer:
            writer.put_memories([replace(kept, text="something else")])
        assert store.nearest(unit([1, 0])[0], MODEL) == []

    def test_of_two_models_live_apart(self, store: Store) -> None:
        (kept,) = fill(store, "a")
        with store.write() as writer:
            writer.put_memories([kept], unit([1, 0]), MODEL)
            writer.put_memories([kept], unit([0, 0, 1]), "another")
        assert [rows.shape for _, _, rows in store.vectors(MODEL)] == [(1, 2)]
        assert [rows.shape for _, _, rows in store.vectors("another")] == [(1, 3)]

    @pytest.mark.parametrize(
        "rows", [np.zeros((2, 3)), np.zeros(3), np.full((1, 3), np.nan), np.zeros((1, 0)), np.ones((1, 4))]
    )
    def test_of_another_shape_are_refused(self, store: Store, rows: Vectors) -> None:
        first, second = fill(store, "a", "b")
        with store.write() as writer:
            writer.put_memories([first], unit([1, 0, 0]), MODEL)
        with is_refused("KS-STORE-005"), store.write() as writer:
            writer.put_memories([second], rows, MODEL)


def fact(name: str, of: str, since: float = 10.0, **fields: object) -> Fact:
    whole = Fact(name, "Ann", "lives in", name, of, 1, since, since)
    return replace(whole, **fields)  # type: ignore[arg-type]


class TestFacts:
    def chain(self, store: Store) -> None:
        """Graz from 10, ended by Wien from 20, ended by Linz from 30."""
        fill(store, "a", "b", "c")
        with store.write() as writer:
            writer.put_fact(fact("graz", "walk:1#0", 10.0, ended=20.0, ended_by="wien"))
            writer.put_fact(fact("wien", "walk:2#0", 20.0, ended=30.0, ended_by="linz"))
            writer.put_fact(fact("linz", "walk:3#0", 30.0))

    def test_hold_at_a_time(self, store: Store) -> None:
        self.chain(store)
        assert store.facts() == [fact("linz", "walk:3#0", 30.0)]
        held = {at: [(one.id, one.ended) for one in store.facts(as_of=at)] for at in (9.0, 10.0, 20.0, 29.0, 30.0)}
        assert held == {
            9.0: [],
            10.0: [("graz", None)],
            20.0: [("wien", None)],
            29.0: [("wien", None)],
            30.0: [("linz", None)],
        }

    def test_hold_as_far_as_was_known(self, store: Store) -> None:
        fill(store, "a", "b")
        with store.write() as writer:
            writer.put_fact(fact("graz", "walk:1#0", 10.0, ended=20.0, ended_by="wien"))
            writer.put_fact(fact("wien", "walk:2#0", 20.0, said_at=50.0))
        assert [one.id for one in store.facts(as_of=40.0)] == ["graz"], "the move was told at 50"
        assert [one.id for one in store.facts(as_of=50.0)] == ["wien"]

    def test_are_of_a_subject(self, store: Store) -> None:
        self.chain(store)
        with store.write() as writer:
            writer.put_fact(fact("bern", "walk:1#0", 40.0, subject="Ben"))
        assert [one.id for one in store.facts()] == ["bern", "linz"]
        assert [one.id for one in store.facts(subject="Ann")] == ["linz"]

    def test_hold_again_when_what_ended_them_is_removed(self, store: Store) -> None:
        self.chain(store)
        with store.write() as writer:
            writer.remove_message("walk:2")
        held = {at: [one.id for one in store.facts(as_of=at)] for at in (10.0, 29.0, 30.0)}
        assert held == {10.0: ["graz"], 29.0: ["graz"], 30.0: ["linz"]}, "until the next one, which still holds"
        with store.write() as writer:
            writer.remove_message("walk:3")
        assert [(one.id, one.ended, one.ended_by) for one in store.facts()] == [("graz", None, "")]


class TestDocuments:
    def test_are_kept_by_kind_and_name(self, store: Store) -> None:
        with store.write() as writer:
            for kind, name, data in (
                ("model", "b", b"1"),
                ("model", "a", b"2"),
                ("grant", "c", b"\0\xff"),
                ("model", "b", b"3"),
            ):
                writer.put_document(kind, name, data)
        assert store.documents("model") == ["a", "b"]
        assert (store.document("model", "b"), store.document("grant", "c")) == (b"3", b"\0\xff")
        with store.write() as writer:
            writer.remove_document("model", "b")
            writer.remove_document("model", "never there")
        assert (store.documents("model"), store.document("model", "b")) == (["a"], None)

    def test_marks_are_kept(self, store: Store) -> None:
        with store.write() as writer:
            writer.set_built("words", 3)
            writer.set_built("words", 5)
        assert (store.built("words"), store.built("names")) == (5, 0)

    def test_records_are_numbered_from_zero(self, store: Store) -> None:
        with store.write() as writer:
            assert [writer.append_record(data) for data in (b"a", b"b", b"c")] == [0, 1, 2]
        assert (store.records(), store.records(1, 1), store.record_count()) == ([b"a", b"b", b"c"], [b"b"], 3)
