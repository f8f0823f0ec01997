"""The audit itself: it passes a right state, and names each way in which one can be wrong."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from tests.chaos.audit import History, Sent, State, audit

HISTORY = History(
    {
        "w0-1": Sent("w0-1", 0, 1, 10, answer=1),
        "w0-4": Sent("w0-4", 0, 4, 5, answer=3),
        "w1-2": Sent("w1-2", 0, 2, 20, answer=2),
        "w1-3": Sent("w1-3", 0, 3, 7),  # never answered, and never done
    }
)
RIGHT = State(
    {0: {"count": 3, "sum": 35, "entries": ["w0-1", "w1-2", "w0-4"], "armed": {"w0-4": 1}, "ripe": {"w0-4": 1}}},
    {0: {"balance": 35, "credits": {"w0-1": 1, "w1-2": 1, "w0-4": 1}}},
    {0: {"count": 2, "sum": 6, "last": 4, "back": 0}, 1: {"count": 2, "sum": 4, "last": 3, "back": 0}},
    {"count": 3, "sum": 35},
)


def test_a_right_state_passes() -> None:
    assert audit(HISTORY, RIGHT) == []


def test_a_command_without_an_answer_may_have_been_done() -> None:
    state = deepcopy(RIGHT)
    state.ledgers[0] |= {"count": 4, "sum": 42, "entries": ["w0-1", "w1-2", "w0-4", "w1-3"]}
    state.accounts[0] = {"balance": 42, "credits": {"w0-1": 1, "w1-2": 1, "w0-4": 1, "w1-3": 1}}
    state.total = {"count": 4, "sum": 42}

    assert audit(HISTORY, state) == []


def lost(state: State) -> None:
    state.ledgers[0]["entries"].remove("w1-2")


def doubled(state: State) -> None:
    state.ledgers[0]["entries"].append("w0-4")


def invented(state: State) -> None:
    state.ledgers[0]["entries"].append("w9-9")


def reordered(state: State) -> None:
    state.ledgers[0]["entries"] = ["w0-4", "w1-2", "w0-1"]


def torn(state: State) -> None:
    state.ledgers[0]["sum"] = 30


def silent_timer(state: State) -> None:
    state.ledgers[0]["ripe"] = {}


def eager_timer(state: State) -> None:
    state.ledgers[0]["ripe"]["w0-1"] = 1


def lost_send(state: State) -> None:
    del state.accounts[0]["credits"]["w1-2"]
    state.accounts[0]["balance"] = 15
    state.total = {"count": 2, "sum": 15}


def doubled_send(state: State) -> None:
    state.accounts[0]["credits"]["w1-2"] = 2
    state.accounts[0]["balance"] = 55
    state.total = {"count": 4, "sum": 55}


def lost_second_hop(state: State) -> None:
    state.total = {"count": 2, "sum": 15}


def torn_account(state: State) -> None:
    state.accounts[0]["balance"] = 1
    state.total["sum"] = 1


def gap_in_the_source(state: State) -> None:
    state.feeds[1] = {"count": 1, "sum": 3, "last": 3, "back": 0}


def source_twice(state: State) -> None:
    state.feeds[0]["back"] = 1


def feeds_apart(state: State) -> None:
    state.feeds[0] = {"count": 4, "sum": 20, "last": 8, "back": 0}


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lost, "acknowledged and lost: w1-2"),
        (doubled, "done more than once: w0-4"),
        (invented, "nobody sent it there: w9-9"),
        (reordered, "out of order: w0-1"),
        (torn, "a turn is there in part: ledger 0"),
        (silent_timer, "did not ring as often: w0-4"),
        (eager_timer, "rang that was not set: w0-1"),
        (lost_send, "sent to an account and lost: w1-2"),
        (doubled_send, "more often than it was sent: w1-2"),
        (lost_second_hop, "sender and receiver do not agree"),
        (torn_account, "a turn is there in part: account 0"),
        (gap_in_the_source, "lost or doubled numbers: feed 1"),
        (source_twice, "the source went back: 1 times in feed 0"),
        (feeds_apart, "lost or doubled numbers: the feeds end at [3, 8]"),
    ],
)
def test_a_wrong_state_is_named(spoil: Callable[[State], Any], words: str) -> None:
    state = deepcopy(RIGHT)

    spoil(state)

    assert any(words in line for line in audit(HISTORY, state)), audit(HISTORY, state)


def test_answers_that_contradict_each_other_are_named() -> None:
    history = deepcopy(HISTORY)
    history.sent["w0-4"].answer = 2
    history.contradictions.append("w0-1 (1, then 2)")

    complaints = "\n".join(audit(history, RIGHT))

    assert "two commands have the same answer" in complaints
    assert "answered differently the second time: w0-1" in complaints
