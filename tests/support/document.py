"""The documents of the repository as tests see them: their fenced blocks, and the source that a block must equal."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["DOCUMENTS", "FENCE", "ROOT", "Block", "blocks_of", "source"]

ROOT: Final = Path(__file__).resolve().parents[2]
DOCUMENTS: Final = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])
FENCE: Final = re.compile(
    r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<body>.*?)^(?P=indent)```[ ]*$", re.MULTILINE | re.DOTALL
)
#: how a comment begins (and ends) in the sources that documents show parts of
_COMMENT: Final = r"[ ]*(?:#|//|<!--) {word}: {name}(?: -->)?"


class Block(NamedTuple):
    """A fenced block in a document."""

    where: str
    language: str
    options: dict[str, str]
    body: str


def blocks_of(path: Path) -> list[Block]:
    """All fenced blocks of a document, in order."""
    content = path.read_text("utf-8")
    found = []
    for match in FENCE.finditer(content):
        line = content.count("\n", 0, match.start()) + 1
        language, _, rest = match["info"].strip().partition(" ")
        options = {key: value for key, _, value in (word.partition("=") for word in rest.split())}
        found.append(Block(f"{path.relative_to(ROOT)}:{line}", language, options, textwrap.dedent(match["body"])))
    return found


def source(options: dict[str, str]) -> str:
    """The part of a source file that a block must equal.

    :raises AssertionError: where the file has no such part.
    """
    content = (ROOT / options["file"]).read_text("utf-8")
    if "lines" in options:
        first, last = map(int, options["lines"].split("-"))
        content = "\n".join(content.splitlines()[first - 1 : last])
    if "part" in options:
        name = re.escape(options["part"])
        begin, end = (_COMMENT.format(word=word, name=name) for word in ("part", "end"))
        part = re.search(rf"^{begin}\n(.*?)^{end}$", content, re.MULTILINE | re.DOTALL)
        assert part, f"{options['file']} has no '# part: {options['part']}' ... '# end: {options['part']}'"
        content = part[1]
    return textwrap.dedent(content).strip("\n")
