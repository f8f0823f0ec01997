"""The pages that are made from the source are current, and what the others count and name is what there is."""

from __future__ import annotations

import re

import pytest

from tests.support.document import ROOT
from tests.support.reference import PAGES

REFERENCE = ROOT / "docs" / "reference"


@pytest.mark.parametrize("page", PAGES)
def test_a_page_that_is_made_from_the_source_is_current(page: str) -> None:
    assert (REFERENCE / page).read_text("utf-8") == PAGES[page](), "run scripts/docs"


def names_in(page: str, heading: str) -> set[str]:
    """The names in the first column of the table under a heading."""
    text = (REFERENCE / page).read_text("utf-8")
    part = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert part, f"{page} has no heading {heading!r}"
    cells = [line.split(" | ")[0] for line in part[1].splitlines() if line.startswith("| `")]
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def test_every_counter_is_explained() -> None:
    from natant.kernel.counter import Counter
    from natant.server.table import ServerCounter

    assert names_in("metrics.md", "Counters of the host") == set(Counter().as_dict())
    assert names_in("metrics.md", "Counters of the server") == {f"server_{name}" for name in ServerCounter().as_dict()}


def test_every_difference_from_the_captured_server_is_told() -> None:
    from tests.conformance.difference import DIFFERENCES

    text = (REFERENCE / "warp.md").read_text("utf-8")
    rows = re.findall(r"^\| (`[^|]*`) \| (.*) \|$", text, re.MULTILINE)
    told = {(name, reason) for names, reason in rows for name in re.findall(r"`([^`]+)`", names)}

    assert {(known.scenario, known.reason) for known in DIFFERENCES} <= told
