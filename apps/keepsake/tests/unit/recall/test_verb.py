"""A question finds what was said with another form of its verb."""

from __future__ import annotations

import pytest

from keepsake.recall.ask import analyse, heard
from keepsake.words.term import stem
from keepsake.words.verb import FORMS


@pytest.mark.parametrize(
    ("question", "said", "terms"),
    [
        ("Where did I meet Ilse?", {"met", "ils"}, ("met", "ils")),
        ("When did we eat sardines?", {"ate", "sardin"}, ("ate", "sardin")),
        ("What was eaten?", {"eat"}, ("eat",)),
        ("Where did I meet Ilse?", {"meet", "met", "ils"}, ("meet", "ils")),
        ("Where did I paint?", {"boat"}, ("paint",)),
    ],
)
def test_a_form_that_was_never_said_is_taken_for_one_that_was(
    question: str, said: set[str], terms: tuple[str, ...]
) -> None:
    assert heard(analyse(question, {}), said.__contains__).terms == terms


def test_forms_lead_to_each_other_and_never_to_themselves() -> None:
    assert set(FORMS[stem("meet")]) == {stem("met")}
    for form, others in FORMS.items():
        assert form not in others
        assert all(other in FORMS for other in others)
