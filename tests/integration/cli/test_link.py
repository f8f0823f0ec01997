"""``natant link``: states, changes, both notations, connections that break."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command import Process, here, serve
from tests.support.process import ServerProcess

PLANE = Path(__file__).with_name("plane.py")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    process, facts = serve(str(PLANE), "--volatile")
    with process:
        yield facts["warp"]


def test_the_state_is_printed_once(url: str) -> None:
    here("command", "/room/once", "note", "hello", "--at", url)
    here("command", "/room/once", "note", "there", "--at", url)

    assert here("link", "/room/once", "notes", "--once", "--at", url).lines() == ["[0]: hello", "[1]: there"]
    assert here("link", f"{url}/room/once?lane=notes", "--once", "--json").lines() == [
        '{"op":"update","index":0,"value":"hello"}',
        '{"op":"update","index":1,"value":"there"}',
    ]


def test_changes_follow_the_state(url: str) -> None:
    here("command", "/room/live", "add", "1", "--at", url)
    with Process("link", "/room/live", "total", "--count", "2", "--json", "--at", url) as link:
        assert [link.json(), link.json()] == [{"op": "set", "value": 1}, {"op": "synced"}]
        here("command", "/room/live", "add", "1", "--at", url)
        assert link.json() == {"op": "set", "value": 2}
        here("command", "/room/live", "add", "1", "--at", url)
        assert link.json() == {"op": "set", "value": 3}

        assert link.wait() == (0, "", "")


def test_all_changes_of_a_map_have_words(url: str) -> None:
    here("set", "/room/words", "seats", "{lat:1,lon:2}", "--key", "desk", "--at", url)
    with Process("link", "/room/words", "seats", "--count", "2", "--at", url) as link:
        assert link.line() == 'desk: {"lat":1,"lon":2}'
        here("set", "/room/words", "seats", "{lat:3,lon:4}", "--key", "sofa", "--at", url)
        here("command", "/room/words", "seats", '{"op":"remove","key":"desk"}', "--at", url)

        assert [link.line(), link.line()] == ['sofa: {"lat":3,"lon":4}', "desk removed"]
        assert link.wait().code == 0


def test_events_of_a_supply_lane_come_without_a_state(url: str) -> None:
    with Process("link", "/room/bell", "bell", "--no-sync", "--count", "1", "--recon", "--at", url) as link:
        # Nothing says when the link is up: ring until it is heard.
        while not link.has_line():
            here("command", "/room/bell", "ring", "ding", "--at", url)
        assert link.line() == "ding"
        assert link.wait().code == 0


@pytest.mark.parametrize(
    ("words", "reason"),
    [(("/room/x", "nope"), '/room/x has no lane "nope"'), (("/nowhere", "total"), "no agent lives at /nowhere")],
)
def test_a_link_that_is_refused_tells_why(url: str, words: tuple[str, str], reason: str) -> None:
    done = here("link", *words, "--at", url)

    assert done.code == 1
    assert done.err.startswith("NT-CLI-013  the host ended the link")
    assert reason in done.err


def test_contradicting_options_are_wrong_usage(url: str) -> None:
    for options in (("--once", "--no-sync"), ("--json", "--recon")):
        assert here("link", "/room/x", "total", *options, "--at", url).code == 2


def test_a_reader_that_goes_away_ends_it_quietly(url: str) -> None:
    with Process("link", "/room/pipe", "total", "--at", url) as link:
        link.line()
        link.close_out()
        here("command", "/room/pipe", "add", "1", "--at", url)

        assert link.wait() == (0, "", "")


def test_interrupting_is_exit_130(url: str) -> None:
    with Process("link", "/room/stop", "total", "--json", "--at", url) as link:
        link.until("synced", "out")

        assert link.end(signal.SIGINT).code == 130


def test_a_link_outlives_its_server(tmp_path: Path) -> None:
    with ServerProcess(PLANE, data=tmp_path / "data") as server:
        here("command", "/room/1", "add", "5", "--at", server.uri)
        with Process("link", "/room/1", "total", "--json", "--at", server.uri) as link:
            link.until("synced", "out")

            server.restart()

            assert "the connection broke" in link.line("err")
            assert json.loads(link.line()) == {"op": "set", "value": 5}
            link.until("synced", "out")
            assert link.end(signal.SIGINT).code == 130
