"""The gate lets through what does better by more than chance."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepsake.model.gate import LEAST_PAIRS, is_held_out, judge

losses = st.lists(st.floats(0, 1), min_size=LEAST_PAIRS, max_size=50)


@given(losses)
def test_what_is_as_good_stays_out(same: list[float]) -> None:
    assert not judge(same, same).is_better


@given(losses, st.floats(0.01, 0.5))
def test_what_is_better_each_time_goes_in_and_the_way_back_is_closed(old: list[float], gain: float) -> None:
    new = [loss - gain for loss in old]

    assert judge(old, new).is_better
    assert not judge(new, old).is_better


def test_one_lucky_pair_is_chance() -> None:
    assert not judge([1.0, 0.2, 0.2, 0.2, 0.2, 0.2], [0.0, 0.3, 0.3, 0.3, 0.3, 0.3]).is_better


def test_few_pairs_say_nothing() -> None:
    verdict = judge([1.0] * (LEAST_PAIRS - 1), [0.0] * (LEAST_PAIRS - 1))

    assert not verdict.is_better
    assert "needed" in verdict.reason


def test_losses_of_different_feedback_are_not_compared() -> None:
    with pytest.raises(ValueError, match="same feedback"):
        judge([0.5], [0.5, 0.5])


def test_about_a_quarter_is_held_out_for_good() -> None:
    digests = [f"{number * 2654435761 % 2**32:08x}" for number in range(1000)]

    assert 200 < sum(map(is_held_out, digests)) < 300
