"""Checks an export as a whole, with no service and no key of the person: every file against the manifest, and the log against its signed head."""

from __future__ import annotations

import base64
import hashlib
import json
import zipfile
import zlib
from pathlib import Path
from typing import IO, Final

from keepsake.custody import note
from keepsake.custody.tree import leaf_hash, node_hash
from keepsake.errors import KeepsakeError

__all__ = ["check_archive"]

#: what is read at once
READ_BYTES: Final = 1 << 20
#: of the manifest, and of one record of the log
MANIFEST_BYTES: Final = 1 << 28
LINE_BYTES: Final = 1 << 24


def check_archive(path: Path) -> list[str]:
    """What is proved, in lines.

    :raises ValueError: where a file is not the one that the manifest speaks of, or the log is not the one that was signed.
    """
    try:
        with zipfile.ZipFile(path) as packed:
            with packed.open("manifest.json") as file:
                manifest = json.loads(file.read(MANIFEST_BYTES))
            for name, known in manifest["file"].items():
                with packed.open(name) as file:
                    if _digest(file) != known["sha256"]:
                        raise ValueError(f"{name} is not the file that the manifest speaks of")
            with packed.open("custody/record.jsonl") as file:
                count, head = _root(file)
            public = base64.b64decode(packed.read("custody/key.txt").decode().strip().split("+", 2)[2])[1:]
            signed = note.verify(packed.read("custody/checkpoint.txt").decode(), public)
    except (zipfile.BadZipFile, zlib.error, LookupError, TypeError, AttributeError, EOFError, KeepsakeError) as error:
        raise ValueError(f"it cannot be read as an export: {error}") from None
    if (signed.size, signed.root) != (count, head):
        raise ValueError(f"the log has {count} records and another head than the {signed.size} that were signed")
    return [
        f"{len(manifest['file'])} files are as the manifest says",
        f"{count} records of {signed.origin} are the ones that were signed",
        f"signed by {base64.b64encode(public).decode()} (as the export says; compare it)",
    ]


def _digest(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while piece := file.read(READ_BYTES):
        digest.update(piece)
    return digest.hexdigest()


def _root(file: IO[bytes]) -> tuple[int, bytes]:
    """How many records there are, and the head of their tree (RFC 9162, 2.1.1), in one pass."""
    stack: list[tuple[int, bytes]] = []  # trees of falling height whose sizes are powers of two
    count = 0
    while line := file.readline(LINE_BYTES):
        node, height = leaf_hash(str(json.loads(line)).encode()), 0
        count += 1
        while stack and stack[-1][0] == height:
            node, height = node_hash(stack.pop()[1], node), height + 1
        stack.append((height, node))
    if not stack:
        return 0, hashlib.sha256(b"").digest()
    head = stack.pop()[1]
    while stack:
        head = node_hash(stack.pop()[1], head)
    return count, head
