"""The store in MongoDB: a database a person, all contents sealed.

It needs neither transactions of the server's nor a replica set: one document is changed at a time, with ``w: majority`` and the journal.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from keepsake.errors import KeepsakeError
from keepsake.key import Ring
from keepsake.store.codec import digest
from keepsake.store.document import COLLECTIONS, Document, DocumentStore, State
from keepsake.store.score import rank

__all__ = ["MongoDriver", "MongoStores"]

CONNECT_TIMEOUT_MS: Final = 10_000

#: documents in one request to the server
BLOCK: Final = 1000

#: the id of the state, in a collection of its own
_STATE: Final = "state"

_DUPLICATE: Final = 11000


def _client(url: str) -> Any:
    try:
        import pymongo
    except ImportError:
        raise KeepsakeError("KS-STORE-010", "a store in MongoDB needs pymongo: pip install 'keepsake[mongo]'") from None
    return pymongo.MongoClient(url, serverSelectionTimeoutMS=CONNECT_TIMEOUT_MS, w="majority", journal=True)


@contextlib.contextmanager
def _translated(place: str) -> Iterator[None]:
    import pymongo.errors

    try:
        yield
    except pymongo.errors.PyMongoError as fault:
        raise KeepsakeError("KS-STORE-008", f"{place} cannot be written or read: {fault}") from None


def _packed(one: Document) -> dict[str, Any]:
    return {"_id": one.id, "body": one.body, "tags": one.tags, "at": one.at, "terms": one.terms}


def _unpacked(found: Mapping[str, Any]) -> Document:
    tags, terms = tuple(found["tags"]), tuple(found["terms"])
    return Document(found["_id"], bytes(found["body"]), tags, found["at"], terms)


class MongoDriver:
    """One person's database; see `keepsake.store.document.Driver`."""

    def __init__(self, client: Any, person: str) -> None:
        name = f"keepsake_{digest(person)}"
        self.place = f"the database {name}"
        self._client = client
        self._base = client[name]

    def state(self) -> State | None:
        """The state as it is now."""
        with _translated(self.place):
            found = self._base[_STATE].find_one({"_id": _STATE})
        if found is None:
            return None
        return State(found["version"], bytes(found["body"]), found["owner"], found["until"])

    def swap(self, state: State) -> bool:
        """Put a state in place of the one before it."""
        import pymongo.errors

        fields = {"version": state.version, "body": state.body, "owner": state.owner, "until": state.until}
        with _translated(self.place):
            if state.version == 1:
                self._make_indexes()
                try:
                    self._base[_STATE].insert_one({"_id": _STATE, **fields})
                except pymongo.errors.DuplicateKeyError:
                    return False
                return True
            before = {"_id": _STATE, "version": state.version - 1}
            return bool(self._base[_STATE].update_one(before, {"$set": fields}).matched_count)

    def _make_indexes(self) -> None:
        for collection in ("message", "memory", "vector", "fact", "document"):
            self._base[collection].create_index([("tags", 1)])
        self._base["memory"].create_index([("at", -1), ("_id", -1)])
        self._base["memory"].create_index([("terms", 1)])

    def get(self, collection: str, ids: Sequence[str]) -> dict[str, Document]:
        """Documents by their ids."""
        with _translated(self.place):
            if len(ids) == 1:
                found = self._base[collection].find_one({"_id": ids[0]})
                return {} if found is None else {ids[0]: _unpacked(found)}
            return {one["_id"]: _unpacked(one) for one in self._base[collection].find({"_id": {"$in": list(ids)}})}

    def between(self, collection: str, first: str, end: str, limit: int) -> list[Document]:
        """The first documents from an id on until before another one."""
        with _translated(self.place):
            found = self._base[collection].find({"_id": {"$gte": first, "$lt": end}}).sort("_id", 1).limit(limit)
            return [_unpacked(one) for one in found]

    def last(self, collection: str) -> Document | None:
        """The document with the greatest id."""
        with _translated(self.place):
            found = list(self._base[collection].find({}).sort("_id", -1).limit(1))
        return _unpacked(found[0]) if found else None

    def tagged(self, collection: str, tags: Sequence[str]) -> list[Document]:
        """All documents that have any of these tags."""
        with _translated(self.place):
            return [_unpacked(one) for one in self._base[collection].find({"tags": {"$in": list(tags)}})]

    def newest(self, tags: Sequence[str], since: float | None, until: float | None, limit: int) -> list[Document]:
        """Memories that have all of these tags, of a span of time, the newest first."""
        wanted: dict[str, Any] = {"tags": {"$all": list(tags)}} if tags else {}
        span = {sign: moment for sign, moment in (("$gte", since), ("$lt", until)) if moment is not None}
        if span:
            wanted["at"] = span
        with _translated(self.place):
            found = self._base["memory"].find(wanted).sort([("at", -1), ("_id", -1)]).limit(limit)
            return [_unpacked(one) for one in found]

    def matching(self, terms: Sequence[str], limit: int) -> list[tuple[Document, float]]:
        """Memories that have any of these terms; the server finds them, they are ranked here."""
        with _translated(self.place):
            found = self._base["memory"].find({"terms": {"$in": list(terms)}}, {"terms": 1})
            having = {one["_id"]: one["terms"] for one in found}
        best = rank(having, terms, self.count("memory"), limit)
        documents = self.get("memory", [name for name, _ in best]) if best else {}
        return [(documents[name], score) for name, score in best if name in documents]

    def change(
        self, puts: Sequence[tuple[str, Document]], removals: Sequence[tuple[str, str]], cleared: Sequence[str]
    ) -> None:
        """Clear, remove and put."""
        with _translated(self.place):
            for collection in cleared:
                self._base[collection].delete_many({})
            for collection in COLLECTIONS:
                gone = [name for where, name in removals if where == collection]
                for start in range(0, len(gone), BLOCK):
                    self._base[collection].delete_many({"_id": {"$in": gone[start : start + BLOCK]}})
                kept = [_packed(one) for where, one in puts if where == collection]
                for start in range(0, len(kept), BLOCK):
                    self._put(collection, kept[start : start + BLOCK])

    def _put(self, collection: str, documents: list[dict[str, Any]]) -> None:
        """Insert them all at once, and replace those that were there."""
        import pymongo
        import pymongo.errors

        try:
            self._base[collection].insert_many(documents, ordered=False)
        except pymongo.errors.BulkWriteError as fault:
            faults = fault.details["writeErrors"]
            if any(one["code"] != _DUPLICATE for one in faults):
                raise
            there = [documents[one["index"]] for one in faults]
            self._base[collection].bulk_write(
                [pymongo.ReplaceOne({"_id": one["_id"]}, one, upsert=True) for one in there], ordered=False
            )

    def count(self, collection: str) -> int:
        """How many documents a collection has."""
        with _translated(self.place):
            return int(self._base[collection].count_documents({}))

    def size(self) -> int:
        """Bytes of documents and indexes."""
        with _translated(self.place):
            found = self._base.command("dbStats")
        return int(found["dataSize"] + found.get("indexSize", 0))

    def drop(self) -> None:
        """Remove the database."""
        with _translated(self.place):
            self._client.drop_database(self._base.name)

    def close(self) -> None:
        """Let go of the server."""
        self._client.close()


class MongoStores:
    """A server of MongoDB, in which each person has a database.

    :param url: ``mongodb://...`` of a user who may make databases whose names begin with ``keepsake_``.
    """

    def __init__(self, url: str, ring: Ring) -> None:
        self._url = url
        self._ring = ring

    def open(self, person: str) -> DocumentStore:
        """The store of a person, made where it is not there."""
        key = self._ring.key(person)
        return DocumentStore(MongoDriver(_client(self._url), person), key)

    def erase(self, person: str) -> None:
        """Remove a person's database."""
        driver = MongoDriver(_client(self._url), person)
        try:
            driver.drop()
        finally:
            driver.close()

    def people(self) -> list[str]:
        """Persons who have a store here, and a key."""
        client = _client(self._url)
        with contextlib.closing(client), _translated("MongoDB"):
            names = set(client.list_database_names())
        return [person for person in self._ring.people() if f"keepsake_{digest(person)}" in names]
