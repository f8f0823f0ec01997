"""On few ratings a part goes as far as helps, and sureness is moved without changing its order."""

from __future__ import annotations

import numpy as np
from support.person import rating

from keepsake.model.pace import STEPS, best_step, calibrated
from keepsake.recall.refusal import SIGNS, Refusal


def test_the_step_is_the_one_that_helps_on_what_was_kept_back() -> None:
    ratings = [rating(number) for number in range(9)]
    wanted = STEPS[3]

    assert best_step(lambda learning, step: step, ratings, lambda part, one: abs(part - wanted)) == wanted
    assert best_step(lambda learning, step: step, ratings, lambda part, one: 1.0) == 0.0
    assert best_step(lambda learning, step: (step, len(learning)), ratings, lambda part, one: part[0]) == (0.0, 9)


def test_sureness_is_moved_to_what_is_so_and_keeps_its_order() -> None:
    rng = np.random.default_rng(3)
    signs = [rng.random(len(SIGNS)).astype(np.float32) for _ in range(200)]
    shipped = Refusal.plain()
    order = [shipped.sureness(row) for row in signs]
    known = [bool(rng.random() < 0.9 - 0.8 * (sure < np.median(order))) for sure in order]
    moved = calibrated(shipped, signs, known, [1.0] * 200)
    sure = [moved.sureness(row) for row in signs]

    assert np.argsort(sure).tolist() == np.argsort(order).tolist()
    assert abs(np.mean(sure) - np.mean(known)) < 0.05
    assert np.mean((np.array(sure) - known) ** 2) < np.mean((np.array(order) - known) ** 2)


def test_with_ratings_of_one_kind_nothing_is_moved() -> None:
    signs = [np.ones(len(SIGNS), np.float32)] * 5

    assert (
        calibrated(Refusal.plain(), signs, [True] * 5, [1.0] * 5).weights.tolist() == Refusal.plain().weights.tolist()
    )
