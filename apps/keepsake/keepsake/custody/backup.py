"""Backup and restore: a sealed archive a person, which opens only while the person's key is there.

``FOLDER/DIGEST.keepsake`` holds what cannot be made again: messages, recordings, the log, grants, feedback.  Memories, vectors and the
model are made anew after a restore.  What was deleted after the backup does not come back: a deleted person has no key that opens it,
and deleted messages are passed over as the ledger says (`keepsake.custody.ledger`), which lies with the keys.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from keepsake.custody.archive import KINDS, Archive
from keepsake.custody.intake import Intake
from keepsake.custody.ledger import Ledger
from keepsake.custody.log import Log, key_digest
from keepsake.custody.record import Action
from keepsake.custody.sealed import SealedReader, SealedWriter
from keepsake.errors import KeepsakeError
from keepsake.key import PersonKey, Ring
from keepsake.record import Message
from keepsake.store.codec import digest
from keepsake.store.contract import Blobs, Store, Stores

__all__ = ["Backup", "Restored", "merge"]

ENDING: Final = ".keepsake"

#: what is made anew after a restore, since messages may get other sequences
DERIVED: Final = {"model", "heard"}

#: the document that says that a restore has begun: one that was killed goes on
UNDER_WAY: Final = ("restore", "begun")

#: messages that are stored together
BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Restored:
    """What was read from an archive.

    :ivar messages: new ones.
    :ivar passed: messages that were there already, or were deleted since.
    :ivar streams: the number after the last one of each stream: where it has to go on.
    """

    messages: int
    passed: int
    streams: dict[str, int]


class Backup:
    """Backs persons up into a folder, and restores them.

    :param now: epoch seconds.
    """

    def __init__(self, ring: Ring, stores: Stores, blobs: Blobs, folder: Path, now: Callable[[], float]) -> None:
        self._ring = ring
        self._stores = stores
        self._blobs = blobs
        self._folder = folder
        self._now = now

    def _path(self, person: str) -> Path:
        return self._folder / f"{digest(person)}{ENDING}"

    def write(self, person: str, *, progress: Callable[[int, int], None] | None = None) -> Path:
        """Back a person up, in place of their last backup once this one is whole and durable."""
        key = self._ring.key(person)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._path(person)
        draft = path.with_suffix(f".{os.getpid()}.draft")
        store = self._stores.open(person)
        try:
            log = Log(store, key, self._now)
            with store.write() as writer:
                log.append(writer, Action.EXPORTED, "all", by="service/backup")
            with draft.open("wb") as file:
                sealed = SealedWriter(file, key)
                Archive(store, self._blobs, key, log, progress=progress).write(sealed, self._now(), has_derived=False)
                sealed.close()
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            store.close()
            draft.unlink(missing_ok=True)
        return path

    def people(self) -> list[str]:
        """Persons who are in the folder and have a key."""
        return [person for person in self._ring.people() if self._path(person).exists()]

    def strangers(self) -> int:
        """Backups that no key opens: of persons who were deleted, or of another installation."""
        return len(list(self._folder.glob(f"*{ENDING}"))) - len(self.people())

    def restore(self, person: str, *, progress: Callable[[int, int], None] | None = None) -> Restored:
        """Read a person's backup into a store that is empty; the log goes on where it was.

        :raises KeepsakeError: ``KS-KEY-001`` where the person was deleted, ``KS-CUSTODY-012`` and ``KS-CUSTODY-013`` where the backup
            is damaged, ``KS-CUSTODY-014`` where there are data already, ``KS-CUSTODY-005`` where its log was changed.
        """
        key = self._ring.key(person)
        entries = [entry for entry in Ledger(self._ring).entries(person) if entry.key == key_digest(key)]
        gone = frozenset(message for entry in entries for message in entry.messages)
        if any(not entry.messages for entry in entries):
            raise KeepsakeError(
                "KS-CUSTODY-014",
                f"{person} was deleted, and this key is the one that was destroyed; it may not come back",
            )
        store = self._stores.open(person)
        try:
            log = Log(store, key, self._now)
            if store.document(*UNDER_WAY) is None and (store.head() or store.record_count()):
                raise KeepsakeError("KS-CUSTODY-014", f"{person} has data here already; a restore needs an empty store")
            with self._path(person).open("rb") as file:
                intake = Intake(io.BufferedReader(SealedReader(file, key)))
                _refill(store, intake)
                found = merge(store, self._blobs, key, intake, gone, progress=progress)
            log.audit()
            with store.write() as writer:
                writer.remove_document(*UNDER_WAY)
                log.append(writer, Action.RESTORED, "all", by="service/backup")
            log.checkpoint()
        finally:
            store.close()
        return found


def _refill(store: Store, intake: Intake) -> None:
    """The log, its salts, grants and all that is no message, in one transaction."""
    if store.document(*UNDER_WAY) is not None:
        return
    with store.write() as writer:
        for record in intake.records():
            writer.append_record(record)
        for kind, name, data in intake.documents():
            if kind in KINDS and kind not in DERIVED:
                writer.put_document(kind, name, data)
        writer.put_document(*UNDER_WAY, b"")


def merge(
    store: Store,
    blobs: Blobs,
    key: PersonKey,
    intake: Intake,
    gone: frozenset[str] = frozenset(),
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Restored:
    """Store an archive's messages and recordings; what is there, or was deleted, is passed over.

    What is derived from them is not made here (`keepsake.pipeline.rebuild`).

    :param gone: messages that were deleted.
    """
    streams: dict[str, int] = {}
    new = passed = 0
    batch: list[Message] = []

    def flush() -> None:
        nonlocal new, passed
        ready = [_with_sound(message, blobs, key, intake) for message in batch if store.message(message.id) is None]
        passed += len(batch) - len(ready)
        with store.write() as writer:
            for message in ready:
                is_new = writer.add_message(message)[1]
                new, passed = new + is_new, passed + (not is_new)
        batch.clear()
        if progress is not None:
            progress(new + passed, intake.count.get("message", 0))

    for message in intake.messages():
        stream, _, number = message.id.rpartition(":")
        if number.isdecimal():
            streams[stream] = max(streams.get(stream, 0), int(number) + 1)
        if message.id in gone:
            passed += 1
            continue
        batch.append(message)
        if len(batch) >= BATCH:
            flush()
    flush()
    with store.write() as writer:
        for name in gone:
            writer.remove_message(name)
            writer.remove_document("salt", name)
    return Restored(new, passed, streams)


def _with_sound(message: Message, blobs: Blobs, key: PersonKey, intake: Intake) -> Message:
    if not message.sound:
        return message
    sealed = key.seal(intake.sound(message.sound), "blob", "sound")
    return replace(message, sound=blobs.put(key.person, sealed))
