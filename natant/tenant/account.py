"""A tenant's account as the doors of its plane know it: which keys sign users of which role, and who is revoked.

It is read from the account's token, which the servers of NATS hand out; so what was revoked there is revoked here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from natant.errors import TenantError
from natant.fabric.nats import jwt
from natant.fabric.nats.nkey import ACCOUNT, OPERATOR, is_public
from natant.tenant.role import ROLES, Role

__all__ = ["Account"]

#: revokes all users of an account
_ALL = "*"


@dataclass(frozen=True, slots=True)
class Account:
    """What one version of an account says.

    :ivar public: its public key.
    :ivar issued: epoch second; a later version has a later one.
    :ivar issuer: public key of the operator that signed it.
    :ivar roles: public key that signs users -> their role.
    :ivar revoked: public key of a user -> epoch second up to which its tokens are void.
    """

    public: str
    name: str
    issued: int
    issuer: str
    roles: Mapping[str, Role]
    revoked: Mapping[str, int]

    @classmethod
    def read(cls, token: str) -> Self:
        """An account from its token, whose signature is verified.

        Signing keys whose role natant does not know are left out: their users are strangers here.

        :raises TenantError: ``NT-TENANT-002``.
        """
        claims = jwt.read(token, OPERATOR)
        nats: dict[str, Any] = claims.get("nats") or {}
        public = claims.get("sub")
        if nats.get("type") != "account" or not isinstance(public, str) or not is_public(public, ACCOUNT):
            raise TenantError("NT-TENANT-002", "this is no token of an account")
        roles = {
            scope["key"]: ROLES[scope["role"]]
            for scope in nats.get("signing_keys") or ()
            if isinstance(scope, dict) and scope.get("kind") == "user_scope" and scope.get("role") in ROLES
        }
        return cls(
            public,
            str(claims.get("name", "")),
            int(claims.get("iat", 0)),
            str(claims["iss"]),
            roles,
            dict(nats.get("revocations") or {}),
        )

    def is_revoked(self, key: str, issued: int) -> bool:
        """True where a token of the user ``key``, issued then, is void."""
        return issued <= max(self.revoked.get(key, -1), self.revoked.get(_ALL, -1))
