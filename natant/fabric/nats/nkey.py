"""Keys of NATS: Ed25519 pairs that are written as text, with their kind in the first letter.

A public key is base32 of ``kind byte + 32 bytes + CRC-16/XMODEM``, so that it begins with ``O`` (operator), ``A`` (account) or
``U`` (user).  A seed, which is the secret half, has one more byte in front and begins with ``SO``, ``SA`` or ``SU``.

Source: the NKeys page of the documentation of NATS.  Used by ``jwt.py`` and :mod:`natant.tenant`.
"""

from __future__ import annotations

import binascii
from base64 import b32decode, b32encode
from typing import TYPE_CHECKING, Any, Final, Self

from natant.errors import TenantError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = ["ACCOUNT", "OPERATOR", "USER", "KeyPair", "is_public", "verify"]

OPERATOR: Final = "O"
ACCOUNT: Final = "A"
USER: Final = "U"

#: the byte that makes base32 begin with the letter
_PREFIX: Final = {OPERATOR: 14 << 3, ACCOUNT: 0, USER: 20 << 3}
_KIND: Final = {prefix: kind for kind, prefix in _PREFIX.items()}
_SEED_PREFIX: Final = 18 << 3
#: characters of a public key and of a seed
_PUBLIC_SIZE: Final = 56
_SEED_SIZE: Final = 58


class KeyPair:
    """A seed and its public key.

    :ivar kind: ``O``, ``A`` or ``U``.
    :ivar public: the public key as text.
    """

    __slots__ = ("_private", "_raw", "kind", "public")

    def __init__(self, kind: str, raw: bytes) -> None:
        self.kind = kind
        self._raw = raw
        self._private: Ed25519PrivateKey = _ed25519().Ed25519PrivateKey.from_private_bytes(raw)
        self.public = _text(bytes([_PREFIX[kind]]) + self._private.public_key().public_bytes_raw())

    @classmethod
    def make(cls, kind: str) -> Self:
        """A new pair."""
        return cls(kind, _ed25519().Ed25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def read(cls, seed: str, kind: str | None = None) -> Self:
        """The pair of a seed.

        :param kind: what it must be the key of; None takes any.
        :raises TenantError: ``NT-TENANT-001``; the message does not show the seed.
        """
        raw = _bytes(seed.strip(), _SEED_SIZE)
        if raw is None or raw[0] & 0xF8 != _SEED_PREFIX:
            raise TenantError("NT-TENANT-001", "this is no seed of an nkey: it takes 58 characters that begin with S")
        found = _KIND.get((raw[0] & 7) << 5 | raw[1] >> 3)
        if found is None or (kind is not None and found != kind):
            raise TenantError(
                "NT-TENANT-001", f"the seed is of kind {found or 'unknown'}; it takes {kind or 'O, A or U'}"
            )
        return cls(found, raw[2:])

    @property
    def seed(self) -> str:
        """The secret half as text."""
        prefix = _PREFIX[self.kind]
        return _text(bytes([_SEED_PREFIX | prefix >> 5, (prefix & 31) << 3]) + self._raw)

    def sign(self, data: bytes) -> bytes:
        """The signature, 64 bytes."""
        return self._private.sign(data)

    def __repr__(self) -> str:
        return f"<KeyPair {self.public}>"


def is_public(text: object, kind: str) -> bool:
    """True for a public key of the kind, with a right checksum."""
    raw = _bytes(text, _PUBLIC_SIZE) if isinstance(text, str) else None
    return raw is not None and raw[0] == _PREFIX[kind]


def verify(public: str, data: bytes, signature: bytes) -> bool:
    """True where ``signature`` over ``data`` is by the holder of ``public``."""
    from cryptography.exceptions import InvalidSignature

    raw = _bytes(public, _PUBLIC_SIZE)
    if raw is None:
        return False
    try:
        _ed25519().Ed25519PublicKey.from_public_bytes(raw[1:]).verify(signature, data)
    except InvalidSignature:
        return False
    return True


def _text(raw: bytes) -> str:
    check = binascii.crc_hqx(raw, 0).to_bytes(2, "little")
    return b32encode(raw + check).rstrip(b"=").decode()


def _bytes(text: str, size: int) -> bytes | None:
    """What the text stands for, without its checksum; None where it is wrong."""
    if len(text) != size or not text.isascii():
        return None
    try:
        raw = b32decode(text + "=" * (-size % 8))
    except binascii.Error:
        return None
    data, check = raw[:-2], raw[-2:]
    return data if binascii.crc_hqx(data, 0).to_bytes(2, "little") == check else None


def _ed25519() -> Any:
    """The module that computes; part of the extra ``natant[nats]``.

    :raises TenantError: ``NT-TENANT-014`` where it is not installed.
    """
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError:
        raise TenantError(
            "NT-TENANT-014", "tenants need the package cryptography; install it: pip install 'natant[nats]'"
        ) from None
    return ed25519
