"""What the documents say is so: code is tested source, links lead somewhere, scripts exist.

A fenced block of any language may be shown from a file:

* ```` ```python file=examples/x.py ````: the whole file;
* ```` ```python file=examples/x.py part=name ````: what stands between ``# part: name`` and ``# end: name``;
* ```` ```python file=examples/x.py lines=3-9 ````: these lines.

A block of Python that is not from a file is one of these:

* ```` ```python run ````: runs as it is, alone;
* ```` ```python compiles ````: at least compiles; for what cannot run alone.

What is typed into a terminal stands in ```` ```console ```` and is replayed by ``tests/integration/test_document.py``; ``save=NAME``
on any block writes it into the folder of that replay, ``append=NAME`` puts it behind what was saved there just before.  ```` ```sh ```` is for what cannot be tried here.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.document import DOCUMENTS, FENCE, ROOT, Block, blocks_of, source

LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")
SCRIPT = re.compile(r"(?<![\w/.-])(?:\./)?(scripts/[a-z]+)\b")
#: what the name of a file of ours begins with where a document names it in code
PLACE = re.compile(r"`((?:natant|tests|examples|docs|scripts|bench|fuzz)/[\w./-]*[\w])`")

BLOCKS = [block for path in DOCUMENTS for block in blocks_of(path)]
SHOWN = [block for block in BLOCKS if "file" in block.options]
WRITTEN = [block for block in BLOCKS if block.language in {"python", "py"} and "file" not in block.options]


@pytest.mark.parametrize("block", SHOWN, ids=lambda block: block.where)
def test_code_in_documents_is_tested_source(block: Block) -> None:
    assert block.body.strip("\n") == source(block.options), f"{block.where} differs from {block.options['file']}"


@pytest.mark.parametrize("block", WRITTEN, ids=lambda block: block.where)
def test_code_in_documents_runs(block: Block, monkeypatch: pytest.MonkeyPatch) -> None:
    code = compile(block.body, block.where, "exec")
    if "run" in block.options:
        # Dataclasses and typed structs look for the module they were written in.
        module = ModuleType("document")
        monkeypatch.setitem(sys.modules, "document", module)
        exec(code, module.__dict__)
    else:
        assert {"compiles", "save"} & set(block.options), (
            f"{block.where}: say file=..., run or compiles after ```python"
        )


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_and_scripts_of_documents_exist(path: Path) -> None:
    content = path.read_text("utf-8")
    plain = FENCE.sub("", content)
    broken = [link for link in LINK.findall(plain) if not (path.parent / link).exists()]
    missing = [name for name in SCRIPT.findall(content) if not (ROOT / name).is_file()]
    missing += [name for name in PLACE.findall(plain) if not (ROOT / name).exists()]

    assert not broken, f"{path.relative_to(ROOT)} links to what is not there: {broken}"
    assert not missing, f"{path.relative_to(ROOT)} names files that are not there: {missing}"


def test_every_page_says_where_its_source_and_tests_are() -> None:
    pages = [path for path in DOCUMENTS if path.is_relative_to(ROOT / "docs") and path.name != "index.md"]
    silent = [str(path.relative_to(ROOT)) for path in pages if "ource and tests" not in path.read_text("utf-8")]

    assert not silent, f"these end without 'Source and tests': {silent}"


def test_every_page_is_listed_in_the_index_of_its_folder() -> None:
    pages = [path for path in (ROOT / "docs").rglob("*.md") if path.name != "index.md"]
    lost = [
        str(path.relative_to(ROOT))
        for path in pages
        if f"({path.name})" not in (path.parent / "index.md").read_text("utf-8")
    ]

    assert not lost, f"no index.md beside these links to them: {lost}"


def test_the_first_agent_takes_twelve_lines_at_most() -> None:
    first = next(block for block in blocks_of(ROOT / "README.md") if block.language == "python")

    assert len([line for line in first.body.splitlines() if line.strip()]) <= 12
