"""Anchors: places outside the store where a log's head is noted, so that even whoever holds the keys cannot rewrite what was.

A file (default), a peer that cosigns (`keepsake.custody.witness`), a contract on an EVM chain (`keepsake.custody.chain`).
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from keepsake.custody import note
from keepsake.custody.log import Log
from keepsake.custody.record import Action
from keepsake.errors import KeepsakeError
from keepsake.store.contract import Store

__all__ = ["Anchor", "FileAnchor", "anchor_log"]

#: of the last line of an anchor's file
LINE_BYTES: Final = 1 << 17


class Anchor(Protocol):
    """Notes heads of logs.

    :ivar name: of the anchor, for the log and the store.
    """

    name: str

    def put(self, log: Log, checkpoint: str) -> str:
        """Note a signed checkpoint; gives what proves it: text of the anchor's own making.

        :raises KeepsakeError: ``KS-CUSTODY-015`` where the anchor knows another history of this log, ``KS-CUSTODY-016`` where it cannot
            be reached.
        """
        ...


class FileAnchor:
    """A file that only grows, a line of JSON for each head.  Put it where the service cannot rewrite it: another disk, a printer.

    :param now: epoch seconds.
    """

    name = "file"

    def __init__(self, path: Path, now: Callable[[], float]) -> None:
        self._path = path
        self._now = now

    def put(self, log: Log, checkpoint: str) -> str:
        """Append the head, durably, where it goes on from the last one of this log."""
        new = note.verify(checkpoint, log.public, origin=log.origin)
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            old = self.last(log.origin)
            if old is not None:
                check_grown(log, old, new)
            line = json.dumps({"at": self._now(), "checkpoint": checkpoint}).encode() + b"\n"
            if old is None or old.size < new.size:
                os.write(handle, line)
                os.fsync(handle)
        finally:
            os.close(handle)
        return f"{self._path.name}: {new.origin} {new.size}"

    def last(self, origin: str) -> note.Checkpoint | None:
        """The last head of a log in the file."""
        found = None
        with self._path.open(encoding="utf-8") as file:
            while line := file.readline(LINE_BYTES):
                try:
                    checkpoint = note.parse(json.loads(line)["checkpoint"])
                except (ValueError, KeyError, KeepsakeError):
                    continue  # cut off by a process that died: nobody was told that it is there
                found = checkpoint if checkpoint.origin == origin else found
        return found


def check_grown(log: Log, old: note.Checkpoint, new: note.Checkpoint) -> None:
    """Compare a head that was noted before with the log that claims to go on from it.

    :raises KeepsakeError: ``KS-CUSTODY-015`` where it does not.
    """
    if old.size > new.size or (old.size == new.size and old.root != new.root) or log.root(old.size) != old.root:
        raise KeepsakeError(
            "KS-CUSTODY-015",
            f"an anchor knows {log.origin} with {old.size} records and another history: the log was rewritten, or restored "
            "from an older backup",
        )


def anchor_log(store: Store, log: Log, anchor: Anchor) -> str | None:
    """Note a log's head with an anchor, and that in the log; None where nothing happened since the last time.

    The proof is the document ``anchor/NAME``.
    """
    known = store.document("anchor", anchor.name)
    size = store.record_count()
    if known is not None and size <= json.loads(known)["size"] + 1:
        return None  # the one record since is that of the anchoring itself
    checkpoint = log.checkpoint()
    proof = anchor.put(log, checkpoint)
    kept = {"size": note.parse(checkpoint).size, "checkpoint": checkpoint, "proof": proof}
    with store.write() as writer:
        writer.put_document("anchor", anchor.name, json.dumps(kept).encode())
        log.append(writer, Action.ANCHORED, f"anchor/{anchor.name}", proof.encode(), by="service/anchor")
    return proof
