"""Waits between tries, and when a silent host is dead."""

from __future__ import annotations

from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from natant.client.backoff import Backoff, Heartbeat
from natant.client.timing import BACKOFF_CAP_S, BACKOFF_FACTOR, PING_IDLE_S, PONG_WAIT_S


@given(seed=st.integers(0, 2**32))
def test_waits_begin_at_random_and_grow_up_to_a_cap(seed: int) -> None:
    backoff = Backoff(Random(seed))
    waits = [backoff.next() for _ in range(12)]

    assert 0.5 <= waits[0] <= 1.5
    assert all(after == min(before * BACKOFF_FACTOR, BACKOFF_CAP_S) for before, after in pairwise(waits))
    assert waits[-1] == BACKOFF_CAP_S


def test_a_good_try_begins_anew() -> None:
    backoff = Backoff(Random(1))
    for _ in range(9):
        backoff.next()
    backoff.reset()

    assert backoff.next() <= 1.5


def test_a_silent_host_is_pinged_and_then_given_up() -> None:
    heartbeat = Heartbeat()
    assert heartbeat.check(100.0, 100.0) == ("wait", PING_IDLE_S)
    assert heartbeat.check(110.0, 105.0) == ("wait", PING_IDLE_S - 5)
    at_s = 105.0 + PING_IDLE_S
    assert heartbeat.check(at_s, 105.0) == ("ping", PONG_WAIT_S)
    assert heartbeat.check(at_s + 1, 105.0) == ("wait", PONG_WAIT_S - 1)
    assert heartbeat.check(at_s + PONG_WAIT_S, 105.0) == ("dead", 0.0)


def test_a_host_that_answers_is_alive() -> None:
    heartbeat = Heartbeat()
    heartbeat.check(100.0, 100.0 - PING_IDLE_S)
    assert heartbeat.check(103.0, 101.0) == ("wait", PING_IDLE_S - 2)
    assert heartbeat.check(101.0 + PING_IDLE_S, 101.0)[0] == "ping"
