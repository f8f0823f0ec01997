"""Each thing RocksDB may say, provoked for real where that can be done, and what the store makes of it."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from rocksdict import Options, Rdict

from natant.errors import StoreError
from natant.store import rocks, tail, trouble
from natant.store.contract import DELETE_PREFIX, PUT
from natant.store.folder import DATABASE, explain
from natant.store.memory import MemoryStore
from natant.store.move import MARK
from natant.store.record import seal, successor, unseal
from natant.store.rocks import RocksStore


def raw(folder: Path) -> Rdict:
    """The database of a store that is closed, without the store."""
    return Rdict(str(folder / DATABASE), Options(raw_mode=True))


def filled(folder: Path) -> Path:
    store = RocksStore(folder)
    store.apply([(PUT, b"a", b"one"), (PUT, b"b", b"two")])
    store.close()
    return folder


# --- our own records -----------------------------------------------------------------------------------------------


def test_a_record_that_was_changed_above_the_database_is_refused_and_named(tmp_path: Path) -> None:
    database = raw(filled(tmp_path / "s"))
    sealed = database[b"da"]
    assert isinstance(sealed, bytes)
    database[b"da"] = sealed[:-1] + b"E"
    database.close()
    store = RocksStore(tmp_path / "s")

    with pytest.raises(StoreError, match=r"NT-STORE-004  the record b'a' in .*checksum"):
        store.get(b"a")
    with pytest.raises(StoreError, match=r"NT-STORE-004  the record b'a' in .*checksum"):
        list(store.scan(b""))
    assert store.get(b"b") == b"two", "the others go on"
    store.close()


def test_a_value_that_came_back_under_another_key_is_refused(tmp_path: Path) -> None:
    database = raw(filled(tmp_path / "s"))
    database[b"da"] = database.get(b"db")
    database.close()
    store = RocksStore(tmp_path / "s")

    with pytest.raises(StoreError, match="NT-STORE-004"):
        store.get(b"a")
    store.close()


def test_a_mark_that_was_changed_is_refused(tmp_path: Path) -> None:
    database = raw(filled(tmp_path / "s"))
    database[MARK] = b"none of ours"
    database.close()

    with pytest.raises(StoreError, match="NT-STORE-004"):
        RocksStore(tmp_path / "s")


def test_a_seal_is_over_key_and_value() -> None:
    assert unseal(b"k", seal(b"k", b"v"), "here") == b"v"
    for key, sealed in ((b"x", seal(b"k", b"v")), (b"k", seal(b"k", b"v") + b"v"), (b"k", b"")):
        with pytest.raises(StoreError, match=r"NT-STORE-004.*here"):
            unseal(key, sealed, "here")
    assert successor(b"\xff\xff") is None


# --- pauses, full disks, reopening ---------------------------------------------------------------------------------


def test_a_pause_that_the_database_asks_for_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written faster than tables are made: no batch is lost or spoilt."""
    pauses: list[trouble.Kind] = []

    def kind_of(error: Exception) -> trouble.Kind:
        pauses.append(trouble.kind_of(error))
        return pauses[-1]

    monkeypatch.setattr(rocks, "kind_of", kind_of)
    monkeypatch.setattr(rocks, "STEP_KEYS", 1)
    monkeypatch.setattr(rocks, "STEP_FACTOR", 0)
    monkeypatch.setattr(rocks, "CHUNK_KEYS", 1)
    store = RocksStore(tmp_path / "s", buffer_bytes=64 << 10, lap_bytes=4 << 20)
    source = random.Random(1)
    count = 0
    while not pauses and count < 3000:
        store.apply([(PUT, b"%06d-%02d" % (count, each), source.randbytes(6000)) for each in range(20)])
        count += 1

    assert pauses, "the database never asked for a pause: this tests nothing"
    assert len(list(store.scan(b""))) == 20 * count
    store.close()


def test_a_pause_that_does_not_end_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = RocksStore(tmp_path / "s", lap_bytes=1)
    real = store._database

    class Busy:
        def write(self, *_: object) -> None:
            raise Exception("Result incomplete: Write stall")

    monkeypatch.setattr(rocks, "STALL_LIMIT_S", -1.0)
    monkeypatch.setattr(rocks, "STALL_PAUSE_S", 0.0)
    monkeypatch.setattr(store, "_database", Busy())
    for number in (b"1", b"2"):
        store.apply([(PUT, b"a", number)])  # in the log and the window; the first lap cannot be moved
    with pytest.raises(StoreError, match=r"NT-STORE-005.*try again"):
        store.apply([(PUT, b"a", b"3")])
    assert store.get(b"a") == b"2"
    monkeypatch.setattr(store, "_database", real)
    store.apply([(PUT, b"a", b"3")])
    assert store.get(b"a") == b"3"
    store.close()


def test_while_it_cannot_be_opened_again_reads_are_refused_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = RocksStore(filled(tmp_path / "s"))
    scan = store.scan(b"")
    store._is_doubtful = True

    def full() -> int:
        raise StoreError("NT-STORE-005", "no room")

    monkeypatch.setattr(store, "_open", full)
    with pytest.raises(StoreError, match="NT-STORE-005"):
        store.apply([(PUT, b"c", b"three")])
    for read in (lambda: store.get(b"a"), lambda: list(store.scan(b"")), lambda: list(scan)):
        with pytest.raises(StoreError, match="NT-STORE-005"):
            read()
    monkeypatch.undo()
    store.apply([(PUT, b"c", b"three")])
    assert [key for key, _ in store.scan(b"")] == [b"a", b"b", b"c"]
    store.close()


