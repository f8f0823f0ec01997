"""The grants of one person, as their store keeps them: given, revoked, checked.

Documents of kind ``grant`` hold the tokens with what these do not tell, of kind ``revoked`` when one was taken back.  Each of these is a
record in the log.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from keepsake.custody.grant import Grant, Scope
from keepsake.custody.log import Log
from keepsake.custody.record import Action
from keepsake.errors import KeepsakeError
from keepsake.key import PersonKey
from keepsake.store.contract import Store, Writer

__all__ = ["Given", "Permission"]

SALT_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Given:
    """A grant with how it stands.

    :ivar revoked_at: when it was taken back, epoch seconds; None where it was not.
    """

    grant: Grant
    token: str
    revoked_at: float | None


class Permission:
    """Gives, revokes and checks a person's grants."""

    def __init__(self, store: Store, key: PersonKey, log: Log, now: Callable[[], float]) -> None:
        self._store = store
        self._key = key
        self._log = log
        self._now = now

    def give(
        self, writer: Writer, to: str, scope: Scope, expires_at: float, *, purpose: str = "", grant: str = ""
    ) -> Given:
        """Permit somebody to ask within a scope until a time (epoch seconds).

        :param grant: its id; empty: a new one.  Giving the same id again changes nothing and gives what is there.
        :raises KeepsakeError: ``KS-GRANT-001`` where it cannot be granted.
        """
        known = self.find(grant) if grant else None
        if known is not None:
            return known
        name, salt = grant or secrets.token_hex(8), secrets.token_bytes(SALT_BYTES)
        made = Grant(name, self._key.person, to, self._now(), expires_at, scope, purpose, salt)
        token = made.sign(self._key)
        kept = {"token": token, "hidden": scope.hidden().decode(), "salt": salt.hex(), "purpose": purpose}
        writer.put_document("grant", made.id, json.dumps(kept).encode())
        self._log.append(writer, Action.GRANTED, f"grant/{made.id}", token.encode(), by=self._key.person, grant=made.id)
        return Given(made, token, None)

    def revoke(self, writer: Writer, grant: str) -> None:
        """Take a grant back; from the commit on it is worth nothing.

        :raises KeepsakeError: ``KS-GRANT-006`` where there is none.
        """
        known = self.find(grant)
        if known is None:
            raise KeepsakeError("KS-GRANT-006", f"{self._key.person} has given no grant {grant[:80]!r}")
        if known.revoked_at is None:
            writer.put_document("revoked", grant, json.dumps(self._now()).encode())
            self._log.append(writer, Action.REVOKED, f"grant/{grant}", by=self._key.person, grant=grant)

    def find(self, grant: str) -> Given | None:
        """A grant by its id."""
        data = self._store.document("grant", grant)
        if data is None:
            return None
        kept = json.loads(data)
        revoked = self._store.document("revoked", grant)
        salt = bytes.fromhex(kept["salt"])
        found = Grant.read(kept["token"], self._log.public, kept["hidden"].encode(), salt)
        return Given(
            replace(found, purpose=kept["purpose"], salt=salt), kept["token"], json.loads(revoked) if revoked else None
        )

    def all(self) -> list[Given]:
        """All grants that were ever given, by their ids."""
        return [given for name in self._store.documents("grant") if (given := self.find(name)) is not None]

    def check(self, token: str, *, by: str, verb: str = "ask") -> Grant:
        """The grant of a token that somebody brings, where it permits what they want now.

        :param by: who asks, as the service knows them; never as they say.
        :raises KeepsakeError: ``KS-GRANT-002`` forged or of another person; ``KS-GRANT-003`` of somebody else's hand or for another
            verb; ``KS-GRANT-004`` not begun or expired; ``KS-GRANT-005`` revoked; ``KS-GRANT-006`` unknown here.
        """
        grant = Grant.read(token, self._log.public)
        if grant.person != self._key.person:
            raise KeepsakeError("KS-GRANT-002", "this is no grant of this person: forged, damaged or of another")
        if grant.to != by:
            raise KeepsakeError("KS-GRANT-003", f"this grant is not for {by!r}; ask {grant.person} for one")
        if verb not in grant.scope.verbs:
            raise KeepsakeError("KS-GRANT-003", f"this grant is for {sorted(grant.scope.verbs)}, not for {verb[:40]!r}")
        if not grant.given_at <= self._now() < grant.expires_at:
            raise KeepsakeError("KS-GRANT-004", f"the grant {grant.id} has expired; ask {grant.person} for a new one")
        known = self.find(grant.id)
        if known is None or known.token != token:
            raise KeepsakeError("KS-GRANT-006", f"{grant.person} has given no such grant")
        if known.revoked_at is not None:
            raise KeepsakeError("KS-GRANT-005", f"{grant.person} has revoked the grant {grant.id}")
        return known.grant
