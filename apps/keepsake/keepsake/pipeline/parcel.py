"""Files on their way in: a part at a time, each durable before it is acknowledged, all of them sealed with the person's key.

``DATA/uploads/DIGEST/ID.info`` says what it is; ``ID.data`` has frames, each the length of what follows in 4 bytes and up to 256 KiB, sealed.
A frame that a crash has cut short is cut off.  Everything here blocks.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec

from keepsake.errors import KeepsakeError
from keepsake.key import PersonKey
from keepsake.pipeline.house import House

__all__ = ["UPLOAD_BYTES", "About", "Parcel", "Parcels"]

#: of one file: it is in memory as a whole while it is read
UPLOAD_BYTES: Final = 512 * 1024 * 1024
#: files of one person that have not come to their end
UPLOADS: Final = 100
#: one that does not grow for so long is given up
GIVEN_UP_S: Final = 7 * 86_400.0
#: bytes of a frame before it is sealed
FRAME_BYTES: Final = 256 * 1024
HEAD_BYTES: Final = 4
#: what sealing adds: nonce and tag of AES-GCM
SEAL_BYTES: Final = 28

_ID: Final = re.compile(r"[0-9a-f]{32}")


class About(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a file is, and what has become of it.

    :ivar me: how the person is called in it.
    :ivar app: the importer that reads it; empty: the one that knows it.
    :ivar state: ``open``, ``waiting`` (all of it is here), ``done`` or ``failed``.
    :ivar note: what was stored, or what was wrong.
    """

    length: int
    name: str
    zone: str = "UTC"
    me: tuple[str, ...] = ()
    app: str = ""
    state: str = "open"
    note: str = ""


class Parcel:
    """One file."""

    def __init__(self, folder: Path, identity: str, key: PersonKey) -> None:
        self.id = identity
        self.key = key
        self._info = folder / f"{identity}.info"
        self._data = folder / f"{identity}.data"

    def about(self) -> About:
        """What it is.

        :raises KeepsakeError: ``KS-DOOR-010`` where there is no such file.
        """
        try:
            sealed = self._info.read_bytes()
        except FileNotFoundError:
            raise KeepsakeError("KS-DOOR-010", f"there is no upload {self.id}; begin a new one") from None
        return msgspec.json.decode(self.key.open(sealed, "upload", self.id), type=About)

    def note(self, about: About) -> None:
        """Write what it is, durably."""
        draft = self._info.with_suffix(".draft")
        with draft.open("wb") as file:
            file.write(self.key.seal(msgspec.json.encode(about), "upload", self.id))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._info)
        _sync(self._info.parent)

    def offset(self) -> int:
        """Bytes that are here, durably."""
        return sum(size - SEAL_BYTES for _, size in self._frames())

    def _frames(self) -> Iterator[tuple[int, int]]:
        """Where each whole frame begins behind its length, and its bytes."""
        try:
            file = self._data.open("rb")
        except FileNotFoundError:
            return
        with file:
            end = os.fstat(file.fileno()).st_size
            at = 0
            while len(head := file.read(HEAD_BYTES)) == HEAD_BYTES:
                size = int.from_bytes(head, "big")
                at += HEAD_BYTES
                if at + size > end:
                    return
                yield at, size
                at += size
                file.seek(at)

    def append(self, parts: Iterable[bytes]) -> int:
        """Add parts in their order; gives the bytes that are here by then."""
        frames = list(self._frames())
        end = frames[-1][0] + frames[-1][1] if frames else 0
        offset = sum(size - SEAL_BYTES for _, size in frames)
        number = len(frames)
        with self._data.open("r+b" if self._data.exists() else "w+b") as file:
            file.truncate(end)
            file.seek(end)
            for part in parts:
                for start in range(0, len(part), FRAME_BYTES):
                    frame = part[start : start + FRAME_BYTES]
                    sealed = self.key.seal(frame, "upload", f"{self.id}:{number}")
                    file.write(len(sealed).to_bytes(HEAD_BYTES, "big") + sealed)
                    number += 1
                    offset += len(frame)
            file.flush()
            os.fsync(file.fileno())
        return offset

    def content(self) -> Iterator[bytes]:
        """The file in parts.

        :raises KeepsakeError: ``KS-KEY-002`` where it was changed.
        """
        with self._data.open("rb") as file:
            for number, (at, size) in enumerate(self._frames()):
                file.seek(at)
                yield self.key.open(file.read(size), "upload", f"{self.id}:{number}")

    def drop_data(self) -> None:
        """Keep what it was, not what was in it."""
        self._data.unlink(missing_ok=True)

    def remove(self) -> None:
        """Forget it."""
        self._data.unlink(missing_ok=True)
        self._info.unlink(missing_ok=True)


