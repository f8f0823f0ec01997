"""Who is taken for dead, and who is not, by the clock of a test."""

from __future__ import annotations

from collections.abc import Callable

from natant.fabric.detector import ALARM_EVERY_S, GRACE_S, PING_EVERY_S, Detector

State = Callable[[str, float], str]


class Trial:
    """Worker a among others; what each ping meets is up to the test: "up", "dead" or "hung"."""

    def __init__(self, *members: str) -> None:
        self.members = {"a", *members}
        self.detector = Detector("a")
        self.now_s = 100.0
        self.pinged: set[str] = set()

    def run(self, seconds: float, state: State) -> dict[str, float]:
        """After how many seconds each was declared dead."""
        start_s, found = self.now_s, {}
        while self.now_s < start_s + seconds:
            for worker, _ in self.detector.verdicts(self.now_s):
                found[worker] = self.now_s - start_s
                self.members.discard(worker)
            for worker in self.detector.tick(self.members, self.now_s):
                self.pinged.add(worker)
                met = state(worker, self.now_s - start_s)
                if met == "up":
                    self.detector.answered(worker, self.now_s + 0.001)
                elif met == "dead":
                    self.detector.refused(worker, self.now_s + 0.001)
            self.now_s += ALARM_EVERY_S if self.detector.is_alarmed else PING_EVERY_S
        return found


def up(worker: str, after_s: float) -> str:
    return "up"


def test_nobody_who_answers_is_dead() -> None:
    assert Trial("b", "c").run(60, up) == {}


def test_who_is_dead_is_known_in_well_under_a_second() -> None:
    trial = Trial("b")
    trial.run(1, up)

    assert trial.run(5, lambda worker, _: "dead")["b"] <= 0.6


def test_who_connects_again_within_a_quarter_of_a_second_is_not_dead() -> None:
    trial = Trial("b")

    assert trial.run(5, lambda worker, after_s: "dead" if 1 < after_s < 1.27 else "up") == {}


def test_who_hangs_is_known_within_three_seconds() -> None:
    trial = Trial("b")
    trial.run(1, up)

    assert 2.4 <= trial.run(5, lambda worker, _: "up" if worker == "a" else "hung")["b"] <= 2.9


def test_who_hears_not_even_itself_judges_nobody() -> None:
    trial = Trial("b")

    assert trial.run(60, lambda worker, _: "hung") == {}


def test_who_was_away_itself_judges_nobody_for_it() -> None:
    trial = Trial("b")
    trial.run(2, lambda worker, _: "up" if worker == "a" else "hung")
    trial.now_s += 20

    assert trial.run(2, lambda worker, after_s: "up" if worker == "a" or after_s > 1 else "hung") == {}


def test_after_a_restart_of_the_server_others_have_time_to_come_back() -> None:
    trial = Trial("b")
    trial.detector.reconnected(trial.now_s)

    assert trial.run(GRACE_S + 5, lambda worker, after_s: "dead" if after_s < GRACE_S - 0.5 else "up") == {}


def test_who_does_not_come_back_after_a_restart_is_dead() -> None:
    trial = Trial("b")
    trial.detector.reconnected(trial.now_s)

    assert GRACE_S <= trial.run(GRACE_S + 5, lambda worker, _: "dead")["b"] <= GRACE_S + 0.7


def test_each_watches_two_and_all_the_dead_are_found_in_turn() -> None:
    trial = Trial("b", "c", "d", "e")
    trial.run(1, up)

    assert trial.pinged == {"b", "c"}
    assert trial.run(5, lambda worker, _: "dead").keys() == {"b", "c", "d", "e"}
