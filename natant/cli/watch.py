"""Which source files of a project have changed: by looking, which works on every file system and needs no library."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

__all__ = ["FILE_LIMIT", "Watch"]

#: files that are looked at; a project that has more is named by the folder it is in
FILE_LIMIT: Final = 10_000
#: folders that hold no source of the project
_SKIPPED: Final = frozenset({"__pycache__", "node_modules", "site-packages", "build", "dist"})

State = dict[str, tuple[int, int]]


class Watch:
    """The ``.py`` files below a folder; :meth:`changed` tells which changed since it was last asked.

    Hidden folders, environments and what is made rather than written are left out.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._state = self._look()

    def changed(self) -> list[str]:
        """The files that were saved, added or removed since the last call, relative to the folder, sorted."""
        before, self._state = self._state, self._look()
        names = before.keys() | self._state.keys()
        return sorted(name for name in names if before.get(name) != self._state.get(name))

    def _look(self) -> State:
        found: State = {}
        folders = [str(self.folder)]
        while folders and len(found) < FILE_LIMIT:
            folder = folders.pop()
            try:
                entries = list(os.scandir(folder))
            except OSError:  # it went while we looked
                continue
            if any(entry.name == "pyvenv.cfg" for entry in entries):
                continue
            for entry in entries:
                try:
                    if entry.is_dir(follow_symlinks=False):
                        if entry.name not in _SKIPPED and not entry.name.startswith("."):
                            folders.append(entry.path)
                    elif entry.name.endswith(".py"):
                        status = entry.stat()
                        found[os.path.relpath(entry.path, self.folder)] = (status.st_mtime_ns, status.st_size)
                except OSError:
                    continue
        return found
