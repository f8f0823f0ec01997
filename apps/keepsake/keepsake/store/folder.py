"""Large contents in a folder: ``FOLDER/DIGEST/AB/NAME``, a file each, named by what it holds."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from keepsake.errors import KeepsakeError
from keepsake.store.codec import digest

__all__ = ["FolderBlobs", "blob_name", "check_blob"]

#: a draft that is swept away between its making and its locking is written again, at most so often
DRAFT_TRIES: Final = 5

_NAME: Final = re.compile(r"[0-9a-f]{64}")


def blob_name(person: str, content: bytes) -> str:
    """The name of a content for a person: the same content has another one for another person."""
    return hashlib.sha256(person.encode() + b"\0" + content).hexdigest()


def check_blob(person: str, name: str, content: bytes) -> bytes:
    """The content, where it is the one of that name.

    :raises KeepsakeError: ``KS-STORE-003`` else.
    """
    if blob_name(person, content) != name:
        raise KeepsakeError(
            "KS-STORE-003", f"the blob {name} is damaged: what is stored is another content, of {len(content)} bytes"
        )
    return content


class FolderBlobs:
    """Blobs in files.  A file is written beside its place, synced, and moved there; a killed process leaves only drafts, which the
    next writer sweeps away.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._swept: set[str] = set()

    def _path(self, person: str, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise KeepsakeError("KS-STORE-003", f"{name[:80]!r} is no blob's name; names are 64 hexadecimal digits")
        return self.folder / digest(person) / name[:2] / name

    def put(self, person: str, content: bytes) -> str:
        """Keep a content durably.

        :raises KeepsakeError: ``KS-STORE-008`` where the disk refuses.
        """
        name = blob_name(person, content)
        path = self._path(person, name)
        try:
            if path.exists() and _holds(path, content):
                return name
            self._sweep(person)
            self._make_folder(path.parent)
            for _ in range(DRAFT_TRIES):
                with contextlib.suppress(FileNotFoundError):
                    _write(path, content)
                    return name
        except OSError as fault:
            raise KeepsakeError(
                "KS-STORE-008", f"{path} cannot be written: {fault.strerror}; nothing was stored"
            ) from None
        raise KeepsakeError(
            "KS-STORE-008", f"{path} cannot be written: its folder is removed again and again; nothing was stored"
        )

    def _make_folder(self, folder: Path) -> None:
        """Make it durably."""
        if folder.exists():
            return
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for made in (folder.parent, folder):
            made.mkdir(mode=0o700, exist_ok=True)
            _sync(made.parent)

    def _sweep(self, person: str) -> None:
        """Remove, once a process, drafts that nobody writes any more."""
        if person in self._swept:
            return
        self._swept.add(person)
        for draft in (self.folder / digest(person)).glob("*/*.draft"):
            with contextlib.suppress(OSError), draft.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                draft.unlink()

    def get(self, person: str, name: str) -> bytes:
        """A content."""
        try:
            return check_blob(person, name, self._path(person, name).read_bytes())
        except FileNotFoundError:
            raise KeepsakeError(
                "KS-STORE-003", f"there is no blob {name} of {person!r}: never stored, or removed"
            ) from None

    def remove(self, person: str, name: str) -> None:
        """Remove one."""
        path = self._path(person, name)
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
            _sync(path.parent)

    def names(self, person: str) -> Iterator[str]:
        """All of a person, in order."""
        for folder in sorted((self.folder / digest(person)).glob("??")):
            yield from sorted(path.name for path in folder.iterdir() if _NAME.fullmatch(path.name))

    def erase(self, person: str) -> None:
        """Remove all of a person."""
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self.folder / digest(person))
            _sync(self.folder)


def _holds(path: Path, content: bytes) -> bool:
    """Whether the file is whole; a damaged one is written again."""
    return path.stat().st_size == len(content) and path.read_bytes() == content


def _write(path: Path, content: bytes) -> None:
    draft = path.parent / f"{os.urandom(8).hex()}.draft"
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
        draft.rename(path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
