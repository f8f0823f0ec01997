"""The claims that natant signs: operator, system account, tenants' accounts, users.

Source: the claims of version 2 of NATS' JWT library.  Called by ``folder.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from natant.tenant.quota import Quota
from natant.tenant.role import ROLES

__all__ = ["NODE_TOKENS", "account", "deletion", "operator", "system_account", "system_user", "user"]

_VERSION: Final = 2
#: a mapping is needed for each length of a node; longer ones are routed by the workers
NODE_TOKENS: Final = 8
#: subject on which an account may read its own claims, so that a plane sees revocations
LOOKUP: Final = "$SYS.REQ.ACCOUNT.{}.CLAIMS.LOOKUP"
_NOTHING: Final[dict[str, Any]] = {"pub": {}, "sub": {}}


def operator(public: str, signing: str, system: str, at: int) -> dict[str, Any]:
    """The operator: its signing key signs accounts, its own key only this; so its own may be kept elsewhere."""
    return _claims(
        public,
        "natant",
        at,
        type="operator",
        signing_keys=[signing],
        system_account=system,
        strict_signing_key_usage=True,
    )


def system_account(public: str, signing: str, at: int) -> dict[str, Any]:
    """The account of the servers themselves.  It lets each account look up its own claims, and nobody else's."""
    export = {
        "name": "own claims",
        "subject": LOOKUP.format("*"),
        "type": "service",
        "account_token_position": 4,
    }
    limits = {"subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": True, "conn": -1}
    return _claims(
        public,
        "SYS",
        at,
        type="account",
        limits={**limits, "leaf": 0},
        exports=[export],
        signing_keys=[signing],
        default_permissions=_NOTHING,
    )


def system_user(public: str, account_public: str, at: int) -> dict[str, Any]:
    """Who brings accounts to the servers; it may do that and nothing else."""
    limits = {"subs": -1, "data": -1, "payload": -1}
    return _claims(
        public,
        "natant",
        at,
        type="user",
        issuer_account=account_public,
        pub={"allow": ["$SYS.REQ.CLAIMS.>", "$SYS.REQ.SERVER.PING", "$SYS.REQ.SERVER.PING.>"]},
        sub={"allow": ["_INBOX.>"]},
        **limits,
    )


def account(
    public: str,
    name: str,
    at: int,
    *,
    quota: Quota,
    partitions: int,
    system: str,
    signing: Mapping[str, str],
    revoked: Mapping[str, int],
) -> dict[str, Any]:
    """A tenant's account.

    :param signing: role -> public key.
    :param revoked: public key of a user -> epoch second up to which its tokens are void.
    """
    lookup = LOOKUP.format(public)
    scopes = [
        {"kind": "user_scope", "key": key, "role": role, "template": ROLES[role].template(), "description": ""}
        for role, key in signing.items()
    ]
    return _claims(
        public,
        name,
        at,
        type="account",
        limits=quota.limits(),
        imports=[{"name": "own claims", "subject": lookup, "account": system, "type": "service"}],
        signing_keys=scopes,
        revocations=dict(revoked),
        default_permissions={"pub": {"deny": [">"]}, "sub": {"deny": [">"]}},
        mappings=mappings(partitions),
    )


def mappings(partitions: int) -> dict[str, list[dict[str, Any]]]:
    """What leads a command to the owner of its agent, for all planes of a tenant: ``in`` to ``at.<partition>``."""
    found = {}
    for size in range(1, NODE_TOKENS + 1):
        tokens = range(4, 4 + size)
        source = ".".join(["natant.*.in.*.*", *("*" for _ in tokens)])
        partition = f"{{{{partition({partitions},{','.join(map(str, tokens))})}}}}"
        parts = [f"{{{{wildcard({token})}}}}" for token in tokens]
        target = ".".join(["natant.{{wildcard(1)}}.at", partition, "{{wildcard(2)}}.{{wildcard(3)}}", *parts])
        found[source] = [{"subject": target, "weight": 100}]
    return found


def user(public: str, name: str, account_public: str, at: int, expires: int | None) -> dict[str, Any]:
    """A user: a name, and until when.  What it may do is its role's, in the account."""
    claims = _claims(public, name, at, type="user", issuer_account=account_public, **_NOTHING)
    if expires is not None:
        claims["exp"] = expires
    return claims


def deletion(signing: str, account_public: str, at: int) -> dict[str, Any]:
    """What a server wants to see before it deletes an account."""
    return _claims(signing, "deletion", at, type="generic", accounts=[account_public])


def _claims(subject: str, name: str, at: int, **nats: Any) -> dict[str, Any]:
    return {"sub": subject, "name": name, "iat": at, "nats": {**nats, "version": _VERSION}}
