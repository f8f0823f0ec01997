"""The log of one person: every record a leaf of a Merkle tree, its head signed by the person's key.

Records are appended inside the transaction of what they tell of, so that neither is there without the other.  The store keeps,
beside the records: documents of kind ``salt`` (one for each thing whose content was committed to, destroyed with it), ``tile``
(hashes, C2SP tlog-tiles) and ``checkpoint`` (the newest one, signed).
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable
from typing import Final

from keepsake.custody import canon, note, tree
from keepsake.custody.note import Checkpoint
from keepsake.custody.record import Action, Record, commitment
from keepsake.custody.tile import Tiles
from keepsake.errors import KeepsakeError
from keepsake.key import PersonKey
from keepsake.store.contract import Store, Writer

__all__ = ["Log", "key_digest", "origin"]

SALT_BYTES: Final = 32

#: records that are read at once
READ_RECORDS: Final = 1000

RECEIPT_VERSION: Final = 1


def origin(person: str) -> str:
    """The name of a person's log."""
    return f"keepsake/person/{person}"


def key_digest(key: PersonKey) -> str:
    """Names a person's key, in 32 hexadecimal digits that tell nothing of it."""
    return hashlib.sha256(note.public_bytes(key.signer())).hexdigest()[:32]


class Log:
    """Appends, signs, proves.

    :param store: the person's store.
    :param key: the person's key.
    :param now: epoch seconds.
    """

    def __init__(self, store: Store, key: PersonKey, now: Callable[[], float]) -> None:
        self.origin = origin(key.person)
        self._store = store
        self._key = key
        self._now = now
        self._signer = key.signer()
        self._tiles = Tiles(lambda name: store.document("tile", name), self._records)

    def _records(self, start: int, count: int) -> list[bytes]:
        found: list[bytes] = []
        while len(found) < count:
            rows = self._store.records(start + len(found), min(READ_RECORDS, count - len(found)))
            if not rows:
                break
            found += rows
        return found

    @property
    def public(self) -> bytes:
        """The 32 bytes of the key that checkpoints are signed by."""
        return note.public_bytes(self._signer)

    @property
    def key_digest(self) -> str:
        """Names that key: `key_digest`."""
        return key_digest(self._key)

    def append(
        self, writer: Writer, action: Action | str, about: str, content: bytes = b"", *, by: str, grant: str = ""
    ) -> int:
        """Append a record within a transaction; gives its index.

        :param about: what it is about: a message's id, ``question/7``...
        :param content: what is committed to; empty: nothing.
        :param by: whose doing it is.
        :param grant: the permission it is done by.
        :raises KeepsakeError: ``KS-CUSTODY-002`` where a name is too long.
        """
        committed = commitment(self._salt(writer, about), content) if content else ""
        record = Record(Action(action), about, by, int(self._now() * 1000), grant, committed)
        return writer.append_record(record.encode())

    def _salt(self, writer: Writer, about: str) -> bytes:
        salt = self._store.document("salt", about)
        if salt is None:
            salt = os.urandom(SALT_BYTES)
            writer.put_document("salt", about, salt)
        return salt

    def forget(self, writer: Writer, about: str) -> None:
        """Destroy the salt of a thing: what is committed to in its records can be guessed by nobody from then on."""
        writer.remove_document("salt", about)

    def head(self) -> Checkpoint | None:
        """The newest checkpoint; None before the first."""
        text = self._store.document("checkpoint", "latest")
        return None if text is None else note.verify(text.decode(), self.public, origin=self.origin)

    def checkpoint(self) -> str:
        """Sign the log as it is now; gives the signed note (C2SP tlog-checkpoint).  Begins a transaction of its own.

        :raises KeepsakeError: ``KS-CUSTODY-005`` where what was signed before is not the beginning of it.
        """
        with self._store.write() as writer:
            known = self.head()
            size = self._store.record_count()
            old = known.size if known else 0
            if known and (size < old or tree.root(self._tiles.node, old) != known.root):
                raise self._damaged(old)
            if known and size == old:
                text = self._store.document("checkpoint", "latest")
                assert text is not None
                return text.decode()
            for name, hashes in self._tiles.grow(old, size):
                writer.put_document("tile", name, hashes)
            signed = note.sign(
                note.body(self.origin, size, tree.root(self._tiles.node, size)), self.origin, self._signer
            )
            writer.put_document("checkpoint", "latest", signed.encode())
        return signed

    def _damaged(self, size: int) -> KeepsakeError:
        return KeepsakeError(
            "KS-CUSTODY-005",
            f"the log of {self._key.person} is not the one whose first {size} records were signed: "
            "records were changed or are missing; restore the store from a backup",
        )

    def audit(self) -> int:
        """Hash every record anew and compare with what was signed; gives how many there are.

        :raises KeepsakeError: ``KS-CUSTODY-005`` where they are not the same.
        """
        known, count = self.head(), self._store.record_count()
        fresh = Tiles(lambda name: None, self._records)
        if known and (count < known.size or tree.root(fresh.node, known.size) != known.root):
            raise self._damaged(known.size)
        return count

    def consistency(self, old: int, size: int) -> list[bytes]:
        """The proof that the log of ``size`` records begins with the one of ``old``.

        :raises KeepsakeError: ``KS-CUSTODY-006`` where it is not that long.
        """
        if not 0 <= old <= size <= self._store.record_count():
            raise KeepsakeError("KS-CUSTODY-006", f"the log of {self._key.person} has no sizes {old} and {size}")
        return tree.consistency(self._tiles.node, old, size)

    def root(self, size: int) -> bytes:
        """The root of the first records.

        :raises KeepsakeError: ``KS-CUSTODY-006`` where there are not so many.
        """
        if not 0 <= size <= self._store.record_count():
            raise KeepsakeError("KS-CUSTODY-006", f"the log of {self._key.person} has no {size} records")
        return tree.root(self._tiles.node, size)

    def receipt(self, index: int) -> bytes:
        """What proves a record to anybody, with no part of Keepsake (``keepsake/custody/verify.py``): JSON.

        Fields: ``record`` (its bytes as text), ``index``, ``proof`` (base64), ``checkpoint``, ``key`` (base64) and, while the content
        is there, the ``salt`` (base64).

        :raises KeepsakeError: ``KS-CUSTODY-006`` where there is no such record.
        """
        if not 0 <= index < self._store.record_count():
            raise KeepsakeError(
                "KS-CUSTODY-006",
                f"the log of {self._key.person} has no record {index}; it has {self._store.record_count()}",
            )
        known = self.head()
        text = self._store.document("checkpoint", "latest") if known and known.size > index else None
        signed = text.decode() if text else self.checkpoint()
        size = note.parse(signed).size
        (record,) = self._store.records(index, 1)
        found: dict[str, object] = {
            "version": RECEIPT_VERSION,
            "record": record.decode(),
            "index": index,
            "proof": [_base64(hash_) for hash_ in tree.inclusion(self._tiles.node, index, size)],
            "checkpoint": signed,
            "key": _base64(self.public),
        }
        salt = self._store.document("salt", Record.decode(record).about)
        if salt is not None:
            found["salt"] = _base64(salt)
        return canon.encode(found)


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
