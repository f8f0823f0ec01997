"""The store in OpenSearch: an index a person, all contents sealed, words found and ranked by the server.

Each change is on disk before it is acknowledged (the server's translog is synced at each request) and refreshed, so that it is seen.
"""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from keepsake.errors import KeepsakeError
from keepsake.key import Ring
from keepsake.store.codec import digest
from keepsake.store.document import Document, DocumentStore, State

__all__ = ["OpenSearchDriver", "OpenSearchStores"]

TIMEOUT_S: Final = 30

#: documents read at a time: the server gives no more at once than its ``index.max_result_window``
PAGE: Final = 2000

#: bytes of one request that changes documents
BULK_BYTES: Final = 5_000_000

#: nothing of a body is looked into, tags are found whole, terms are words already
_MAPPING: Final = {
    "dynamic": "strict",
    "properties": {
        "where": {"type": "keyword"},
        "id": {"type": "keyword"},
        "body": {"type": "binary"},
        "tags": {"type": "keyword"},
        "at": {"type": "double"},
        "terms": {"type": "text", "analyzer": "whitespace", "similarity": "words"},
        "owner": {"type": "keyword"},
        "until": {"type": "double"},
    },
}

_SETTINGS: Final = {
    "number_of_shards": 1,
    "number_of_replicas": 0,
    "auto_expand_replicas": "0-1",
    "translog.durability": "request",
    "store.stats_refresh_interval": "0s",
    "similarity": {"words": {"type": "BM25", "k1": 1.2, "b": 0.75}},
}

_STATE: Final = "state"

#: as an installation's settings name the kind of store
_SCHEMES: Final = {"opensearch": "http", "opensearch+https": "https", "opensearch+http": "http"}


def _driver() -> Any:
    try:
        import opensearchpy
    except ImportError:
        raise KeepsakeError(
            "KS-STORE-010", "a store in OpenSearch needs opensearch-py: pip install 'keepsake[search]'"
        ) from None
    return opensearchpy


def _client(url: str) -> Any:
    scheme, _, rest = url.partition("://")
    plain = f"{_SCHEMES.get(scheme, scheme)}://{rest}"
    return _driver().OpenSearch(plain, timeout=TIMEOUT_S, http_compress=True)


@contextlib.contextmanager
def _translated(place: str) -> Iterator[None]:
    try:
        yield
    except _driver().exceptions.OpenSearchException as fault:
        raise KeepsakeError("KS-STORE-008", f"{place} cannot be written or read: {fault}") from None


def _packed(where: str, one: Document) -> dict[str, Any]:
    fields = {"where": where, "id": one.id, "body": base64.b64encode(one.body).decode(), "tags": one.tags, "at": one.at}
    return fields | {"terms": " ".join(one.terms)} if one.terms else fields


def _unpacked(found: Mapping[str, Any]) -> Document:
    tags, terms = tuple(found["tags"]), tuple(found.get("terms", "").split())
    return Document(found["id"], base64.b64decode(found["body"]), tags, found["at"], terms)


