"""A folder, or the same packed as a zip, read without unpacking it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from keepsake.errors import KeepsakeError

__all__ = ["Archive"]

#: files of an archive
MEMBERS: Final = 200_000
#: bytes of one unpacked file; a packed one that claims or gives more is not read
MEMBER_BYTES: Final = 4 << 30
#: one byte of a zip gives at most so many: more is no export but a bomb
RATIO: Final = 1000


class Archive:
    """Named files with their sizes; names use /, relative to the top.

    :param only: the one file of the folder that is meant.
    :raises KeepsakeError: ``KS-SOURCE-002`` where a zip is damaged or has too many files.
    """

    def __init__(self, path: Path, only: str = "") -> None:
        self.path = path
        self._only = only
        self.is_zip = path.is_file()
        self._sizes = dict(self._zipped() if self.is_zip else self._plain())
        if len(self._sizes) > MEMBERS:
            raise KeepsakeError("KS-SOURCE-002", f"{path.name} has more than {MEMBERS} files; split it")

    def _plain(self) -> Iterator[tuple[str, int]]:
        for path in sorted(self.path.rglob("*")) if not self._only else [self.path / self._only]:
            if path.is_file() and not path.is_symlink():
                yield path.relative_to(self.path).as_posix(), path.stat().st_size

    def _zipped(self) -> Iterator[tuple[str, int]]:
        try:
            with zipfile.ZipFile(self.path) as packed:
                for info in packed.infolist():
                    is_bomb = info.file_size > max(info.compress_size, 1000) * RATIO or info.file_size > MEMBER_BYTES
                    if not info.is_dir() and not is_bomb and not info.flag_bits & 1:
                        yield info.filename, info.file_size
        except (zipfile.BadZipFile, OSError) as error:
            raise KeepsakeError("KS-SOURCE-002", f"{self.path.name} is no zip that can be read: {error}") from None

    def names(self) -> list[str]:
        """All files, in order."""
        return sorted(self._sizes)

    def size(self, name: str) -> int:
        """Bytes of a file."""
        return self._sizes[name]

    @contextmanager
    def text(self, name: str) -> Iterator[IO[str]]:
        """A file as text; what is not UTF-8 is replaced.  Damage shows as ``ValueError`` or ``zipfile.BadZipFile`` while reading."""
        if self.is_zip:
            with zipfile.ZipFile(self.path) as packed, packed.open(name) as raw:
                yield io.TextIOWrapper(raw, "utf-8", errors="replace")
        else:
            with (self.path / name).open(encoding="utf-8", errors="replace") as file:
                yield file
