"""What is shipped: the priors are there, fit, and do better than none on people that they were not learned from."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from keepsake.bench.held import Held
from keepsake.bench.locomo import Talk, auc, recall
from keepsake.recall.ask import analyse
from keepsake.recall.index import MemoryIndex
from keepsake.recall.rank import PRIOR, Ranker
from keepsake.recall.refusal import PRIOR as REFUSAL_PRIOR
from keepsake.recall.sign import Sign, signs_of, wants_of
from keepsake.recall.soft import near

GENERATOR = Path(__file__).parents[3] / "bench" / "prior" / "generate.py"


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("keepsake_prior_generate", GENERATOR)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def talks() -> list[Talk]:
    found: list[Talk] = _generator().invent(2, seed=77)
    return found


def _measured(talks: list[Talk], ranker: Ranker) -> tuple[float, float]:
    shares, sure = [], ([0.0] * 0, [0.0] * 0)
    for talk in talks:
        index = MemoryIndex(talk.name, None, ranker)
        index.refresh(Held(talk.memories))
        for asking in talk.askings:
            found = index.look(asking.question, limit=5)
            sure[asking.category == 5].append(found.sureness)
            if asking.category != 5:
                shares.append(recall(asking.gold, [hit.memory.id for hit in found.hits], 5))
    return float(np.mean(shares)), auc(*sure)


def test_what_is_shipped_is_better_than_nothing_by_words_alone(talks: list[Talk]) -> None:
    assert PRIOR.exists()
    assert REFUSAL_PRIOR.exists()
    untrained, _ = _measured(talks, Ranker.plain())
    learned, refusal = _measured(talks, Ranker.prior())
    assert learned > untrained + 0.05
    assert refusal > 0.7


def test_made_up_people_are_the_same_each_time(talks: list[Talk]) -> None:
    assert _generator().invent(1, seed=77)[0] == talks[0]


def test_each_question_has_its_answer_among_the_turns(talks: list[Talk]) -> None:
    for talk in talks:
        known = {memory.id for memory in talk.memories}
        assert all(asking.gold <= known and asking.question.text for asking in talk.askings)
        assert not any("<" in memory.text or "{" in memory.text for memory in talk.memories)


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("We met two weeks ago.", Sign.TIME),
        ("I bought three of them", Sign.NUMBER),
        ("We walked to the lake", Sign.PLACE),
        ("I flew to Lisbon", Sign.PLACE),
        ("my sister came", Sign.PERSON),
        ('I read "The Salt Orchard"', Sign.TITLE),
        ("Do you like it?", Sign.ASKING),
        ("I'm so grateful", Sign.FEELING),
    ],
)
def test_what_a_text_says(text: str, sign: Sign) -> None:
    assert sign in signs_of(text)


@pytest.mark.parametrize(
    ("question", "sign"),
    [
        ("When did Ann move?", Sign.TIME),
        ("How long has Ann known Bea?", Sign.SPAN),
        ("Where does Ann work?", Sign.PLACE),
        ("Who gave it to Ann?", Sign.PERSON),
        ("How many cats are there?", Sign.NUMBER),
        ("Why did Ann leave?", Sign.REASON),
    ],
)
def test_what_a_question_wants(question: str, sign: Sign) -> None:
    assert sign in wants_of(question)


def test_a_question_is_taken_apart() -> None:
    asked = analyse("When did Ann Lee's puppy arrive?", {"": 0, "ann lee": 1, "ann": 1, "ben": 2})
    assert asked.about == (1,)
    assert asked.terms == ("puppi", "arriv")
    assert asked.bare == "When did puppy arrive?"
    assert analyse("Where is my bike?", {"": 0, "ben": 2}).about == (0,)


def test_near_words_are_shipped() -> None:
    assert any(term == "children" for term, _ in near("kid"))
    assert near("no such word at all") == ()
