"""What the documents say is so: code is tested source, links lead somewhere, scripts exist.

A fenced block of Python is one of these:

* ```` ```python file=examples/x.py ````: the whole file;
* ```` ```python file=examples/x.py part=name ````: what stands between ``# part: name`` and ``# end: name``;
* ```` ```python file=examples/x.py lines=3-9 ````: these lines;
* ```` ```python run ````: runs as it is, alone;
* ```` ```python compiles ````: at least compiles; for what cannot run alone.
"""

from __future__ import annotations

import re
import sys
import textwrap
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])
FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<body>.*?)^(?P=indent)```[ ]*$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")
SCRIPT = re.compile(r"(?<![\w/.-])(?:\./)?(scripts/[a-z]+)\b")


class Block(NamedTuple):
    """A fenced block in a document."""

    where: str
    language: str
    options: dict[str, str]
    body: str


def blocks_of(path: Path) -> list[Block]:
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
        part = re.search(rf"^[ ]*# part: {name}\n(.*?)^[ ]*# end: {name}$", content, re.MULTILINE | re.DOTALL)
        assert part, f"{options['file']} has no '# part: {options['part']}' ... '# end: {options['part']}'"
        content = part[1]
    return textwrap.dedent(content).strip("\n")


BLOCKS = [block for path in DOCUMENTS for block in blocks_of(path) if block.language in {"python", "py"}]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.where)
def test_code_in_documents_is_tested_source(block: Block, monkeypatch: pytest.MonkeyPatch) -> None:
    if "file" in block.options:
        assert block.body.strip("\n") == source(block.options), f"{block.where} differs from {block.options['file']}"
    elif "run" in block.options:
        # Dataclasses and typed structs look for the module they were written in.
        module = ModuleType("document")
        monkeypatch.setitem(sys.modules, "document", module)
        exec(compile(block.body, block.where, "exec"), module.__dict__)
    else:
        assert "compiles" in block.options, f"{block.where}: say file=..., run or compiles after ```python"
        compile(block.body, block.where, "exec")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_and_scripts_of_documents_exist(path: Path) -> None:
    content = path.read_text("utf-8")
    broken = [link for link in LINK.findall(FENCE.sub("", content)) if not (path.parent / link).exists()]
    missing = [name for name in SCRIPT.findall(content) if not (ROOT / name).is_file()]

    assert not broken, f"{path.relative_to(ROOT)} links to what is not there: {broken}"
    assert not missing, f"{path.relative_to(ROOT)} names scripts that are not there: {missing}"


def test_the_first_agent_takes_twelve_lines_at_most() -> None:
    first = next(block for block in blocks_of(ROOT / "README.md") if block.language == "python")

    assert len([line for line in first.body.splitlines() if line.strip()]) <= 12
