"""Finds the files of a model and checks that they are what they say.

They are looked for in the folder that ``KEEPSAKE_MODELS`` names (``KEEPSAKE_MODELS/NAME/FILE``), then in installed packages.  Files
that lie in parts or in several packages are joined once, in the user's cache folder.  Each file is hashed before it is first used in
a process, wherever it lies.  Nothing is ever downloaded.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Final

from keepsake.asset.known import KNOWN, Asset, File
from keepsake.errors import KeepsakeError

__all__ = ["find", "is_there"]

#: bytes that are hashed or copied at a time
_BLOCK: Final = 1 << 20

_lock = Lock()
#: Files that were hashed: path, size and time of change -> SHA-256.  As many as there are files of models.
_hashed: dict[tuple[str, int, int], str] = {}


def find(name: str) -> Path:
    """The folder with a model's files, each of them verified.

    :raises KeepsakeError: ``KS-ASSET-001`` where files are missing, with what to install; ``KS-ASSET-002`` where a file is not what
        it should be; ``KS-ASSET-003`` for a name that is not known.
    """
    asset = _known(name)
    with _lock:
        own = _own_folder(asset)
        folder = own or _package_folder(asset) or _joined(asset)
        for file in asset.files:
            _verify(asset, file, folder / file.name)
        return folder


def is_there(name: str) -> bool:
    """Whether a model's files are there, unread: what ``keepsake doctor`` and a choice of defaults ask.

    :raises KeepsakeError: ``KS-ASSET-003`` for a name that is not known.
    """
    asset = _known(name)
    return bool(_own_folder(asset)) or all(_locate(part) for file in asset.files for part in file.parts)


def _known(name: str) -> Asset:
    try:
        return KNOWN[name]
    except KeyError:
        raise KeepsakeError("KS-ASSET-003", f"there is no model {name!r}; known are {', '.join(KNOWN)}") from None


def _own_folder(asset: Asset) -> Path | None:
    """The folder within ``KEEPSAKE_MODELS``, where it has all files."""
    models = os.environ.get("KEEPSAKE_MODELS", "")
    folder = Path(models, asset.name)
    return folder if models and all((folder / file.name).is_file() for file in asset.files) else None


def _locate(part: str) -> Path | None:
    """Where a package has a file, without importing the package."""
    module, _, path = part.partition(":")
    spec = find_spec(module)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (found := Path(folder, path)).is_file():
            return found
    return None


def _parts(asset: Asset, file: File) -> list[Path]:
    found = [_locate(part) for part in file.parts]
    if None in found:
        raise KeepsakeError(
            "KS-ASSET-001",
            f"the model {asset.name} ({asset.what}) lacks {file.name}: neither KEEPSAKE_MODELS/{asset.name} nor an installed"
            f" package has it; pip install {' '.join(asset.install)}",
        )
    return [path for path in found if path]


def _package_folder(asset: Asset) -> Path | None:
    """The package's own folder, where it has all files whole."""
    folders = set()
    for file in asset.files:
        parts = _parts(asset, file)
        if len(parts) > 1 or parts[0].name != file.name:
            return None
        folders.add(parts[0].parent)
    return folders.pop() if len(folders) == 1 else None


def _joined(asset: Asset) -> Path:
    """The folder in the cache; made where it is not there, as a whole or not at all."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "keepsake", "model")
    folder = cache / f"{asset.name}-{asset.digest}"
    if all((folder / file.name).is_file() for file in asset.files):
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=cache, prefix=".joining-"))
    try:
        for file in asset.files:
            with (made / file.name).open("wb") as target:
                for part in _parts(asset, file):
                    with part.open("rb") as source:
                        shutil.copyfileobj(source, target, _BLOCK)
            _verify(asset, file, made / file.name)
        shutil.rmtree(folder, ignore_errors=True)  # an incomplete one
        try:
            made.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another process was first
                raise
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return folder


def _verify(asset: Asset, file: File, path: Path) -> None:
    status = path.stat()
    key = (str(path), status.st_size, status.st_mtime_ns)
    if status.st_size == file.size and key not in _hashed:
        with path.open("rb") as content:
            _hashed[key] = hashlib.file_digest(content, "sha256").hexdigest()
    if _hashed.get(key) != file.sha256:
        raise KeepsakeError(
            "KS-ASSET-002",
            f"{path} is not the {file.name} of {asset.name}: it should have {file.size} bytes and SHA-256 {file.sha256};"
            f" remove it and pip install --force-reinstall {' '.join(asset.install)}",
        )
