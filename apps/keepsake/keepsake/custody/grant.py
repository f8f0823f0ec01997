"""A grant: a person's signed permission for somebody to ask within a scope until a day.

A token is a JSON Web Signature in its compact form (RFC 7515) with Ed25519 (RFC 8037), so that anybody's library reads it.  It is
worth nothing by itself: `keepsake.custody.permission` looks too whether it was revoked.

Whoever holds a token can read it, and it passes through journals.  So it tells verbs and times only; the names in a scope, above all
those in ``without``, which are what the giver wants to hide, stay in the giver's store.  The token binds them by a salted commitment.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from keepsake.custody import canon
from keepsake.custody.record import commitment
from keepsake.errors import KeepsakeError
from keepsake.key import PersonKey
from keepsake.key.ring import person_id
from keepsake.record import Memory

__all__ = ["VERBS", "Grant", "Scope"]

#: what may be granted: to ask and be answered with quotes; to be answered as by a mentor
VERBS: Final = frozenset({"ask", "mentor"})

#: a token that is longer is not read
TOKEN_CHARACTERS: Final = 8192

#: a grant is given for ten years at most: who still means it gives it again
GRANT_SECONDS: Final = 10 * 366 * 86_400

#: names in each list of a scope
SCOPE_NAMES: Final = 64
NAME_CHARACTERS: Final = 128

#: how much a memory has to belong to an area to be within it
AREA_SHARE: Final = 0.2

_HEADER: Final = canon.encode({"alg": "EdDSA", "typ": "keepsake-grant+jws"})
_LISTS: Final = ("areas", "names", "streams", "without")


@dataclass(frozen=True, slots=True)
class Scope:
    """Which memories; None and empty mean no bound.

    :ivar verbs: of `VERBS`.
    :ivar since: said at or after, epoch seconds.
    :ivar until: said before, epoch seconds.
    :ivar areas: areas of life or categories, of which a memory has to be in one.
    :ivar names: persons, places or things of which a memory has to name one.
    :ivar streams: streams that a memory has to come from.
    :ivar without: areas and names that a memory may have nothing to do with; this counts before all else.
    """

    verbs: frozenset[str] = frozenset({"ask"})
    since: float | None = None
    until: float | None = None
    areas: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    streams: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    def hidden(self) -> bytes:
        """The names in it, as canonical JSON."""
        return canon.encode({name: list(getattr(self, name)) for name in _LISTS})

    def allows(self, memory: Memory) -> bool:
        """Whether a memory may be shown."""
        if self.since is not None and memory.said_at < self.since:
            return False
        if self.until is not None and memory.said_at >= self.until:
            return False
        areas = {share.name.casefold() for share in memory.areas if share.share >= AREA_SHARE}
        names = {entity.name.casefold() for entity in memory.entities}
        if any(name.casefold() in areas | names for name in self.without):
            return False
        if any(name.casefold() in memory.text.casefold() for name in self.without):
            return False
        return (
            (not self.areas or any(name.casefold() in areas for name in self.areas))
            and (not self.names or any(name.casefold() in names for name in self.names))
            and (not self.streams or memory.message.rpartition(":")[0] in self.streams)
        )


@dataclass(frozen=True, slots=True)
class Grant:
    """One permission.

    :ivar id: names it within the person who gave it.
    :ivar person: who gave it; whose memories they are.
    :ivar to: who may ask.
    :ivar given_at: epoch seconds.
    :ivar expires_at: the first moment at which it is worth nothing, epoch seconds.
    :ivar purpose: why, in the giver's words; not in the token.
    :ivar salt: of the commitment to what the token does not tell.
    """

    id: str
    person: str
    to: str
    given_at: float
    expires_at: float
    scope: Scope = field(default_factory=Scope)
    purpose: str = ""
    salt: bytes = b""

    def checked(self) -> Grant:
        """The grant itself where it can be given.

        :raises KeepsakeError: ``KS-GRANT-001`` else.
        """
        problem = _problem(self)
        if problem:
            raise KeepsakeError("KS-GRANT-001", f"this cannot be granted: {problem}")
        person_id(self.to)
        return self

    def sign(self, key: PersonKey) -> str:
        """The token.

        :raises KeepsakeError: ``KS-GRANT-001`` where it cannot be given, ``KS-KEY-003`` where ``to`` is no person's id.
        """
        assert key.person == self.person, (key.person, self.person)
        self.checked()
        scope: dict[str, Any] = {
            "verbs": sorted(self.scope.verbs),
            "hidden": commitment(self.salt, self.scope.hidden()),
        }
        scope |= {name: value for name in ("since", "until") if (value := getattr(self.scope, name)) is not None}
        claims = {
            "jti": self.id,
            "iss": self.person,
            "sub": self.to,
            "iat": self.given_at,
            "exp": self.expires_at,
            "scope": scope,
        }
        signed = f"{_base64(_HEADER)}.{_base64(canon.encode(claims))}"
        token = f"{signed}.{_base64(key.signer().sign(signed.encode()))}"
        if len(token) > TOKEN_CHARACTERS:
            raise KeepsakeError("KS-GRANT-001", f"this cannot be granted: its token is longer than {TOKEN_CHARACTERS}")
        return token

    @classmethod
    def read(cls, token: str, public: bytes, hidden: bytes = b"", salt: bytes = b"") -> Grant:
        """The grant of a token, whose signature is checked and nothing else.

        :param hidden: what the token binds and does not tell (`Scope.hidden`), with its ``salt``; without it no names are in the scope, and
            nothing may be shown by it.
        :param public: the 32 bytes of the giver's key.
        :raises KeepsakeError: ``KS-GRANT-002`` where it is no grant, or not signed by this key.
        """
        header, _, rest = token.partition(".")
        payload, _, signature = rest.partition(".")
        try:
            if len(token) > TOKEN_CHARACTERS or _bytes(header) != _HEADER:
                raise ValueError
            Ed25519PublicKey.from_public_bytes(public).verify(_bytes(signature), f"{header}.{payload}".encode())
            claims = json.loads(_bytes(payload))
            if hidden and commitment(salt, hidden) != claims["scope"]["hidden"]:
                raise ValueError
            return _grant(claims, json.loads(hidden or b"{}")).checked()
        except (InvalidSignature, binascii.Error, ValueError, KeyError, TypeError, KeepsakeError, RecursionError):
            raise KeepsakeError(
                "KS-GRANT-002", "this is no grant of this person: forged, damaged or of another"
            ) from None


def _grant(claims: dict[str, Any], hidden: dict[str, Any]) -> Grant:
    scope = claims["scope"]
    return Grant(
        claims["jti"],
        claims["iss"],
        claims["sub"],
        claims["iat"],
        claims["exp"],
        Scope(
            frozenset(scope["verbs"]),
            scope.get("since"),
            scope.get("until"),
            *(tuple(hidden.get(name, ())) for name in _LISTS),
        ),
    )


def _problem(grant: Grant) -> str:
    """Why a grant cannot be given; empty where it can."""
    scope = grant.scope
    times = (grant.given_at, grant.expires_at, scope.since or 0.0, scope.until or 0.0)
    if not all(isinstance(time, int | float) and math.isfinite(time) for time in times):
        return "a time is not a number"
    if not grant.given_at < grant.expires_at <= grant.given_at + GRANT_SECONDS:
        return f"it has to end after it begins and within {GRANT_SECONDS // 86_400} days"
    if not scope.verbs or not scope.verbs <= VERBS:
        return f"{sorted(scope.verbs - VERBS)} is no verb; {sorted(VERBS)} are"
    for name in _LISTS:
        names = getattr(scope, name)
        if len(names) > SCOPE_NAMES:
            return f"{len(names)} {name}; at most {SCOPE_NAMES} fit"
        if not all(isinstance(text, str) and 0 < len(text) <= NAME_CHARACTERS for text in names):
            return f"one of its {name} is empty, too long or no text"
    if not all(isinstance(text, str) and len(text) <= NAME_CHARACTERS for text in (grant.id, grant.purpose)):
        return f"its id or purpose is longer than {NAME_CHARACTERS}"
    if grant.to == grant.person:
        return "a person needs no grant for their own memories"
    return ""


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    """Strict: one text for one content, else a token could be written in several ways."""
    content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if _base64(content) != text:
        raise ValueError(text)
    return content
