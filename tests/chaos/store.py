"""Do to the durable store's files whatever can happen to files, and see that it never answers with less than it had.

    python -m tests.chaos.store --kills 200 --faults 2000

A kill is a SIGKILL of a process that writes (``natant.testing.store_crash``).  A fault changes one file of a folder whose
process died: a byte flipped, the end cut off, a range zeroed, the file removed.  Then the store has to hold all that was
acknowledged or to refuse with a code, and where a file is to blame, to name the place.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from random import Random, SystemRandom
from typing import Final, NamedTuple

from natant.errors import StoreError
from natant.store.contract import Store
from natant.store.rocks import RocksStore
from natant.testing.store_crash import audit, kill_while_writing

#: memory and laps that are full soon, so that the folder has several tables, and both files of the log are in use
BUFFER_BYTES: Final = 64 << 10
LAP_BYTES: Final = 100 << 10
#: batches in the folder that is damaged
BATCHES: Final = 400
#: files that only tell people something, or are written anew at each start
HARMLESS: Final = ("LOCK", "LOG", "IDENTITY", "OPTIONS-", "rocksdict-config.json", "natant.lock")
FAULTS: Final = ("flip", "flip", "flip", "cut", "zero", "remove")

BUILD: Final = """
import os, sys
from pathlib import Path
from natant.testing.store_crash import batch
from tests.chaos.store import SmallStore
store = SmallStore().make(Path(sys.argv[1]))
count = int(sys.argv[2])
for number in range(1, count + 1):
    store.apply(batch(number))
os._exit(0)
"""


class SmallStore:
    """The store with little memory; made in the processes that are killed."""

    def make(self, folder: Path) -> Store:
        """Open it."""
        return RocksStore(folder, buffer_bytes=BUFFER_BYTES, lap_bytes=LAP_BYTES)


class Fault(NamedTuple):
    """What was done to a file, and what the store said."""

    file: str
    kind: str
    place: int
    answer: str


def build(folder: Path, batches: int = BATCHES) -> int:
    """A store of ``batches`` batches whose process died without closing it."""
    root = str(Path(__file__).resolve().parents[2])
    subprocess.run([sys.executable, "-c", BUILD, str(folder), str(batches)], check=True, cwd=root)
    return batches


def damage(path: Path, kind: str, random: Random) -> int:
    """Change a file; the byte where."""
    data = path.read_bytes()
    size = len(data.rstrip(b"\0")) or len(data)  # a log is longer than what was written into it
    near_the_end = random.random() < 0.2
    place = random.randrange(size) if not near_the_end else size - 1 - random.randrange(min(size, 400))
    if kind == "flip":
        path.write_bytes(data[:place] + bytes((data[place] ^ (1 << random.randrange(8)),)) + data[place + 1 :])
    elif kind == "cut":
        path.write_bytes(data[:place])
    elif kind == "zero":
        count = min(len(data) - place, random.choice((1, 100, 4096, 40_000)))
        path.write_bytes(data[:place] + bytes(count) + data[place + count :])
    else:
        path.unlink()
    return place


def try_fault(whole: Path, copy: Path, acknowledged: int, random: Random) -> Fault:
    """Damage one file in a copy of ``whole`` and open it.

    :raises AssertionError: where the store holds less than it should, and says nothing.
    """
    files = sorted(path.relative_to(whole) for path in whole.rglob("*") if path.is_file() and path.stat().st_size)
    files += [file for file in files if file.suffix in {".log", ".sst"} for _ in range(3)]
    file, kind = random.choice(files), random.choice(FAULTS)
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(whole, copy)
    place = damage(copy / file, kind, random)
    name = "table" if file.suffix == ".sst" else "log" if file.suffix == ".log" else file.name.split("-0")[0]
    where = f"{file} {kind} at byte {place}"
    refusal = answer(copy, acknowledged, where)
    if refusal is None:
        return Fault(name, kind, place, "nothing is missing")
    assert not file.name.startswith(HARMLESS), f"{where} can do no harm, but: {refusal}"
    assert refusal.code in {"NT-STORE-001", "NT-STORE-004"}, f"{where}: {refusal}"
    assert str(copy) in str(refusal), f"{where}: no place is named: {refusal}"
    return Fault(name, kind, place, refusal.code)


def answer(folder: Path, acknowledged: int, where: str) -> StoreError | None:
    """How the store refuses; None where it holds everything."""
    try:
        store = SmallStore().make(folder)
        try:
            audit(store, acknowledged)
        finally:
            store.close()
    except StoreError as error:
        return error
    except AssertionError as error:
        raise AssertionError(f"{where}: {error}") from error
    return None


def faults(count: int, random: Random, folder: Path) -> Counter[tuple[str, str, str]]:
    """``count`` faults, one at a time; how often each file, kind and answer came."""
    whole = folder / "whole"
    acknowledged = build(whole)
    found: Counter[tuple[str, str, str]] = Counter()
    for _ in range(count):
        fault = try_fault(whole, folder / "copy", acknowledged, random)
        found[fault.file, fault.kind, fault.answer] += 1
    return found


def kills(count: int, random: Random, folder: Path) -> int:
    """``count`` kills on one folder, an audit after each; how many batches there are in the end."""
    acknowledged = 0
    for _ in range(count):
        acknowledged = max(acknowledged, kill_while_writing(SmallStore, folder, random))
        store = SmallStore().make(folder)
        assert audit(store, acknowledged) <= acknowledged + 1
        store.close()
    return acknowledged


def main() -> None:
    """Run as long as one likes."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.store", description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--faults", type=int, default=500)
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(2**32))
    option = parser.parse_args()
    print(f"seed {option.seed}")
    with tempfile.TemporaryDirectory(prefix="natant-chaos-") as name:
        folder = Path(name)
        print(f"{option.kills} kills: {kills(option.kills, Random(option.seed), folder / 'killed')} batches, none lost")
        for key, number in sorted(faults(option.faults, Random(option.seed), folder).items()):
            print(f"{number:6} {'  '.join(key)}")


if __name__ == "__main__":
    main()
