"""What a text is searched by."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from keepsake.words.term import stem, terms, words


def test_forms_of_a_word_are_one_term() -> None:
    assert terms("She was painting") == terms("paints") == terms("PAINTED") == ["paint"]
    assert terms("a hike, two hikes, hiking")[::2] == ["hike", "hike"]


def test_accents_apostrophes_and_width_do_not_matter() -> None:
    assert terms("José's café") == terms("JOSE\u2019S CAFE") == ["jose", "cafe"]
    assert terms("\uff46\uff55\uff4c\uff4c") == ["full"]


def test_numbers_and_mixed_words_stay() -> None:
    assert terms("room 12b in 2023, mp3") == ["room", "12b", "2023", "mp3"]


def test_stop_words_go_unless_there_is_nothing_else() -> None:
    assert terms("What did she do?") == ["what", "did", "she", "do"]
    assert terms("What did Ann do?") == ["ann"]
    assert terms("") == terms("?! ...") == []


def test_scripts_without_blanks_give_pairs() -> None:
    assert terms("我去北京") == ["我去", "去北", "北京"]
    assert "北京" in terms("明天在北京见 Ann")
    assert terms("語") == ["語"]


def test_long_runs_are_cut() -> None:
    assert [len(term) for term in terms("x" * 5000)] == [40]


@given(st.text(max_size=200))
def test_any_text_gives_the_same_terms_each_time(text: str) -> None:
    assert terms(text) == terms(text)
    assert all(term and term == term.strip() for term in terms(text))
    assert len(list(words(text))) <= len(text) * 20


def test_threads_do_not_disturb_each_other() -> None:
    forms = [
        f"{base}{end}" for base in ("paint", "walk", "organis", "nation") for end in ("ed", "ing", "s", "ation", "al")
    ]
    stem.cache_clear()
    expected = [stem(form) for form in forms]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(20):
            stem.cache_clear()
            assert list(pool.map(stem, forms)) == expected
