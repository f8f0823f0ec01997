"""What the documents show of a terminal is what a terminal shows: each page is replayed, in a folder and with a server of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.document import DOCUMENTS, ROOT, blocks_of
from tests.support.terminal import Terminal

MODULES = ROOT / "tests" / "js" / "node_modules"

PAGES = [path for path in DOCUMENTS if any(block.language == "console" for block in blocks_of(path))]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_page_can_be_typed(path: Path, tmp_path: Path) -> None:
    blocks = [
        block for block in blocks_of(path) if block.language == "console" or {"save", "append"} & set(block.options)
    ]
    typed = "\n".join(block.body for block in blocks if block.language == "console")
    if "$ node " in typed and shutil.which("node") is None:
        pytest.skip("no Node.js here, which the page uses")
    with Terminal(tmp_path) as terminal:
        if "$ node " in typed:
            if not MODULES.is_dir():
                pytest.skip("tests/js/node_modules is missing: run scripts/test, or npm ci in tests/js")
            (terminal.folder / "node_modules").symlink_to(MODULES)
        pending: dict[str, str] = {}
        for block in blocks:
            if "save" in block.options:
                pending[block.options["save"]] = block.body
            elif "append" in block.options:
                pending[block.options["append"]] += f"\n\n{block.body}"
            else:
                while pending:
                    terminal.save(*pending.popitem())
                terminal.enter(block)
