"""Tokens of NATS: JSON claims signed with an nkey (``alg: ed25519-nkey``).

The signer's public key stands in the claims as ``iss``; whether that signer may say so is for the reader to decide.  Nothing here
looks at times.

Source: ADR-14 of NATS (JWT library free JWT creation).  Used by :mod:`natant.tenant`.
"""

from __future__ import annotations

import binascii
import hashlib
from base64 import b32encode, b64decode, urlsafe_b64encode
from typing import Any, Final

import msgspec

from natant.errors import TenantError
from natant.fabric.nats.nkey import KeyPair, is_public, verify

__all__ = ["TOKEN_SIZE", "peek", "read", "write"]

#: a token that is read has at most so many characters; account JWTs grow with their revocations
TOKEN_SIZE: Final = 256 * 1024

_HEADER: Final = b'{"typ":"JWT","alg":"ed25519-nkey"}'


def write(claims: dict[str, Any], key: KeyPair) -> str:
    """Sign claims; ``iss`` and ``jti`` are set here."""
    claims = {**claims, "iss": key.public}
    claims.pop("jti", None)
    digest = hashlib.sha256(msgspec.json.encode(claims)).digest()
    claims["jti"] = b32encode(digest).rstrip(b"=").decode()
    signed = _encode(_HEADER) + b"." + _encode(msgspec.json.encode(claims))
    return (signed + b"." + _encode(key.sign(signed))).decode()


def read(token: str, kind: str, *, limit: int = TOKEN_SIZE) -> dict[str, Any]:
    """The claims of a token whose signature is right.

    :param kind: of which kind the signer must be: ``O``, ``A`` or ``U``.
    :raises TenantError: ``NT-TENANT-002``.
    """
    claims = peek(token, limit=limit)
    issuer = claims.get("iss")
    if not isinstance(issuer, str) or not is_public(issuer, kind):
        raise TenantError("NT-TENANT-002", f"the token was not issued by a key of kind {kind}")
    signed, _, signature = token.rpartition(".")
    if not verify(issuer, signed.encode(), _decode(signature)):
        raise TenantError("NT-TENANT-002", f"the token's signature is not that of {issuer}")
    return claims


def peek(token: str, *, limit: int = TOKEN_SIZE) -> dict[str, Any]:
    """The claims of a token, **unverified**: to see cheaply whether a verification is worth while.

    :raises TenantError: ``NT-TENANT-002`` where it is no token at all.
    """
    if len(token) > limit:
        raise TenantError("NT-TENANT-002", f"the token has {len(token)} characters; it takes {limit} at most")
    parts = token.split(".")
    if len(parts) != 3:
        raise TenantError("NT-TENANT-002", "this is no token: it takes three parts with dots between them")
    header, claims = (_object(_decode(part)) for part in parts[:2])
    if header.get("alg") != "ed25519-nkey" or str(header.get("typ", "")).upper() != "JWT":
        raise TenantError("NT-TENANT-002", "this is no token of NATS: its algorithm must be ed25519-nkey")
    return claims


def _object(data: bytes) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise TenantError("NT-TENANT-002", "the token is damaged: one of its parts is no JSON object")
    return value


def _encode(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


def _decode(text: str) -> bytes:
    try:
        return b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise TenantError("NT-TENANT-002", "the token is damaged: one of its parts is no base64") from None
