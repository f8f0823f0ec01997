"""``bench/``: that its parts fit together and that its table says what was found.  How fast anything is, no test asserts."""

from __future__ import annotations

import sys

import pytest

from bench import __main__ as entry
from bench.place import Place
from bench.table import Row, lines, spaced


def test_a_row_says_value_yardstick_ratio_and_whether_it_was_reached() -> None:
    rows = [
        Row("commands", 2.0, "us", "bare", 1.0, 2.1, note="quiet"),
        Row("events", 399_999, "events/s", reach=400_000, is_more_better=True),
        Row("reads", None, "", reach=1_000, is_more_better=True, note="redis-server is not installed"),
    ]

    assert lines(rows)[2:] == [
        "| commands | 2 us | 1 (bare) | 2 | <= 2.1 | yes; quiet |",
        "| events | 399 999 events/s |  |  | >= 400 000 | no |",
        "| reads | not measured |  |  | >= 1e+03 | redis-server is not installed |",
    ]
    assert rows[2].ratio is None
    assert rows[2].is_reached is None
    assert rows[0].as_dict()["ratio"] == 2.0


def test_thousands_have_blanks_between_them() -> None:
    assert spaced(1_000_000) == "1 000 000"


def test_unknown_names_are_told_with_those_there_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["scripts/bench", "ingest", "speed"])

    with pytest.raises(SystemExit) as caught:
        entry.main()

    assert caught.value.code == 2
    told = capsys.readouterr().err
    assert "there is no speed" in told
    assert "ingest, ack, fanout, rtt, sync" in told


def test_one_benchmark_that_fails_leaves_the_others_and_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(place: Place) -> list[Row]:
        raise RuntimeError("no server")

    monkeypatch.setattr(sys, "argv", ["scripts/bench"])
    monkeypatch.setattr(Place, "compile", lambda _: None)
    monkeypatch.setattr(
        entry, "benchmarks", lambda _: {"one": broken, "two": lambda _: [Row("two", 1.0, "us")], "three": lambda _: []}
    )

    assert entry.main() == 1

    printed = capsys.readouterr()
    assert "| two | 1 us |" in printed.out
    assert "one failed: no server" in printed.err
