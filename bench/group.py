"""Commit groups in the store, with fsync, against the same batches written to RocksDB directly."""

from __future__ import annotations

import time
from pathlib import Path

from rocksdict import Options, Rdict, WriteBatch, WriteOptions

from bench.place import Place
from bench.table import Row
from natant.store.rocks import RocksStore

__all__ = ["group", "raw_times"]

RECORDS = 4_000
GROUPS_MOST = 400
VALUE = b"{at:1357034400,lat:40.63,lon:-73.77,speed:54,line:B6,late:true}"


def _keys(size: int, number: int) -> list[bytes]:
    return [b"l/vehicle/%d\0position\0" % ((number * size + at) * 7919 % 100_000) for at in range(size)]


def _natant(folder: Path, size: int, groups: int) -> float:
    store = RocksStore(folder)
    begun = time.perf_counter()
    for number in range(groups):
        store.apply([(0, key, VALUE) for key in _keys(size, number)])
    seconds = time.perf_counter() - begun
    store.close()
    return seconds / groups


def raw_times(folder: Path, size: int, groups: int = GROUPS_MOST) -> list[float]:
    """Seconds that each batch took, sorted."""
    option = Options(raw_mode=True)
    option.create_if_missing(True)
    store = Rdict(str(folder), option)
    durable = WriteOptions()
    durable.sync = True
    times = []
    for number in range(groups):
        begun = time.perf_counter()
        batch = WriteBatch(raw_mode=True)
        for key in _keys(size, number):
            batch.put(key, VALUE)
        store.write(batch, durable)
        times.append(time.perf_counter() - begun)
    store.close()
    return sorted(times)


def _raw(folder: Path, size: int, groups: int) -> float:
    return sum(raw_times(folder, size, groups)) / groups


def group(place: Place) -> list[Row]:
    """Groups of several sizes."""
    rows = []
    for size in (1, 10, 100, 1_000):
        groups = min(GROUPS_MOST, max(40, RECORDS // size))
        raw = _raw(place.data(f"raw{size}"), size, groups)
        ours = _natant(place.data(f"store{size}"), size, groups)
        raw = min(raw, _raw(place.data(f"raw{size}b"), size, groups))
        rows.append(
            Row(
                f"commit group of {size} records, fsync",
                ours * 1e6,
                "us",
                "raw RocksDB batch",
                raw * 1e6,
                note=f"{size / ours:,.0f} records/s",
            )
        )
    return rows
