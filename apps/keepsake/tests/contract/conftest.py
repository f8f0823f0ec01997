"""The stores that the kits run against: each gives fresh `Stores` over one ring of keys, or fresh `Blobs`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from keepsake.key import Ring
from keepsake.store.contract import Blobs, Store, Stores
from keepsake.store.folder import FolderBlobs
from keepsake.store.sqlite import SqliteStores

#: makes stores of a kind in a folder; called again with the same folder and ring it gives the same stores, as another process would
Opener: TypeAlias = Callable[[Path, Ring], Stores]

BlobOpener: TypeAlias = Callable[[Path], Blobs]


@pytest.fixture(params=["sqlite"])
def opener(request: pytest.FixtureRequest) -> Opener:
    return lambda folder, ring: SqliteStores(folder / "people", ring)


@pytest.fixture(params=["folder"])
def blob_opener(request: pytest.FixtureRequest) -> BlobOpener:
    return lambda folder: FolderBlobs(folder / "blobs")


@pytest.fixture
def ring(tmp_path: Path) -> Ring:
    ring = Ring(tmp_path / "keys")
    for person in ("ann", "ben"):
        ring.make(person)
    return ring


@pytest.fixture
def stores(opener: Opener, tmp_path: Path, ring: Ring) -> Stores:
    return opener(tmp_path, ring)


@pytest.fixture
def store(stores: Stores) -> Iterator[Store]:
    store = stores.open("ann")
    yield store
    store.close()


@pytest.fixture
def blobs(blob_opener: BlobOpener, tmp_path: Path) -> Blobs:
    return blob_opener(tmp_path)
