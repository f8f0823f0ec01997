"""What is missing in the middle of the log is missed, and the place is named.

RocksDB itself passes over some of it in silence: a log that ends early before a newer one, a log that was removed, entries whose
kind reads as "from an earlier use of this file".
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from natant.errors import StoreError
from natant.store import chain, wal
from natant.store.folder import DATABASE
from natant.store.rocks import RocksStore

#: how many batches the older and the newer log hold
OLDER, NEWER = 300, 3

#: what a process leaves that dies before the older log's table is finished: the folder as it was before the table, with the newer log
TWO_LOGS = f"""
import os, shutil, sys
from pathlib import Path
from natant.store.rocks import RocksStore
work, whole = Path(sys.argv[1]), Path(sys.argv[2])
store = RocksStore(work)
for number in range({OLDER}):
    store.apply([(0, b"k%06d" % number, os.urandom(3000))])
shutil.copytree(work, whole)
store._database.flush(True)
for number in range({NEWER}):
    store.apply([(0, b"z%06d" % number, b"x")])
for file in [work / "natant.tail", max(work.glob("db/*.log"))]:
    shutil.copy(file, whole / file.relative_to(work))
os._exit(0)
"""


@pytest.fixture(scope="module")
def two_logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("log")
    subprocess.run([sys.executable, "-c", TWO_LOGS, str(folder / "work"), str(folder / "whole")], check=True)
    assert len(wal.logs(folder / "whole" / DATABASE)) == 2
    return folder / "whole"


def cut_the_older(older: Path, newer: Path) -> None:
    os.truncate(older, older.stat().st_size // 2)


def cut_the_older_between_two_batches(older: Path, newer: Path) -> None:
    os.truncate(older, wal.batch_ends(older)[OLDER // 2])


def cut_the_last_byte_of_the_older(older: Path, newer: Path) -> None:
    os.truncate(older, older.stat().st_size - 1)


def remove_the_older(older: Path, newer: Path) -> None:
    older.unlink()


def remove_the_newer(older: Path, newer: Path) -> None:
    newer.unlink()


def empty_the_newer(older: Path, newer: Path) -> None:
    os.truncate(newer, 0)


def zero_two_blocks(older: Path, newer: Path) -> None:
    change(older, 64 << 10, bytes(64 << 10))


def make_the_first_entry_look_recycled(older: Path, newer: Path) -> None:
    change(older, 6, b"\x05")


def make_an_entry_reach_beyond_the_end(older: Path, newer: Path) -> None:
    """A length that is too large looks like an entry that was not finished."""
    change(newer, wal.batch_ends(newer)[0] + 5, b"\x7f")


def change(path: Path, place: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        file.write(data)


DAMAGES = [
    cut_the_older,
    cut_the_older_between_two_batches,
    cut_the_last_byte_of_the_older,
    remove_the_older,
    remove_the_newer,
    empty_the_newer,
    zero_two_blocks,
    make_the_first_entry_look_recycled,
    make_an_entry_reach_beyond_the_end,
]


def test_two_logs_are_read_one_after_the_other(two_logs: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(two_logs, tmp_path / "s")
    assert wal.find_damage(copy / DATABASE) is None
    store = RocksStore(copy)
    assert len(list(store.scan(b""))) == OLDER + NEWER
    store.close()


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda each: each.__name__)
def test_what_is_missing_is_missed(two_logs: Path, tmp_path: Path, damage: Callable[[Path, Path], None]) -> None:
    copy = shutil.copytree(two_logs, tmp_path / "s")
    damage(*wal.logs(copy / DATABASE))
    sizes = {path: path.stat().st_size for path in copy.rglob("*.log")}

    with pytest.raises(StoreError, match="NT-STORE-004") as caught:
        RocksStore(copy)

    assert ".log" in caught.value.message
    assert {path: path.stat().st_size for path in copy.rglob("*.log")} == sizes, "a refused store stays as it was"
    with pytest.raises(StoreError, match="NT-STORE-004"):
        RocksStore(copy)


def test_the_ring_goes_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More commits than the ring has slots, with a table asked for on the way, leave nothing to complain of."""
    monkeypatch.setattr(chain, "SLOTS", 32)
    monkeypatch.setattr(chain, "FLUSH_EVERY", 8)
    folder = tmp_path / "s"
    store = RocksStore(folder)
    for number in range(100):
        store.apply([(0, b"k", b"%d" % number)])
    store.close()
    store = RocksStore(folder)
    assert store.get(b"k") == b"99"
    store.apply([(0, b"k", b"100")])
    store.close()
    ring = [chain.link(number) for number in range(70, 102) if number != 90]
    assert chain.read(ring, "here") == (101, [90])


def test_who_keeps_the_error_does_not_keep_the_database_open(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    store = RocksStore(folder)
    store.apply([(0, b"k%05d" % number, os.urandom(100)) for number in range(1000)])
    store.close()
    (table,) = (folder / DATABASE).glob("*.sst")
    change(table, table.stat().st_size // 2, b"natant")
    store = RocksStore(folder)
    with pytest.raises(StoreError, match=r"NT-STORE-004.*\.sst") as kept:
        list(store.scan(b"k"))
    with pytest.raises(StoreError, match=r"NT-STORE-004  the record b'k.*\.sst"):
        read_all(store)
    store.close()
    RocksStore(folder).close()
    assert kept.value.__traceback__ is not None


def read_all(store: RocksStore) -> None:
    for number in range(1000):
        store.get(b"k%05d" % number)


def test_the_place_of_a_changed_byte_is_found(tmp_path: Path) -> None:
    """Whichever byte it is: the entry that holds it is named, or the log seems to end there."""
    store = RocksStore(tmp_path / "s")
    for number in range(12):
        store.apply([(0, b"k%d" % number, b"x" * 3 * number)])
    (log,) = wal.logs(tmp_path / "s" / DATABASE)
    whole = log.read_bytes()
    store.close()
    folder = tmp_path / "log"
    folder.mkdir()
    copy = folder / "000004.log"
    copy.write_bytes(whole)
    ends = wal.batch_ends(copy)
    assert (len(ends), ends[-1], wal.find_damage(folder)) == (12, len(whole), None)
    for place in range(len(whole)):
        copy.write_bytes(whole[:place] + bytes((whole[place] ^ 0x20,)) + whole[place + 1 :])
        damage = wal.find_damage(folder)
        begin = max((end for end in ends if end <= place), default=0)
        assert wal.batch_ends(copy) == [end for end in ends if end <= begin]
        # Only a length that reaches beyond the end looks like an entry that was being written.
        assert damage is not None or place - begin in {4, 5}
        assert damage is None or (damage.file, damage.offset) == (copy, begin)
