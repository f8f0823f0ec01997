"""``natant errors``: the catalogue."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.command import here

CATALOGUE = Path(__file__).resolve().parents[3] / "natant" / "catalogue"


def test_a_code_prints_its_page() -> None:
    page = (CATALOGUE / "NT-CLI-001.md").read_text("utf-8")

    assert here("errors", "NT-CLI-001") == (0, page, "")
    assert here("errors", "nt-cli-001").out == page
    assert json.loads(here("errors", "NT-CLI-001", "--json").out)["title"] == "the command line is wrong"


def test_all_codes_are_listed_and_a_word_searches() -> None:
    codes = {json.loads(line)["code"] for line in here("errors", "--json").lines()}
    found = here("errors", "plane").lines()

    assert codes == {path.stem for path in CATALOGUE.glob("*.md")}
    assert any(line.startswith("NT-CLI-002  ") for line in found)
    assert len(found) < len(codes)


def test_an_unknown_code_is_refused() -> None:
    done = here("errors", "NT-NOPE-001")

    assert (done.code, done.err[:10]) == (1, "NT-CLI-011")