class OpenSearchDriver:
    """One person's index, ``keepsake-DIGEST``; see `keepsake.store.document.Driver`."""

    def __init__(self, client: Any, person: str) -> None:
        self._index = f"keepsake-{digest(person)}"
        self.place = f"the index {self._index}"
        self._client = client
        self._missing = _driver().exceptions.NotFoundError
        self._conflict = _driver().exceptions.ConflictError

    def state(self) -> State | None:
        """The state as it is now."""
        with _translated(self.place):
            try:
                found = self._client.get(index=self._index, id=_STATE)
            except self._missing:
                return None
        fields = found["_source"]
        return State(found["_version"], base64.b64decode(fields["body"]), fields["owner"], fields["until"])

    def swap(self, state: State) -> bool:
        """Put a state in place of the one before it: the server's own version of the document is the state's."""
        fields = {"body": base64.b64encode(state.body).decode(), "owner": state.owner, "until": state.until}
        with _translated(self.place):
            if state.version == 1:
                self._make()
            try:
                self._swap(state.version, fields)
            except (self._conflict, self._missing):
                return False
        return True

    def _swap(self, version: int, fields: dict[str, Any]) -> None:
        if version == 1:
            self._client.index(index=self._index, id=_STATE, body=fields, op_type="create")
            return
        found = self._client.get(index=self._index, id=_STATE, _source=False)
        if found["_version"] != version - 1:
            raise self._conflict(409, "another version", {})
        self._client.index(
            index=self._index,
            id=_STATE,
            body=fields,
            if_seq_no=found["_seq_no"],
            if_primary_term=found["_primary_term"],
        )

    def _make(self) -> None:
        """Make the index, where it is not there."""
        shape = {"settings": {"index": _SETTINGS}, "mappings": _MAPPING}
        try:
            self._client.indices.create(index=self._index, body=shape)
        except _driver().exceptions.RequestError as fault:
            if fault.error != "resource_already_exists_exception":
                raise

    def _search(self, collection: str, filters: Sequence[dict[str, Any]] = (), **body: Any) -> list[dict[str, Any]]:
        wanted: dict[str, Any] = {"filter": [{"term": {"where": collection}}, *filters]}
        if "must" in body:
            wanted["must"] = body.pop("must")
        with _translated(self.place):
            try:
                asked = {"track_total_hits": False, "query": {"bool": wanted}, **body}
                found = self._client.search(index=self._index, body=asked)
            except self._missing:
                return []
        return list(found["hits"]["hits"])

    def get(self, collection: str, ids: Sequence[str]) -> dict[str, Document]:
        """Documents by their ids."""
        found: dict[str, Document] = {}
        for start in range(0, len(ids), PAGE):
            names = [f"{collection}/{name}" for name in ids[start : start + PAGE]]
            with _translated(self.place):
                try:
                    page = self._client.mget(index=self._index, body={"ids": names})["docs"]
                except self._missing:
                    return {}
            found |= {one["_source"]["id"]: _unpacked(one["_source"]) for one in page if one.get("found")}
        return found

    def _paged(self, collection: str, limit: int | None, **body: Any) -> Iterator[dict[str, Any]]:
        """What a query finds, in the order that it asks for."""
        after: dict[str, Any] = {}
        while limit is None or limit > 0:
            size = PAGE if limit is None else min(limit, PAGE)
            page = self._search(collection, size=size, **body, **after)
            yield from page
            if len(page) < size:
                return
            limit = None if limit is None else limit - len(page)
            after = {"search_after": page[-1]["sort"]}

    def between(self, collection: str, first: str, end: str, limit: int) -> list[Document]:
        """The first documents from an id on until before another one."""
        filters = [{"range": {"id": {"gte": first, "lt": end}}}]
        found = self._paged(collection, limit, filters=filters, sort=[{"id": "asc"}])
        return [_unpacked(one["_source"]) for one in found]

    def last(self, collection: str) -> Document | None:
        """The document with the greatest id."""
        found = self._search(collection, sort=[{"id": "desc"}], size=1)
        return _unpacked(found[0]["_source"]) if found else None

    def tagged(self, collection: str, tags: Sequence[str]) -> list[Document]:
        """All documents that have any of these tags."""
        found = self._paged(collection, None, filters=[{"terms": {"tags": list(tags)}}], sort=[{"id": "asc"}])
        return [_unpacked(one["_source"]) for one in found]

    def newest(self, tags: Sequence[str], since: float | None, until: float | None, limit: int) -> list[Document]:
        """Memories that have all of these tags, of a span of time, the newest first."""
        filters: list[dict[str, Any]] = [{"term": {"tags": tag}} for tag in tags]
        span = {sign: moment for sign, moment in (("gte", since), ("lt", until)) if moment is not None}
        if span:
            filters.append({"range": {"at": span}})
        found = self._paged("memory", limit, filters=filters, sort=[{"at": "desc"}, {"id": "desc"}])
        return [_unpacked(one["_source"]) for one in found]

    def matching(self, terms: Sequence[str], limit: int) -> list[tuple[Document, float]]:
        """Memories that have any of these terms, found and ranked by the server."""
        asked = {"match": {"terms": {"query": " ".join(terms), "operator": "or"}}}
        order = [{"_score": "desc"}, {"id": "asc"}]
        found = self._paged("memory", limit, must=[asked], sort=order, track_scores=True)
        return [(_unpacked(one["_source"]), float(one["_score"])) for one in found]

    def change(
        self, puts: Sequence[tuple[str, Document]], removals: Sequence[tuple[str, str]], cleared: Sequence[str]
    ) -> None:
        """Clear, remove and put; merged segments keep nothing of what is gone."""
        with _translated(self.place):
            if cleared:
                gone_by = {"query": {"terms": {"where": list(cleared)}}}
                self._client.delete_by_query(index=self._index, body=gone_by, refresh=True, conflicts="proceed")
            gone = ([{"delete": {"_id": f"{where}/{name}"}}] for where, name in removals)
            kept = ([{"index": {"_id": f"{where}/{one.id}"}}, _packed(where, one)] for where, one in puts)
            for lines in (gone, kept):
                self._bulk(lines)
            if removals or cleared:
                self._client.indices.forcemerge(index=self._index, only_expunge_deletes=True)

    def _bulk(self, commands: Iterable[list[dict[str, Any]]]) -> None:
        """Send commands, in requests of a size that the server takes."""
        lines: list[str] = []
        size = 0
        for command in commands:
            lines += [json.dumps(line, separators=(",", ":")) for line in command]
            size += sum(map(len, lines[-len(command) :]))
            if size > BULK_BYTES:
                self._send(lines)
                lines, size = [], 0
        self._send(lines)

    def _send(self, lines: list[str]) -> None:
        if not lines:
            return
        answer = self._client.bulk(index=self._index, body="\n".join(lines) + "\n", refresh=True)
        faults = [
            one for item in answer["items"] for one in item.values() if one["status"] >= 400 and one["status"] != 404
        ]
        if faults:
            raise KeepsakeError(
                "KS-STORE-008", f"{self.place} refused {len(faults)} documents: {faults[0].get('error')}"
            )

    def count(self, collection: str) -> int:
        """How many documents a collection has."""
        with _translated(self.place):
            wanted = {"query": {"term": {"where": collection}}}
            return int(self._client.count(index=self._index, body=wanted)["count"])

    def size(self) -> int:
        """Bytes of the index."""
        with _translated(self.place):
            found = self._client.indices.stats(index=self._index, metric="store")
        return int(found["_all"]["total"]["store"]["size_in_bytes"])

    def drop(self) -> None:
        """Remove the index."""
        with _translated(self.place):
            self._client.indices.delete(index=self._index, ignore_unavailable=True)

    def close(self) -> None:
        """Let go of the server."""
        self._client.close()


class OpenSearchStores:
    """A server of OpenSearch, in which each person has an index.

    :param url: ``https://user:password@host:9200``, of a user who may make indexes whose names begin with ``keepsake-``;
        ``opensearch+https`` and ``opensearch`` (without TLS) are said for it too.
    """

    def __init__(self, url: str, ring: Ring) -> None:
        self._url = url
        self._ring = ring

    def open(self, person: str) -> DocumentStore:
        """The store of a person, made where it is not there."""
        key = self._ring.key(person)
        return DocumentStore(OpenSearchDriver(_client(self._url), person), key)

    def erase(self, person: str) -> None:
        """Remove a person's index."""
        driver = OpenSearchDriver(_client(self._url), person)
        try:
            driver.drop()
        finally:
            driver.close()

    def people(self) -> list[str]:
        """Persons who have a store here, and a key."""
        client = _client(self._url)
        with contextlib.closing(client), _translated("OpenSearch"):
            names = {one["index"] for one in client.cat.indices(index="keepsake-*", format="json")}
        return [person for person in self._ring.people() if f"keepsake-{digest(person)}" in names]
