"""The chain of a journal: what was written is read, and whatever else was done to it is seen."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from natant.errors import FabricError
from natant.fabric.nats.record import HEAD_SIZE, Chain, Epoch, Position, genesis, pack_record
from natant.store.contract import Operation
from natant.store.entry import pack

IDENTITY = b"i" * 16
PLACE = "the journal of a test"

batches = st.lists(
    st.lists(st.tuples(st.sampled_from([0, 1, 2]), st.binary(max_size=20), st.binary(max_size=200)), max_size=5),
    min_size=1,
    max_size=6,
)


class Written:
    """A journal as an owner writes it."""

    def __init__(self) -> None:
        self.messages: list[tuple[bool, bytes]] = []
        self.number = 0
        self.link = genesis(IDENTITY)
        self.epoch = 0

    def begin(self, owner: str = "worker") -> None:
        self.messages.append((True, Epoch(IDENTITY, owner).pack()))
        self.epoch = len(self.messages)

    def pack(self, batch: list[Operation], part_bytes: int = 64) -> tuple[list[bytes], bytes]:
        number = self.number + 1
        return pack_record(self.epoch, number, self.link, pack(number, batch), part_bytes)

    def append(self, batch: list[Operation], part_bytes: int = 64) -> None:
        messages, self.link = self.pack(batch, part_bytes)
        self.number += 1
        self.messages += [(False, message) for message in messages]


def read(messages: list[tuple[bool, bytes]], chain: Chain | None = None, first: int = 1) -> list[list[Operation]]:
    chain = chain or Chain(Position.start(IDENTITY), PLACE)
    found = []
    for sequence, (is_epoch, message) in enumerate(messages, first):
        if is_epoch:
            chain.take_epoch(sequence, message)
        elif (batch := chain.take(sequence, message)) is not None:
            found.append(batch)
    return found


def code_of(messages: list[tuple[bool, bytes]]) -> str:
    with pytest.raises(FabricError) as caught:
        read(messages)
    assert PLACE in caught.value.message
    return caught.value.code


def three() -> Written:
    written = Written()
    written.begin()
    for number in range(3):
        written.append([(0, b"key", b"%d" % number)], 4096)
    return written


@settings(deadline=None)
@given(batches, st.integers(1, 300))
def test_what_was_written_is_read(wanted: list[list[Operation]], part_bytes: int) -> None:
    written = Written()
    written.begin()
    for batch in wanted:
        written.append(batch, part_bytes)

    assert read(written.messages) == wanted


@settings(deadline=None)
@given(batches, st.data())
def test_any_flipped_bit_is_seen(wanted: list[list[Operation]], data: st.DataObject) -> None:
    written = Written()
    written.begin()
    for batch in wanted:
        written.append(batch)
    index = data.draw(st.integers(0, len(written.messages) - 1))
    is_epoch, message = written.messages[index]
    bit = data.draw(st.integers(0, 8 * len(message) - 1))
    changed = bytearray(message)
    changed[bit // 8] ^= 1 << bit % 8
    written.messages[index] = (is_epoch, bytes(changed))

    assert code_of(written.messages) in {"NT-FABRIC-101", "NT-FABRIC-102", "NT-FABRIC-108"}


@settings(deadline=None)
@given(batches, st.data())
def test_any_missing_message_is_seen_once_another_follows(wanted: list[list[Operation]], data: st.DataObject) -> None:
    written = Written()
    written.begin()
    for batch in wanted:
        written.append(batch)
    written.begin("the next owner")
    index = data.draw(st.integers(1, len(written.messages) - 2))
    chain = Chain(Position.start(IDENTITY), PLACE)
    read(written.messages[:index], chain)

    with pytest.raises(FabricError, match="NT-FABRIC-102"):
        read(written.messages[index + 1 :], chain, index + 2)


def test_a_record_is_missing_though_no_sequence_is() -> None:
    written = three()
    del written.messages[2]

    assert code_of(written.messages) == "NT-FABRIC-102"


def test_a_record_of_another_journal_does_not_follow() -> None:
    written, other = three(), Written()
    other.begin()
    other.append([(0, b"key", b"other")], 4096)
    written.messages[1] = other.messages[1]

    assert code_of(written.messages) == "NT-FABRIC-102"


def test_a_message_that_came_twice_counts_once() -> None:
    written = Written()
    written.begin()
    written.append([(0, b"key", b"x" * 200)])
    written.append([(0, b"key", b"y" * 200)])
    twice = [written.messages[0]]
    for message in written.messages[1:]:
        twice += [message, message]
    chain = Chain(Position.start(IDENTITY), PLACE)

    assert len(read(twice, chain)) == 2
    assert chain.ignored == len(written.messages) - 1


def test_a_batch_whose_owner_was_deposed_in_the_middle_does_not_count() -> None:
    written = Written()
    written.begin()
    written.append([(0, b"key", b"1")])
    half, _ = written.pack([(0, b"key", b"x" * 200)])
    written.messages += [(False, message) for message in half[:-1]]
    written.begin("the next owner")
    written.append([(0, b"key", b"2")])
    chain = Chain(Position.start(IDENTITY), PLACE)

    assert read(written.messages, chain) == [[(0, b"key", b"1")], [(0, b"key", b"2")]]
    assert (chain.number, chain.epoch) == (2, written.epoch)


def test_what_an_older_epoch_got_in_is_ignored() -> None:
    written = three()
    late, _ = written.pack([(0, b"key", b"late")])
    written.begin("the next owner")
    written.messages += [(False, message) for message in late]
    chain = Chain(Position.start(IDENTITY), PLACE)

    assert len(read(written.messages, chain)) == 3
    assert chain.ignored == len(late)


def test_reading_goes_on_where_a_snapshot_ends() -> None:
    written = three()
    chain = Chain(Position.start(IDENTITY), PLACE)
    read(written.messages[:3], chain)
    position = chain.position
    later = Chain(position, PLACE)

    assert read(written.messages[3:], later, 4) == [[(0, b"key", b"2")]]
    assert later.position == Position(IDENTITY, 3, written.link, 4, 1)


def test_a_journal_that_was_made_anew_is_not_the_same() -> None:
    written = three()
    written.messages[0] = (True, Epoch(b"j" * 16, "worker").pack())

    assert code_of(written.messages) == "NT-FABRIC-104"


def test_a_newer_format_is_not_guessed() -> None:
    written = three()
    written.messages[1] = (False, b"ntJ\x02" + written.messages[1][1][4:])
    newer = [(True, b"ntE\x07" + written.messages[0][1][4:])]

    assert code_of(written.messages) == code_of(newer) == "NT-FABRIC-108"


@pytest.mark.parametrize("size", [0, 3, HEAD_SIZE - 1, HEAD_SIZE, HEAD_SIZE + 1])
def test_a_message_that_was_cut_short_is_damaged(size: int) -> None:
    written = three()
    written.messages[1] = (False, written.messages[1][1][:size])

    assert code_of(written.messages) == "NT-FABRIC-101"


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    for is_epoch in (True, False):
        with pytest.raises(FabricError, match=r"NT-FABRIC-10[18]"):
            read([(is_epoch, data)])
