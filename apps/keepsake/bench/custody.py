"""How fast custody is: records, checkpoints, receipts, an audit, a deletion, an archive, a backup; over a person of many messages.

``python bench/custody.py [MESSAGES]`` prints a table.  Uses the SQLite store in a temporary folder.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from keepsake.custody import Action, Log, verify
from keepsake.custody.archive import Archive
from keepsake.custody.backup import Backup
from keepsake.custody.deletion import Deletion
from keepsake.custody.ledger import Ledger
from keepsake.key import Ring
from keepsake.record import Kind, Memory, Message
from keepsake.store.folder import FolderBlobs
from keepsake.store.sqlite import SqliteStores

T = TypeVar("T")
WORDS = [
    "we",
    "walked",
    "along",
    "the",
    "river",
    "and",
    "talked",
    "about",
    "the",
    "garden",
    "her",
    "brother",
    "wants",
    "to",
    "plant",
    "before",
    "summer",
]


def timed(what: str, count: int, job: Callable[[], T]) -> T:
    start = time.perf_counter()
    found = job()
    took = time.perf_counter() - start
    print(f"{what:42} {took:9.3f} s   {took / count * 1e6:10.1f} us each   {count / took:12,.0f} /s")
    return found


class Discard(io.RawIOBase):
    """Takes what is written and counts it."""

    size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.size += len(data)
        return len(data)


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ring = Ring(folder / "keys")
        key = ring.make("ann")
        stores = SqliteStores(folder / "people", ring)
        store, blobs = stores.open("ann"), FolderBlobs(folder / "blobs")
        log = Log(store, key, time.time)

        def fill(with_log: bool, start: int, end: int) -> None:
            for batch in range(start, end, 64):
                with store.write() as writer:
                    for number in range(batch, min(batch + 64, end)):
                        body = f"entry {number}: {' '.join(WORDS[number % 7 :])}"
                        message, _ = writer.add_message(Message(f"diary:{number}", Kind.TEXT, number, number, body))
                        memory = Memory(f"{message.id}#0", message.seq, 0, Kind.TEXT, body, number)
                        writer.put_memories([memory])
                        if with_log:
                            log.append(writer, Action.STORED, message.id, body.encode(), by="ann")

        half = count // 2
        timed("messages stored, without a log", half, lambda: fill(False, 0, half))
        timed("messages stored, with a record each", count - half, lambda: fill(True, half, count))
        records = store.record_count()
        timed("first checkpoint over all records", records, log.checkpoint)
        again = Log(store, key, time.time)
        timed("checkpoint of the same again", 1, again.checkpoint)
        receipts = timed(
            "receipts (inclusion proofs)", 200, lambda: [again.receipt(at * (records // 200)) for at in range(200)]
        )
        timed("receipts verified", 200, lambda: [verify.check(json.loads(each), "", None) for each in receipts])
        timed("audit: all records hashed anew", records, again.audit)
        deletion = Deletion(store, key, log, time.time)
        order = deletion.order([f"diary:{half}"], by="ann")
        timed("one message deleted, searched, certified", 1, lambda: deletion.carry_out(order, [Ledger(ring)]))
        order = deletion.order([f"diary:{number}" for number in range(half + 1, half + 1001)], by="ann")
        timed("1,000 messages deleted in one order", 1000, lambda: deletion.carry_out(order, [Ledger(ring)]))
        out = Discard()
        timed("archive written (export)", count, lambda: Archive(store, blobs, key, log).write(out, time.time()))
        print(f"{'its size':42} {out.size / 1e6:9.1f} MB")
        backup = Backup(ring, stores, blobs, folder / "backup", time.time)
        path = timed("backup written, sealed", count, lambda: backup.write("ann"))
        print(f"{'its size':42} {path.stat().st_size / 1e6:9.1f} MB")
        store.close()
        stores.erase("ann")
        timed("backup restored (messages, log)", count, lambda: backup.restore("ann"))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
