"""Static files of a plane: one folder under one path each, served by Starlette's file server.

It answers HEAD and conditional requests, and never leaves its folder.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from natant.errors import ServerError

__all__ = ["FilePage"]


class FilePage:
    """Answers requests for the files of a plane.

    :param folders: ``(prefix, directory)`` pairs; the longest prefix that fits a path wins.
    """

    def __init__(self, folders: list[tuple[str, Path]]) -> None:
        ordered = sorted(folders, key=lambda folder: -len(folder[0]))
        self._folders = [(prefix.rstrip("/"), StaticFiles(directory=path, html=True)) for prefix, path in ordered]

    @property
    def has_root(self) -> bool:
        """True where files are served under ``/``."""
        return any(not prefix for prefix, _ in self._folders)

    def has(self, path: str) -> bool:
        """True where ``path`` is below a prefix other than ``/``: such files go before nodes."""
        return any(prefix and _is_below(path, prefix) for prefix, _ in self._folders)

    async def answer(self, request: Request) -> Response:
        """The file.

        :raises ServerError: ``NT-SERVER-011`` where there is none, ``NT-SERVER-008`` for anything but reading.
        """
        path: str = request.scope["path"]
        if request.method not in ("GET", "HEAD"):
            raise ServerError("NT-SERVER-008", f"{request.method} is not for files", http_status=405, allow="GET, HEAD")
        for prefix, files in self._folders:
            if not _is_below(path, prefix):
                continue
            scope: dict[str, Any] = {**request.scope, "path": path[len(prefix) :] or "/", "root_path": ""}
            try:
                return await files.get_response(files.get_path(scope), request.scope)
            except HTTPException as error:
                if error.status_code not in (404, 405):
                    raise
        raise ServerError("NT-SERVER-011", f"there is nothing at {path[:200]!r}", http_status=404)


def _is_below(path: str, prefix: str) -> bool:
    return not prefix or path == prefix or path.startswith(prefix + "/")
