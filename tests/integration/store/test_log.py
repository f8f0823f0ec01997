"""What is missing in the log is missed, and the place is named: an end that is too early, a file that was removed, an entry that was changed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from natant.errors import StoreError
from natant.store import entry, log
from natant.store.folder import DATABASE
from natant.store.record import seal
from natant.store.rocks import RocksStore

#: how many batches the older and the newer lap hold
OLDER, NEWER = 300, 3

#: what a process leaves that dies before anything of the older lap is in a table
TWO_LAPS = f"""
import os, sys
from pathlib import Path
from natant.store.rocks import RocksStore
store = RocksStore(Path(sys.argv[1]))
store._go_on = lambda count: None
for number in range({OLDER}):
    store.apply([(0, b"k%06d" % number, os.urandom(3000))])
store._turn()
for number in range({NEWER}):
    store.apply([(0, b"z%06d" % number, b"x")])
os._exit(0)
"""


@pytest.fixture(scope="module")
def two_laps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("log") / "whole"
    subprocess.run([sys.executable, "-c", TWO_LAPS, str(folder)], check=True)
    assert [(lap.first, lap.last) for lap in log.laps(folder)] == [(1, OLDER), (OLDER + 1, OLDER + NEWER)]
    return folder


def ends(path: Path) -> list[int]:
    """The byte behind each entry of a log."""
    return [end for _, _, end in entry.spans(path.read_bytes())]


def cut_the_older(older: Path, newer: Path) -> None:
    os.truncate(older, ends(older)[-1] // 2)


def cut_the_older_between_two_batches(older: Path, newer: Path) -> None:
    os.truncate(older, ends(older)[OLDER // 2])


def cut_the_last_byte_of_the_older(older: Path, newer: Path) -> None:
    os.truncate(older, ends(older)[-1] - 1)


def remove_the_older(older: Path, newer: Path) -> None:
    older.unlink()


def remove_the_newer(older: Path, newer: Path) -> None:
    newer.unlink()


def empty_the_newer(older: Path, newer: Path) -> None:
    os.truncate(newer, 0)


def put_the_older_in_the_place_of_the_newer(older: Path, newer: Path) -> None:
    shutil.copy(older, newer)


def zero_two_blocks(older: Path, newer: Path) -> None:
    change(older, 64 << 10, bytes(64 << 10))


def make_the_first_entry_look_like_none(older: Path, newer: Path) -> None:
    change(older, 0, b"\0")


def take_an_entry_out_of_the_middle(older: Path, newer: Path) -> None:
    data, stops = older.read_bytes(), ends(older)
    older.write_bytes(data[: stops[10]] + data[stops[11] :])


def make_an_entry_reach_beyond_the_end(older: Path, newer: Path) -> None:
    """A length that is too large looks like an entry that was not finished."""
    change(newer, ends(newer)[0] + 11, b"\x7f")


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
    put_the_older_in_the_place_of_the_newer,
    zero_two_blocks,
    make_the_first_entry_look_like_none,
    take_an_entry_out_of_the_middle,
    make_an_entry_reach_beyond_the_end,
]
#: those after which only the mark knows that something came later
TELL_NOTHING = [
    remove_the_newer,
    empty_the_newer,
    put_the_older_in_the_place_of_the_newer,
    make_an_entry_reach_beyond_the_end,
]


def test_two_laps_are_read_one_after_the_other(two_laps: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(two_laps, tmp_path / "s")
    store = RocksStore(copy)
    assert len(list(store.scan(b""))) == OLDER + NEWER
    store.close()


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda each: each.__name__)
@pytest.mark.parametrize("is_exact", [True, False], ids=["exact", "stale"])
def test_what_is_missing_is_missed(
    two_laps: Path, tmp_path: Path, damage: Callable[[Path, Path], None], is_exact: bool
) -> None:
    """Also where a power cut took the tail mark back, unless nothing later is there that tells."""
    copy = shutil.copytree(two_laps, tmp_path / "s")
    damage(*log.files(copy))
    if not is_exact:
        if damage in TELL_NOTHING:
            return
        (copy / "natant.tail").write_bytes(seal(b"natant.tail", bytes(8)))
    sizes = {path: path.stat().st_size for path in copy.rglob("*.log")}

    with pytest.raises(StoreError, match="NT-STORE-004") as caught:
        RocksStore(copy)

    assert ".log" in caught.value.message
    assert {path: path.stat().st_size for path in copy.rglob("*.log")} == sizes, "a refused store stays as it was"
    with pytest.raises(StoreError, match="NT-STORE-004"):
        RocksStore(copy)


def test_laps_take_turns(tmp_path: Path) -> None:
    """Many more commits than two laps hold leave two files that do not grow, and nothing to complain of."""
    folder = tmp_path / "s"
    store = RocksStore(folder, lap_bytes=2000)
    for number in range(300):
        store.apply([(0, b"k", b"%d" % number), (0, b"n%d" % number, b"x" * 10)])
    assert [path.name for path in log.files(folder)] == list(log.NAMES)
    assert sum(path.stat().st_size for path in log.files(folder)) < 3 * log.STEP_BYTES
    copy = shutil.copytree(folder, tmp_path / "copy")
    store.close()
    for each in (folder, copy):
        store = RocksStore(each)
        assert store.get(b"k") == b"299"
        assert len(list(store.scan(b"n"))) == 300
        store.apply([(0, b"k", b"300")])
        store.close()


def test_a_file_that_a_large_batch_has_blown_up_shrinks_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "LAP_BYTES", 4000)
    store = RocksStore(tmp_path / "s", lap_bytes=4000)
    store.apply([(0, b"large", b"x" * 1_000_000)])
    for number in range(60):
        store.apply([(0, b"k%d" % number, b"x" * 400)])
    assert max(path.stat().st_size for path in log.files(tmp_path / "s")) < 400_000
    assert store.get(b"large") == b"x" * 1_000_000
    store.close()


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
    """Whichever byte it is: the entry that holds it is named, and that later ones are there is seen."""
    store = RocksStore(tmp_path / "s")
    for number in range(12):
        store.apply([(0, b"k%d" % number, b"x" * 3 * number)])
    (path,) = log.files(tmp_path / "s")
    (lap,) = log.laps(tmp_path / "s")
    whole = lap.data[: lap.end]
    store.close()
    stops = ends(path)
    folder = tmp_path / "log"
    folder.mkdir()
    copy = folder / path.name
    for place in range(len(whole)):
        copy.write_bytes(whole[:place] + bytes((whole[place] ^ 0x20,)) + whole[place + 1 :])
        begin = max((end for end in stops if end <= place), default=0)
        found = log.laps(folder)
        assert [each.end for each in found] == ([begin] if begin else [])
        assert log.break_of(folder, found) == (copy, f"{copy}, byte {begin}: no entry is whole there")
        if found and begin != stops[-2]:
            assert found[0].later == found[0].last + 2
