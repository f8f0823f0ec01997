"""Keys: what one person's key seals nobody else's opens, and what was sealed with a destroyed key stays closed."""

from __future__ import annotations

import itertools
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepsake.errors import KeepsakeError
from keepsake.key import PersonKey, Ring
from keepsake.key.ring import person_id

KEY = PersonKey("ann", bytes(range(32)))


@given(st.binary(max_size=200), st.sampled_from(["blob", "lane"]), st.text(max_size=10))
def test_what_is_sealed_can_be_opened_and_is_never_the_same(content: bytes, purpose: str, about: str) -> None:
    sealed = KEY.seal(content, purpose, about)

    assert KEY.open(sealed, purpose, about) == content
    assert KEY.seal(content, purpose, about) != sealed


@given(st.binary(min_size=1, max_size=60), st.data())
def test_no_bit_of_a_sealed_content_can_be_changed(content: bytes, data: st.DataObject) -> None:
    sealed = bytearray(KEY.seal(content, "blob"))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))

    with pytest.raises(KeepsakeError, match="KS-KEY-002"):
        KEY.open(bytes(sealed), "blob")


@pytest.mark.parametrize("length", [0, 5, 12, 20])
def test_what_is_too_short_is_refused(length: int) -> None:
    with pytest.raises(KeepsakeError, match="KS-KEY-002"):
        KEY.open(KEY.seal(b"content", "blob")[:length], "blob")


def test_a_seal_holds_for_one_person_purpose_and_place() -> None:
    sealed = KEY.seal(b"content", "blob", "diary")

    for key, purpose, about in [
        (PersonKey("bob", bytes(range(32))), "blob", "diary"),
        (PersonKey("ann", bytes(32)), "blob", "diary"),
        (KEY, "lane", "diary"),
        (KEY, "blob", "diary2"),
    ]:
        with pytest.raises(KeepsakeError, match="KS-KEY-002"):
            key.open(sealed, purpose, about)


def test_no_two_purposes_or_persons_share_a_key() -> None:
    keys = [PersonKey(person, bytes(range(32))) for person in ("ann", "bob")]
    derived = [key.derive(purpose) for key in keys for purpose in ("store", "blob", "lane", "log", "name", "sign")]

    assert len(set(derived)) == len(derived)
    for one, other in itertools.combinations(keys, 2):
        assert one.name(b"same") != other.name(b"same")
        assert one.signer().public_key() != other.signer().public_key()


def test_keys_outlive_the_process(tmp_path: Path) -> None:
    sealed = Ring(tmp_path).make("ann").seal(b"content", "blob")
    ring = Ring(tmp_path)

    assert ring.key("ann").open(sealed, "blob") == b"content"
    assert ring.make("ann").open(sealed, "blob") == b"content"
    assert ring.people() == ["ann"]


def test_nobody_else_may_read_the_files(tmp_path: Path) -> None:
    Ring(tmp_path / "keys").make("ann")

    files = [path for path in (tmp_path / "keys").rglob("*") if path.is_file()]
    assert len(files) == 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert not any(b"ann" in path.read_bytes() or "ann" in path.name for path in files)


def test_a_destroyed_key_ends_everything(tmp_path: Path) -> None:
    ring, other = Ring(tmp_path), Ring(tmp_path)
    sealed = ring.make("ann").seal(b"content", "blob")
    assert other.key("ann")

    ring.destroy("ann")
    ring.destroy("ann")

    for known in (ring, other, Ring(tmp_path)):
        with pytest.raises(KeepsakeError, match="KS-KEY-001"):
            known.key("ann")
    with pytest.raises(KeepsakeError, match="KS-KEY-002"):
        ring.make("ann").open(sealed, "blob")


def test_another_process_learns_that_a_key_was_made_anew(tmp_path: Path) -> None:
    ring, other = Ring(tmp_path), Ring(tmp_path)
    ring.make("ann")
    other.key("ann")
    ring.destroy("ann")
    sealed = ring.make("ann").seal(b"content", "blob")

    assert other.key("ann").open(sealed, "blob") == b"content"


def test_a_key_file_of_another_person_opens_nothing(tmp_path: Path) -> None:
    ring = Ring(tmp_path)
    ring.make("ann")
    ring.make("bob")
    ann, bob = (ring._path(person) for person in ("ann", "bob"))
    bob.write_bytes(ann.read_bytes())

    with pytest.raises(KeepsakeError, match="KS-KEY-002"):
        Ring(tmp_path).key("bob")


def test_a_damaged_master_key_is_told(tmp_path: Path) -> None:
    Ring(tmp_path)
    (tmp_path / "master.key").write_bytes(b"short")

    with pytest.raises(KeepsakeError, match="KS-KEY-004"):
        Ring(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "Ann", "a b", "../ann", "a/b", "a.b", "-a", "_a", "a" * 64, "\u00e4nn", "ann\n", "a%2f", "a\0"]
)
def test_what_may_mean_something_else_is_no_id(text: str) -> None:
    with pytest.raises(KeepsakeError, match="KS-KEY-003"):
        person_id(text)


@pytest.mark.parametrize("text", ["a", "0", "ann-marie_2", "a" * 63])
def test_plain_ids_are_taken(text: str) -> None:
    assert person_id(text) == text
