"""Answers: quotations, times, facts; and saying that it is not known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepsake.answer import UNKNOWN, answer, suggest, told
from keepsake.answer.ask import Want, side, wanted
from keepsake.answer.quote import QUOTE_LETTERS, telling
from keepsake.answer.support import unsupported
from keepsake.recall.contract import Found, Hit
from keepsake.record import Answer, Citation, Fact, Kind, Memory, Message, Question, Source
from keepsake.words import Reader

NONE = np.zeros(1, np.float32)
#: a Thursday
SAID = datetime(2023, 5, 25, 13, 14, tzinfo=UTC).timestamp()
NOW = datetime(2023, 6, 20, 9, 0, tzinfo=UTC).timestamp()


class Held:
    """Memories and facts of one person, as a store would give them."""

    person = "mia"

    def __init__(self, *said: str | tuple[str, float] | Message) -> None:
        self.kept: list[Memory] = []
        self.told: list[Fact] = []
        for number, one in enumerate(said, 1):
            if isinstance(one, Message):
                message = replace(one, seq=number)
            else:
                text, at = one if isinstance(one, tuple) else (one, SAID)
                message = Message(f"s:{number}", Kind.TEXT, at, at, text, seq=number)
            reading = Reader().read(message)
            self.kept += reading.memories
            for fact in reading.facts:
                self.told = [
                    replace(old, ended=fact.since, ended_by=fact.id)
                    if (old.subject, old.relation) == (fact.subject, fact.relation) and old.ended is None
                    else old
                    for old in self.told
                ] + [fact]

    def memory(self, memory: str) -> Memory | None:
        return next((one for one in self.kept if one.id == memory), None)

    def facts(self, *, as_of: float | None = None, subject: str = "") -> list[Fact]:
        at = float("inf") if as_of is None else as_of
        found = [
            fact
            for fact in self.told
            if fact.since <= at and (fact.ended is None or fact.ended > at) and subject in {"", fact.subject}
        ]
        return found[::-1]

    def found(self, *scores: float, sureness: float = 0.8) -> Found:
        steps = scores or tuple(-float(place) for place in range(len(self.kept)))
        hits = tuple(Hit(memory, score, NONE) for memory, score in zip(self.kept, steps, strict=False))
        return Found(tuple(sorted(hits, key=lambda hit: -hit.score)), sureness, NONE, len(self.kept))


def ask(text: str, held: Held, *scores: float, sureness: float = 0.8, style: str = "quote", **more: object) -> Answer:
    question = replace(Question(text, NOW), **more)  # type: ignore[arg-type]
    return answer(question, held.found(*scores, sureness=sureness), held, style=style)


def when(text: str, *said: str | tuple[str, float], scores: Sequence[float] = ()) -> str:
    held = Held(*said)
    found = told(Question(text, NOW), held.found(*scores).hits)
    return found.text if found else ""


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("When did Ann paint the boat?", Want.DATE),
        ("Do you remember when we met?", Want.DATE),
        ("What date is the exam?", Want.DATE),
        ("Which year did she move?", Want.YEAR),
        ("In which month was the fair?", Want.MONTH),
        ("How long has Tom played?", Want.LENGTH),
        ("How many years was she in Rome?", Want.LENGTH),
        ("How long is the bridge?", Want.OTHER),
        ("How long ago was that?", Want.AGO),
        ("What time does it start?", Want.CLOCK),
        ("What do I do when I am sad?", Want.OTHER),
        ("Who came to the party?", Want.OTHER),
    ],
)
def test_what_a_question_wants(text: str, want: Want) -> None:
    assert wanted(text) is want


def test_questions_look_ahead_or_back() -> None:
    assert side("When is Ann planning to visit?") == 1
    assert side("When did Ann visit?") == -1
    assert side("When is the concert?") == 0


def test_when_something_was() -> None:
    assert when("When did Ann paint?", "Ann painted the boat yesterday.") == "24 May 2023"
    assert when("When did I run the race?", "I ran the race last Saturday!") == "the Saturday before 25 May 2023"
    assert when("What year did we marry?", "We married in June 2016.") == "2016"
    assert when("Which month did I start?", "I started last month.") == "April 2023"
    assert when("What time is the concert?", "The concert is tomorrow at 7pm") == "19:00"
    assert when("How long ago did I learn to swim?", "I learned to swim ten years ago") == "ten years ago"


def test_of_several_times_the_sentence_that_answers_has_the_right_one() -> None:
    text = "We flew to Oslo on 3 March 2022. The pottery class began on 9 April 2023. I slept well last night."
    assert when("When did the pottery class begin?", text) == "9 April 2023"
    assert when("When did we fly to Oslo?", text) == "3 March 2022"


def test_a_memory_that_names_a_time_goes_before_one_that_is_nearly_as_good() -> None:
    asked = Message("s:1", Kind.TEXT, SAID, SAID, "How was the choir? Tell me about the choir!", "Ann")
    held = Held(asked, "The choir sang last Sunday.")
    found = told(Question("When did the choir sing?", NOW), held.found(1.0, 0.4).hits)
    assert found is not None
    assert found.text == "the Sunday before 25 May 2023"


def test_what_names_no_time_was_so_when_it_was_said() -> None:
    assert when("When did I finish the painting?", "I finished the painting!") == "25 May 2023"


def test_what_is_to_come_is_asked_for_as_such() -> None:
    text = "I saw the dentist last week. I will see the dentist again next month."
    assert when("When will I see the dentist?", text) == "June 2023"
    assert when("When did I see the dentist?", text) == "the week before 25 May 2023"


def test_how_long_something_lasts() -> None:
    assert when("How long have I played the cello?", "I have played the cello for three years now.") == "three years"
    assert when("How long has she lived there?", "She has lived there since 2016.") == "since 2016"
    assert when("When did I start playing the cello?", "I have played the cello for three years now.") == "2020"


def test_a_time_beside_the_point_does_not_answer() -> None:
    said = ("Found a flat in Miragaia with a view.", "The owner sells the house, so I have until the end of June.")
    assert when("When did I find the flat in Miragaia?", *said, scores=(1.0, 0.2)) == "25 May 2023"
    assert when("How long has the party lasted?", "The party is on 3 June.") == ""


def test_no_time_is_told_where_none_is_asked_for() -> None:
    assert told(Question("Who painted?", NOW), Held("Ann painted yesterday").found().hits) is None
    assert told(Question("When?", NOW), ()) is None


def test_an_answer_quotes_with_who_when_and_where() -> None:
    held = Held(Message("s:1", Kind.TEXT, SAID, SAID, "We found a stray dog.", "Ann", source=Source(channel="family")))

    given = ask("What did we find?", held)

    assert given.is_known
    assert given.text == "\u201cWe found a stray dog.\u201d (Ann, 25 May 2023, family)"
    (citation,) = given.citations
    assert (citation.memory, citation.speaker, citation.date) == ("s:1#0", "Ann", "25 May 2023")
    assert "AI" in given.label
    assert given.built_to == 1


def test_a_time_is_told_first_and_its_memory_quoted() -> None:
    given = ask("When did we go camping?", Held("We went camping last weekend."))
    assert given.text.startswith("The weekend before 25 May 2023: \u201cWe went camping")
    assert given.citations[0].when is not None
    assert given.citations[0].date == "the weekend before 25 May 2023"


def test_what_is_not_known_is_said() -> None:
    given = ask("Who is the king?", Held("We went camping."), sureness=0.1)
    assert (given.is_known, given.text, given.citations) == (False, UNKNOWN, ())
    assert not ask("Who is the king?", Held()).is_known


def test_only_what_is_nearly_as_good_is_quoted_too_and_nothing_twice() -> None:
    held = Held("We ate soup.", "The soup was too hot to eat.", "We ate soup!", "Trains are late.")
    given = ask("What did we eat?", held, 5.0, 4.5, 4.9, 1.0)
    assert [citation.memory for citation in given.citations] == ["s:1#0", "s:2#0"]
    assert len(ask("What did we eat?", held, 5.0, 4.5, 4.9, 1.0, limit=1).citations) == 1


def test_a_folded_memory_is_quoted_by_the_one_that_stands_for_it() -> None:
    held = Held("We ate hot soup by the sea.", "we ate hot soup by the sea")
    held.kept[1] = replace(held.kept[1], folds_into="s:1#0")
    assert [citation.memory for citation in ask("soup?", held, 1.0, 5.0).citations] == ["s:1#0"]


def test_facts_answer_and_newer_ones_take_their_place() -> None:
    year = 365 * 86_400.0
    held = Held(("I live in Hamburg.", SAID - 3 * year), "I moved to Berlin last March. My dog is called Rex.")
    assert ask("Where do I live?", held).text.startswith("Berlin, since 1 March 2023 (before: Hamburg): \u201cI moved")
    assert ask("Where did I live in 2021?", held).text.startswith("Hamburg")
    assert ask("Where do I live?", held, as_of=SAID - year).text.startswith("Hamburg")
    assert ask("What is my dog's name?", held).text.startswith("Rex: ")
    assert ask("what's my dog called?", held, sureness=0.0).is_known
    assert not ask("What's my cat called?", held, sureness=0.0).is_known


def test_facts_of_others_are_found_by_name() -> None:
    held = Held("My sister Anna works at Siemens.", "I work at Bosch.")
    assert ask("Where does Anna work?", held).text.startswith("Siemens")
    assert ask("Where do I work?", held).text.startswith("Bosch")


def test_a_mentor_answers_in_the_persons_own_words_and_is_labelled() -> None:
    other = Message("s:1", Kind.TEXT, SAID, SAID, "You should rest more after a race.", "Ann")
    held = Held(other, "After a race I rest for two days and drink a lot.")
    given = ask("How should one rest after a race?", held, 5.0, 4.9, style="mentor")
    assert [citation.speaker for citation in given.citations] == [""]
    assert "(mia, 25 May 2023)" in given.text
    assert given.label == "an AI quoting what mia said; mia does not speak here"


def test_the_persons_voice_chooses_between_what_is_nearly_as_good() -> None:
    class Voice:
        def likeness(self, text: str) -> float:
            return 2.0 if "gonna" in text else 0.0

    class Model:
        voice = Voice()

    held = Held("I plan to eat soup with the neighbours", "gonna cook something hot tonight")
    given = answer(Question("soup?", NOW), held.found(1.0, 0.8), held, Model())
    assert given.citations[0].memory == "s:2#0"


def test_a_long_memory_is_cut_to_what_tells() -> None:
    text = (
        "We talked about the weather and the news. " * 6
        + "The heron nested under the bridge. "
        + "Then it rained. " * 8
    )
    memory = Held().kept or [Memory("s:1#0", 1, 0, Kind.TEXT, text, SAID)]
    cut = telling(memory[0], Question("Where did the heron nest?", NOW))
    assert "The heron nested under the bridge." in cut
    assert len(cut) <= QUOTE_LETTERS + 4
    assert cut.startswith("… ")


def test_suggestions_are_the_persons_own_sentences() -> None:
    said_by_ann = Message("s:1", Kind.TEXT, SAID, SAID, "I love sailing on the lake.", "Ann")
    held = Held(said_by_ann, "Sailing on the lake calms me. Do you sail? We left the harbour yesterday.")
    found = suggest(Question("What do you think of sailing on the lake?", NOW), held.found())
    assert found[0].text == "Sailing on the lake calms me."
    assert all(one.memory == "s:2#0" and not one.text.endswith("?") for one in found)
    assert suggest(Question("x", NOW), held.found(sureness=0.0)) == []


def test_a_suggestion_for_a_question_of_time_is_the_time() -> None:
    found = suggest(Question("When did you leave the harbour?", NOW), Held("We left the harbour yesterday.").found())
    assert found[0].text == "24 May 2023."


CITED = Citation("s:1#0", "We adopted Rex, a brown dog, in Lisbon on 3 May 2021.", "Ann", SAID, 1.0, date="3 May 2021")


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("They adopted a brown dog [1].", ()),
        ("Ann adopted Rex in Lisbon.", ()),
        ("They adopted a brown dog in 2019 [1].", ("They adopted a brown dog in 2019 [1].",)),
        ("They adopted a dog in Madrid.", ("They adopted a dog in Madrid.",)),
        ("They adopted a dog. They sold their yacht to a prince.", ("They sold their yacht to a prince.",)),
        ("I do not know.", ()),
    ],
)
def test_sentences_without_support_are_marked(text: str, without: tuple[str, ...]) -> None:
    assert unsupported(text, (CITED,)) == without
    assert unsupported(text, ()) == () or text != "I do not know."


@given(st.text(max_size=120), st.lists(st.text(max_size=120), max_size=4), st.sampled_from(["quote", "mentor"]))
def test_any_question_of_any_memories_has_an_answer(text: str, said: list[str], style: str) -> None:
    held = Held(*said)
    given = ask(text, held, style=style)
    assert given.text
    assert given.is_known == bool(given.citations)
    assert len(given.citations) <= 3
