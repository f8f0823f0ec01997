"""The log of a person: records within transactions, signed heads, receipts that stand alone, salts that can be destroyed."""

from __future__ import annotations

import base64
import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from keepsake.custody import Action, Log, Record, note, tree, verify
from keepsake.custody.record import commitment
from keepsake.errors import KeepsakeError
from keepsake.key import PersonKey
from keepsake.store.contract import Store

VERIFY = Path(verify.__file__)


def fill(log: Log, store: Store, count: int) -> None:
    with store.write() as writer:
        for number in range(count):
            log.append(writer, Action.STORED, f"diary:{number}", b"entry %d" % number, by="ann")


def test_a_record_tells_what_who_and_when_but_no_content(log: Log, store: Store) -> None:
    with store.write() as writer:
        index = log.append(writer, Action.READ, "diary:7", b"a secret", by="bob", grant="g1")

    (record,) = store.records(index, 1)
    assert b"secret" not in record
    salt = store.document("salt", "diary:7")
    assert salt is not None
    assert Record.decode(record) == Record(
        Action.READ, "diary:7", "bob", 1_700_000_000_000, "g1", commitment(salt, b"a secret")
    )


def test_a_failed_transaction_leaves_no_record(log: Log, store: Store) -> None:
    def fail() -> None:
        with store.write() as writer:
            log.append(writer, Action.STORED, "diary:1", b"x", by="ann")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert store.record_count() == 0
    assert store.document("salt", "diary:1") is None


def test_names_have_bounds(log: Log, store: Store) -> None:
    with pytest.raises(KeepsakeError, match="KS-CUSTODY-002"), store.write() as writer:
        log.append(writer, Action.STORED, "x" * 1000, by="ann")


@pytest.mark.parametrize("count", [0, 1, 2, 255, 256, 257, 1000])
def test_a_checkpoint_signs_the_root_of_all_records(log: Log, store: Store, count: int) -> None:
    fill(log, store, count)

    found = note.verify(log.checkpoint(), log.public, origin="keepsake/person/ann")

    assert found.size == count == log.audit()
    assert found.root == tree.root(lambda height, index: hash_of(store.records(index << height, 1 << height)), count)


def hash_of(records: list[bytes]) -> bytes:
    if len(records) == 1:
        return tree.leaf_hash(records[0])
    half = len(records) // 2
    return tree.node_hash(hash_of(records[:half]), hash_of(records[half:]))


def test_checkpoints_of_a_growing_log_are_consistent(log: Log, store: Store) -> None:
    heads = []
    for count in (3, 300, 1, 0):
        fill(log, store, count)
        heads.append(note.parse(log.checkpoint()))

    for old, new in itertools.pairwise(heads):
        path = log.consistency(old.size, new.size)
        assert tree.is_consistent(old.size, new.size, old.root, new.root, path)
    assert heads[-1] == heads[-2]
    with pytest.raises(KeepsakeError, match="KS-CUSTODY-006"):
        log.consistency(5, 999)


def test_a_log_that_was_changed_is_not_signed_again(log: Log, store: Store, key: PersonKey) -> None:
    fill(log, store, 10)
    log.checkpoint()
    store.log[3] = store.log[4]  # type: ignore[attr-defined]

    with pytest.raises(KeepsakeError, match="KS-CUSTODY-005"):
        log.audit()
    del store.log[5:]  # type: ignore[attr-defined]
    with pytest.raises(KeepsakeError, match="KS-CUSTODY-005"):
        Log(store, key, lambda: 0.0).checkpoint()


def test_a_checkpoint_of_another_key_is_refused(log: Log, store: Store) -> None:
    fill(log, store, 1)
    signed = log.checkpoint()

    with pytest.raises(KeepsakeError, match="KS-CUSTODY-004"):
        note.verify(signed, note.public_bytes(PersonKey("ann", bytes(32)).signer()))
    with pytest.raises(KeepsakeError, match="KS-CUSTODY-004"):
        note.verify(signed, log.public, origin="keepsake/person/bob")
    with pytest.raises(KeepsakeError, match="KS-CUSTODY-004"):
        note.verify(signed.replace("\n1\n", "\n2\n"), log.public)


@pytest.mark.parametrize(
    "text", ["", "a\n1\n\n", "a\n01\nAAAA\n\n\u2014 a AAAA\n", "a\n1\nAAAA\n\n\u2014 a AAAA\n", "x" * 70_000]
)
def test_what_is_no_checkpoint_is_said_to_be_none(text: str) -> None:
    with pytest.raises(KeepsakeError, match="KS-CUSTODY-003"):
        note.parse(text)


def receipt_of(log: Log, index: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(log.receipt(index))
    return found


def test_a_receipt_proves_record_and_content(log: Log, store: Store) -> None:
    fill(log, store, 300)
    key = base64.b64encode(log.public).decode()

    lines = verify.check(receipt_of(log, 7), key, b"entry 7")

    assert lines[0] == "diary:7 stored, 2023-11-14 22:13:20 UTC, ann"
    assert lines[1] == "record 7 of 300 in keepsake/person/ann"
    with pytest.raises(ValueError, match="does not speak of this content"):
        verify.check(receipt_of(log, 7), key, b"entry 8")
    with pytest.raises(ValueError, match="another key"):
        verify.check(receipt_of(log, 7), base64.b64encode(bytes(32)).decode(), None)


@pytest.mark.parametrize("field", ["record", "index", "proof", "checkpoint", "key"])
def test_a_receipt_that_was_changed_proves_nothing(log: Log, store: Store, field: str) -> None:
    fill(log, store, 5)
    fake, other = receipt_of(log, 2), receipt_of(log, 3)
    fill(log, store, 5)
    log.checkpoint()
    other["checkpoint"] = log.checkpoint()
    other["key"] = base64.b64encode(note.public_bytes(PersonKey("ann", bytes(32)).signer())).decode()
    fake[field] = other[field]

    with pytest.raises(Exception):  # noqa: B017, PT011 - each field fails in its own way
        verify.check(fake, "", None)


def test_a_receipt_of_no_record_is_refused(log: Log) -> None:
    with pytest.raises(KeepsakeError, match="KS-CUSTODY-006"):
        log.receipt(0)


def test_the_proof_outlives_the_content(log: Log, store: Store) -> None:
    fill(log, store, 3)
    with store.write() as writer:
        log.forget(writer, "diary:1")

    receipt = receipt_of(log, 1)

    assert "salt" not in receipt
    assert verify.check(receipt, "", None)
    with pytest.raises(ValueError, match="salt was destroyed"):
        verify.check(receipt, "", b"entry 1")


def test_the_verifier_runs_alone_and_is_short(log: Log, store: Store, tmp_path: Path) -> None:
    fill(log, store, 3)
    (tmp_path / "verify.py").write_bytes(VERIFY.read_bytes())
    (tmp_path / "receipt.json").write_bytes(log.receipt(1))
    (tmp_path / "content").write_bytes(b"entry 1")
    command = [sys.executable, "-I", "verify.py", "receipt.json", "--content"]

    good = subprocess.run([*command, "content"], cwd=tmp_path, capture_output=True, text=True, check=False)
    bad = subprocess.run([*command, "verify.py"], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert VERIFY.read_text().count("\n") < 100
    assert (good.returncode, bad.returncode) == (0, 1)
    assert "diary:1 stored" in good.stdout
    assert "not proved" in bad.stderr
