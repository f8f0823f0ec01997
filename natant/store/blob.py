"""Contents of large values without NATS: in memory, or one file each in a folder.

Both are a :class:`natant.kernel.blob.BlobPort`.  A file is written beside, synced, and renamed; so it is there whole or not at all.
"""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import suppress
from pathlib import Path

from natant.store.folder import explain

__all__ = ["FolderBlobs", "MemoryBlobs"]


class MemoryBlobs:
    """Contents that go with the process."""

    def __init__(self) -> None:
        self.contents: dict[str, tuple[bytes, float]] = {}

    async def put(self, digest: str, content: bytes) -> str:
        self.contents[digest] = (content, time.time())
        return digest

    async def get(self, digest: str) -> bytes | None:
        found = self.contents.get(digest)
        return None if found is None else found[0]

    async def drop(self, digest: str) -> None:
        self.contents.pop(digest, None)

    async def list(self) -> dict[str, float]:
        return {digest: at_s for digest, (_, at_s) in self.contents.items()}


class FolderBlobs:
    """Contents in the files of a folder, which is made when first needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, digest: str, content: bytes) -> str:
        await asyncio.to_thread(self._put, digest, content)
        return digest

    async def get(self, digest: str) -> bytes | None:
        try:
            return await asyncio.to_thread((self._folder / digest).read_bytes)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise explain(error, self._folder) from error

    async def drop(self, digest: str) -> None:
        with suppress(FileNotFoundError):
            (self._folder / digest).unlink()

    async def list(self) -> dict[str, float]:
        if not self._folder.is_dir():
            return {}
        return {path.name: path.stat().st_mtime for path in self._folder.iterdir()}

    def _put(self, digest: str, content: bytes) -> None:
        path = self._folder / digest
        try:
            self._folder.mkdir(exist_ok=True)
            if path.exists():
                os.utime(path)
                return
            draft = self._folder / f"{digest}.new"
            with draft.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
            handle = os.open(self._folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise explain(error, self._folder) from error
