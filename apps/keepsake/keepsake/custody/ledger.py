"""What was deleted, apart from the data it was deleted from: whoever restores an older backup is held to it.

One file beside the keys, ``KEYS/deleted.log``, a sealed line for each deletion.  It lies with the keys because a restore needs both,
and the newest copy of both.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from dataclasses import asdict, dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keepsake.custody.deletion import Order
from keepsake.key import Ring

__all__ = ["Entry", "Ledger"]

NONCE_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class Entry:
    """A deletion.

    :ivar messages: ids; empty: the whole person.
    :ivar key: names the person's key at that time (`Log.key_digest`).
    :ivar at: epoch milliseconds.
    """

    id: str
    person: str
    messages: tuple[str, ...]
    at: int
    key: str = ""


class Ledger:
    """Appends and reads.  Also the part of a deletion that answers for backups."""

    name = "backup"

    def __init__(self, ring: Ring) -> None:
        self._file = ring.folder / "deleted.log"
        self._cipher = AESGCM(ring.derive("ledger"))

    def add(self, entry: Entry) -> None:
        """Note a deletion, durably.  Noting it twice does no harm."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, json.dumps(asdict(entry)).encode(), b"")
        handle = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            # The first line end closes what a process that died may have left half written.
            os.write(handle, b"\n" + base64.b64encode(sealed) + b"\n")
            os.fsync(handle)
        finally:
            os.close(handle)

    def entries(self, person: str | None = None) -> list[Entry]:
        """All deletions, or those of a person, oldest first.  A line that was cut off was never confirmed and is passed over."""
        found = []
        lines = self._file.read_bytes().split(b"\n") if self._file.exists() else []
        for line in filter(None, lines):
            try:
                sealed = base64.b64decode(line, validate=True)
                fields = json.loads(self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], b""))
            except (binascii.Error, InvalidTag, ValueError):
                continue
            entry = Entry(**(fields | {"messages": tuple(fields["messages"])}))
            if person in {None, entry.person}:
                found.append(entry)
        return found

    def remove(self, order: Order) -> int:
        """Hold backups to an order (`keepsake.custody.deletion.Part`)."""
        self.add(Entry(order.id, order.person, order.messages, order.at, order.key))
        return len(order.messages)

    def find(self, text: str) -> list[str]:
        """It holds ids only."""
        return []
