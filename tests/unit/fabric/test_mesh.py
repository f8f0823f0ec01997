"""Messages between workers: in order, or both sides know that some were lost."""

from __future__ import annotations

from random import Random

import pytest

from natant.errors import FabricError
from natant.fabric.mesh import MAX_MESSAGE_BYTES, Mesh


class Wire:
    """Two meshes and what is on its way between them."""

    def __init__(self) -> None:
        self.frames: dict[str, list[bytes]] = {"a": [], "b": []}
        self.got: dict[str, list[bytes]] = {"a": [], "b": []}
        #: what each got since the last gap it was told of
        self.since: dict[str, list[bytes]] = {"a": [], "b": []}
        self.gaps = {"a": 0, "b": 0}
        self.ends = {name: self.make(name) for name in "ab"}
        self.ends["a"].admit("b")
        self.ends["b"].admit("a")

    def make(self, name: str) -> Mesh:
        def message(worker: str, payload: bytes) -> None:
            assert worker != name
            self.got[name].append(payload)
            self.since[name].append(payload)

        def gap(worker: str) -> None:
            self.gaps[name] += 1
            self.since[name].clear()

        return Mesh(name, lambda worker, frame: self.frames[worker].append(frame), message, gap)

    def carry(self, to: str, count: int = 1_000_000) -> None:
        frames = self.frames[to]
        while frames and count:
            count -= 1
            self.ends[to].receive(frames.pop(0))

    def settle(self) -> None:
        for _ in range(12):
            for name in "ab":
                self.ends[name].tick()
            while self.frames["a"] or self.frames["b"]:
                self.carry("a")
                self.carry("b")

    @property
    def is_quiet(self) -> bool:
        return not any(end.is_waiting for end in self.ends.values())


def test_messages_come_in_order_and_are_confirmed() -> None:
    wire = Wire()
    for number in range(5):
        wire.ends["a"].send("b", b"%d" % number)
    wire.ends["b"].send("a", b"back")

    wire.settle()

    assert wire.got == {"a": [b"back"], "b": [b"0", b"1", b"2", b"3", b"4"]}
    assert wire.gaps == {"a": 0, "b": 0}
    assert wire.is_quiet


def test_who_is_dropped_is_told_of_even_where_nothing_was_sent() -> None:
    wire = Wire()
    wire.ends["a"].drop("b")

    assert wire.gaps == {"a": 1, "b": 0}


def test_nothing_is_kept_for_who_is_no_member() -> None:
    wire = Wire()
    wire.ends["a"].send("nobody", b"1")

    assert wire.is_quiet
    assert wire.frames.get("nobody") is None


def test_who_is_heard_of_before_it_is_a_member_is_answered() -> None:
    wire = Wire()
    frames: list[bytes] = []
    stranger = Mesh("c", lambda worker, frame: frames.append(frame), lambda *message: None, lambda worker: None)
    stranger.admit("a")
    stranger.send("a", b"hello")
    wire.frames["c"] = []

    wire.ends["a"].receive(frames.pop())
    wire.ends["a"].send("c", b"back")

    assert wire.got["a"] == [b"hello"]
    assert len(wire.frames["c"]) == 1


def test_a_loss_in_the_middle_is_told_on_both_sides_once() -> None:
    wire = Wire()
    for number in range(3):
        wire.ends["a"].send("b", b"%d" % number)
    del wire.frames["b"][1]

    wire.settle()

    assert wire.gaps == {"a": 1, "b": 1}
    assert wire.got["b"] == [b"0"]
    wire.ends["a"].send("b", b"after")
    wire.settle()
    assert wire.since["b"] == [b"after"]
    assert wire.is_quiet


def test_a_loss_of_the_last_message_is_found_by_the_mark() -> None:
    wire = Wire()
    wire.ends["a"].send("b", b"only")
    wire.frames["b"].clear()

    wire.settle()

    assert wire.gaps == {"a": 1, "b": 1}
    assert wire.is_quiet


