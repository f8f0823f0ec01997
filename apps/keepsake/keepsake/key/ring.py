"""The folder of keys: a master key, and one wrapped key a person.

``KEYS/master.key`` has 32 bytes, readable by its owner alone; ``KEYS/people/DIGEST.key`` holds a person's id and key, sealed by it.
Keep a copy of the folder in a safe place, apart from copies of the data: whoever has both can read all, who has lost it can
read nothing.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import os
import re
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keepsake.errors import KeepsakeError
from keepsake.key.person import NONCE_BYTES, PersonKey

__all__ = ["Ring", "person_id"]

SECRET_BYTES: Final = 32
#: paths of key files that are remembered
PATHS: Final = 100_000
#: how the text of a lent key begins
LENT: Final = b"keepsake key 1\n"

#: what a person may be called: it becomes part of URIs, subjects and files
_PERSON: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


def person_id(text: str) -> str:
    """The id itself where it may be one.

    :raises KeepsakeError: ``KS-KEY-003`` else.
    """
    if not _PERSON.fullmatch(text):
        raise KeepsakeError(
            "KS-KEY-003",
            f"{text[:80]!r} cannot be a person's id; it takes 1 to 63 of a-z, 0-9, - and _, the first a letter or digit",
        )
    return text


def _write_once(path: Path, content: bytes) -> None:
    """Write a file that no one else can read, durably and whole; one that is there already stays as it is."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.{os.urandom(4).hex()}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    with contextlib.suppress(FileExistsError):
        os.link(temporary, path)
    temporary.unlink()
    _sync(path.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Ring:
    """All keys of an installation."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not (folder / "master.key").exists():
            _write_once(folder / "master.key", os.urandom(SECRET_BYTES))
        self._master = (folder / "master.key").read_bytes()
        #: each with the file that it was read from: another process may destroy a key and make one of the same name
        self._paths: dict[str, Path] = {}
        self._keys: dict[str, tuple[tuple[int, int], PersonKey]] = {}
        if len(self._master) != SECRET_BYTES:
            raise KeepsakeError(
                "KS-KEY-004", f"{folder / 'master.key'} has {len(self._master)} bytes; a master key has {SECRET_BYTES}"
            )

    def _path(self, person: str) -> Path:
        path = self._paths.get(person)
        if path is None:
            if len(self._paths) >= PATHS:
                self._paths.clear()
            digest = hashlib.sha256(person.encode()).hexdigest()[:32]
            path = self._paths[person] = self.folder / "people" / f"{digest}.key"
        return path

    def make(self, person: str) -> PersonKey:
        """The person's key, made where there is none."""
        person_id(person)
        path = self._path(person)
        if not path.exists():
            nonce = os.urandom(NONCE_BYTES)
            content = person.encode() + b"\n" + os.urandom(SECRET_BYTES)
            _write_once(path, nonce + AESGCM(self._master).encrypt(nonce, content, path.name.encode()))
        return self.key(person)

    def key(self, person: str) -> PersonKey:
        """The person's key.

        :raises KeepsakeError: ``KS-KEY-001`` where there is none (never made, or destroyed).
        """
        path = self._path(person)
        try:
            status = os.stat(path)  # noqa: PTH116  asked for every captured piece, and twice as fast
            stamp = (status.st_ino, status.st_mtime_ns)
            known = self._keys.get(person)
            if known is not None and known[0] == stamp:
                return known[1]
            self._keys.pop(person, None)
            sealed = path.read_bytes()
        except FileNotFoundError:
            self._keys.pop(person, None)
            raise KeepsakeError("KS-KEY-001", f"there is no key of {person!r}: no such person, or deleted") from None
        try:
            content = AESGCM(self._master).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], path.name.encode())
        except (InvalidTag, ValueError):
            raise KeepsakeError(
                "KS-KEY-002", f"the key of {person!r} cannot be opened: another master key, or it was changed"
            ) from None
        key = PersonKey(person, content[-SECRET_BYTES:])
        self._keys[person] = (stamp, key)
        return key

    def has(self, person: str) -> bool:
        """Whether there is a key of this person."""
        return self._path(person).exists()

    def lend(self, person: str) -> str:
        """The person's key as text, for an edge of theirs: whoever has it can read all that was ever sealed with it.

        :raises KeepsakeError: ``KS-KEY-001`` where there is none.
        """
        self.key(person)
        return base64.b64encode(LENT + self._opened(self._path(person))).decode()

    def adopt(self, text: str) -> str:
        """Take in a key that was lent; gives the person's id.

        :raises KeepsakeError: ``KS-KEY-007`` for what is no such text, or where there is another key of this person.
        """
        try:
            content = base64.b64decode(text.strip(), validate=True)
        except (binascii.Error, ValueError):
            content = b""
        if not content.startswith(LENT) or len(content) <= len(LENT) + SECRET_BYTES:
            raise KeepsakeError("KS-KEY-007", "this is no key that was lent; keepsake edge add prints one")
        content = content.removeprefix(LENT)
        person = person_id(content[: -SECRET_BYTES - 1].decode())
        path = self._path(person)
        if not path.exists():
            nonce = os.urandom(NONCE_BYTES)
            _write_once(path, nonce + AESGCM(self._master).encrypt(nonce, content, path.name.encode()))
        elif self._opened(path) != content:
            raise KeepsakeError("KS-KEY-007", f"there is another key of {person!r} here already")
        return person

    def _opened(self, path: Path) -> bytes:
        sealed = path.read_bytes()
        return AESGCM(self._master).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], path.name.encode())

    def destroy(self, person: str) -> None:
        """End all that was sealed with the person's key, wherever copies of it are."""
        path = self._path(person)
        with contextlib.suppress(FileNotFoundError):
            with path.open("r+b") as file:
                file.write(os.urandom(path.stat().st_size))
                file.flush()
                os.fsync(file.fileno())
            path.unlink()
            _sync(path.parent)
        self._keys.pop(person, None)

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one purpose of the service itself: ``token``, ``vault``, ``witness``..."""
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"keepsake/service/{purpose}".encode()).derive(
            self._master
        )

    def people(self) -> list[str]:
        """Everybody who has a key."""
        found = []
        for path in sorted((self.folder / "people").glob("*.key")):
            sealed = path.read_bytes()
            content = AESGCM(self._master).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], path.name.encode())
            found.append(content[: -SECRET_BYTES - 1].decode())
        return found
