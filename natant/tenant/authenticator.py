"""Who is at a door of a tenant's plane: the authenticator and the policy made of the tenant's account.

Taken is a *door token* (:mod:`natant.fabric.nats.credential`): "I, now, for this tenant", signed by the user's key around the user's
own token.  Both signatures are verified, the user's by a signing key of this very account; then expiry, revocation, and that the token
was made for this tenant.  A user's token alone is refused: in NATS it is no secret, as the holder has to sign a nonce besides.

What costs little is looked at before a signature is computed, and what was verified is remembered, so a hundred requests with one token cost
two signatures.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from natant.codec.recon.value import Record
from natant.errors import TenantError
from natant.fabric.nats import jwt
from natant.fabric.nats.credential import DOOR_TYPE, TOKEN_LIFE_MAX_S
from natant.fabric.nats.nkey import ACCOUNT, USER
from natant.link.identity import Identity, Refusal
from natant.tenant.account import Account
from natant.tenant.role import ROLES, Role

__all__ = ["Authenticator", "TenantUser"]

#: characters of a door token, the user's token in it included
DOOR_TOKEN_SIZE: Final = 8 * 1024
#: how far the clocks of users may be ahead of ours
SKEW_S: Final = 30
#: tokens that were verified and are remembered; with more, all are forgotten
KNOWN_LIMIT: Final = 4_096


@dataclass(frozen=True, slots=True)
class TenantUser:
    """What is known of who holds a verified token.

    :ivar tenant: public key of its account.
    :ivar key: its own public key.
    :ivar issued: epoch second; :ivar expires: likewise, infinite where the user never expires.
    """

    tenant: str
    name: str
    key: str
    role: Role
    issued: int
    expires: float

    def claims(self) -> dict[str, Any]:
        """As plain data, which an :class:`~natant.link.identity.Identity` takes to other workers."""
        return {
            "tenant": self.tenant,
            "user": self.name,
            "key": self.key,
            "role": self.role.name,
            "issued": self.issued,
            "expires": self.expires,
        }


class Authenticator:
    """Turns door tokens into identities, for one tenant.

    :param account: the tenant's account as known at present.
    :param clock: epoch seconds.
    :ivar refused: how often, by code of the refusal.
    """

    def __init__(self, account: Account, *, clock: Callable[[], float] = time.time) -> None:
        self.account = account
        self.refused: Counter[str] = Counter()
        self._clock = clock
        #: door token -> who, and until when the token itself is good
        self._known: dict[str, tuple[Identity, float]] = {}

    def __call__(self, credentials: Any, request_uri: str) -> Identity | Refusal:
        """The identity behind ``{token: ...}``."""
        token = credentials.get("token") if isinstance(credentials, Record) else None
        try:
            return self._identify(token)
        except TenantError as error:
            self.refused[error.code] += 1
            return Refusal(is_forbidden=error.context.get("http_status") == 403, error=error)

    def may(self, identity: Identity, verb: str, node: str, lane: str) -> bool:
        """The policy: what the role says; somebody unknown may nothing."""
        claims = identity.claims
        if not isinstance(claims, dict) or claims.get("tenant") != self.account.public:
            return False
        role = ROLES.get(str(claims.get("role")))
        return role is not None and role.may(str(claims.get("user")), verb, node)

    def unnamed(self) -> Identity:
        """Who asks over NATS without a door token: some user of this account.

        The servers have let the message through, and they hold each role to its subjects; so nothing is asked of it here.  A policy of
        the plane's own sees no name.
        """
        return Identity("", claims={"tenant": self.account.public, "user": "", "role": "engine"})

    def update(self, account: Account) -> bool:
        """Take a newer version of the account; False for one that is older, of another tenant, or signed by another operator."""
        before = self.account
        if (account.public, account.issuer) != (before.public, before.issuer) or account.issued <= before.issued:
            return False
        self.account = account
        self._known.clear()
        return True

    def end_of(self, claims: dict[str, Any]) -> TenantError | None:
        """Why a user that was let in with these claims may stay no longer; None where it may."""
        if self._clock() >= claims["expires"]:
            return _refusal("NT-TENANT-003", f"the token of user {claims['user']} has expired; ask for a new one")
        if self.account.is_revoked(claims["key"], claims["issued"]):
            return _refusal("NT-TENANT-005", f"the token of user {claims['user']} was revoked")
        return None

    # --- inside ---------------------------------------------------------------------------------------------------

    def _identify(self, token: object) -> Identity:
        now = self._clock()
        if not isinstance(token, str) or not token:
            raise _refusal("NT-TENANT-002", "no token was given; it takes {token: ...}, made with natant user token")
        found = self._known.get(token)
        if found is not None and now < found[1]:
            return found[0]
        claims = jwt.peek(token, limit=DOOR_TOKEN_SIZE)
        nats = _object(claims.get("nats"))
        if nats.get("type") == "user":
            raise _refusal(
                "NT-TENANT-006",
                "a user's token alone opens no door, as it is no secret; sign a door token with the user's key: natant user "
                "token FILE.creds",
            )
        if nats.get("type") != DOOR_TYPE:
            raise _refusal("NT-TENANT-002", "this is no door token; natant user token FILE.creds makes one")
        expires = self._check_times(claims, now)
        if claims.get("aud") != self.account.public:
            raise _stranger()
        user = self._user(nats.get("user"), now)
        if claims.get("sub") != user.key or claims.get("iss") != user.key:
            raise _refusal("NT-TENANT-006", "the door token was not signed by the user whose token is in it")
        jwt.read(token, USER)
        if not user.role.verbs:
            raise _refusal("NT-TENANT-013", f"role {user.role.name} is for NATS only; it may not use this door", 403)
        identity = Identity(user.name, claims=user.claims())
        if len(self._known) >= KNOWN_LIMIT:
            self._known.clear()
        self._known[token] = identity, min(expires, user.expires)
        return identity

    def _check_times(self, claims: dict[str, Any], now: float) -> float:
        """When the door token ends."""
        issued, expires = _number(claims.get("iat")), _number(claims.get("exp"))
        if issued is None or expires is None or expires - issued > TOKEN_LIFE_MAX_S:
            raise _refusal(
                "NT-TENANT-003",
                f"a door token says when it was made and when it ends, {TOKEN_LIFE_MAX_S} s later at most",
            )
        if now >= expires:
            raise _refusal("NT-TENANT-003", "the door token has expired; make a new one: natant user token FILE.creds")
        if issued > now + SKEW_S:
            raise _refusal("NT-TENANT-003", "the door token was made in the future; set the clock of who made it")
        return expires

    def _user(self, token: object, now: float) -> TenantUser:
        """Who the user's token names, verified against the account."""
        if not isinstance(token, str):
            raise _refusal("NT-TENANT-002", "there is no user's token in the door token")
        claims = jwt.peek(token, limit=DOOR_TOKEN_SIZE)
        nats = _object(claims.get("nats"))
        account = self.account
        role = account.roles.get(str(claims.get("iss")))
        if role is None or nats.get("issuer_account") != account.public:
            raise _stranger()
        if nats.get("type") != "user" or not _is_plain(nats):
            raise _refusal(
                "NT-TENANT-002", "the user's token claims more than a name; what a user may do is its role's"
            )
        jwt.read(token, ACCOUNT)
        issued, expires = _number(claims.get("iat")), _number(claims.get("exp", float("inf")))
        start = _number(claims.get("nbf", 0))
        if issued is None or expires is None or start is None or now < start:
            raise _refusal("NT-TENANT-003", "the user's token is not valid yet, or does not say when")
        user = TenantUser(account.public, str(claims.get("name")), str(claims.get("sub")), role, int(issued), expires)
        reason = self.end_of(user.claims())
        if reason is not None:
            raise reason
        return user


def _is_plain(nats: dict[str, Any]) -> bool:
    """True for a user without permissions or limits of its own, as a scoped signing key demands."""
    if nats.get("bearer_token"):
        return False
    known = {"type", "version", "issuer_account", "tags"}
    return not any(value for name, value in nats.items() if name not in known)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _stranger() -> TenantError:
    return _refusal("NT-TENANT-004", "the token is not of this plane's tenant")


def _refusal(code: str, message: str, status: int = 401) -> TenantError:
    return TenantError(code, message, http_status=status)