def test_frames_of_before_a_loss_are_not_taken_for_later_ones() -> None:
    wire = Wire()
    wire.ends["a"].send("b", b"1")
    wire.ends["b"].send("a", b"old")
    wire.ends["a"].lose("b")

    wire.settle()

    assert wire.gaps == {"a": 1, "b": 1}
    assert wire.got["a"] == []
    assert wire.since["b"] == []


def test_both_may_find_a_loss_at_the_same_time() -> None:
    wire = Wire()
    for name, other in ("ab", "ba"):
        wire.ends[name].send(other, b"1")
        wire.ends[name].send(other, b"2")
        del wire.frames[other][0]
    wire.carry("a", 1)
    wire.carry("b", 1)

    wire.settle()

    assert wire.gaps == {"a": 1, "b": 1}
    assert wire.is_quiet


def test_long_messages_go_in_frames_that_servers_carry() -> None:
    wire = Wire()
    payload = Random(1).randbytes(1_300_000)
    wire.ends["a"].send("b", payload)
    wire.ends["a"].send("b", b"")

    assert len(wire.frames["b"]) == 4
    assert max(map(len, wire.frames["b"])) < 600_000
    wire.settle()
    assert wire.got["b"] == [payload, b""]


def test_a_loss_within_a_long_message_loses_all_of_it() -> None:
    wire = Wire()
    wire.ends["a"].send("b", bytes(1_300_000))
    del wire.frames["b"][2]
    wire.ends["a"].send("b", b"next")

    wire.settle()

    assert wire.got["b"] == []
    assert wire.gaps == {"a": 1, "b": 1}


def test_a_message_has_a_bound() -> None:
    with pytest.raises(FabricError, match="NT-FABRIC-201"):
        Wire().ends["a"].send("b", bytes(MAX_MESSAGE_BYTES + 1))


@pytest.mark.parametrize(
    "frame", [b"", b"hello", bytes(14), b"\x09" + bytes(12) + b"\x01a", bytes(13) + b"\x01\xff", bytes(13) + b"\x09a"]
)
def test_what_is_no_frame_is_refused(frame: bytes) -> None:
    wire = Wire()

    with pytest.raises(FabricError, match="NT-FABRIC-202"):
        wire.ends["a"].receive(frame)
    assert wire.got["a"] == []


def test_nothing_is_heard_of_who_was_dropped_until_it_is_a_member_again() -> None:
    wire = Wire()
    a, b = wire.ends["a"], wire.ends["b"]
    a.send("b", b"1")
    b.send("a", b"1")
    wire.settle()
    a.drop("b")
    assert wire.gaps == {"a": 1, "b": 0}
    b.send("a", b"2")
    a.send("b", b"nobody")
    wire.settle()
    assert wire.got["a"] == [b"1"]

    a.admit("b")
    wire.settle()

    assert wire.gaps == {"a": 1, "b": 1}
    b.send("a", b"3")
    a.send("b", b"3")
    wire.settle()
    assert wire.since == {"a": [b"3"], "b": [b"3"]}
    assert wire.is_quiet


@pytest.mark.parametrize("seed", range(30))
def test_whatever_is_lost_what_came_since_the_last_gap_is_whole(seed: int) -> None:
    source = Random(seed)
    wire = Wire()
    #: what each sent since the last gap it was told of; its peer must have a beginning of it
    sent: dict[str, list[bytes]] = {"a": [], "b": []}
    gaps = dict(wire.gaps)
    for number in range(400):
        name = source.choice("ab")
        other = "b" if name == "a" else "a"
        action = source.random()
        if action < 0.5:
            wire.ends[name].send(other, b"%d" % number)
            sent[name].append(b"%d" % number)
        elif action < 0.53 and wire.frames[name]:
            del wire.frames[name][source.randrange(len(wire.frames[name]))]
        elif action < 0.6:
            wire.ends[name].tick()
        else:
            wire.carry(name, source.randrange(4))
        for each in "ab":
            if gaps[each] != wire.gaps[each]:
                gaps[each] = wire.gaps[each]
                sent[each].clear()
    wire.settle()
    for each in "ab":
        if gaps[each] != wire.gaps[each]:
            sent[each].clear()

    assert wire.is_quiet
    assert wire.since["b"] == sent["a"]
    assert wire.since["a"] == sent["b"]
