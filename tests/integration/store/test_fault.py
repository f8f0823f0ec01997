"""What the durable store does when its process is killed, its files are cut or changed, and its disk is full.

The rule in every case: the store opens with everything that was acknowledged, or it refuses and names the place.  Never less, silently.
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from natant.errors import StoreError
from natant.store import log
from natant.store.contract import PUT
from natant.store.folder import DATABASE, FORMAT
from natant.store.record import seal
from natant.store.rocks import RocksStore

#: a process that applies numbered batches and prints each number once it is acknowledged
WRITER = """
import sys
from natant.store.rocks import RocksStore
store = RocksStore(sys.argv[1])
number = int.from_bytes(store.get(b"last") or b"", "big")
print("open", number, flush=True)
while number < int(sys.argv[2]):
    number += 1
    value = number.to_bytes(8, "big")
    store.apply([(0, b"last", value), (0, b"k" + value, value * 5), (1, b"k" + (number - 50).to_bytes(8, "big"), b"") if number > 50 else (0, b"x", b"")])
    print(number, flush=True)
if len(sys.argv) > 3:  # one more batch that is written but never synced or acknowledged
    from natant.store.entry import pack
    store._log.append(pack(store._commit + 1, [(0, b"last", b"torn"), (0, b"torn", b"x" * 3000)]))
