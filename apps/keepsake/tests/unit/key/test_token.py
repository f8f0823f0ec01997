"""Tokens: only this service's, only until they end or are revoked, and not one bit of them otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from keepsake.errors import KeepsakeError
from keepsake.key import Ring, Tokens


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    return Tokens(Ring(tmp_path))


def test_a_token_says_who_shows_it(tokens: Tokens) -> None:
    found = tokens.read(tokens.make("ann", "device", until=10.0, device="phone"), now=9.0)

    assert (found.person, found.role, found.device) == ("ann", "device", "phone")
    with pytest.raises(KeepsakeError, match="KS-KEY-003"):
        tokens.make("../ann", "owner", until=10.0)


def test_it_ends(tokens: Tokens) -> None:
    with pytest.raises(KeepsakeError, match="KS-KEY-006"):
        tokens.read(tokens.make("ann", "owner", until=10.0), now=10.0)


@pytest.mark.parametrize("is_by_id", [True, False])
def test_it_can_be_revoked_in_any_process(tmp_path: Path, tokens: Tokens, is_by_id: bool) -> None:
    other = Tokens(Ring(tmp_path))
    token, kept = (tokens.make("ann", "owner", until=10.0) for _ in range(2))
    assert other.read(token, now=1.0)

    tokens.revoke(tokens.read(token, now=1.0).id if is_by_id else token)

    with pytest.raises(KeepsakeError, match="KS-KEY-006"):
        other.read(token, now=1.0)
    assert other.read(kept, now=1.0)


def test_another_service_signs_nothing_here(tmp_path: Path, tokens: Tokens) -> None:
    forged = Tokens(Ring(tmp_path / "other")).make("ann", "owner", until=10.0)

    with pytest.raises(KeepsakeError, match="KS-KEY-005"):
        tokens.read(forged, now=1.0)


@pytest.mark.parametrize(
    "text", ["", ".", "..", "ks1..", "ks1.e30.", "ks1.e30.AA", "ks2.a.b", "x" * 5000, "ks1.\u00e4.b", "a.b.c.d"]
)
def test_what_is_no_token_is_refused(tokens: Tokens, text: str) -> None:
    with pytest.raises(KeepsakeError, match="KS-KEY-005"):
        tokens.read(text, now=1.0)


def test_the_person_in_a_token_cannot_be_changed(tokens: Tokens) -> None:
    ann, eve = (tokens.make(person, "owner", until=10.0).split(".") for person in ("ann", "eve"))

    with pytest.raises(KeepsakeError, match="KS-KEY-005"):
        tokens.read(".".join([ann[0], ann[1], eve[2]]), now=1.0)
