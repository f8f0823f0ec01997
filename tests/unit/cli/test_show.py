"""What commands print: tables, single values, nothing."""

from __future__ import annotations

from typing import Any

import pytest

from natant.cli import show


@pytest.mark.parametrize(
    ("value", "out", "err"),
    [
        (5, "5\n", ""),
        ("two words", "two words\n", ""),
        (None, "", "(not set)\n"),
        ({}, "", "(empty)\n"),
        ([], "", "(empty)\n"),
        ({"a": 1, "long": [1, 2]}, "KEY   VALUE\na     1\nlong  [1,2]\n", ""),
        ({"a": {"x": 1}, "b": {"x": 2, "y": None}}, "KEY  X  Y\na    1  -\nb    2  -\n", ""),
        ([1, "b"], "#  VALUE\n0  1\n1  b\n", ""),
        ([{"x": 1}, {"y": 2}], "#  X  Y\n0  1  -\n1  -  2\n", ""),
    ],
)
def test_state_is_shown_by_its_shape(capsys: pytest.CaptureFixture[str], value: Any, out: str, err: str) -> None:
    show.put_value(value)

    assert capsys.readouterr() == (out, err)


def test_a_table_keeps_to_its_lines(capsys: pytest.CaptureFixture[str]) -> None:
    show.put_table(["a"], [["x" * 100], ["two\nlines"]])

    assert capsys.readouterr().out == f"A\n{'x' * 59}…\ntwo lines\n"


class Terminal:
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("variables", "has"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False), ({"NO_COLOR": ""}, True)]
)
def test_colours_come_on_a_terminal_where_they_are_welcome(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], has: bool
) -> None:
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, text in variables.items():
        monkeypatch.setenv(name, text)
    monkeypatch.setattr("sys.stderr", Terminal())

    assert show.has_colour() is has
    assert (show.paint("x", "red") != "x") is has
