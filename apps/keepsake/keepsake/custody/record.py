"""A record of custody: who did what to which of a person's data, when, and by which permission.

A record never holds content, only a salted commitment to it, ``HMAC-SHA256(salt, content)``: whoever has the content and the salt
can prove what was meant; where both are destroyed nothing can be guessed from the record, and the log stays whole.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from keepsake.custody import canon
from keepsake.errors import KeepsakeError

__all__ = ["Action", "Record", "commitment"]

VERSION: Final = 1

#: what names may take in a record
ABOUT_CHARACTERS: Final = 512
NAME_CHARACTERS: Final = 128


class Action(StrEnum):
    """What can happen to data."""

    STORED = "stored"
    READ = "read"
    SHARED = "shared"
    TRAINED = "trained on"
    CORRECTED = "corrected"
    GRANTED = "granted"
    REVOKED = "revoked"
    SEALED = "sealed"
    OPENED = "opened"
    EXPORTED = "exported"
    IMPORTED = "imported"
    RESTORED = "restored"
    ORDERED = "deletion ordered"
    CONFIRMED = "deletion confirmed"
    DELETED = "deleted"
    ANCHORED = "anchored"


@dataclass(frozen=True, slots=True)
class Record:
    """What is written into the log.

    :ivar action: what was done.
    :ivar about: to what: a message, a memory, a question, ``all``...
    :ivar by: who did it: a person's id, or a part of the service (``service/read``).
    :ivar at: when, epoch milliseconds.
    :ivar grant: the permission it was done by; empty where the owner did it.
    :ivar commitment: `commitment` of the content, in hex; empty where there is none.
    """

    action: Action
    about: str
    by: str
    at: int
    grant: str = ""
    commitment: str = ""

    def encode(self) -> bytes:
        """The record's bytes in the log: canonical JSON (RFC 8785), empty fields left out.

        :raises KeepsakeError: ``KS-CUSTODY-002`` where a name is too long.
        """
        limits = (("about", ABOUT_CHARACTERS), ("by", NAME_CHARACTERS), ("grant", NAME_CHARACTERS))
        for field, limit in limits:
            if len(getattr(self, field)) > limit:
                raise KeepsakeError(
                    "KS-CUSTODY-002",
                    f"a record's {field} has {len(getattr(self, field))} characters; at most {limit} fit",
                )
        fields: dict[str, object] = {
            "about": self.about,
            "action": str(self.action),
            "at": self.at,
            "by": self.by,
            "v": VERSION,
        }
        if self.grant:
            fields["grant"] = self.grant
        if self.commitment:
            fields["commitment"] = self.commitment
        return canon.encode(fields)

    @classmethod
    def decode(cls, record: bytes) -> Record:
        """Read a record of the log."""
        fields = json.loads(record)
        return cls(
            Action(fields["action"]),
            fields["about"],
            fields["by"],
            fields["at"],
            fields.get("grant", ""),
            fields.get("commitment", ""),
        )


def commitment(salt: bytes, content: bytes) -> str:
    """Stands for a content and tells nothing of it; in hex."""
    return hmac.new(salt, content, hashlib.sha256).hexdigest()
