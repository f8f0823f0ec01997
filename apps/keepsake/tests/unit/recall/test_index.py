"""The resident index: what is found, what is not, and what is gone after a removal."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepsake.bench.held import Held
from keepsake.recall.feature import NAMES
from keepsake.recall.index import MemoryIndex
from keepsake.recall.refusal import SIGNS
from keepsake.record import Kind, Memory, Question
from keepsake.store.contract import Vectors
from keepsake.words.term import terms

DAY = 86_400.0
BEGUN = 1_700_000_000.0


class Letters:
    """An embedder for tests: words as places, without any model."""

    model = "letters"
    dimension = 64

    def embed(self, texts: Sequence[str], kind: Literal["question", "passage"] = "passage") -> Vectors:
        found = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in enumerate(texts):
            for term in terms(text):
                found[row, zlib.crc32(term.encode()) % self.dimension] += 1
        return np.asarray(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-6), np.float32)


def talk(*lines: tuple[str, str], stream: str = "chat", first: int = 1, at: float = BEGUN) -> list[Memory]:
    return [
        Memory(
            id=f"{stream}:{first + row}#0",
            seq=first + row,
            part=0,
            kind=Kind.TEXT,
            text=text,
            said_at=at + 30 * row,
            speaker=speaker,
        )
        for row, (speaker, text) in enumerate(lines)
    ]


LINES = (
    ("Ann", "I adopted a puppy from the shelter yesterday!"),
    ("Ben", "How lovely, what is its name?"),
    ("Ann", "Biscuit, after the colour."),
    ("Ben", "My sister moved to Lisbon in March to study architecture."),
    ("Ann", "I have been painting the lake at sunrise."),
    ("Ben", "I started swimming twice a week because of my back."),
)


def index_of(memories: Sequence[Memory], *, is_embedded: bool = True) -> MemoryIndex:
    embedder = Letters() if is_embedded else None
    index = MemoryIndex("ann", embedder)
    index.refresh(Held(memories, embedder.embed([memory.text for memory in memories]) if embedder else None))
    return index


def asked(text: str, as_of: float | None = None) -> Question:
    return Question(text, BEGUN + 10 * DAY, as_of)


@pytest.mark.parametrize("is_embedded", [True, False])
@pytest.mark.parametrize(
    ("question", "gold"),
    [
        ("When did Ann adopt a puppy?", "chat:1#0"),
        ("Where did Ben's sister move?", "chat:4#0"),
        ("What has Ann been painting?", "chat:5#0"),
        ("Why did Ben start swimming?", "chat:6#0"),
    ],
)
def test_what_was_said_is_found_first(question: str, gold: str, is_embedded: bool) -> None:
    found = index_of(talk(*LINES), is_embedded=is_embedded).look(asked(question))
    assert found.hits[0].memory.id == gold
    assert found.built_to == len(LINES)
    assert found.hits[0].features.shape == (len(NAMES),)
    assert found.signs.shape == (len(SIGNS),)
    assert 0 <= found.sureness <= 1


def test_scores_fall_and_the_limit_holds() -> None:
    found = index_of(talk(*LINES)).look(asked("Ann and Ben, the lake, the puppy"), limit=3)
    scores = [hit.score for hit in found.hits]
    assert len(scores) == 3
    assert scores == sorted(scores, reverse=True)


def test_an_empty_index_finds_nothing_and_is_not_sure() -> None:
    found = index_of([]).look(asked("anything?"))
    assert found.hits == ()
    assert found.sureness == 0


@pytest.mark.parametrize("question", ["", "?", "the of and", "\x00", "a" * 5_000, "日本 何", 'NEAR("x" OR *)'])
def test_any_question_can_be_asked(question: str) -> None:
    index_of(talk(*LINES)).look(asked(question))


def test_what_was_said_later_does_not_count_as_of_a_time() -> None:
    index = index_of(talk(*LINES))
    found = index.look(asked("What has Ann been painting?", as_of=BEGUN + 60))
    assert {hit.memory.id for hit in found.hits} == {"chat:1#0", "chat:2#0", "chat:3#0"}


def test_a_folded_memory_is_not_found() -> None:
    first, second = talk(("Ann", "I love tea"), ("Ann", "I love tea."))
    found = index_of([first, replace(second, folds_into=first.id)]).look(asked("tea?"))
    assert [hit.memory.id for hit in found.hits] == [first.id]


def test_a_refresh_takes_in_what_is_new_and_what_was_before_stays_before() -> None:
    memories = talk(*LINES)
    index = index_of(memories[:2])
    index.refresh(Held(memories, Letters().embed([memory.text for memory in memories])))
    assert index.built_to == len(LINES)
    whole, parts = (made.look(asked("What is the puppy's name?")) for made in (index_of(memories), index))
    assert [hit.memory.id for hit in whole.hits] == [hit.memory.id for hit in parts.hits]
    assert np.allclose([hit.score for hit in whole.hits], [hit.score for hit in parts.hits])


def test_a_removed_message_is_not_found_and_gone_after_the_next_refresh() -> None:
    memories = talk(*LINES)
    index = index_of(memories)
    assert index.remove(["chat:1", "chat:99"]) == 1
    assert "chat:1#0" not in {hit.memory.id for hit in index.look(asked("When did Ann adopt a puppy?")).hits}
    left = memories[1:]
    index.refresh(Held(left, Letters().embed([memory.text for memory in left])))
    assert len(index) == len(left)
    assert not index.holds("shelter")
    assert index.holds("lisbon")


def test_streams_do_not_run_into_each_other() -> None:
    one = talk(("Ann", "Where did you leave the violin?"), at=BEGUN)
    two = talk(("Cy", "In the attic of the old house."), stream="other", first=2)
    found = index_of(one + two).look(asked("Where is the violin?"))
    column = NAMES.index("cover before")
    assert all(hit.features[column] == 0 for hit in found.hits)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["", "Ann", "Ben Li"]), st.text(max_size=40)), max_size=12), st.text(max_size=40)
)
def test_whatever_was_said_it_can_be_looked_through(lines: list[tuple[str, str]], question: str) -> None:
    found = index_of(talk(*lines)).look(asked(question))
    assert len(found.hits) == len(lines)
    assert all(np.isfinite(hit.score) for hit in found.hits)
