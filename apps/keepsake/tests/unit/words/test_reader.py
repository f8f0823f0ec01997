"""Reading a message: passages, languages, names, phrases, facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepsake.record import Entity, Fact, Kind, Memory, Message
from keepsake.words import Known, Reader
from keepsake.words.area import DESCRIPTIONS
from keepsake.words.common import is_common, rarity
from keepsake.words.entity import entities
from keepsake.words.fact import SELF, is_single
from keepsake.words.language import language
from keepsake.words.passage import PASSAGE_LETTERS, SENTENCE_LETTERS, passages, sentences
from keepsake.words.phrase import phrases
from keepsake.words.tagger import english

SAID = datetime(2023, 5, 25, 13, 14, tzinfo=UTC).timestamp()
KNOWN = Known(
    {
        "tom miller": ("person", "Tom Miller"),
        "tommy": ("person", "Tom Miller"),
        "will": ("person", "Will"),
        "atlas": ("thing", "Atlas"),
    }
)


def message(body: str, **more: object) -> Message:
    return replace(Message("s:1", Kind.TEXT, SAID, SAID, body, seq=7), **more)  # type: ignore[arg-type]


def read(body: str, **more: object) -> list[Memory]:
    return Reader().read(message(body, **more), KNOWN).memories


def facts(body: str, **more: object) -> dict[tuple[str, str], str]:
    return {(fact.subject, fact.relation): fact.value for fact in told(body, **more)}


def told(body: str, **more: object) -> list[Fact]:
    return Reader().read(message(body, **more), KNOWN).facts


def test_sentences_end_where_people_end_them() -> None:
    text = 'Dr. Smith came at 5 p.m. today. "Really?" she asked. I paid 3.50 for it! It was in 2016. We left…\nNew line\nam 3. Mai'
    assert [piece.text for piece in sentences(text)] == [
        "Dr. Smith came at 5 p.m. today.",
        '"Really?" she asked.',
        "I paid 3.50 for it!",
        "It was in 2016.",
        "We left…",
        "New line",
        "am 3. Mai",
    ]


def test_a_short_message_is_one_memory_and_a_long_one_several() -> None:
    assert [memory.text for memory in read("  Hello there. How are you?\n")] == ["Hello there. How are you?"]
    body = "\n\n".join(f"Day {day}. " + "We walked by the sea and talked for hours. " * 8 for day in range(4))
    found = read(body)
    assert len(found) >= 4
    assert [memory.id for memory in found] == [f"s:1#{part}" for part in range(len(found))]
    assert all(len(memory.text) <= PASSAGE_LETTERS and memory.seq == 7 for memory in found)
    assert read("") == read(" \n ") == []


@given(st.text(alphabet=st.sampled_from("aA1 .!?\n\"'世。é-"), max_size=1500))
def test_no_letter_is_lost_between_passages(text: str) -> None:
    found = list(passages(text))
    assert "".join("".join(piece.text for piece in found).split()) == "".join(text.split())
    assert all(text[piece.start : piece.end] == piece.text for piece in (*found, *sentences(text)))
    assert all(len(piece.text) <= SENTENCE_LETTERS for piece in sentences(text))


@settings(deadline=None)  # the first text of an unknown language loads the model of languages
@given(st.text(max_size=600), st.sampled_from(list(Kind)))
def test_any_message_can_be_read(body: str, kind: Kind) -> None:
    reading = Reader().read(message(body, kind=kind), KNOWN)
    for memory in reading.memories:
        assert all(0 <= one.start < one.end <= len(memory.text) for one in memory.entities)
    assert reading == Reader().read(message(body, kind=kind), KNOWN)


def test_several_messages_are_read_as_one_by_one() -> None:
    bodies = ["I met Zoe in Lisbon.", "", "Ich war in Rom.\n\n" + "We walked. " * 80, "My dog is called Rex."]
    messages = [replace(message(body), id=f"s:{number}") for number, body in enumerate(bodies)]
    for tagger in (None, english()):
        reader = Reader(tagger)
        assert reader.read_all(messages, KNOWN) == [reader.read(one, KNOWN) for one in messages]
    assert Reader().read_all([]) == []


def test_a_recordings_passages_share_its_time() -> None:
    body = "We walked by the sea and talked for hours. " * 30
    found = read(body, kind=Kind.AUDIO, span=(10.0, 70.0))
    spans = [memory.span for memory in found if memory.span]
    assert len(spans) == len(found) > 1
    assert spans[0][0] == 10.0
    assert 69.0 < spans[-1][1] <= 70.0
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I went to the market and bought some bread.", "en"),
        ("Gestern war ich mit meiner Schwester im Kino.", "de"),
        ("Nous avons mangé au restaurant hier soir avec des amis.", "fr"),
        ("Ayer fuimos a la playa con los niños.", "es"),
        ("昨日は友達と映画を見ました。", "ja"),
        ("Wow", "en"),
        ("12:30 !!", ""),
        ("", ""),
    ],
)
def test_the_language_of_a_text(text: str, expected: str) -> None:
    assert language(text) == expected


def test_a_small_machine_tells_languages_by_words_and_scripts() -> None:
    reader = Reader(has_model=False)
    texts = [
        "Gestern war ich mit meiner Schwester im Kino.",
        "Ayer fuimos a la playa con los niños.",
        "Hyvää huomenta kaikille",
    ]
    assert [reader.read(message(text)).memories[0].language for text in texts] == ["de", "es", "en"]


def named(text: str, known: Known = KNOWN) -> list[tuple[str, str]]:
    return [(entity.label, entity.name) for entity in entities(text, known)]


def test_names_that_are_known_are_found_in_any_case() -> None:
    assert named("tommy and TOM MILLER's boat") == [("person", "Tom Miller"), ("person", "Tom Miller")]
    assert named("work on atlas again") == [("thing", "Atlas")]


def test_a_name_that_is_a_common_word_takes_a_capital() -> None:
    assert named("I told Will about it") == [("person", "Will")]
    assert named("will you come?") == named("Will you come?") == []


def test_rules_find_names_that_nobody_told() -> None:
    none = Known()
    assert named("We stayed in Lisbon with Anna.", none) == [("place", "Lisbon"), ("person", "Anna")]
    assert named("She works at Blue Harbour Labs", none) == [("organisation", "Blue Harbour Labs")]
    assert named("Inês and Rui sang at the Casa da Música.", none)[1:] == [
        ("person", "Rui"),
        ("place", "Casa da Música"),
    ]
    assert named("Practised all day. Silence. Pickle ate the cake.", none) == [("person", "Pickle")]
    assert named("Yesterday was a Monday in May. I am OK.", none) == []
    assert named("The Lake Garda Festival was loud", none)[0][0] == "event"


def test_a_tagger_goes_before_rules_and_is_asked_only_for_unknown_names() -> None:
    class Tagger:
        languages = frozenset({"en"})
        asked: list[str] = []  # noqa: RUF012

        def tag_all(self, texts: Sequence[str]) -> list[list[Entity]]:
            self.asked.extend(texts)
            return [[Entity("work", "Zorro", (at := text.index("Zorro")), at + 5)] for text in texts]

    tagger = Tagger()
    assert entities("nothing here, tommy", KNOWN, tagger)[0].name == "Tom Miller"
    assert tagger.asked == []
    assert [one.label for one in entities("We met Zorro", KNOWN, tagger)] == ["work"]


def test_spacy_finds_names_where_it_is_installed() -> None:
    tagger = english()
    if tagger is None:
        pytest.skip("spaCy's English model is not installed: pip install 'keepsake[names,models]'")
    found = entities("Yesterday Margaret flew to Copenhagen with the Nokia people.", Known(), tagger)
    assert found[0].label == "person"
    assert {"Margaret", "Copenhagen"} <= {entity.name for entity in found}


def test_phrases_tell_what_it_is_about() -> None:
    found = phrases(
        "Hey! Wow, that's great. I finished the pottery workshop and glazed two bowls. The pottery workshop was fun."
    )
    assert found[0] == "pottery workshop"
    assert not {"Hey", "Wow", "great", "fun"} & set(found)
    assert phrases("ok, thanks") == ()
    assert phrases("pottery", background={"potteri": 0.0}) == ()


def test_common_words_tell_little() -> None:
    assert is_common("the")
    assert is_common("went")
    assert not is_common("pottery")
    assert rarity("potteri") > rarity("garden") > rarity("go")


def test_areas_of_life_have_descriptions() -> None:
    assert len(DESCRIPTIONS) == 10
    assert all(text.endswith(".") for text in DESCRIPTIONS.values())


@pytest.mark.parametrize(
    ("text", "subject", "relation", "value"),
    [
        ("I moved to Berlin last March.", SELF, "lives in", "Berlin"),
        ("I've just moved back to San Jose", SELF, "lives in", "San Jose"),
        ("My sister Anna works at Siemens now", "Anna", "works at", "Siemens"),
        ("I'm working as a paediatric nurse", SELF, "works as", "paediatric nurse"),
        ("My dog is called Rex.", "my dog", "is called", "Rex"),
        ("My favourite colour is dark green, by the way", SELF, "favourite colour", "dark green"),
        ("I quit my job at Google", SELF, "works at", "no longer at Google"),
        ("My birthday is on 7 May.", SELF, "was born on", "7 May"),
        ("I am allergic to peanuts and cats", SELF, "is allergic to", "peanuts"),
        ("my email is jo@example.org", SELF, "has the e-mail address", "jo@example.org"),
        ("Marta lives in Porto", "Marta", "lives in", "Porto"),
        ("I love old films but not new ones", SELF, "likes", "old films"),
    ],
)
def test_facts(text: str, subject: str, relation: str, value: str) -> None:
    assert facts(text)[subject, relation] == value


@pytest.mark.parametrize(
    "text",
    [
        "I don't live in Paris",
        "If I lived in Rome I would eat pizza",
        "Do you think I live in Rome?",
        "I used to work at IBM",
        "I might move to Oslo",
        "I want to live in Kyoto",
        "That is from Berlin",
        "I love it",
    ],
)
def test_what_is_not_so_is_no_fact(text: str) -> None:
    assert facts(text) == {}


def test_facts_hold_from_the_time_that_is_said() -> None:
    (past,) = told("I moved to Berlin last March.")
    assert datetime.fromtimestamp(past.since, UTC).date().isoformat() == "2023-03-01"
    assert past.id == "s:1#0!lives in!me"
    (plan,) = told("Next month I'm moving to New York")
    assert datetime.fromtimestamp(plan.since, UTC).date().isoformat() == "2023-06-01"
    assert told("I'm moving to New York") == []  # nobody said when


def test_a_named_speaker_is_the_subject() -> None:
    assert facts("I live in Ghent. My dog is called Bo", speaker="Jon") == {
        ("Jon", "lives in"): "Ghent",
        ("Jon's dog", "is called"): "Bo",
    }


def test_pages_and_other_languages_tell_no_facts() -> None:
    assert facts("I live in Ghent with a cat and I like that.", kind=Kind.WEB) == {}
    assert facts("Ich wohne in Berlin und my name is Otto heißt es dann immer wieder") == {}


def test_which_relations_hold_one_at_a_time() -> None:
    assert is_single("lives in")
    assert is_single("favourite food")
    assert not is_single("likes")


def test_a_language_that_is_set_is_not_looked_for() -> None:
    (memory,) = (
        Reader(tongue="en")
        .read(message("Gestern war ich mit Ana am Hafen und wir haben Fisch gegessen."), KNOWN)
        .memories
    )

    assert memory.language == "en"
