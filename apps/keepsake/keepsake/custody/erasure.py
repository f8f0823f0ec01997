"""The end of a person here: the key is destroyed first, which ends all copies at once; then everything is removed that it sealed.

``FOLDER/DIGEST.order`` says that it was ordered, so that a process which dies is followed by one that goes on; in the end
``FOLDER/DIGEST.json`` is the certificate, signed by the service and, while it could, by the person's own key.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from keepsake.custody.certificate import Signer, certify, service_signer
from keepsake.custody.ledger import Entry, Ledger
from keepsake.custody.log import Log
from keepsake.custody.record import Action
from keepsake.errors import KeepsakeError
from keepsake.key import Ring
from keepsake.store.contract import Blobs, Stores

__all__ = ["Erasure", "Holder"]


class Holder(Protocol):
    """Something that holds a person's data besides stores, blobs and keys: agents, indexes, queues, capsules, backups.

    :ivar name: its name in the certificate.
    """

    name: str

    def erase(self, person: str) -> int:
        """Remove all of a person, whose key is gone by now; gives how many things went.  Called again after a failure."""
        ...

    def left(self, person: str) -> list[str]:
        """Where there is still something of the person."""
        ...


class Erasure:
    """Erases persons.

    :param folder: where orders and certificates are.
    :param now: epoch seconds.
    """

    def __init__(self, ring: Ring, stores: Stores, blobs: Blobs, folder: Path, now: Callable[[], float]) -> None:
        self._ring = ring
        self._stores = stores
        self._blobs = blobs
        self._folder = folder
        self._now = now

    def _path(self, person: str, ending: str) -> Path:
        return self._folder / f"{hashlib.sha256(person.encode()).hexdigest()[:32]}.{ending}"

    def order(self, person: str, *, by: str) -> None:
        """Write down that a person is to be erased, with the last head of their log.

        :raises KeepsakeError: ``KS-KEY-001`` where there is no such person.
        """
        if self._path(person, "order").exists():
            return
        key = self._ring.key(person)
        store = self._stores.open(person)
        try:
            log = Log(store, key, self._now)
            with store.write() as writer:
                log.append(writer, Action.DELETED, "all", by=by)
            said: dict[str, Any] = {
                "what": "person",
                "deletion": secrets.token_hex(8),
                "person": person,
                "ordered_by": by,
                "ordered_at": int(self._now() * 1000),
                "messages": store.head(),
                "checkpoint": log.checkpoint(),
                "key": base64.b64encode(log.public).decode(),
                "key_digest": log.key_digest,
            }
        finally:
            store.close()
        consent = certify(said, [Signer(log.origin, key.signer())])
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(self._path(person, "order"), consent)

    def open(self) -> list[str]:
        """Persons whose erasure is not over; whoever starts goes on with them."""
        orders = [json.loads(path.read_bytes()) for path in sorted(self._folder.glob("*.order"))]
        return [json.loads(order["text"])["person"] for order in orders]

    def certificate(self, person: str) -> bytes | None:
        """The certificate of a person who was erased."""
        path = self._path(person, "json")
        return path.read_bytes() if path.exists() else None

    def carry_out(self, person: str, holders: Sequence[Holder] = ()) -> bytes:
        """Destroy the key, remove everything, look whether something is left, certify.  Goes on where it was left.

        :param holders: whatever holds something besides stores, blobs and keys.
        :raises KeepsakeError: ``KS-CUSTODY-009`` where something is left, ``KS-CUSTODY-011`` where nothing was ordered.
        """
        path = self._path(person, "order")
        if not path.exists():
            known = self.certificate(person)
            if known is None:
                raise KeepsakeError("KS-CUSTODY-011", f"nobody has ordered that {person!r} be erased; order it first")
            return known
        consent = path.read_bytes()
        said = json.loads(json.loads(consent)["text"])
        Ledger(self._ring).add(Entry(said["deletion"], person, (), said["ordered_at"], said["key_digest"]))
        self._ring.destroy(person)
        parts = [{"part": holder.name, "removed": holder.erase(person)} for holder in holders]
        self._stores.erase(person)
        self._blobs.erase(person)
        left = [f"{holder.name}/{place}" for holder in holders for place in holder.left(person)]
        left += ["key"] if person in self._ring.people() else []
        left += ["store"] if person in self._stores.people() else []
        left += ["blob"] if next(iter(self._blobs.names(person)), None) else []
        if left:
            raise KeepsakeError(
                "KS-CUSTODY-009", f"the erasure of {person} is not over: something is left in {', '.join(left)}"
            )
        names = [{"part": name} for name in ("key", "store", "blob", "backup")]
        certificate = certify(
            said | {"finished_at": int(self._now() * 1000), "parts": [*names, *parts], "consent": json.loads(consent)},
            [service_signer(self._ring)],
        )
        _write(self._path(person, "json"), certificate)
        path.unlink()
        return certificate


def _write(path: Path, content: bytes) -> None:
    """Durably and whole."""
    draft = path.with_suffix(".draft")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
