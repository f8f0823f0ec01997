"""Which stream a part goes to, and how an import goes on where it stopped.

A part's stream is named by its source and its first post, so that a chat that is exported again, longer now, goes on in the same
stream, and what is there already is passed over. That is right only where the file's beginning is what it was: an import notes (:class:`Ledger`), before it sends anything,
the digest of the posts it is about to have sent. Where the digests differ, or are not known on this machine, the file becomes a stream of its own;
what it repeats of the other one is folded as any near-duplicate is.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Final

from keepsake.errors import KeepsakeError
from keepsake.source.contract import Post, Recording

__all__ = ["Digest", "Ledger", "stream_of"]

#: hexadecimal digits of a digest in a stream's name
NAME_DIGITS: Final = 20
#: notes of one stream; older ones are thinned out
NOTES: Final = 64


class Digest:
    """The digest of the posts so far, in order."""

    __slots__ = ("_hash", "count")

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.count = 0

    def add(self, post: Post) -> None:
        """One more."""
        content = json.dumps([post.said_at, post.speaker, post.text], ensure_ascii=False, separators=(",", ":"))
        self._hash.update(len(content).to_bytes(8, "big") + content.encode(errors="surrogatepass"))
        self.count += 1

    def value(self) -> str:
        """Hexadecimal."""
        return self._hash.hexdigest()


def stream_of(app: str, name: str, first: Post) -> str:
    """The stream of a part with this first post."""
    digest = Digest()
    digest.add(first)
    content = json.dumps([app, name, digest.value()]).encode()
    return f"{app}-{hashlib.sha256(content).hexdigest()[:NAME_DIGITS]}"


def stream_of_recording(recording: Recording) -> str:
    """The stream of a recording: another content is another stream."""
    return f"{recording.app}-{recording.digest[:NAME_DIGITS]}"


class Ledger:
    """What imports of one person have sent or were about to send from this machine: files ``FOLDER/STREAM.json``.

    It is written before the posts are sent, so the newest note covers all that a server can have.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _path(self, stream: str) -> Path:
        return self.folder / f"{stream}.json"

    def notes(self, stream: str) -> dict[int, str]:
        """The digests of a stream's first posts, by their number; empty where nothing was sent from here."""
        try:
            known = json.loads(self._path(stream).read_text("utf-8"))
            return {int(count): str(value) for count, value in known.items()}
        except (OSError, ValueError, AttributeError):
            return {}

    def note(self, stream: str, digest: Digest) -> None:
        """Note, durably, what is about to be sent.

        :raises KeepsakeError: ``KS-SOURCE-006`` where it cannot be written.
        """
        known = self.notes(stream)
        known[digest.count] = digest.value()
        while len(known) > NOTES:  # every second of the older ones; the newest stays
            del known[sorted(known)[len(known) // 2]]
        path = self._path(stream)
        temporary = path.with_suffix(f".{os.getpid()}")
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with temporary.open("w", encoding="utf-8") as file:
                json.dump({str(count): value for count, value in known.items()}, file)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError as error:
            raise KeepsakeError("KS-SOURCE-006", f"{self.folder} cannot be written: {error.strerror}") from None
