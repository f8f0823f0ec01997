"""Kill a process that writes to a store, and audit what it left.

The process applies numbered batches and prints each number once the batch is acknowledged.  Batch ``n`` writes a few keys
under a prefix of its own, deletes the prefix of batch ``n - KEPT`` and notes ``n``; so the number alone says what the whole
store must hold.  Used by :class:`natant.testing.store_kit.DurableStoreContract` and by longer programmes.
"""

from __future__ import annotations

import importlib.util
import inspect
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final

from natant.store.contract import DELETE_PREFIX, PUT, Operation, Store

__all__ = ["audit", "batch", "expected", "kill_while_writing", "write_for_ever"]

#: How many batches' keys the store holds at a time.
KEPT: Final = 20
#: A batch writes from one to so many keys; one in ``LARGE_EVERY`` writes ``LARGE_BYTES`` more.
KEYS: Final = 7
LARGE_EVERY: Final = 13
LARGE_BYTES: Final = 40_000
LAST: Final = b"last"

CHILD: Final = "import sys; from natant.testing.store_crash import write_for_ever; write_for_ever(*sys.argv[1:])"


def batch(number: int) -> list[Operation]:
    """The operations of batch ``number``."""
    operations = [(PUT, key, value) for key, value in _pairs(number)]
    if number > KEPT:
        operations.append((DELETE_PREFIX, _prefix(number - KEPT), b""))
    operations.append((PUT, LAST, number.to_bytes(8, "big")))
    return operations


def expected(number: int) -> list[tuple[bytes, bytes]]:
    """All a store holds after batch ``number``."""
    if not number:
        return []
    pairs = [pair for each in range(max(1, number - KEPT + 1), number + 1) for pair in _pairs(each)]
    return sorted([*pairs, (LAST, number.to_bytes(8, "big"))])


def audit(store: Store, acknowledged: int) -> int:
    """Check that the store holds whole batches, and at least those acknowledged.

    :returns: the number of the last batch it holds.
    :raises AssertionError: where it does not; the text says how.
    """
    last = int.from_bytes(store.get(LAST) or b"", "big")
    assert last >= acknowledged, f"{acknowledged} batches were acknowledged, the store holds {last}"
    found, wanted = list(store.scan(b"")), expected(last)
    assert found == wanted, (
        f"after batch {last} there are {len(found)} pairs, {len(wanted)} were expected, or some differ"
    )
    for key, value in wanted:
        assert store.get(key) == value, f"after batch {last} get({key!r}) differs from the scan"
    return last


def kill_while_writing(contract: type, folder: Path, random: Random, *, most: int = 60) -> int:
    """Let a process write to the store that ``contract`` makes in ``folder``, and kill it after 1 to ``most`` batches.

    :param contract: a class at the top of its module whose ``make(folder)`` opens the store.
    :returns: the number of the last batch that was acknowledged; zero where none was.
    """
    process = subprocess.Popen(  # noqa: S603  our own interpreter
        [sys.executable, "-c", CHILD, inspect.getfile(contract), contract.__name__, str(folder)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    assert process.stdout is not None
    acknowledged = 0
    for _ in range(random.randint(1, most)):
        line = process.stdout.readline()
        if not line.endswith(b"\n"):
            break
        acknowledged = int(line)
    process.send_signal(signal.SIGKILL)
    # A number that was printed before the kill counts, too.
    for line in process.stdout.read().splitlines(keepends=True):
        acknowledged = int(line) if line.endswith(b"\n") else acknowledged
    process.stdout.close()
    assert process.wait() == -signal.SIGKILL, "the process that writes failed by itself; see its output above"
    return acknowledged


def write_for_ever(file: str, name: str, folder: str) -> None:
    """What the process does that will be killed."""
    spec = importlib.util.spec_from_file_location("store_under_test", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    store: Store = getattr(module, name)().make(Path(folder))
    number = int.from_bytes(store.get(LAST) or b"", "big")
    while True:
        os.write(1, b"%d\n" % number)
        number += 1
        store.apply(batch(number))


def _prefix(number: int) -> bytes:
    return b"k" + number.to_bytes(8, "big") + b"/"


def _pairs(number: int) -> Iterator[tuple[bytes, bytes]]:
    random = Random(number)
    for each in range(random.randint(1, KEYS)):
        yield _prefix(number) + bytes((each,)), random.randbytes(random.randint(0, 200))
    if number % LARGE_EVERY == 0:
        yield _prefix(number) + b"\xff", random.randbytes(LARGE_BYTES)
