"""How a store on somebody else's server keeps a person's things: contents sealed, whatever is searched by as keyed hashes, vectors turned.

The server sees how many things there are, their order, sizes and times, which rows share a hash (a frequent word is a frequent hash),
and how near vectors are to each other.  It sees no word, name, text or direction.  Turning a space hides what its directions mean; it
is no encryption: whoever knows some hundred texts together with their turned vectors can turn it back.
"""

from __future__ import annotations

import hashlib
import hmac
from functools import lru_cache
from typing import Final

import numpy as np

from keepsake.key import PersonKey
from keepsake.store.codec import plain
from keepsake.store.contract import Vectors
from keepsake.words.term import terms

__all__ = ["Seal", "fingerprint"]

#: words whose hashes are kept at hand for each open store
CACHED_WORDS: Final = 65_536

#: a text whose terms tell by which rules terms were made
_PROBE: Final = "The painters' caf\u00e9s were happily re-opened by 7,000 people in S\u00e3o Paulo; \u6771\u4eac\u90fd"


def fingerprint() -> str:
    """The terms of a fixed text: they differ where the rules of `keepsake.words.term` do."""
    return " ".join(terms(_PROBE))


class Seal:
    """The person's key as stores use it."""

    def __init__(self, key: PersonKey) -> None:
        self.key = key
        self._secret = key.derive("search")
        self.word = lru_cache(maxsize=CACHED_WORDS)(self._word)
        self._turn = lru_cache(maxsize=4)(self._turned)

    def close(self, content: bytes, about: str) -> bytes:
        """Seal; ``about`` says which row it is, so that a server cannot give one for another."""
        return self.key.seal(content, "store", about)

    def open(self, sealed: bytes, about: str) -> bytes:
        """Open.

        :raises KeepsakeError: ``KS-KEY-002`` where it was changed.
        """
        return self.key.open(bytes(sealed), "store", about)

    def name(self, what: str, name: str) -> bytes:
        """The hash by which something is found: 16 bytes; ``what`` keeps kinds apart."""
        return hmac.digest(self._secret, f"{what}\0{plain(name)}".encode(), "sha256")[:16]

    def _word(self, term: str) -> int:
        return int.from_bytes(
            hmac.digest(self._secret, b"word\0" + plain(term).encode(), "sha256")[:8], "big", signed=True
        )

    def turn(self, vectors: Vectors) -> Vectors:
        """Vectors, a row each, turned by the person's own rotation; cosines stay."""
        return np.asarray(vectors @ self._turn(vectors.shape[-1]), np.float32)

    def turn_back(self, vectors: Vectors) -> Vectors:
        """The contrary."""
        return np.asarray(vectors @ self._turn(vectors.shape[-1]).T, np.float32)

    def _turned(self, dimension: int) -> Vectors:
        """A rotation drawn evenly from all: the Q of a matrix of normal numbers (Mezzadri, 2007), these from the key."""
        seed = self.key.derive("rotation") + dimension.to_bytes(4, "big")
        drawn = np.frombuffer(hashlib.shake_256(seed).digest(16 * dimension * dimension), ">u8")
        even = (drawn.astype(np.float64) + 0.5) / 2.0**64
        radius, angle = np.sqrt(-2 * np.log(even[0::2])), 2 * np.pi * even[1::2]
        q, r = np.linalg.qr((radius * np.cos(angle)).reshape(dimension, dimension))
        return np.asarray(q * np.sign(np.diag(r)), np.float32)
