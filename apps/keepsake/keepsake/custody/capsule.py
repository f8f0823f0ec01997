"""The encryption of time capsules: a content under a key of its own, which is kept apart from it until it is time.

AES-256-GCM under a fresh key that seals nothing else, so its nonce need not be chosen.  The length is hidden in steps: a capsule
does not tell whether it holds a word or a letter.
"""

from __future__ import annotations

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keepsake.errors import KeepsakeError

__all__ = ["open_capsule", "seal_capsule"]

KEY_BYTES: Final = 32
NONCE: Final = bytes(12)
LENGTH_BYTES: Final = 8

#: contents are filled up to a multiple of this
STEP_BYTES: Final = 4096


def seal_capsule(content: bytes, about: str) -> tuple[bytes, bytes]:
    """Encrypt; gives what is sealed, and the key, 32 bytes, that has to be kept elsewhere.

    :param about: the capsule's own name; it is bound in.
    """
    key = os.urandom(KEY_BYTES)
    framed = len(content).to_bytes(LENGTH_BYTES, "big") + content
    framed += bytes(-len(framed) % STEP_BYTES)
    return AESGCM(key).encrypt(NONCE, framed, about.encode()), key


def open_capsule(sealed: bytes, key: bytes, about: str) -> bytes:
    """Decrypt.

    :raises KeepsakeError: ``KS-CUSTODY-007`` where this is not the capsule's key, or the capsule was changed or is another one.
    """
    try:
        framed = AESGCM(key).decrypt(NONCE, sealed, about.encode())
    except (InvalidTag, ValueError):
        raise KeepsakeError(
            "KS-CUSTODY-007", f"the capsule {about} cannot be opened: this is not its key, or it was changed"
        ) from None
    length = int.from_bytes(framed[:LENGTH_BYTES], "big")
    return framed[LENGTH_BYTES : LENGTH_BYTES + length]
