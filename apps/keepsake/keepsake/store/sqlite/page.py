"""Pages as they lie on disk, used and free, those of the log too: what a deletion left there can be seen.

A page ends in 16 bytes of nonce and 16 of tag.  Nonce and page number give a key of the page's own (the scheme of sqleet, which SQLite3
Multiple Ciphers calls ``chacha20``), and that one the stream of ChaCha20 (RFC 8439) that the page is mixed with.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

__all__ = ["log_pages", "pages"]

TAIL_BYTES: Final = 32

#: of the first page: the salt and the sizes, which are not mixed
HEAD_BYTES: Final = 24

#: of the log and of each frame in it (https://sqlite.org/fileformat2.html#walformat)
LOG_HEAD_BYTES: Final = 32
FRAME_HEAD_BYTES: Final = 24

_COUNTER_MASK: Final = 0xFFFFFFFF


def _stream(key: bytes, nonce: bytes, counter: int, content: bytes) -> bytes:
    start = struct.pack("<I", counter & _COUNTER_MASK) + nonce
    return Cipher(ChaCha20(key, start), mode=None).encryptor().update(content)


def _open(page: bytes, number: int, key: bytes) -> bytes:
    nonce, (counter,) = page[-TAIL_BYTES:][:12], struct.unpack("<I", page[-TAIL_BYTES:][12:16])
    counter ^= number
    own = _stream(key, nonce, counter, bytes(64))[32:]
    return _stream(own, nonce, counter + 1, page[HEAD_BYTES if number == 1 else 0 : -TAIL_BYTES])


def pages(path: Path, key: bytes, size: int) -> Iterator[bytes]:
    """All pages of a file, in the clear."""
    with path.open("rb") as file:
        number = 0
        while len(page := file.read(size)) == size:
            number += 1
            yield _open(page, number, key)


def log_pages(path: Path, key: bytes, size: int) -> Iterator[bytes]:
    """All pages of a write-ahead log, in the clear; none where there is no log."""
    if not path.exists():
        return
    with path.open("rb") as file:
        file.seek(LOG_HEAD_BYTES)
        while len(frame := file.read(FRAME_HEAD_BYTES + size)) == FRAME_HEAD_BYTES + size:
            yield _open(frame[FRAME_HEAD_BYTES:], struct.unpack(">I", frame[:4])[0], key)
