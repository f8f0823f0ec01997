"""``natant hello``: the flights, with a page, on a port that is free."""

from __future__ import annotations

from urllib.request import urlopen

import pytest

from tests.support.command import Process, here, natant


def test_it_serves_the_flights_and_prints_the_page() -> None:
    with Process("hello", "--port", "0", "--speed", "3600", "--from", "2013-01-01", "--json") as process:
        facts = process.json()
        text = process.until("Ctrl-C stops it")

        assert facts["plane"] == "flights"
        assert facts["data"] is None
        assert f"    {facts['url']}" in text.splitlines()
        assert "natant link /control clock" in text
        with urlopen(facts["url"]) as page:
            assert b"<html" in page.read().lower()
        assert here("link", "/control", "clock", "--count", "1", "--json", "--at", facts["warp"]).code == 0
        assert process.end().code == 0


@pytest.mark.parametrize("words", [("--speed", "-1"), ("--port", "x")])
def test_wrong_options_are_wrong_usage(words: tuple[str, ...]) -> None:
    assert natant("hello", *words).code == 2


def test_what_is_no_instant_is_refused() -> None:
    done = natant("hello", "--from", "yesterday")

    assert (done.code, done.err[:11]) == (1, "NT-DEMO-002")
