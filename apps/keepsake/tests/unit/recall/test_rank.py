"""The ranker and refusal: they learn what they are shown, and take no foreign weights."""

from __future__ import annotations

import io

import numpy as np
import pytest

from keepsake.errors import KeepsakeError
from keepsake.recall.feature import NAMES
from keepsake.recall.rank import PRIOR_BYTES, Ranker
from keepsake.recall.refusal import SIGNS, Refusal

RANDOM = np.random.default_rng(7)


def test_a_ranker_learns_which_memory_is_right() -> None:
    ranker = Ranker.plain()
    telling = NAMES.index("said by")
    for _ in range(600):
        features = RANDOM.random((20, len(NAMES)), np.float32)
        ranker = ranker.learn(features, [int(np.argmax(features[:, telling]))], step=0.3)
    features = RANDOM.random((200, len(NAMES)), np.float32)
    assert np.corrcoef(ranker.score(features), features[:, telling])[0, 1] > 0.8


def test_learning_is_drawn_back_to_its_origin() -> None:
    features = RANDOM.random((20, len(NAMES)), np.float32)
    prior = Ranker.prior()
    free = near = prior
    for _ in range(50):
        free, near = free.learn(features, [3]), near.learn(features, [3], origin=prior)
    assert np.abs(near.linear - prior.linear).sum() < np.abs(free.linear - prior.linear).sum()


def test_nothing_is_learned_where_all_or_none_were_right() -> None:
    features = RANDOM.random((4, len(NAMES)), np.float32)
    ranker = Ranker.prior()
    assert ranker.learn(features, []) is ranker
    assert ranker.learn(features, range(4)) is ranker


def test_weights_come_back_as_they_went() -> None:
    ranker, refusal = Ranker.prior(), Refusal.prior()
    features = RANDOM.random((9, len(NAMES)), np.float32)
    assert np.array_equal(Ranker.loads(ranker.dumps()).score(features), ranker.score(features))
    assert np.array_equal(Refusal.loads(refusal.dumps()).weights, refusal.weights)


def _foreign() -> bytes:
    held = io.BytesIO()
    np.savez(held, names=np.array(["other"]), weights=np.zeros(2), linear=np.zeros(1))
    return held.getvalue()


@pytest.mark.parametrize(
    "data", [b"", b"no weights", _foreign(), b"x" * (PRIOR_BYTES + 1), Ranker.plain().dumps()[:-40]]
)
def test_foreign_or_damaged_weights_are_refused(data: bytes) -> None:
    with pytest.raises(KeepsakeError, match="KS-RECALL-001"):
        Ranker.loads(data)
    with pytest.raises(KeepsakeError, match="KS-RECALL-002"):
        Refusal.loads(data)


def test_refusal_learns_what_it_could_not_know() -> None:
    refusal = Refusal.plain()
    telling = SIGNS.index("said gap")
    for _ in range(500):
        found = RANDOM.random(len(SIGNS), np.float32)
        refusal = refusal.learn(found, bool(found[telling] > 0.5), step=0.3)
    low, high = (np.full(len(SIGNS), 0.5, np.float32) for _ in range(2))
    low[telling], high[telling] = 0, 1
    assert refusal.sureness(low) < 0.3 < 0.7 < refusal.sureness(high)
