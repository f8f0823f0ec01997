"""The SQLite store's own promises: sealed pages, nothing left behind, layouts, one file for many processes."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from pathlib import Path

import apsw
import numpy as np
import pytest

from keepsake.errors import KeepsakeError
from keepsake.key import Ring
from keepsake.record import Kind, Memory, Message
from keepsake.store.needle import Needle
from keepsake.store.sqlite import SqliteStore, SqliteStores
from keepsake.store.sqlite.file import PAGE_BYTES, File
from keepsake.store.sqlite.page import log_pages, pages


@pytest.fixture
def ring(tmp_path: Path) -> Ring:
    ring = Ring(tmp_path / "keys")
    ring.make("ann")
    return ring


@pytest.fixture
def stores(tmp_path: Path, ring: Ring) -> SqliteStores:
    return SqliteStores(tmp_path / "people", ring)


def path_of(stores: SqliteStores) -> Path:
    (path,) = stores.folder.glob("*/memory.db")
    return path


def fill(store: SqliteStore, *bodies: str) -> None:
    with store.write() as writer:
        for number, body in enumerate(bodies, store.head() + 1):
            message, _ = writer.add_message(Message(f"a:{number}", Kind.TEXT, 1.0, 1.0, body))
            writer.put_memories([Memory(f"{message.id}#0", message.seq, 0, Kind.TEXT, body, 1.0)])


def opened(stores: SqliteStores, ring: Ring, secure: bool = True) -> apsw.Connection:
    database = apsw.Connection(str(path_of(stores)))
    database.pragma("cipher", "chacha20")
    database.pragma("key", f"raw:{ring.key('ann').derive('store').hex()}")
    database.pragma("secure_delete", int(secure))
    return database


def test_nothing_is_readable_on_disk(stores: SqliteStores) -> None:
    store = stores.open("ann")
    fill(store, *["the canary sang of lighthouses"] * 50)
    for path in path_of(stores).parent.iterdir():
        data = path.read_bytes()
        assert b"canary" not in data
        assert b"CREATE" not in data
        assert path.stat().st_mode & 0o077 == 0
    assert path_of(stores).parent.stat().st_mode & 0o077 == 0
    store.close()


def test_pages_of_file_and_log_can_be_looked_at(stores: SqliteStores, ring: Ring) -> None:
    store = stores.open("ann")
    fill(store, *["the canary sang of lighthouses"] * 50)
    path, key = path_of(stores), ring.key("ann").derive("store")
    log = path.with_name("memory.db-wal")
    assert any(b"canary" in page for page in log_pages(log, key, PAGE_BYTES))
    store.close()
    seen = list(pages(path, key, PAGE_BYTES))
    assert any(b"canary" in page for page in seen)
    assert b"CREATE TABLE" in b"".join(seen[:1]).upper() or any(b"create table" in page for page in seen)


def test_what_another_program_left_in_a_free_page_is_found(stores: SqliteStores, ring: Ring) -> None:
    store = stores.open("ann")
    fill(store, *[f"the canary sang of lighthouses {number}" for number in range(2000)])
    database = opened(stores, ring, secure=False)
    for table in ("memory", "message"):
        database.execute(f"delete from {table}")
    database.execute("delete from words")
    database.close()
    assert store.find("canary sang of") == ["free page"]
    store.close()


def test_a_log_that_a_reader_holds_is_looked_at(stores: SqliteStores, ring: Ring) -> None:
    store = stores.open("ann")
    fill(store, *[f"the canary {number}" for number in range(20)])
    reader = opened(stores, ring)
    reader.execute("begin")
    reader.execute("select count(*) from message").fetchone()
    with store.write() as writer:
        for number in range(1, 21):
            writer.remove_message(f"a:{number}")
    assert store.find("the canary 7") == ["log"], "the reader may still see it, so it is still there"
    reader.close()
    assert store.find("canary") == []
    store.close()


def test_a_term_without_its_memory_is_found(stores: SqliteStores, ring: Ring) -> None:
    store = stores.open("ann")
    fill(store, "the canary sang")
    database = opened(stores, ring)
    for table in ("memory", "message"):
        database.execute(f"delete from {table}")
    database.close()
    assert "words" in store.find("canaries")
    store.close()


def test_a_damaged_file_is_refused(stores: SqliteStores) -> None:
    store = stores.open("ann")
    fill(store, "one")
    store.close()
    path = path_of(stores)
    data = bytearray(path.read_bytes())
    data[PAGE_BYTES // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(KeepsakeError, match="KS-STORE-001"):
        stores.open("ann")


def test_somebody_elses_file_is_refused(stores: SqliteStores, ring: Ring) -> None:
    stores.open("ann").close()
    database = opened(stores, ring)
    database.execute("update about set value = 'ben' where name = 'person'")
    database.close()
    with pytest.raises(KeepsakeError, match="KS-STORE-001"):
        stores.open("ann")


def test_a_later_layout_is_refused(stores: SqliteStores, ring: Ring) -> None:
    stores.open("ann").close()
    database = opened(stores, ring)
    database.pragma("user_version", 99)
    database.close()
    with pytest.raises(KeepsakeError, match="KS-STORE-002"):
        stores.open("ann")


def test_a_half_made_file_is_made_anew(stores: SqliteStores) -> None:
    stores.open("ann").close()
    path = path_of(stores)
    path.rename(path.with_suffix(".new"))
    stores.open("ann").close()
    assert sorted(left.name for left in path.parent.iterdir()) == ["memory.db"]


def test_a_transaction_that_another_one_holds_up_is_told(
    stores: SqliteStores, ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, other = stores.open("ann"), stores.open("ann")
    other._file.database.set_busy_timeout(1)
    with store.write():
        with pytest.raises(KeepsakeError, match="KS-STORE-007"):
            fill(other, "one")
    fill(other, "one")
    store.close()
    other.close()


def test_a_disk_that_refuses_is_told_and_nothing_is_stored(stores: SqliteStores, ring: Ring) -> None:
    store = stores.open("ann")
    store._file.database.pragma("max_page_count", 60)
    fill(store, "one")
    with pytest.raises(KeepsakeError, match="KS-STORE-008"):
        fill(store, "x" * 1_000_000)
    assert [message.body for message in store.messages()] == ["one"]
    store.close()


def test_new_rules_for_terms_index_anew(stores: SqliteStores, monkeypatch: pytest.MonkeyPatch) -> None:
    store = stores.open("ann")
    fill(store, "the canary sang")
    store.close()
    for module in ("seal", "sqlite.store", "sqlite.writer"):
        monkeypatch.setattr(
            f"keepsake.store.{module}.terms", lambda text: [word[::-1] for word in text.lower().split()]
        )
    again = stores.open("ann")
    assert [name for name, _ in again.search("canary")] == ["a:1#0"]
    assert again._file.all("select 1 from words where words match 'yranac'") != []
    again.close()


@pytest.mark.parametrize("name", ["plain", "json", "numpy", "zip", "deflated", "wide"])
def test_a_needle_is_found_however_bytes_hold_it(name: str) -> None:
    word = "Zo\u00eb Canary"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("x", word * 100)
    array = io.BytesIO()
    np.savez_compressed(array, names=np.array([word, "other"]))
    held = {
        "plain": word.upper().encode(),
        "json": json.dumps({"name": word}).encode(),
        "numpy": array.getvalue(),
        "zip": packed.getvalue(),
        "deflated": zlib.compress(word.encode() * 100),
        "wide": word.encode("utf-16"),
    }
    needle = Needle("zo\u00eb canary")
    assert needle.is_in(held[name])
    assert not needle.is_in(held[name].replace(b"a", b"b").replace(b"A", b"b")) or name in ("numpy", "zip", "deflated")


def test_broken_packages_are_looked_at_as_they_are() -> None:
    needle = Needle("canary")
    for data in (b"PK\x03\x04 broken canary", b"\x78\x9c broken canary", b"\x1f\x8b canary"):
        assert needle.is_in(data)
        assert not needle.is_in(data.replace(b"canary", b"parrot"))


def test_a_file_is_opened_by_its_key_alone(tmp_path: Path, stores: SqliteStores, ring: Ring) -> None:
    stores.open("ann").close()
    ring.make("ben")
    with pytest.raises(KeepsakeError, match="KS-STORE-001"):
        File(path_of(stores), ring.key("ben"))
