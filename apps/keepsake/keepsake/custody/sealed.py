"""A file that is sealed as it is written, and opened piece by piece, at any place, as it is read.

The STREAM construction (Hoang, Reyhanitabar, Rogaway and Vizar 2015, as in age): chunks of 64 KiB under AES-256-GCM, their number and
whether it is the last one in the nonce, so that chunks can neither be moved, left out nor cut off.  The key is derived for this file
alone, from the person's key and a salt in the file's head.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import os
from typing import IO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keepsake.errors import KeepsakeError
from keepsake.key import PersonKey

__all__ = ["SealedReader", "SealedWriter"]

MAGIC: Final = b"keepsake sealed 1\n"
SALT_BYTES: Final = 16
CHUNK_BYTES: Final = 1 << 16
TAG_BYTES: Final = 16
HEAD_BYTES: Final = len(MAGIC) + SALT_BYTES


def _cipher(key: PersonKey, salt: bytes) -> AESGCM:
    return AESGCM(hmac.new(key.derive("backup"), salt, hashlib.sha256).digest())


def _nonce(number: int, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])


class SealedWriter:
    """Seals what is written; `close` has to be called, else the file cannot be opened."""

    def __init__(self, file: IO[bytes], key: PersonKey) -> None:
        salt = os.urandom(SALT_BYTES)
        self._file = file
        self._cipher = _cipher(key, salt)
        self._buffer = bytearray()
        self._number = 0
        file.write(MAGIC + salt)

    def write(self, data: bytes) -> int:
        """Take bytes."""
        self._buffer += data
        while len(self._buffer) > CHUNK_BYTES:
            self._seal(is_last=False)
        return len(data)

    def flush(self) -> None:
        """Nothing: a chunk is given on when it is full."""

    def close(self) -> None:
        """Seal the last chunk."""
        self._seal(is_last=True)

    def _seal(self, *, is_last: bool) -> None:
        chunk = bytes(self._buffer[:CHUNK_BYTES])
        del self._buffer[:CHUNK_BYTES]
        self._file.write(self._cipher.encrypt(_nonce(self._number, is_last), chunk, MAGIC))
        self._number += 1


class SealedReader(io.RawIOBase):
    """Opens a sealed file; what it gives was sealed so.

    :raises KeepsakeError: ``KS-CUSTODY-012`` where it is no sealed file of this key, was changed, or was cut off.
    """

    def __init__(self, file: IO[bytes], key: PersonKey) -> None:
        self._file = file
        self._place = 0
        self._kept = (-1, b"")
        head = file.read(HEAD_BYTES)
        size = file.seek(0, os.SEEK_END) - HEAD_BYTES
        self._last = max(0, size - 1) // (CHUNK_BYTES + TAG_BYTES)
        if len(head) != HEAD_BYTES or not head.startswith(MAGIC):
            raise self._refused("it is none")
        self._cipher = _cipher(key, head[len(MAGIC) :])
        self._size = self._last * CHUNK_BYTES + len(self._chunk(self._last))

    @staticmethod
    def _refused(why: str) -> KeepsakeError:
        return KeepsakeError("KS-CUSTODY-012", f"this sealed file cannot be opened: {why}")

    def _chunk(self, number: int) -> bytes:
        if self._kept[0] != number:
            self._file.seek(HEAD_BYTES + number * (CHUNK_BYTES + TAG_BYTES))
            sealed = self._file.read(CHUNK_BYTES + TAG_BYTES)
            try:
                chunk = self._cipher.decrypt(_nonce(number, number == self._last), sealed, MAGIC)
            except (InvalidTag, ValueError):
                raise self._refused("another person's key, or it was changed or cut off") from None
            self._kept = (number, chunk)
        return self._kept[1]

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """The place in what was written."""
        return self._place

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place in what was written."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._size}[whence]
        self._place = max(0, start + offset)
        return self._place

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Open the chunk at the present place."""
        number, start = divmod(self._place, CHUNK_BYTES)
        if self._place >= self._size:
            return 0
        part = self._chunk(number)[start : start + len(buffer)]
        buffer[: len(part)] = part
        self._place += len(part)
        return len(part)
