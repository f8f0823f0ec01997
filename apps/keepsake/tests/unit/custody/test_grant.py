"""Grants: signed, for one person, within a scope, until a day, revocable."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepsake.custody import Action, Grant, Log, Permission, Record, Scope
from keepsake.custody.note import public_bytes
from keepsake.errors import KeepsakeError
from keepsake.key import PersonKey
from keepsake.record import Entity, Kind, Memory, Share
from keepsake.store.contract import Store

DAY = 86_400.0
KEY = PersonKey("ann", bytes(range(32)))
PUBLIC = public_bytes(KEY.signer())


@pytest.fixture
def permission(store: Store, key: PersonKey, log: Log, clock: Any) -> Permission:
    return Permission(store, key, log, clock)


def give(store: Store, permission: Permission, **named: Any) -> str:
    with store.write() as writer:
        return permission.give(writer, "bob", Scope(**named), 1_700_000_000.0 + DAY).token


def test_a_token_says_what_was_granted(store: Store, permission: Permission) -> None:
    token = give(store, permission, areas=("work",), since=5.0, verbs=frozenset({"ask", "mentor"}))

    found = permission.check(token, by="bob", verb="mentor")

    assert (found.person, found.to) == ("ann", "bob")
    assert "work" not in token
    assert found.scope == Scope(frozenset({"ask", "mentor"}), since=5.0, areas=("work",))
    assert [Record.decode(record).action for record in store.records()] == [Action.GRANTED]


def test_a_token_tells_nobody_what_it_hides(store: Store, permission: Permission) -> None:
    token = give(store, permission, without=("divorce",), names=("Carl",), areas=("health",), streams=("diary",))
    payload = token.split(".")[1]
    told = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))

    assert not any(word in told for word in (b"divorce", b"Carl", b"health", b"diary"))
    assert permission.check(token, by="bob").scope.without == ("divorce",)


def test_what_a_token_hides_cannot_be_changed_in_the_store(store: Store, permission: Permission) -> None:
    token = give(store, permission, without=("divorce",))
    (name,) = store.documents("grant")
    kept = (store.document("grant", name) or b"").replace(b"divorce", b"weather")
    with store.write() as writer:
        writer.put_document("grant", name, kept)

    with pytest.raises(KeepsakeError, match="KS-GRANT-002"):
        permission.check(token, by="bob")


def test_it_is_for_one_hand_and_for_its_verbs(store: Store, permission: Permission) -> None:
    token = give(store, permission)

    with pytest.raises(KeepsakeError, match="KS-GRANT-003"):
        permission.check(token, by="eve")
    with pytest.raises(KeepsakeError, match="KS-GRANT-003"):
        permission.check(token, by="bob", verb="mentor")


def test_it_expires(store: Store, permission: Permission, clock: Any) -> None:
    token = give(store, permission)
    clock.time += DAY - 1
    assert permission.check(token, by="bob")

    clock.time += 1
    with pytest.raises(KeepsakeError, match="KS-GRANT-004"):
        permission.check(token, by="bob")


def test_it_can_be_taken_back(store: Store, permission: Permission) -> None:
    token = give(store, permission)
    grant = permission.check(token, by="bob").id
    for _ in range(2):
        with store.write() as writer:
            permission.revoke(writer, grant)

    with pytest.raises(KeepsakeError, match="KS-GRANT-005"):
        permission.check(token, by="bob")
    assert [given.revoked_at for given in permission.all()] == [1_700_000_000.0]
    assert [Record.decode(record).action for record in store.records()] == [Action.GRANTED, Action.REVOKED]
    with pytest.raises(KeepsakeError, match="KS-GRANT-006"), store.write() as writer:
        permission.revoke(writer, "another")


def test_giving_the_same_grant_twice_gives_one(store: Store, permission: Permission) -> None:
    with store.write() as writer:
        first = permission.give(writer, "bob", Scope(), 1_700_000_000.0 + DAY, grant="g1")
        second = permission.give(writer, "carl", Scope(), 1_700_000_000.0 + DAY, grant="g1")

    assert first == second
    assert store.record_count() == 1


def test_a_well_signed_token_that_was_never_given_here_is_worth_nothing(permission: Permission) -> None:
    token = Grant("stray", "ann", "bob", 1_700_000_000.0, 1_700_000_000.0 + DAY).sign(KEY)

    with pytest.raises(KeepsakeError, match="KS-GRANT-006"):
        permission.check(token, by="bob")


@pytest.mark.parametrize(("person", "secret"), [("bob", bytes(range(32))), ("ann", bytes(32)), ("bob", bytes(32))])
def test_another_key_signs_nothing_for_ann(permission: Permission, person: str, secret: bytes) -> None:
    token = Grant("g", person, "eve", 1_700_000_000.0, 1_700_000_000.0 + DAY).sign(PersonKey(person, secret))

    with pytest.raises(KeepsakeError, match="KS-GRANT-002"):
        permission.check(token, by="eve")


@given(st.data())
def test_no_bit_of_a_token_can_be_changed(data: st.DataObject) -> None:
    token = Grant("g", "ann", "bob", 0.0, DAY, purpose="for the book").sign(KEY)
    place = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.characters(codec="utf-8").filter(lambda letter: letter != token[place]))

    with pytest.raises(KeepsakeError, match="KS-GRANT-002"):
        Grant.read(token[:place] + letter + token[place + 1 :], PUBLIC)


@pytest.mark.parametrize("header", [{"alg": "none"}, {"alg": "HS256", "typ": "keepsake-grant+jws"}])
def test_the_header_chooses_no_algorithm(header: dict[str, str]) -> None:
    _, payload, signature = Grant("g", "ann", "bob", 0.0, DAY).sign(KEY).split(".")
    other = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()

    for token in (f"{other}.{payload}.{signature}", f"{other}.{payload}.", f"{other}.{payload}", "", "..", "a" * 9000):
        with pytest.raises(KeepsakeError, match="KS-GRANT-002"):
            Grant.read(token, PUBLIC)


@pytest.mark.parametrize(
    "change",
    [
        {"expires_at": 0.0},
        {"expires_at": 1e10},
        {"expires_at": float("nan")},
        {"to": "ann"},
        {"scope": Scope(frozenset())},
        {"scope": Scope(frozenset({"write"}))},
        {"scope": Scope(areas=("",))},
        {"scope": Scope(names=("x",) * 65)},
        {"purpose": "x" * 129},
    ],
)
def test_what_cannot_be_granted_is_refused(change: dict[str, Any]) -> None:
    fields: dict[str, Any] = {"id": "g", "person": "ann", "to": "bob", "given_at": 0.0, "expires_at": DAY} | change

    with pytest.raises(KeepsakeError, match="KS-GRANT-001"):
        Grant(**fields).sign(KEY)


def memory(text: str = "Lunch with Carl", **named: Any) -> Memory:
    return Memory("diary:1#0", 1, 0, Kind.TEXT, text, 100.0, **named)


@pytest.mark.parametrize(
    ("scope", "is_allowed"),
    [
        (Scope(), True),
        (Scope(since=100.0, until=101.0), True),
        (Scope(since=100.5), False),
        (Scope(until=100.0), False),
        (Scope(areas=("WORK",)), True),
        (Scope(areas=("health",)), False),
        (Scope(names=("carl",)), True),
        (Scope(names=("dora",)), False),
        (Scope(streams=("diary",)), True),
        (Scope(streams=("diar",)), False),
        (Scope(without=("Carl",)), False),
        (Scope(without=("lunch",)), False),
        (Scope(without=("work",)), False),
        (Scope(without=("health",)), True),
    ],
)
def test_a_scope_shows_what_lies_within_it(scope: Scope, is_allowed: bool) -> None:
    shown = memory(areas=(Share("work", 0.7), Share("health", 0.1)), entities=(Entity("person", "Carl", 11, 15),))

    assert scope.allows(shown) is is_allowed