class Parcels:
    """The files of all people on their way in; an erasure asks it to let go of one's (`keepsake.custody.erasure.Holder`)."""

    name = "upload"

    def __init__(self, house: House) -> None:
        self._ring = house.ring
        self._folder = house.data / "uploads"
        self._held: set[str] = set()
        self._lock = threading.Lock()

    def _of(self, person: str) -> Path:
        return self._folder / hashlib.sha256(person.encode()).hexdigest()[:32]

    def make(self, person: str, about: About) -> Parcel:
        """Begin with a file.

        :raises KeepsakeError: ``KS-DOOR-012`` where it is too long, ``KS-DOOR-013`` where too many are under way.
        """
        if about.length > UPLOAD_BYTES:
            raise KeepsakeError(
                "KS-DOOR-012",
                f"the file has {about.length} bytes; at most {UPLOAD_BYTES} are taken. Split it, or use keepsake import",
            )
        key = self._ring.key(person)
        folder = self._of(person)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        open_now = [parcel for parcel in self.all(person) if parcel.about().state in ("open", "waiting")]
        if len(open_now) >= UPLOADS:
            raise KeepsakeError(
                "KS-DOOR-013", f"{len(open_now)} files are under way already; let some come to their end"
            )
        parcel = Parcel(folder, secrets.token_hex(16), key)
        parcel.append(())
        parcel.note(about)
        return parcel

    def find(self, person: str, identity: str) -> Parcel:
        """A file by its id.

        :raises KeepsakeError: ``KS-DOOR-010`` where there is none.
        """
        parcel = Parcel(self._of(person), identity if _ID.fullmatch(identity) else "-", self._ring.key(person))
        parcel.about()
        return parcel

    def all(self, person: str) -> list[Parcel]:
        """All of a person; those that were given up are removed."""
        key = self._ring.key(person)
        found = []
        for path in sorted(self._of(person).glob("*.info")):
            parcel = Parcel(path.parent, path.stem, key)
            newest = path
            with suppress(FileNotFoundError):
                if path.with_suffix(".data").stat().st_mtime > path.stat().st_mtime:
                    newest = path.with_suffix(".data")
                if newest.stat().st_mtime < time.time() - GIVEN_UP_S:
                    parcel.remove()
                    continue
            found.append(parcel)
        return found

    def waiting(self) -> list[tuple[str, Parcel]]:
        """All files that are here as a whole and were not read yet, with whose they are; what nobody can open any more is removed."""
        found = []
        people = self._ring.people()
        known = {self._of(person) for person in people}
        for folder in self._folder.glob("*"):
            if folder not in known:
                shutil.rmtree(folder, ignore_errors=True)
        for person in people:
            with suppress(KeepsakeError):
                found += [(person, parcel) for parcel in self.all(person) if parcel.about().state == "waiting"]
        return found

    def erase(self, person: str) -> int:
        """Remove all files of a person, whose key may be gone by now; gives how many there were."""
        folder = self._of(person)
        count = len(list(folder.glob("*.info")))
        shutil.rmtree(folder, ignore_errors=True)
        return count

    def left(self, person: str) -> list[str]:
        """Where there is still something of the person."""
        return [path.name for path in self._of(person).glob("*")]

    @contextmanager
    def held(self, parcel: Parcel) -> Iterator[None]:
        """A file for oneself.

        :raises KeepsakeError: ``KS-DOOR-014`` where another request has it.
        """
        with self._lock:
            if parcel.id in self._held:
                raise KeepsakeError("KS-DOOR-014", f"another request is at upload {parcel.id}; wait for it")
            self._held.add(parcel.id)
        try:
            yield
        finally:
            self._held.discard(parcel.id)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
