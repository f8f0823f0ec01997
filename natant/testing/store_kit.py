"""The contract of a store, as tests that anybody can run on theirs.

    class TestMyStore(StoreContract):
        def make(self, folder: Path) -> Store:
            return MyStore(folder)

Each test gets a folder of its own.  A durable store (``is_durable``) derives from :class:`DurableStoreContract`: there
``make`` opens what an earlier store left in the same folder, also in another process, so the class stands at the top of its module.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

from natant.errors import StoreError
from natant.store.contract import DELETE, DELETE_PREFIX, PUT, Operation, Store
from natant.testing.store_crash import audit, kill_while_writing

__all__ = ["DurableStoreContract", "Model", "StoreContract", "random_batch"]

#: how many random batches the model test applies
MODEL_BATCHES = 200
#: how many batches the threads' test applies, and how many keys each writes
THREAD_BATCHES = 60
THREAD_KEYS = 50


def random_batch(source: random.Random) -> list[Operation]:
    """A batch of operations on few keys, so that they meet; some keys hold the bytes 0x00 and 0xff."""
    letters = [b"a", b"b", b"\x00", b"\xff"]

    def key() -> bytes:
        return b"".join(source.choices(letters, k=source.randint(1, 4)))

    batch: list[Operation] = []
    for _ in range(source.randint(1, 6)):
        kind = source.choice((PUT, PUT, PUT, DELETE, DELETE_PREFIX))
        batch.append((kind, key(), source.randbytes(source.randint(0, 40)) if kind == PUT else b""))
    return batch


class Model(dict[bytes, bytes]):
    """What a store should hold."""

    def apply(self, batch: list[Operation]) -> None:
        """The batch, in order."""
        for kind, key, value in batch:
            if kind == PUT:
                self[key] = value
            elif kind == DELETE:
                self.pop(key, None)
            else:
                for found in [name for name in self if name.startswith(key)]:
                    del self[found]


class StoreContract:
    """Derive from it and define :meth:`make`; pytest does the rest."""

    def make(self, folder: Path) -> Store:
        """Open the store in ``folder``."""
        raise AssertionError("define make(folder) in the class that derives from StoreContract")

    def test_a_missing_key_is_none(self, tmp_path: Path) -> None:
        """Nothing is found in an empty store."""
        store = self.make(tmp_path / "s")
        assert store.get(b"a") is None
        assert list(store.scan(b"")) == []
        store.close()

    def test_operations_take_effect_in_their_order(self, tmp_path: Path) -> None:
        """Later operations of a batch see earlier ones."""
        store = self.make(tmp_path / "s")
        store.apply([(PUT, b"a1", b"x"), (PUT, b"a2", b"y"), (DELETE_PREFIX, b"a", b""), (PUT, b"a3", b"z")])
        assert list(store.scan(b"a")) == [(b"a3", b"z")]
        store.apply([(PUT, b"a3", b"w"), (DELETE, b"a3", b""), (DELETE, b"never", b"")])
        assert store.get(b"a3") is None
        store.close()

    def test_scans_are_ordered_and_by_prefix(self, tmp_path: Path) -> None:
        """Also where keys hold the highest and the lowest byte."""
        store = self.make(tmp_path / "s")
        keys = [b"a", b"a\x00", b"a\xff", b"a\xff\xff", b"b", b"\xff", b"\xff\xff", b"\x00"]
        store.apply([(PUT, key, key) for key in keys])
        assert [key for key, _ in store.scan(b"a")] == [b"a", b"a\x00", b"a\xff", b"a\xff\xff"]
        assert [key for key, _ in store.scan(b"a\xff")] == [b"a\xff", b"a\xff\xff"]
        assert [key for key, _ in store.scan(b"\xff")] == [b"\xff", b"\xff\xff"]
        assert [key for key, _ in store.scan(b"")] == sorted(keys)
        store.apply([(DELETE_PREFIX, b"a\xff", b"")])
        assert [key for key, _ in store.scan(b"a")] == [b"a", b"a\x00"]
        store.close()

    def test_a_scan_shows_one_moment(self, tmp_path: Path) -> None:
        """What is written after the call is not in it."""
        store = self.make(tmp_path / "s")
        store.apply([(PUT, b"k%04d" % number, b"old") for number in range(3000)])
        scan = store.scan(b"k")
        first = next(scan)
        store.apply([(PUT, b"k%04d" % number, b"new") for number in range(3000)] + [(PUT, b"kx", b"new")])
        rest = list(scan)
        assert {value for _, value in [first, *rest]} == {b"old"}
        assert len(rest) == 2999
        store.close()

    def test_big_and_empty_values(self, tmp_path: Path) -> None:
        """From nothing to megabytes."""
        store = self.make(tmp_path / "s")
        store.apply([(PUT, b"empty", b""), (PUT, b"big", b"x" * 5_000_000), (PUT, b"k" * 5000, b"long key")])
        assert store.get(b"empty") == b""
        assert store.get(b"big") == b"x" * 5_000_000
        assert store.get(b"k" * 5000) == b"long key"
        store.close()

    def test_it_is_a_map(self, tmp_path: Path) -> None:
        """Random batches against a plain model; a durable store is reopened now and then."""
        source = random.Random(7)
        store, model = self.make(tmp_path / "s"), Model()
        for number in range(MODEL_BATCHES):
            batch = random_batch(source)
            store.apply(batch)
            model.apply(batch)
            if store.is_durable and number % 50 == 49:
                store.close()
                store = self.make(tmp_path / "s")
            prefix = source.choice((b"", b"a", b"\xff", b"b\x00"))
            wanted = sorted((key, value) for key, value in model.items() if key.startswith(prefix))
            assert list(store.scan(prefix)) == wanted
            for key, _ in wanted[:3]:
                assert store.get(key) == model[key]
        store.close()

    def test_an_empty_batch_does_nothing(self, tmp_path: Path) -> None:
        """Neither does it fail."""
        store = self.make(tmp_path / "s")
        store.apply([])
        assert list(store.scan(b"")) == []
        store.close()

    def test_many_keys_under_a_prefix_go_at_once(self, tmp_path: Path) -> None:
        """Those stored before, those of the same batch, and none of the neighbours."""
        store = self.make(tmp_path / "s")
        store.apply([(PUT, b"%c%05d" % (letter, number), b"") for letter in b"abc" for number in range(1000)])
        store.apply([(PUT, b"bx", b""), (DELETE_PREFIX, b"b", b""), (PUT, b"by", b"")])
        assert [key for key, _ in store.scan(b"b")] == [b"by"]
        assert len(list(store.scan(b""))) == 2001
        store.apply([(DELETE_PREFIX, b"", b"")])
        assert list(store.scan(b"")) == []
        store.close()

    def test_a_reader_sees_whole_batches(self, tmp_path: Path) -> None:
        """While another thread applies one after the other."""
        store = self.make(tmp_path / "s")
        keys = [b"k%03d" % number for number in range(THREAD_KEYS)]

        def write() -> None:
            for number in range(THREAD_BATCHES):
                store.apply([(PUT, key, b"%d" % number) for key in keys])

        store.apply([(PUT, key, b"0") for key in keys])
        writer = Thread(target=write)
        writer.start()
        while writer.is_alive():
            assert len({value for _, value in store.scan(b"k")}) == 1
            first = store.get(keys[0])
            last = store.get(keys[-1])
            assert int(last or b"") >= int(first or b"")
        writer.join()
        store.close()

    def test_a_closed_store_says_so(self, tmp_path: Path) -> None:
        """Instead of doing anything else."""
        store = self.make(tmp_path / "s")
        store.close()
        store.close()
        calls: list[Any] = [
            lambda: store.get(b"a"),
            lambda: list(store.scan(b"")),
            lambda: store.apply([(PUT, b"a", b"")]),
        ]
        codes = [_code_of(call) for call in calls]
        assert codes == ["NT-STORE-008"] * len(calls)


class DurableStoreContract(StoreContract):
    """What a store has to pass besides where ``is_durable`` is true."""

    #: how often the process that writes is killed
    kills = 10

    def test_it_says_that_it_is_durable(self, tmp_path: Path) -> None:
        """The host relies on it."""
        store = self.make(tmp_path / "s")
        assert store.is_durable
        store.close()

    def test_what_was_applied_stays(self, tmp_path: Path) -> None:
        """A store that is closed and opened again has everything, and nothing that was deleted."""
        store = self.make(tmp_path / "s")
        store.apply([(PUT, b"a", b"1"), (PUT, b"b", b"2"), (PUT, b"c1", b""), (PUT, b"c2", b"")])
        store.apply([(DELETE, b"a", b""), (DELETE_PREFIX, b"c", b"")])
        store.close()
        store = self.make(tmp_path / "s")
        assert list(store.scan(b"")) == [(b"b", b"2")]
        store.close()

    def test_a_killed_process_loses_nothing_it_acknowledged(self, tmp_path: Path) -> None:
        """SIGKILL at random moments: each batch is there whole or not at all, and each acknowledged one is."""
        acknowledged = 0
        for number in range(self.kills):
            acknowledged = max(acknowledged, kill_while_writing(type(self), tmp_path / "s", random.Random(number)))
            store = self.make(tmp_path / "s")
            assert audit(store, acknowledged) <= acknowledged + 1
            store.close()


def _code_of(call: Callable[[], object]) -> str:
    try:
        call()
    except StoreError as error:
        return error.code
    return "no error"
