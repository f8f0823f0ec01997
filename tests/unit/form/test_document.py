"""The tables of docs/reference/form.md are true: each row is encoded and decoded as it says, in Recon and in JSON."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from natant.codec import recon
from natant.codec.form import any_from_json, any_to_json, form

PAGE = (Path(__file__).resolve().parents[3] / "docs/reference/form.md").read_text("utf-8")


def rows_of(heading: str) -> list[list[str]]:
    section = PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = []
    for line in section.splitlines():
        if line.startswith("|") and not line.startswith("|---"):
            cells = re.split(r"(?<!\\)\|", line)[1:-1]
            rows.append([cell.strip().strip("`").replace("\\|", "|") for cell in cells])
    return rows[1:]


def names_of_page() -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "document"}
    for block in re.findall(r"^```python compiles\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL):
        exec(compile(block, "form.md", "exec", dont_inherit=True), names)
    return names


NAMES = names_of_page()


@pytest.mark.parametrize(("kind", "obj", "text", "json"), rows_of("The table"))
def test_the_table_of_types_is_true(kind: str, obj: str, text: str, json: str) -> None:
    known, value = form(eval(kind, NAMES)), eval(obj, NAMES)

    assert recon.encode(known.encode(value)) == text
    assert known.to_json(value).decode() == json
    assert known.decode(recon.decode(text)) == value
    assert known.from_json(json) == value


@pytest.mark.parametrize(("text", "json"), rows_of("Untyped JSON"))
def test_the_table_of_untyped_json_is_true(text: str, json: str) -> None:
    assert any_to_json(recon.decode(text)).decode() == json
    assert recon.encode(any_from_json(json)) == text


def test_the_tables_were_found() -> None:
    assert len(rows_of("The table")) > 40
    assert len(rows_of("Untyped JSON")) > 8
