"""natant.queue.gate: order within a key, as many as possible besides."""

from __future__ import annotations

import random

from natant.queue.gate import Gate


def items(taken: list[tuple[str, str]]) -> list[str]:
    return [item for item, _ in taken]


def test_without_keys_all_go_up_to_the_window() -> None:
    gate: Gate[str] = Gate(2)
    for item in "abc":
        gate.add(item, "")

    assert items(gate.take()) == ["a", "b"]
    assert gate.take() == []
    gate.accepted("")
    assert items(gate.take()) == ["c"]
    assert len(gate) == 2


def test_of_a_key_one_goes_at_a_time_and_the_next_when_it_is_free() -> None:
    gate: Gate[str] = Gate(10)
    for item in ("a1", "a2", "b1"):
        gate.add(item, item[0])

    assert items(gate.take()) == ["a1", "b1"]
    gate.accepted("a")
    gate.accepted("b")
    assert gate.take() == []
    assert gate.freed("a") is True
    assert items(gate.take()) == ["a2"]
    gate.accepted("a")
    assert gate.freed("a") is False
    assert len(gate) == 0


def test_a_key_that_another_process_took_is_tried_when_it_is_free() -> None:
    gate: Gate[str] = Gate(10)
    gate.add("a1", "a")
    gate.take()
    gate.refused("a")

    assert gate.take() == []
    gate.look_again(10)
    assert items(gate.take()) == ["a1"]


def test_what_could_not_be_submitted_is_the_first_to_come_again() -> None:
    gate: Gate[str] = Gate(1)
    for item, key in (("u1", ""), ("u2", ""), ("a1", "a"), ("a2", "a")):
        gate.add(item, key)

    assert items(gate.take()) == ["a1"]
    gate.returned("a1", "a")
    assert items(gate.take()) == ["a1"]
    gate.accepted("a")
    assert items(gate.take()) == ["u1"]
    gate.returned("u1", "")
    assert items(gate.take()) == ["u1"]


def test_order_of_keys_holds_whatever_happens() -> None:
    chance = random.Random(4)
    for _ in range(50):
        gate: Gate[tuple[str, int]] = Gate(3)
        added = dict.fromkeys("abc", 0)
        held: set[str] = set()
        done: dict[str, list[int]] = {key: [] for key in "abc"}
        for _ in range(400):
            if chance.random() < 0.3:
                key = chance.choice("abc")
                gate.add((key, added[key]), key)
                added[key] += 1
            for item, key in gate.take():
                fate = chance.random()
                if fate < 0.2:
                    gate.returned(item, key)
                elif key in held:
                    gate.refused(key)
                else:
                    gate.accepted(key)
                    held.add(key)
                    done[key].append(item[1])
            if held and chance.random() < 0.4:
                held.discard(key := chance.choice(sorted(held)))
                gate.freed(key)
            if chance.random() < 0.05:
                gate.look_again(10)

        assert all(numbers == sorted(set(numbers)) for numbers in done.values())
        assert sum(map(len, done.values())) + len(gate) == sum(added.values())
