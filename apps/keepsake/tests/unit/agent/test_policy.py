"""Who reaches what: a token reaches what is below its own person, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from natant import Identity, Record, Refusal, Slot

from keepsake.agent.policy import authenticator, policy
from keepsake.errors import KeepsakeError
from keepsake.key import Ring, Token, Tokens

NOW = 1_700_000_000.0


def identity(person: str, role: str = "owner") -> Identity:
    return Identity(person, Token(id="1", person=person, role=role, until=NOW + 1))  # type: ignore[arg-type]


ANN = identity("ann")


@pytest.mark.parametrize(
    "node", ["/person/ann", "/person/ann/stream/phone", "/person/ann/question/1", "/person/ann/capsule/c"]
)
@pytest.mark.parametrize("verb", ["link", "sync", "command", "read"])
def test_an_owner_reaches_what_is_theirs(node: str, verb: str) -> None:
    assert policy(ANN, verb, node, "state")


@pytest.mark.parametrize(
    "node",
    [
        "/person/bob",
        "/person/anna",
        "/person/ann.",
        "/person/ANN",
        "/person/bob/stream/ann",
        "/person/",
        "/person",
        "/",
        "/vault/ann/c",
        "//person/ann",
        "/person/bob/../ann",
        "/person/%61nn",
        "swim:meta:node/%2Fperson%2Fann",
        "/natant/hub",
    ],
)
@pytest.mark.parametrize("verb", ["link", "sync", "command", "read"])
def test_an_owner_reaches_nothing_else(node: str, verb: str) -> None:
    assert not policy(ANN, verb, node, "state")


@pytest.mark.parametrize(
    "lane",
    [
        "asked",
        "answered",
        "noted",
        "rated",
        "heard",
        "hears",
        "pieces",
        "unlock",
        "unlocked",
        "vanish",
        "erase",
        "hold",
    ],
)
def test_what_agents_say_to_each_other_cannot_be_said_by_their_person(lane: str) -> None:
    assert not policy(ANN, "command", "/person/ann", lane)
    assert not policy(ANN, "link", "/person/ann/stream/phone", lane)


def test_a_device_captures_and_sees_nothing() -> None:
    device = identity("ann", "device")
    assert policy(device, "command", "/person/ann/stream/phone", "take")
    assert policy(device, "read", "/person/ann/stream/phone", "received")
    for node, lane in (
        ("/person/ann/stream/phone", "transcript"),
        ("/person/ann", "timeline"),
        ("/person/ann/question/1", "ask"),
    ):
        assert not policy(device, "command", node, lane)
        assert not policy(device, "link", node, lane)
    assert not policy(device, "command", "/person/bob/stream/phone", "take")


def test_a_worker_hears_and_does_nothing_else() -> None:
    worker = identity("", "worker")
    assert policy(worker, "link", "/person/ann/stream/phone", "pieces")
    assert not policy(worker, "read", "/person/ann", "timeline")
    assert not policy(worker, "command", "/person/ann/question/1", "ask")


def test_whoever_shows_nothing_reaches_nothing() -> None:
    assert not policy(Identity(), "read", "/person/ann", "figures")
    assert not policy(Identity("ann"), "read", "/person/ann", "figures")


def test_a_token_is_good_until_it_is_over_or_revoked(tmp_path: Path) -> None:
    tokens = Tokens(Ring(tmp_path))
    text = tokens.make("ann", "owner", until=NOW)
    assert tokens.read(text, now=NOW - 1).person == "ann"
    with pytest.raises(KeepsakeError, match="KS-KEY-006"):
        tokens.read(text, now=NOW)
    tokens.revoke(text)
    with pytest.raises(KeepsakeError, match="KS-KEY-006"):
        tokens.read(text, now=NOW - 1)


def test_a_token_of_another_service_or_changed_by_hand_is_none(tmp_path: Path) -> None:
    tokens = Tokens(Ring(tmp_path / "a"))
    text = tokens.make("ann", "owner", until=NOW)
    prefix, payload, signature = text.split(".")
    other = Tokens(Ring(tmp_path / "b"))
    for wrong in (
        "",
        "ks1",
        f"ks2.{payload}.{signature}",
        f"{prefix}.{payload[:-2]}AA.{signature}",
        f"{text}=",
        f"{text}." * 900,
    ):
        with pytest.raises(KeepsakeError, match="KS-KEY-005"):
            tokens.read(wrong, now=NOW - 1)
    with pytest.raises(KeepsakeError, match="KS-KEY-005"):
        other.read(text, now=NOW - 1)


def test_the_door_lets_in_who_shows_a_token(tmp_path: Path) -> None:
    tokens = Tokens(Ring(tmp_path))
    check = authenticator(tokens, lambda: NOW)
    found = check(Record([Slot("token", tokens.make("ann", "owner", until=NOW + 1))]), "/")
    assert isinstance(found, Identity)
    assert found.name == "ann"
    for credentials in (None, Record(), Record([Slot("token", 7)]), Record([Slot("token", "ks1.a.b")])):
        assert isinstance(check(credentials, "/"), Refusal)
