"""A peer as witness: another service that sees each head once, checks that it goes on from the one before, and cosigns it.

The protocol is C2SP tlog-witness (``POST add-checkpoint``): the old size, a consistency proof, an empty line, the checkpoint.  A witness
that has cosigned a head never cosigns another history of the same log.
"""

from __future__ import annotations

import base64
import binascii
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from keepsake.custody import note
from keepsake.custody.log import Log
from keepsake.custody.tree import is_consistent
from keepsake.errors import KeepsakeError

__all__ = ["PeerAnchor", "Reply", "Witness"]

#: hashes in a consistency proof (C2SP tlog-witness)
PROOF_HASHES: Final = 63
#: of a request
REQUEST_BYTES: Final = 1 << 17
#: logs that a witness follows
LOG_LIMIT: Final = 100_000
#: for an answer of a witness
WAIT_S: Final = 10.0
#: sizes that a witness may tell us to begin from, before we give up
TRIES: Final = 2
WRITE_WAIT_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What a witness answers: an HTTP status and a text."""

    status: int
    text: str


class Witness:
    """Follows logs, cosigns their heads.

    :param name: the witness's own name.
    :param file: where it remembers the heads (SQLite).
    :param trusted: gives the key of a log by its name; None: it is not followed.
    :param now: epoch seconds.
    """

    def __init__(
        self,
        name: str,
        key: Ed25519PrivateKey,
        file: Path,
        trusted: Callable[[str], bytes | None],
        now: Callable[[], float],
    ) -> None:
        self.name = name
        self._key = key
        self._file = file
        self._trusted = trusted
        self._now = now
        with closing(self._open()) as database:
            database.execute("create table if not exists head(origin text primary key, size integer, root blob)")

    @property
    def public(self) -> bytes:
        """The 32 bytes of the key it cosigns by."""
        return note.public_bytes(self._key)

    def _open(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._file, timeout=WRITE_WAIT_S, isolation_level=None)
        database.execute("pragma synchronous = full")
        return database

    def add(self, request: bytes) -> Reply:
        """Answer ``add-checkpoint``."""
        try:
            old, proof, text = _parse(request)
            found = note.parse(text)
        except (KeepsakeError, ValueError):
            return Reply(400, "this is no request to cosign a checkpoint\n")
        public = self._trusted(found.origin)
        if public is None:
            return Reply(404, "this witness does not follow this log\n")
        try:
            note.verify(text, public)
        except KeepsakeError:
            return Reply(403, "the checkpoint is not signed by the log\n")
        if old > found.size:
            return Reply(400, "the old size is larger than the new one\n")
        with closing(self._open()) as database:
            database.execute("begin immediate")
            reply = self._judge(database, found, old, proof)
            database.execute("commit" if reply.status == 200 else "rollback")
        return reply

    def _judge(self, database: sqlite3.Connection, found: note.Checkpoint, old: int, proof: list[bytes]) -> Reply:
        row = database.execute("select size, root from head where origin = ?", (found.origin,)).fetchone()
        size, root = row or (0, None)
        if old != size or (root is not None and old == found.size and root != found.root):
            return Reply(409, f"{size}\n")
        if root is not None and not is_consistent(size, found.size, root, found.root, proof):
            return Reply(422, "the proof does not lead from the old head to the new one\n")
        if row is None and (proof or database.execute("select count(*) from head").fetchone()[0] >= LOG_LIMIT):
            return Reply(422, "a first head needs no proof, and a witness follows so many logs at most\n")
        database.execute("insert or replace into head values(?, ?, ?)", (found.origin, found.size, found.root))
        return Reply(200, note.cosign(found, self.name, self._key, int(self._now())))


def _parse(request: bytes) -> tuple[int, list[bytes], str]:
    """Old size, proof, checkpoint."""
    if len(request) > REQUEST_BYTES:
        raise ValueError("too long")
    head, is_split, text = request.decode().partition("\n\n")
    first, *hashes = head.split("\n")
    word, _, size = first.partition(" ")
    if not is_split or word != "old" or not size.isdecimal() or len(hashes) > PROOF_HASHES:
        raise ValueError("not made like one")
    try:
        return int(size), [base64.b64decode(line, validate=True) for line in hashes], text
    except binascii.Error as fault:
        raise ValueError("no base64") from fault


class PeerAnchor:
    """Has a witness cosign.

    :param url: of the witness; ``add-checkpoint`` is appended.
    :param public: the 32 bytes of its key, known from elsewhere.
    """

    def __init__(self, url: str, name: str, public: bytes, *, client: httpx.Client | None = None) -> None:
        self.name = f"peer {name}"
        self._url = f"{url.rstrip('/')}/add-checkpoint"
        self._witness = name
        self._public = public
        self._client = client or httpx.Client(timeout=WAIT_S)
        self._sizes: dict[str, int] = {}

    def put(self, log: Log, checkpoint: str) -> str:
        """The checkpoint with the cosignature below it."""
        new = note.verify(checkpoint, log.public, origin=log.origin)
        for _ in range(TRIES):
            old = self._sizes.get(log.origin, 0)
            if old > new.size:
                raise self._other_history(log, f"{old} records")
            proof = log.consistency(old, new.size)
            lines = [f"old {old}", *(base64.b64encode(hash_).decode() for hash_ in proof)]
            answer = self._post("\n".join(lines) + f"\n\n{checkpoint}")
            if answer.status_code == 200:
                note.verify_cosignature(new, answer.text, self._witness, self._public)
                self._sizes[log.origin] = new.size
                return checkpoint + answer.text
            known = int(answer.text) if answer.status_code == 409 and answer.text.strip().isdecimal() else None
            if known is None or known == old:
                break
            self._sizes[log.origin] = known
        if answer.status_code in {409, 422}:
            raise self._other_history(log, answer.text[:80].strip())
        raise KeepsakeError(
            "KS-CUSTODY-016", f"{self.name} did not cosign: HTTP {answer.status_code}, {answer.text[:200].strip()!r}"
        )

    def _other_history(self, log: Log, why: str) -> KeepsakeError:
        return KeepsakeError(
            "KS-CUSTODY-015",
            f"{self.name} knows another history of {log.origin}: {why!r}; the log was rewritten, or restored from an older backup",
        )

    def _post(self, request: str) -> httpx.Response:
        try:
            return self._client.post(self._url, content=request.encode())
        except httpx.HTTPError as fault:
            raise KeepsakeError(
                "KS-CUSTODY-016", f"{self.name} at {self._url} cannot be reached: {fault or type(fault).__name__}"
            ) from None
