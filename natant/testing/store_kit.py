"""The contract of a store, as tests that anybody can run on theirs.

    class TestMyStore(StoreContract):
        def make(self, folder: Path) -> Store:
            return MyStore(folder)

Each test gets a folder of its own.  For a durable store (``is_durable``) :meth:`StoreContract.make` opens what an earlier store left in
the same folder.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from natant.errors import StoreError
from natant.store.contract import DELETE, DELETE_PREFIX, PUT, Operation, Store

__all__ = ["StoreContract", "random_batch"]

#: how many random batches the model test applies
MODEL_BATCHES = 200


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

    def test_what_was_applied_stays(self, tmp_path: Path) -> None:
        """A durable store that is closed and opened again has everything."""
        store = self.make(tmp_path / "s")
        if not store.is_durable:
            store.close()
            return
        store.apply([(PUT, b"a", b"1"), (PUT, b"b", b"2")])
        store.apply([(DELETE, b"a", b"")])
        store.close()
        store = self.make(tmp_path / "s")
        assert list(store.scan(b"")) == [(b"b", b"2")]
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


def _code_of(call: Callable[[], object]) -> str:
    try:
        call()
    except StoreError as error:
        return error.code
    return "no error"