def test_a_batch_that_failed_and_is_there_after_all_is_done_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log has it, the mark could not be moved: the same batch again changes nothing."""
    store = RocksStore(filled(tmp_path / "s"))
    batch = [(PUT, b"c", b"3"), (DELETE_PREFIX, b"a", b"")]

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store._tail, "move", fail)
    with pytest.raises(StoreError, match="NT-STORE-005"):
        store.apply(batch)
    monkeypatch.undo()
    store.apply(batch)
    store.close()
    store = RocksStore(tmp_path / "s")
    assert list(store.scan(b"")) == [(b"b", b"two"), (b"c", b"3")]
    store.close()


def test_a_scan_does_not_outlive_its_store(tmp_path: Path) -> None:
    store = RocksStore(filled(tmp_path / "s"))
    scan = store.scan(b"")
    store.close()

    with pytest.raises(StoreError, match=r"NT-STORE-005.*Scan again"):
        next(scan)
    RocksStore(tmp_path / "s").close()


@pytest.mark.parametrize("make", [MemoryStore, lambda: RocksStore("s")], ids=["memory", "rocks"])
def test_a_closed_store_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: type[MemoryStore]) -> None:
    monkeypatch.chdir(tmp_path)
    store = make()
    store.close()

    with pytest.raises(StoreError, match="NT-STORE-008"):
        store.get(b"a")


def test_the_options_are_ours_whatever_the_folder_says(tmp_path: Path) -> None:
    """rocksdict would take most of them, and a small cache, from a file in the folder."""
    folder = filled(tmp_path / "s")
    for file in (folder / DATABASE).glob("OPTIONS-*"):
        file.write_text(file.read_text().replace("write_buffer_size=4194304", "write_buffer_size=65536"))
    store = RocksStore(folder, cache_bytes=9 << 20)
    assert store._database is not None
    assert store._database.property_int_value("rocksdb.block-cache-capacity") == 9 << 20
    store.close()
    newest = max((folder / DATABASE).glob("OPTIONS-*"), key=lambda file: file.name)
    assert "write_buffer_size=4194304" in newest.read_text()


# --- opening -------------------------------------------------------------------------------------------------------


def test_a_database_that_another_program_has_open_is_left_alone(tmp_path: Path) -> None:
    database = raw(filled(tmp_path / "s"))

    with pytest.raises(StoreError, match="NT-STORE-002"):
        RocksStore(tmp_path / "s")
    database.close()
    RocksStore(tmp_path / "s").close()


def test_a_lock_is_not_inherited(tmp_path: Path) -> None:
    """A child that lives on does not hold the folder of its dead parent."""
    code = """
import os, sys, time
from natant.store.rocks import RocksStore
store = RocksStore(sys.argv[1])
if os.fork() == 0:
    os.close(1)
    sys.stdin.read()
    os._exit(0)
os.write(1, b"ready")
os._exit(0)
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "s")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    assert parent.stdin is not None
    assert parent.stdout.read() == b"ready"
    parent.wait()
    RocksStore(tmp_path / "s").close()
    parent.stdin.close()
    parent.stdout.close()


def test_a_folder_that_was_only_half_made_is_finished(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    folder.mkdir()
    (folder / "natant.lock").write_text("123\n")
    (folder / tail.NAME).write_bytes(b"\0\0")
    store = RocksStore(folder)
    store.apply([(PUT, b"a", b"")])
    store.close()

    fresh = tmp_path / "fresh"
    RocksStore(fresh).close()
    shutil.rmtree(fresh / DATABASE)
    store = RocksStore(fresh)
    assert list(store.scan(b"")) == [], "nothing was ever acknowledged there"
    store.close()


def test_a_folder_that_cannot_be_one_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    for path in (file, file / "below"):
        with pytest.raises(StoreError, match="NT-STORE-001"):
            RocksStore(path)
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "natant.format").write_bytes(b"\xff\xfe")
    with pytest.raises(StoreError, match=r"NT-STORE-001.*does not say which format"):
        RocksStore(tmp_path / "odd")


def test_a_full_disk_is_told_when_a_folder_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> Rdict:
        raise Exception("IO error: No space left on device: While appending to file")

    with monkeypatch.context() as patch:
        patch.setattr(rocks, "Rdict", full)
        with pytest.raises(StoreError, match="NT-STORE-005"):
            RocksStore(tmp_path / "s")
    RocksStore(tmp_path / "s").close()


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("IO error: No space left on device: While appending to file: x.log", "NT-STORE-005"),
        ("IO error: While appending to file: x.log: Disk quota exceeded", "NT-STORE-005"),
        ("IO error: While open a file for appending: x.log: Read-only file system", "NT-STORE-003"),
        ("Corruption: block checksum mismatch in x.sst", "NT-STORE-004"),
        ("IO error: While fdatasync: x.log: Input/output error", "NT-STORE-006"),
    ],
)
def test_what_was_said_decides_what_may_be_done(tmp_path: Path, said: str, code: str) -> None:
    error = trouble.translate(Exception(said), tmp_path)

    assert error.code == code
    assert said.strip(".") in error.message


@pytest.mark.parametrize(("number", "code"), [(30, "NT-STORE-003"), (28, "NT-STORE-005"), (5, "NT-STORE-006")])
def test_what_the_system_said_decides_too(tmp_path: Path, number: int, code: str) -> None:
    assert explain(OSError(number, os.strerror(number)), tmp_path).code == code
