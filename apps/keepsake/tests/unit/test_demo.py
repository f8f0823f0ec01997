"""The demo's diaries are long, in order, and read as they are written."""

from __future__ import annotations

from itertools import pairwise

import pytest

from keepsake.demo import PEOPLE, QUESTIONS, Character, diary
from keepsake.source import Choice, Part, Post, open_source


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.id)
def test_a_diary_is_one_post_a_day(person: Character) -> None:
    (part,) = open_source(diary(person.id), Choice(zone=person.zone))
    assert isinstance(part, Part)

    posts = [unit for unit in part.read() if isinstance(unit, Post)]

    assert len(posts) == len(list(part.read())) >= 150
    assert all(before.said_at < after.said_at for before, after in pairwise(posts))
    assert all(len(post.text) >= 20 for post in posts)


def test_every_question_is_answered_in_its_diary_or_not_at_all() -> None:
    for person, question, words in QUESTIONS:
        text = diary(person).read_text("utf-8")
        for word in words:
            assert not word.isalpha() or word in text, question
