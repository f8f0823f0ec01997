"""All importers, and which one reads a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from keepsake.errors import KeepsakeError
from keepsake.source.chatgpt import ChatGPT
from keepsake.source.contract import Choice, Importer, Part, Recording, Remark
from keepsake.source.markdown import Markdown, Text
from keepsake.source.mbox import Mbox
from keepsake.source.slack import Slack
from keepsake.source.sound import Sound
from keepsake.source.text import head, zone_of
from keepsake.source.whatsapp import WhatsApp

__all__ = ["IMPORTERS", "open_source"]

#: the first that fits reads the file
IMPORTERS: Final[tuple[Importer, ...]] = (Sound(), Slack(), ChatGPT(), Mbox(), WhatsApp(), Markdown(), Text())

#: files of one folder
FOLDER_FILES: Final = 200_000


def open_source(path: Path, choice: Choice) -> Iterator[Part | Recording | Remark]:
    """The parts of a file or folder.  A folder's files that nobody knows are remarked on.

    :raises KeepsakeError: ``KS-SOURCE-001`` where no importer knows the file, or there is none of the chosen name;
        ``KS-SOURCE-004`` for a time zone that does not exist; ``KS-SOURCE-005`` where it cannot be opened.
    """
    zone_of(choice.zone)
    chosen = [importer for importer in IMPORTERS if choice.app in ("", importer.app)]
    if not chosen:
        raise KeepsakeError(
            "KS-SOURCE-001",
            f"there is no importer {choice.app!r}; there are {', '.join(importer.app for importer in IMPORTERS)}",
        )
    try:
        found = _importer(path, chosen, is_sure=bool(choice.app))
        if found is not None:
            yield from found.open(path, choice)
        elif path.is_dir():
            yield from _folder(path, choice, chosen)
        else:
            raise KeepsakeError(
                "KS-SOURCE-001",
                f"{path.name} is of no kind that is known ({', '.join(importer.app for importer in IMPORTERS)}); "
                "--as APP says what it is",
            )
    except OSError as error:
        raise KeepsakeError("KS-SOURCE-005", f"{path} cannot be read: {error.strerror or error}") from None


def _importer(path: Path, chosen: list[Importer], *, is_sure: bool) -> Importer | None:
    start = "" if path.is_dir() else head(path)
    found = next((importer for importer in chosen if importer.fits(path, start)), None)
    return chosen[0] if found is None and is_sure and path.is_file() else found


def _folder(path: Path, choice: Choice, chosen: list[Importer]) -> Iterator[Part | Recording | Remark]:
    files = [file for file in sorted(path.rglob("*")) if file.is_file() and not file.is_symlink()]
    if len(files) > FOLDER_FILES:
        raise KeepsakeError("KS-SOURCE-005", f"{path} has {len(files)} files; at most {FOLDER_FILES} at a time")
    for file in files:
        name = file.relative_to(path).as_posix()
        if any(piece.startswith(".") for piece in Path(name).parts):
            continue
        try:
            found = _importer(file, chosen, is_sure=False)
            if found is None:
                yield Remark(0, "no importer knows it", name)
            else:
                yield from found.open(file, choice)
        except (OSError, KeepsakeError) as error:
            yield Remark(0, f"cannot be read: {error}", name)
