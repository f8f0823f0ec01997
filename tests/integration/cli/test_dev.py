"""``natant dev``: reload on save with the state kept; a version that cannot be loaded replaces nothing."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from tests.support.command import Process, here, natant, serve

FIRST = """
from natant import Agent, Plane, command, lane

class Counter(Agent, route="/counter/{id}"):
    total = lane.value(int, default=0)
    label = lane.value(str)

    @command
    def add(self, amount: int) -> int:
        self.total += amount
        return self.total

plane = Plane("shop", [Counter])
"""
SECOND = FIRST.replace("self.total += amount", "self.total += 10 * amount").replace(
    "label = lane.value(str)", "seen = lane.map(str, int)"
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "plane.py"
    path.write_text(FIRST)
    return path


def test_a_saved_file_is_loaded_and_the_state_kept(file: Path) -> None:
    with Process("dev", "--port", "0", "--json", folder=file.parent) as dev:
        first = dev.json()
        at = ("--at", first["warp"])
        dev.until("reload ")
        assert here("command", "/counter/a", "add", "1", *at).out == "1\n"
        with Process("link", "/counter/a", "total", "--json", *at) as link:
            link.until("synced", "out")

            file.write_text(SECOND)
            second = dev.json()
            told = dev.until("- Counter.label")

            assert second["url"] == first["url"]
            assert second["pid"] != first["pid"]
            assert "changed  plane.py" in told
            assert "2 lanes kept, 1 added, 1 dropped, 0 changed" in told
            assert "+ Counter.seen" in told
            assert here("command", "/counter/a", "add", "1", *at).out == "11\n"
            link.until('"value":11', "out")  # it has linked again by itself
            link.end(signal.SIGINT)

        assert dev.end(signal.SIGINT).code == 0


def test_a_broken_version_replaces_nothing(file: Path) -> None:
    with Process("dev", str(file), "--port", "0", "--json") as dev:
        at = ("--at", dev.json()["warp"])
        here("command", "/counter/a", "add", "1", *at)

        file.write_text(FIRST + "\nx = (\n")
        told = dev.until("still served")

        assert "SyntaxError" in told
        assert "NT-CLI-003" in told
        assert here("command", "/counter/a", "add", "1", *at).out == "2\n"

        file.write_text(SECOND)
        dev.json()
        assert here("command", "/counter/a", "add", "1", *at).out == "12\n"
        assert dev.end().code == 0


def test_a_file_that_is_broken_at_first_is_waited_for(file: Path) -> None:
    file.write_text("import nowhere_to_be_found")
    with Process("dev", str(file), "--port", "0", "--json") as dev:
        assert "NT-CLI-003" in dev.until("nothing is served")

        file.write_text(FIRST)

        assert here("command", "/counter/a", "add", "1", "--at", dev.json()["warp"]).out == "1\n"
        assert dev.end().code == 0


def test_a_module_beside_the_file_is_watched_too(file: Path) -> None:
    (file.parent / "factor.py").write_text("FACTOR = 1\n")
    file.write_text("from factor import FACTOR\n" + FIRST.replace("+= amount", "+= FACTOR * amount"))
    with Process("dev", str(file), "--port", "0", "--json") as dev:
        at = ("--at", dev.json()["warp"])
        dev.until("reload ")
        (file.parent / "factor.py").write_text("FACTOR = 5\n")
        dev.json()

        assert here("command", "/counter/a", "add", "1", *at).out == "5\n"
        assert "changed  factor.py" in dev.until("lanes kept")


def test_fresh_begins_without_state_and_asks_first(file: Path) -> None:
    with Process("dev", str(file), "--port", "0", "--json") as dev:
        here("command", "/counter/a", "add", "1", "--at", dev.json()["warp"])
        assert dev.end().code == 0

    refused = natant("dev", str(file), "--port", "0", "--fresh")
    assert (refused.code, refused.err.splitlines()[-2][:10]) == (1, "NT-CLI-008")
    assert (file.parent / ".natant" / "shop").exists()

    with Process("dev", str(file), "--port", "0", "--json", "--fresh", "--yes") as dev:
        assert here("get", "/counter/a", "total", "--at", dev.json()["warp"]).out == "0\n"
        assert dev.end().code == 0


def test_what_no_change_of_a_file_can_mend_ends_it(file: Path, tmp_path: Path) -> None:
    process, facts = serve(str(file))
    with process:
        done = natant("dev", str(file), "--port", "0")
        assert (done.code, done.err.splitlines()[-1]) == (1, "more: natant errors NT-STORE-002")

        done = natant("dev", str(file), "--volatile", "--port", str(facts["port"]))
        assert (done.code, done.err.splitlines()[-1]) == (1, "more: natant errors NT-SERVER-001")

        fresh = natant("dev", str(file), "--fresh", "--yes")
        assert (fresh.code, fresh.err.splitlines()[-1]) == (1, "more: natant errors NT-STORE-002")


def test_a_plane_that_dies_is_told_and_comes_back_with_the_next_save(file: Path) -> None:
    file.write_text(FIRST.replace("self.total += amount", "import os; os._exit(7)"))
    with Process("dev", str(file), "--port", "0", "--json") as dev:
        at = ("--at", dev.json()["warp"])
        here("command", "/counter/a", "add", "1", "--no-wait", *at)
        dev.until("ended by itself")

        file.write_text(FIRST)

        assert json.loads(dev.line())["plane"] == "shop"
        assert here("command", "/counter/a", "add", "1", *at).out == "1\n"
        assert dev.end().code == 0
