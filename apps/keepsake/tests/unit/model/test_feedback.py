"""Feedback is kept as it was given, once, in the order of time, and goes with the memories that it is about."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.person import open_store, rating

from keepsake.errors import KeepsakeError
from keepsake.model import Feedback, Named, Placed, Rated, Worded, feedback, given
from keepsake.model.feedback import HITS_LIMIT, TEXT_LIMIT, withdraw
from keepsake.recall.feature import NAMES


def test_it_comes_back_as_it_was_given(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    said: list[Feedback] = [
        Named(30.0, "Shavon", "Siobhán", "person", "diary:1#0"),
        Placed(10.0, "diary:1#0", "Atlas slips", "Atlas"),
        Worded(20.5, ("Will do.", "Yes."), "Aye."),
    ]
    with store.write() as writer:
        for one in [*said, said[0]]:
            feedback(writer, one)

    assert [one.feedback for one in given(store)] == sorted(said, key=lambda one: one.at)
    assert [one.feedback for one in given(store, Placed, Worded)] == [said[1], said[2]]


def test_figures_of_a_rating_are_kept_to_three_digits(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    told = rating(7, hits=HITS_LIMIT + 5)
    with store.write() as writer:
        name = feedback(writer, told)
    (back,) = [one.feedback for one in given(store)]

    assert isinstance(back, Rated)
    assert back.hits == told.hits[:HITS_LIMIT]
    np.testing.assert_allclose(back.features, told.features[:HITS_LIMIT], atol=1e-3)
    np.testing.assert_allclose(back.signs, told.signs, atol=1e-3)
    assert len(store.document("feedback", name) or b"") < 12_000


def test_a_rating_of_another_day_is_put_into_the_columns_of_today() -> None:
    told = replace(rating(1), feature_names=(*NAMES[1:], "gone"))
    today = told.features_as(NAMES)

    assert not today[:, 0].any()
    np.testing.assert_array_equal(today[:, 1:], told.features[:, :-1])
    np.testing.assert_array_equal(told.signs_as(told.sign_names), told.signs)


@pytest.mark.parametrize(
    "nonsense",
    [
        Placed(1.0, "", "text", "home"),
        Placed(1.0, "diary:1#0", "x" * (TEXT_LIMIT + 1), "home"),
        Placed(float("nan"), "diary:1#0", "text", "home"),
        Named(1.0, "", "Ilse"),
        Worded(1.0, ("Yes.",), ""),
        replace(rating(1), right=()),
        replace(rating(1), hits=("diary:1#0",)),
        replace(rating(1), signs=np.zeros(1, np.float32)),
    ],
)
def test_nonsense_is_refused(tmp_path: Path, nonsense: Feedback) -> None:
    store = open_store(tmp_path)
    with store.write() as writer, pytest.raises(KeepsakeError) as refused:
        feedback(writer, nonsense)

    assert refused.value.code == "KS-MODEL-002"
    assert store.documents("feedback") == []


def test_what_is_about_a_memory_goes_with_it(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    with store.write() as writer:
        for one in (
            rating(1),
            Placed(5.0, "diary:1#0", "Atlas slips", "Atlas"),
            Placed(6.0, "diary:200#0", "Rex barked", "Rex"),
            Worded(7.0, ("Yes.",), "Aye.", ("diary:1#0",)),
            Named(8.0, "Shavon", "Siobhán"),
        ):
            feedback(writer, one)
    with store.write() as writer:
        gone = withdraw(store, writer, {"diary:1#0", rating(1).hits[3]})

    assert len(gone) == 3
    assert {type(one.feedback) for one in given(store)} == {Placed, Named}
    assert store.find("Atlas") == []
