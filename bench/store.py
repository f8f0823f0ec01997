"""Reading from the store, beside the same reads from RocksDB directly, and opening it with a million records."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from rocksdict import AccessType, Options, Rdict

from bench.place import Place
from bench.table import Row
from natant.store.folder import DATABASE
from natant.store.rocks import RocksStore

__all__ = ["store"]

RECORDS = 1_000_000
GROUP = 10_000
READS = 20_000
SCANS = 5_000
#: records of one agent, which a scan finds
LANES = 4
VALUE = b"{at:1357034400,lat:40.63,lon:-73.77,speed:54,line:B6,late:true}"


def _key(number: int) -> bytes:
    return b"l/vehicle/%d\0lane%d\0" % (number // LANES, number % LANES)


def _fill(folder: Path) -> None:
    filled = RocksStore(folder)
    for start in range(0, RECORDS, GROUP):
        filled.apply([(0, _key(number), VALUE) for number in range(start, start + GROUP)])
    filled.close()


def _each(count: int, work: Callable[[int], object]) -> float:
    """Microseconds for one of ``count`` calls, whose numbers are spread over all."""
    begun = time.perf_counter()
    for at in range(count):
        work(at * 7919)
    return (time.perf_counter() - begun) / count * 1e6


def _absent(number: int) -> bytes:
    return b"l/vehicle/%d\0none\0" % (number % (RECORDS // LANES))


def _agent(number: int) -> bytes:
    return b"l/vehicle/%d\0" % (number % (RECORDS // LANES))


def store(place: Place) -> list[Row]:
    """Open, get and scan."""
    folder = place.data("store")
    _fill(folder)
    begun = time.perf_counter()
    opened = RocksStore(folder)
    open_s = time.perf_counter() - begun
    present = _each(READS, lambda number: opened.get(_key(number % RECORDS)))
    absent = _each(READS, lambda number: opened.get(_absent(number)))
    scan = _each(SCANS, lambda number: list(opened.scan(_agent(number))))
    begun = time.perf_counter()
    count = sum(1 for _ in opened.scan(b""))
    all_s = time.perf_counter() - begun
    opened.close()
    assert count == RECORDS

    begun = time.perf_counter()
    raw = Rdict(str(folder / DATABASE), Options(raw_mode=True), access_type=AccessType.read_only(False))
    raw_open_s = time.perf_counter() - begun
    raw_present = _each(READS, lambda number: raw.get(b"d" + _key(number % RECORDS)))
    raw_absent = _each(READS, lambda number: raw.get(b"d" + _absent(number)))
    begun = time.perf_counter()
    raw_count = sum(1 for _ in raw.items())
    raw_all_s = (time.perf_counter() - begun) * RECORDS / raw_count
    raw.close()
    yard = "raw RocksDB"
    return [
        Row("store: open with a million records", open_s * 1e3, "ms", f"{yard}, to read", raw_open_s * 1e3),
        Row("store: get a record", present, "us", yard, raw_present),
        Row("store: get one that is not there", absent, "us", yard, raw_absent),
        Row(f"store: scan an agent's {LANES} records", scan, "us"),
        Row("store: scan a million", all_s, "s", yard, raw_all_s),
    ]
