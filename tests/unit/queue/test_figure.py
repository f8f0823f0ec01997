"""natant.queue.figure: rates, age, and how many workers there should be."""

from __future__ import annotations

import pytest

from natant.queue.figure import Count, Figures, Meter, WorkerNews
from natant.queue.policy import QueuePolicy


def run(meter: Meter, seconds: int, rate_in: int, rate_out: int, *, left: int = 0) -> Figures:
    """Counts every second at steady rates."""
    added = 1000
    figures = Figures("asr")
    for second in range(seconds):
        added += rate_in
        left = max(0, left + rate_in - rate_out)
        figures = meter.look(Count(1000.0 + second, added, left, 0, 1000.0 if left else 0.0))
    return figures


def worker(name: str, slots: int = 4, service_s: float = 0.5, **facts: bool) -> WorkerNews:
    return WorkerNews("asr", name, slots, 1, 10, 0, service_s, **facts)


def test_rates_settle_at_what_comes_and_goes() -> None:
    figures = run(Meter("asr", QueuePolicy()), 120, 10, 8)

    assert figures.rate_in == pytest.approx(10, rel=0.01)
    assert figures.rate_out == pytest.approx(8, rel=0.01)
    assert figures.depth == 240
    assert figures.oldest_s == 119.0


def test_as_many_hands_as_the_rate_keeps_busy_and_more_for_what_waits() -> None:
    meter = Meter("asr", QueuePolicy(target_s=60.0))
    meter.hear(1120.0, worker("w1"))
    meter.hear(1120.0, worker("w2"))

    figures = run(meter, 121, 10, 10)
    assert (figures.workers, figures.slots, figures.service_s) == (2, 8, 0.5)
    assert (figures.suggested_slots, figures.suggested_workers) == (5, 2)

    meter = Meter("asr", QueuePolicy(target_s=60.0))
    meter.hear(1120.0, worker("w1"))
    assert run(meter, 121, 10, 10, left=600).suggested_slots == 10


def test_nobody_is_paid_while_there_is_nothing_to_do() -> None:
    meter = Meter("asr", QueuePolicy())
    run(meter, 10, 10, 10)
    idle = [meter.look(Count(1010.0 + second, 1100, 0, 0, 0.0)) for second in range(100)][-1]

    assert (idle.suggested_slots, idle.suggested_workers) == (0, 0)


def test_suggestions_stay_within_what_was_declared() -> None:
    assert run(Meter("asr", QueuePolicy(least=2, most=3)), 5, 0, 0).suggested_workers == 2
    assert run(Meter("asr", QueuePolicy(least=2, most=3)), 100, 1000, 0).suggested_workers == 3


def test_workers_that_left_or_fell_silent_do_not_count() -> None:
    meter = Meter("asr", QueuePolicy())
    meter.hear(1000.0, worker("w1"))
    meter.hear(1000.0, worker("w2"))
    meter.hear(1000.0, worker("w1", is_leaving=True))

    assert meter.look(Count(1001.0, 0, 0, 0, 0.0)).workers == 1
    assert meter.look(Count(1009.0, 0, 0, 0, 0.0)).workers == 0
