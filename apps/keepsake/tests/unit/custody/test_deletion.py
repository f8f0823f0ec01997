"""Deletion over a real store: what was said is found nowhere afterwards, whoever dies meanwhile, and the certificate says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from keepsake.custody import Action, Log, Record
from keepsake.custody.certificate import read_certificate, service_signer
from keepsake.custody.deletion import BlobPart, Deletion, Order
from keepsake.custody.erasure import Erasure
from keepsake.custody.ledger import Ledger
from keepsake.errors import KeepsakeError
from keepsake.key import Ring
from keepsake.record import Kind, Memory, Message
from keepsake.store.contract import Store
from keepsake.store.folder import FolderBlobs
from keepsake.store.sqlite import SqliteStores

CANARY = "the zebra sleeps behind the observatory"


@dataclass
class House:
    """What a service has, in a folder."""

    ring: Ring
    stores: SqliteStores
    blobs: FolderBlobs
    store: Store
    log: Log
    deletion: Deletion


@dataclass
class Cache:
    """A part that keeps texts; it may fail, or keep what it should not."""

    name: str = "cache"
    texts: dict[str, str] = field(default_factory=dict)
    failures: int = 0
    is_stubborn: bool = False

    def remove(self, order: Order) -> int:
        if self.failures:
            self.failures -= 1
            raise ConnectionError
        return sum(not self.is_stubborn and self.texts.pop(message, None) is not None for message in order.messages)

    def find(self, text: str) -> list[str]:
        return [name for name, kept in self.texts.items() if text in kept]


@pytest.fixture
def house(tmp_path: Path, clock: Any) -> House:
    ring = Ring(tmp_path / "keys")
    key = ring.make("ann")
    stores = SqliteStores(tmp_path / "people", ring)
    store = stores.open("ann")
    log = Log(store, key, clock)
    return House(ring, stores, FolderBlobs(tmp_path / "blobs"), store, log, Deletion(store, key, log, clock))


def say(house: House, number: int, body: str, sound: str = "") -> str:
    message = Message(f"diary:{number}", Kind.TEXT, 1.0 * number, 1.0 * number, body, sound=sound)
    with house.store.write() as writer:
        stored, _ = writer.add_message(message)
        writer.put_memories([Memory(f"{message.id}#0", stored.seq, 0, Kind.TEXT, body, message.said_at)])
        house.log.append(writer, Action.STORED, message.id, body.encode(), by="ann")
    return message.id


def actions(house: House) -> list[tuple[str, str]]:
    return [(record.action, record.about) for record in map(Record.decode, house.store.records())]


def test_what_was_said_is_found_nowhere(house: House) -> None:
    sound = house.blobs.put("ann", b"sealed samples")
    ids = [say(house, 1, CANARY, sound), say(house, 2, "something else that stays here")]
    house.store.search("zebra")

    order = house.deletion.order(ids[:1], by="ann")
    certificate = house.deletion.carry_out(order, [BlobPart(house.blobs), Ledger(house.ring)])

    assert house.store.find(CANARY) == house.store.find("zebra") == []
    assert list(house.blobs.names("ann")) == []
    assert house.store.message(ids[1])
    assert house.store.document("salt", ids[0]) is None
    assert house.deletion.open() == []
    said = read_certificate(certificate, {house.log.origin: house.log.public})
    assert (said["messages"], said["recordings"], said["said_elsewhere"]) == (ids[:1], 1, 0)
    assert [part["part"] for part in said["parts"]] == ["store", "blob", "backup"]
    assert [action for action, _ in actions(house)][2:] == [
        "deletion ordered",
        *["deletion confirmed"] * 3,
        "deleted",
    ]


def test_a_deleted_message_does_not_come_back(house: House) -> None:
    message = say(house, 1, CANARY)
    house.deletion.carry_out(house.deletion.order([message], by="ann"), [])

    with house.store.write() as writer:
        _, is_new = writer.add_message(Message(message, Kind.TEXT, 1.0, 1.0, CANARY))

    assert not is_new
    assert house.store.find(CANARY) == []


def test_a_part_that_fails_is_asked_again_and_the_others_are_not(house: House) -> None:
    cache = Cache(texts={say(house, 1, CANARY): CANARY}, failures=1)
    order = house.deletion.order(["diary:1"], by="ann", id="d1")
    with pytest.raises(ConnectionError):
        house.deletion.carry_out(order, [Ledger(house.ring), cache])
    assert house.deletion.open() == [order] == [house.deletion.order(["diary:1"], by="ann", id="d1")]

    first = house.deletion.carry_out(order, [Ledger(house.ring), cache])

    assert cache.texts == {}
    assert len(Ledger(house.ring).entries("ann")) == 1
    assert house.deletion.carry_out(order, [cache]) == first


def test_it_is_not_over_while_something_is_found(house: House) -> None:
    cache = Cache(texts={say(house, 1, CANARY): CANARY}, is_stubborn=True)
    order = house.deletion.order(["diary:1"], by="ann")

    with pytest.raises(KeepsakeError, match=r"KS-CUSTODY-009.*cache/diary:1"):
        house.deletion.carry_out(order, [cache])
    assert house.deletion.open() == [order]
    assert CANARY.encode() not in (house.store.document("sought", order.id) or b"")

    cache.texts.clear()
    assert house.deletion.carry_out(order, [cache])
    assert house.store.document("sought", order.id) is None


def test_the_same_words_in_a_message_that_stays_are_no_rest(house: House) -> None:
    ids = [say(house, number, CANARY) for number in (1, 2)]

    certificate = house.deletion.carry_out(house.deletion.order(ids[:1], by="ann"), [])

    assert read_certificate(certificate)["said_elsewhere"] == 1
    assert house.store.message(ids[1])


@pytest.mark.parametrize("count", [0, 10_001])
def test_an_order_has_a_size(house: House, count: int) -> None:
    with pytest.raises(KeepsakeError, match="KS-CUSTODY-008"):
        house.deletion.order([f"diary:{number}" for number in range(count)], by="ann")


def test_a_certificate_that_was_changed_proves_nothing(house: House) -> None:
    say(house, 1, CANARY)
    order = house.deletion.order(["diary:1"], by="ann")
    certificate = house.deletion.carry_out(order, [], [service_signer(house.ring)])
    fields = json.loads(certificate)
    changed = json.dumps(fields | {"text": fields["text"].replace("diary:1", "diary:2")}).encode()

    assert [line["name"] for line in fields["signatures"]] == ["keepsake/person/ann", "keepsake/service"]
    for bad in (changed, b"{}", b"", json.dumps(fields | {"signatures": []}).encode()):
        with pytest.raises(KeepsakeError, match="KS-CUSTODY-010"):
            read_certificate(bad)
    with pytest.raises(KeepsakeError, match="KS-CUSTODY-010"):
        read_certificate(certificate, {"keepsake/service": bytes(32)})


def test_the_ledger_survives_a_torn_line_and_tells_nothing(house: House, tmp_path: Path) -> None:
    ledger, file = Ledger(house.ring), tmp_path / "keys" / "deleted.log"
    ledger.remove(Order("d1", "ann", ("diary:1",), (), "ann", 5))
    file.write_bytes(file.read_bytes()[:-9] + b"\n" + file.read_bytes()[:-40])
    ledger.remove(Order("d2", "bob", ("talk:1",), (), "bob", 6))

    assert b"diary" not in file.read_bytes()
    assert [(entry.id, entry.messages) for entry in ledger.entries("bob")] == [("d2", ("talk:1",))]
    assert [entry.id for entry in Ledger(Ring(tmp_path / "keys")).entries()] == ["d2"]


@dataclass
class Agents:
    """Agents that hold something of persons."""

    name: str = "agent"
    held: set[str] = field(default_factory=lambda: {"ann", "bob"})
    failures: int = 0

    def erase(self, person: str) -> int:
        if self.failures:
            self.failures -= 1
            raise ConnectionError
        self.held.discard(person)
        return 1

    def left(self, person: str) -> list[str]:
        return [f"/person/{person}"] if person in self.held else []


@pytest.fixture
def make_erasure(house: House, tmp_path: Path, clock: Any) -> Callable[[], Erasure]:
    return lambda: Erasure(Ring(tmp_path / "keys"), house.stores, house.blobs, tmp_path / "erased", clock)


def test_a_person_is_erased_and_others_are_not(house: House, make_erasure: Callable[[], Erasure]) -> None:
    say(house, 1, CANARY)
    house.blobs.put("ann", b"sealed samples")
    house.ring.make("bob")
    kept = house.blobs.put("bob", b"of bob")
    house.stores.open("bob").close()
    house.store.close()

    erasure = make_erasure()
    erasure.order("ann", by="ann")
    certificate = erasure.carry_out("ann", [Agents()])

    assert house.ring.people() == house.stores.people() == ["bob"]
    assert house.blobs.get("bob", kept) == b"of bob"
    with pytest.raises(KeepsakeError, match="KS-KEY-001"):
        house.stores.open("ann")
    said = read_certificate(certificate, {"keepsake/service": read_key(certificate)})
    assert (said["person"], said["messages"]) == ("ann", 1)
    assert [part["part"] for part in said["parts"]] == ["key", "store", "blob", "backup", "agent"]
    consent = read_certificate(json.dumps(said["consent"]).encode())
    assert consent["checkpoint"] == said["checkpoint"]
    assert erasure.certificate("ann") == certificate == erasure.carry_out("ann")


def read_key(certificate: bytes) -> bytes:
    import base64

    return base64.b64decode(json.loads(certificate)["signatures"][0]["key"])


def test_an_erasure_goes_on_after_a_failure_and_the_key_is_gone_first(
    house: House, make_erasure: Callable[[], Erasure]
) -> None:
    agents = Agents(failures=1)
    erasure = make_erasure()
    erasure.order("ann", by="ann")
    with pytest.raises(ConnectionError):
        erasure.carry_out("ann", [agents])

    assert not house.ring.has("ann")
    assert make_erasure().open() == ["ann"]
    assert make_erasure().carry_out("ann", [agents])
    assert make_erasure().open() == []


def test_an_erasure_is_not_over_while_something_is_left(make_erasure: Callable[[], Erasure]) -> None:
    agents = Agents()
    erasure = make_erasure()
    erasure.order("ann", by="ann")
    agents.erase = lambda person: 0  # type: ignore[method-assign]

    with pytest.raises(KeepsakeError, match=r"KS-CUSTODY-009.*agent/"):
        erasure.carry_out("ann", [agents])


def test_nobody_is_erased_unless_it_was_ordered(make_erasure: Callable[[], Erasure]) -> None:
    with pytest.raises(KeepsakeError, match="KS-CUSTODY-011"):
        make_erasure().carry_out("ann")
    with pytest.raises(KeepsakeError, match="KS-KEY-001"):
        make_erasure().order("nobody", by="nobody")
