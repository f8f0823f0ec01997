"""natant.queue.message and policy: what travels, and what stands in a stream's metadata."""

from __future__ import annotations

import pytest

from natant.errors import QueueError
from natant.queue.job import Call
from natant.queue.message import Answer, Envelope, Report, decode, encode
from natant.queue.policy import QueuePolicy


@pytest.mark.parametrize(
    "thing",
    [
        Envelope("1", "asr", "/call/1", "clips", "k", "high", "about", 1.5, 2, "input"),
        Report("done", "1", "/call/1", "clips", "w/1", 1, 0.5, "n", "e", 2.5, "ack", "7"),
        Answer("go", 3, "why"),
    ],
)
def test_what_is_sent_is_what_arrives(thing: Envelope | Report | Answer) -> None:
    assert decode(type(thing), encode(thing)) == thing


@pytest.mark.parametrize("payload", [b"", b"\xff", b"{", b"{id:1}", b"7", b"@job"])
def test_what_is_no_message_is_told_by_its_code(payload: bytes) -> None:
    with pytest.raises(QueueError, match="NT-QUEUE-009"):
        decode(Envelope, payload)


def test_a_policy_comes_back_from_metadata() -> None:
    policy = QueuePolicy(3, (0.5, 8.0), 30.0, 10, 5.0, 7.5, 1, 9)

    assert QueuePolicy.of_metadata(policy.as_metadata()) == policy


@pytest.mark.parametrize("wrong", [{}, {**QueuePolicy().as_metadata(), "natant.attempts": "many"}])
def test_metadata_that_says_nothing_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(QueueError, match="NT-QUEUE-007"):
        QueuePolicy.of_metadata(wrong)


def test_the_wait_doubles_up_to_the_longest() -> None:
    policy = QueuePolicy(backoff=(1.0, 5.0))

    assert [policy.delay_s(attempt) for attempt in (1, 2, 3, 4, 1000)] == [1.0, 2.0, 4.0, 5.0, 5.0]


def test_a_worker_takes_one_job() -> None:
    with pytest.raises(QueueError, match="NT-QUEUE-006"):
        Call(lambda: None)
    with pytest.raises(QueueError, match="NT-QUEUE-006"):
        Call(lambda _one, _two: None)