import os
os._exit(0)
"""


def write(folder: Path, count: int, *more: str) -> None:
    """Apply batches up to ``count`` and die without closing."""
    subprocess.run([sys.executable, "-c", WRITER, str(folder), str(count), *more], check=True, capture_output=True)


def audit(folder: Path, acknowledged: int) -> int:
    """The store holds whole batches, and all that were acknowledged; how many it holds."""
    store = RocksStore(folder)
    try:
        last = int.from_bytes(store.get(b"last") or b"", "big")
        assert last >= acknowledged
        wanted = [b"k" + number.to_bytes(8, "big") for number in range(max(1, last - 49), last + 1)]
        assert [key for key, _ in store.scan(b"k")] == wanted
        return last
    finally:
        store.close()


def logs(folder: Path) -> list[Path]:
    """The files of the log."""
    return sorted(folder.glob("natant-*.log"))


def end_of(folder: Path) -> int:
    """The byte behind the last entry of the log."""
    (lap,) = log.laps(folder)
    return lap.end


def test_a_tail_that_was_never_acknowledged_is_dropped_wherever_it_was_torn(tmp_path: Path) -> None:
    write(tmp_path / "whole", 20)
    size = end_of(tmp_path / "whole")
    write(tmp_path / "s", 20, "torn")
    full = end_of(tmp_path / "s")
    assert full > size + 3000
    copy = tmp_path / "copy"
    for length in [*range(size, size + 16), *range(size + 16, full, 397), full - 1]:
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(tmp_path / "s", copy)
        os.truncate(logs(copy)[-1], length)
        assert audit(copy, 20) == 20


def test_a_log_that_lost_what_was_acknowledged_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "s", 30)
    size = end_of(tmp_path / "s")
    for length in (0, 1, size // 3, size // 2, size - 1):
        copy = tmp_path / f"cut{length}"
        shutil.copytree(tmp_path / "s", copy)
        os.truncate(logs(copy)[-1], length)
        with pytest.raises(StoreError, match="NT-STORE-004") as caught:
            RocksStore(copy)
        assert str(copy) in str(caught.value)
        assert logs(copy)[-1].stat().st_size == length, "a store that is refused stays as it was"
    gone = tmp_path / "gone"
    shutil.copytree(tmp_path / "s", gone)
    logs(gone)[-1].unlink()
    with pytest.raises(StoreError, match="NT-STORE-004"):
        RocksStore(gone)
    nothing = tmp_path / "nothing"
    shutil.copytree(tmp_path / "s", nothing)
    shutil.rmtree(nothing / DATABASE)
    with pytest.raises(StoreError, match="NT-STORE-004"):
        RocksStore(nothing)
    unmarked = tmp_path / "unmarked"
    shutil.copytree(tmp_path / "s", unmarked)
    (unmarked / "natant.tail").unlink()
    with pytest.raises(StoreError, match="NT-STORE-004"):
        RocksStore(unmarked)


def flips(size: int) -> Iterator[int]:
    """Places to change a byte: the ends, and some in between."""
    source = random.Random(size)
    yield from {0, 1, 4, 6, size // 2, size - 1}
    yield from (source.randrange(size) for _ in range(30))


def test_a_changed_byte_in_the_log_is_refused_or_harmless(tmp_path: Path) -> None:
    write(tmp_path / "s", 30)
    refused = 0
    for place in flips(end_of(tmp_path / "s")):
        copy = tmp_path / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(tmp_path / "s", copy)
        flip(logs(copy)[-1], place)
        refused += is_refused(partial(audit, copy, 30))
    assert refused > 20


def test_a_changed_byte_in_a_table_is_refused_or_harmless(tmp_path: Path) -> None:
    store = RocksStore(tmp_path / "s")
    pairs = [(b"k%05d" % number, random.Random(number).randbytes(50)) for number in range(2000)]
    store.apply([(PUT, key, value) for key, value in pairs])
    store.close()
    (table,) = (tmp_path / "s" / DATABASE).glob("*.sst")
    refused = 0
    for place in flips(table.stat().st_size):
        copy = tmp_path / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(tmp_path / "s", copy)
        flip(copy / DATABASE / table.name, place)
        refused += is_refused(partial(compare, copy, pairs))
    assert refused > 20


def compare(folder: Path, pairs: list[tuple[bytes, bytes]]) -> None:
    """The store holds just these pairs."""
    store = RocksStore(folder)
    try:
        assert list(store.scan(b"k")) == pairs
    finally:
        store.close()


def is_refused(check: Callable[[], object]) -> bool:
    """True where damage was told; the check itself asserts that everything is there where it was not."""
    try:
        check()
    except StoreError as error:
        if error.code != "NT-STORE-004":
            raise
        return True
    return False


def flip(path: Path, place: int) -> None:
    """Change one byte of a file."""
    with path.open("r+b") as file:
        file.seek(place)
        byte = file.read(1)
        file.seek(place)
        file.write(bytes([byte[0] ^ 0x41]))


def test_a_second_process_is_told_who_has_the_folder(tmp_path: Path) -> None:
    store = RocksStore(tmp_path / "s")
    with pytest.raises(StoreError, match="NT-STORE-002"):
        RocksStore(tmp_path / "s")
    other = subprocess.run(
        [sys.executable, "-c", WRITER, str(tmp_path / "s"), "1"], capture_output=True, text=True, check=False
    )
    assert "NT-STORE-002" in other.stderr
    assert str(os.getpid()) in other.stderr
    store.close()
    RocksStore(tmp_path / "s").close()


def test_a_folder_of_somebody_else_and_of_a_newer_format_are_refused(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("mine")
    with pytest.raises(StoreError, match="NT-STORE-001"):
        RocksStore(tmp_path / "other")
    assert sorted(path.name for path in (tmp_path / "other").iterdir()) == ["thesis.txt"]
    RocksStore(tmp_path / "s").close()
    marker = tmp_path / "s" / "natant.format"
    ours = marker.read_text()
    marker.write_text(ours.replace(str(FORMAT), str(FORMAT + 1)))
    with pytest.raises(StoreError, match=r"NT-STORE-001.*newer"):
        RocksStore(tmp_path / "s")
    marker.write_text(ours.replace(str(FORMAT), "1"))
    with pytest.raises(StoreError, match=r"NT-STORE-001.*before its first release"):
        RocksStore(tmp_path / "s")


def test_a_folder_that_may_not_be_written_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    folder.mkdir()
    folder.chmod(0o555)
    tmp_path.chmod(0o755)
    code = "import os, sys\nif os.getuid() == 0:\n    os.setuid(65534)\n" + WRITER
    # The interpreter and the package must be readable for that user: both are read before the change of user.
    code = "import natant.store.rocks\n" + code
    result = subprocess.run([sys.executable, "-c", code, str(folder), "1"], capture_output=True, text=True, check=False)
    assert "NT-STORE-003" in result.stderr


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("a small disk cannot be mounted here: " + mounted.stderr.decode().strip())
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_disk_that_is_read_only_is_refused(disk: Path) -> None:
    write(disk / "s", 3)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    for name in ("s", "new"):
        with pytest.raises(StoreError, match="NT-STORE-003"):
            RocksStore(disk / name)


def test_a_start_on_a_full_disk_says_what_is_missing_and_leaves_nothing(disk: Path) -> None:
    write(disk / "s", 2000)
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(shutil.disk_usage(disk).free - (1 << 20)))
    before = sorted(disk.rglob("*.sst"))
    for _ in range(3):
        with pytest.raises(StoreError, match=r"NT-STORE-005.*MiB or more are missing"):
            RocksStore(disk / "s")
    assert sorted(disk.rglob("*.sst")) == before
    ballast.unlink()
    assert audit(disk / "s", 2000) == 2000


def test_a_full_disk_loses_nothing_and_passes(disk: Path) -> None:
    fill_and_recover(disk)


def fill_and_recover(disk: Path) -> None:
    """Fill the disk, see commits refused, free some room, see the same batch succeed."""
    store = RocksStore(disk / "s")
    ballast = disk / "ballast"
    with ballast.open("wb") as file:
        file.write(b"x" * (24 << 20))
    done = -1
    batch = []

    def fill() -> None:
        nonlocal done, batch
        for done in range(1000):
            batch = [(PUT, b"k%06d" % done, random.Random(done).randbytes(100_000))]
            store.apply(batch)

    with pytest.raises(StoreError, match="NT-STORE-005"):
        fill()
    for _ in range(3):
        with pytest.raises(StoreError, match="NT-STORE-005"):
            store.apply(batch)
    ballast.unlink()
    store.apply(batch)
    store.apply([(PUT, b"after", b"1")])
    assert [key for key, _ in store.scan(b"k")] == [b"k%06d" % number for number in range(done + 1)]
    store.close()
    store = RocksStore(disk / "s")
    assert len(list(store.scan(b"k"))) == done + 1
    assert store.get(b"after") == b"1"
    store.close()


def test_a_limit_on_file_sizes_is_a_full_disk(tmp_path: Path) -> None:
    store = RocksStore(tmp_path / "s")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    batch = [(PUT, b"k", b"x" * 300_000)]
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, before[1]))
        with pytest.raises(StoreError, match="NT-STORE-005"):
            store.apply(batch)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    store.apply(batch)
    assert store.get(b"k") == b"x" * 300_000
    store.close()


def write_without_sync(file: int, data: bytes, at: int) -> None:
    """The bytes get there, and the sync fails."""
    os.pwrite(file, data, at)
    raise OSError(5, "Input/output error")


def test_each_commit_is_synced_before_it_is_acknowledged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store whose sync fails acknowledges nothing."""
    store = RocksStore(tmp_path / "s")
    store.apply([(PUT, b"a", b"1")])

    monkeypatch.setattr(log, "_write", write_without_sync)
    with pytest.raises(StoreError, match="NT-STORE-006"):
        store.apply([(PUT, b"a", b"2")])
    monkeypatch.undo()
    assert store.get(b"a") == b"1", "what was not acknowledged is not shown"
    store.apply([(PUT, b"a", b"3")])
    assert store.get(b"a") == b"3"
    store.close()


def test_nothing_depends_on_a_sync_that_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the failed entry's lap held is in tables before a new lap begins, and the next batch is not in the same place."""
    store = RocksStore(tmp_path / "s")
    store.apply([(PUT, b"a", b"1")])
    with monkeypatch.context() as patch:
        patch.setattr(log, "_write", write_without_sync)
        with pytest.raises(StoreError, match="NT-STORE-006"):
            store.apply([(PUT, b"b", b"2")])
    store.apply([(PUT, b"b", b"2")])
    copy = shutil.copytree(tmp_path / "s", tmp_path / "copy")
    store.close()
    os.truncate(logs(copy)[0], 0)
    with pytest.raises(StoreError, match=r"NT-STORE-004.* the last one there is"):
        RocksStore(copy)
    (copy / "natant.tail").write_bytes(seal(b"natant.tail", (2).to_bytes(8, "big")))
    reopened = RocksStore(copy)
    assert reopened.get(b"a") == b"1"
    reopened.close()
