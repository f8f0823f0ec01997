"""Processes that write one person's store and blobs at the same time are killed at any moment: what they had said was stored is there,
and nothing by halves.  ``KEEPSAKE_KILLS=100`` kills more often.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import pytest

from keepsake.key import Ring
from keepsake.store.folder import FolderBlobs
from keepsake.store.sqlite import SqliteStores

pytestmark = pytest.mark.slow

KILLS: Final = int(os.environ.get("KEEPSAKE_KILLS", "5"))

WRITERS: Final = 2

#: memories in one transaction
BATCH: Final = 8

#: stores batches for ever: argument 1 the folder, 2 the writer's name; says each batch that is stored, and its blob
WRITER: Final = """
import sys, itertools, random
from pathlib import Path
import numpy as np
from keepsake.key import Ring
from keepsake.record import Fact, Kind, Memory, Message
from keepsake.store.folder import FolderBlobs
from keepsake.store.sqlite import SqliteStores

folder, name, size = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
store = SqliteStores(folder / "people", Ring(folder / "keys")).open("ann")
blobs = FolderBlobs(folder / "blobs")
first = int(sys.argv[4])
print("ready", flush=True)
for batch in itertools.count(first):
    blob = blobs.put("ann", f"{name} {batch} ".encode() * 5000)
    with store.write() as writer:
        kept = []
        for part in range(size):
            body = f"{name} saw the lighthouse {batch}"
            message, is_new = writer.add_message(Message(f"{name}{batch}:{part}", Kind.TEXT, 1.0, 1.0, body, sound=blob))
            kept.append(Memory(f"{message.id}#0", message.seq, 0, Kind.TEXT, body, 1.0))
        writer.put_memories(kept, np.eye(size, dtype=np.float32), "toy")
        writer.put_fact(Fact(f"{name}{batch}", "Ann", "saw", str(batch), kept[0].id, kept[0].seq, 1.0, 1.0))
        writer.append_record(f"{name}{batch}".encode())
        if batch % 3 == 2:
            writer.remove_message(f"{name}{batch - 1}:0")
    print(f"{batch} {blob}", flush=True)
"""


def start(folder: Path, name: str, first: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(folder), name, str(BATCH), str(first)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def kill(writers: list[subprocess.Popen[str]], after_s: float) -> list[list[str]]:
    """Kill all of them at once when they have run for a while; gives what each had said."""
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    time.sleep(after_s)
    for writer in writers:
        writer.send_signal(signal.SIGKILL)
    return [
        [line for line in writer.communicate()[0].splitlines(keepends=True) if line.endswith("\n")]
        for writer in writers
    ]


def test_what_was_said_to_be_stored_outlasts_a_kill(tmp_path: Path) -> None:
    ring = Ring(tmp_path / "keys")
    ring.make("ann")
    said: dict[str, set[int]] = {f"writer-{number}-": set() for number in range(WRITERS)}
    blobs = FolderBlobs(tmp_path / "blobs")
    choice = random.Random(5)
    for turn in range(KILLS):
        first = turn * 100_000
        writers = [start(tmp_path, name, first) for name in said]
        for name, lines in zip(said, kill(writers, choice.uniform(0.01, 0.4)), strict=True):
            for line in lines:
                batch, blob = line.split()
                said[name].add(int(batch))
                assert blobs.get("ann", blob).startswith(f"{name} {batch}".encode())
        check(tmp_path, ring, said)
    assert all(said.values()), "each writer stored something"


def check(folder: Path, ring: Ring, said: dict[str, set[int]]) -> None:
    store = SqliteStores(folder / "people", ring).open("ann")
    assert store._file.one("pragma integrity_check") == ("ok",)
    store._file.do("insert into words(words) values('integrity-check')")
    found = {(one.stream, int(one.id.rpartition(":")[2])) for one in store.messages(limit=1_000_000)}
    batches = {stream for stream, _ in found}
    records = {record.decode() for record in store.records(limit=1_000_000)}
    assert {f"{name}{batch}" for name, kept in said.items() for batch in kept} <= batches
    assert records == batches, "a batch is whole or not there"
    for name in batches:
        parts = {part for stream, part in found if stream == name}
        writer, _, batch = name.rpartition("-")
        has_lost_one = int(batch) % 3 == 1 and f"{writer}-{int(batch) + 1}" in batches
        assert parts == set(range(1 if has_lost_one else 0, BATCH))
    memories = {one.message for one in store.memories(limit=1_000_000)}
    assert memories == {f"{stream}:{part}" for stream, part in found}
    assert {name.partition("#")[0] for names, _, _ in store.vectors("toy") for name in names} == memories
    assert {name.partition("#")[0] for name, _ in store.search("lighthouse", limit=1_000_000)} == memories
    assert {fact.memory.partition("#")[0] for fact in store.facts()} <= memories
    store.close()
