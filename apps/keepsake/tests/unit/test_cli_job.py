"""Waiting for a job: its result, or a coded error."""

from __future__ import annotations

from typing import Any

import pytest
from natant import JobState

from keepsake.cli import job as module
from keepsake.cli.job import wait_for
from keepsake.errors import KeepsakeError


class Lane:
    """A jobs lane that shows one state after the other."""

    def __init__(self, states: list[JobState[str]]) -> None:
        self.states = states

    def map(self, *_: Any) -> Lane:
        return self

    def synced(self) -> Lane:
        return self

    def __enter__(self) -> Lane:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def get(self, name: str) -> JobState[str]:
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_S", 0.0)


def wait(*states: JobState[str]) -> str:
    return wait_for(Lane(list(states)), "/person/ada", "learning", "job", of=str, what="messages")


def test_the_result_is_waited_for() -> None:
    running = JobState[str](state="running", progress=0.5)

    assert wait(JobState[str](), running, running, JobState[str](state="done", result="well")) == "well"


def test_a_failure_is_a_coded_error() -> None:
    with pytest.raises(KeepsakeError, match=r"KS-CLI-009.*no such model"):
        wait(JobState[str](state="failed", error="no such model"))


def test_silence_is_a_coded_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUIET_S", -1.0)

    with pytest.raises(KeepsakeError, match=r"KS-CLI-009.*is a worker running"):
        wait(JobState[str]())
