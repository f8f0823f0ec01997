"""Files that hold secrets: written whole or not at all, readable by their owner only."""

from __future__ import annotations

import os
from pathlib import Path

from natant.errors import TenantError

__all__ = ["check_private", "make_private_folder", "write_private"]


def write_private(path: Path, text: str) -> None:
    """Replace a file by one with mode 0600; durable when this returns.

    :raises TenantError: ``NT-TENANT-007``.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise TenantError("NT-TENANT-007", f"{path} cannot be written: {error}") from None


def make_private_folder(path: Path) -> None:
    """A folder with mode 0700, where there is none yet.

    :raises TenantError: ``NT-TENANT-007``.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise TenantError("NT-TENANT-007", f"{path} cannot be made: {error}") from None


def check_private(path: Path) -> None:
    """Refuse a folder or file that others than its owner may read.

    :raises TenantError: ``NT-TENANT-007``.
    """
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise TenantError("NT-TENANT-007", f"{path} cannot be read: {error}") from None
    if mode & 0o077:
        raise TenantError(
            "NT-TENANT-007",
            f"others may read {path} (mode {mode & 0o777:04o}), which holds keys; it takes 0700 for folders and 0600 for "
            f"files: chmod -R go= {path}",
        )
