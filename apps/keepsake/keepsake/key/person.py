"""A person's key, and the keys that follow from it.

Everything of a person is sealed with AES-256-GCM under a key that HKDF-SHA256 (RFC 5869) derives from the person's key for one
purpose, so that no two purposes share a key.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from functools import cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keepsake.errors import KeepsakeError

__all__ = ["PersonKey"]

#: of AES-GCM (NIST SP 800-38D)
NONCE_BYTES: Final = 12


class PersonKey:
    """The key of one person.

    :ivar person: whose it is; bound into all that it seals.
    """

    __slots__ = ("_derive", "_secret", "person")

    def __init__(self, person: str, secret: bytes) -> None:
        self.person = person
        self._secret = secret
        self._derive = cache(self._derived)

    def _derived(self, purpose: str) -> bytes:
        info = f"keepsake/{purpose}/{self.person}".encode()
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(self._secret)

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one purpose: ``store``, ``blob``, ``lane``, ``log``..."""
        return self._derive(purpose)

    def seal(self, content: bytes, purpose: str, about: str = "") -> bytes:
        """Encrypt; ``about`` (a stream, a name) has to be the same when it is opened."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + AESGCM(self.derive(purpose)).encrypt(nonce, content, about.encode())

    def open(self, sealed: bytes, purpose: str, about: str = "") -> bytes:
        """Decrypt.

        :raises KeepsakeError: ``KS-KEY-002`` where it was not sealed with this key for this purpose, or was changed since.
        """
        try:
            return AESGCM(self.derive(purpose)).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], about.encode())
        except (InvalidTag, ValueError):
            raise KeepsakeError(
                "KS-KEY-002", f"a sealed {purpose} of {self.person} cannot be opened: another key, or it was changed"
            ) from None

    def name(self, content: bytes) -> str:
        """A name for a content that tells nothing of it to whoever has not the key."""
        return hmac.new(self.derive("name"), content, hashlib.sha256).hexdigest()

    def signer(self) -> Ed25519PrivateKey:
        """Signs the person's checkpoints and grants."""
        return Ed25519PrivateKey.from_private_bytes(self.derive("sign"))
