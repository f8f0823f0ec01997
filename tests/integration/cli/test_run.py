"""``natant run``: what it finds and says, what it refuses, how it stops."""

from __future__ import annotations

import http.client
import json
import signal
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.command import Process, here, natant, serve

PLANE = str(Path(__file__).with_name("plane.py"))
AGENT = """
from natant import Agent, Plane, command, lane

class Counter(Agent, route="/counter/{id}"):
    total = lane.value(int, default=0)

    @command
    def add(self, amount: int) -> int:
        self.total += amount
        return self.total
"""


def write(folder: Path, text: str, name: str = "app.py") -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(AGENT + text)
    return str(path)


def test_it_says_what_it_found_and_keeps_it_beside_the_file(tmp_path: Path) -> None:
    file = write(tmp_path, 'plane = Plane("my shop", [Counter])')
    with Process("run", file, "--port", "0", "--json", folder=tmp_path) as process:
        facts = process.json()
        text = process.until("stop ")

        assert facts["plane"] == "my shop"
        assert facts["data"] == str(tmp_path / ".natant" / "my_shop")
        assert [(agent["agent"], agent["route"]) for agent in facts["agents"]] == [("Counter", "/counter/{id}")]
        assert "/counter/{id}  Counter  2 lanes: total, add" in text
        assert facts["url"] in text
        assert here("command", "/counter/a", "add", "2", "--at", facts["warp"]).code == 0
        assert process.end().code == 0

    again, facts = serve(folder=tmp_path)  # app.py of this folder is found without being named
    with again:
        assert here("get", "/counter/a", "total", "--at", facts["warp"]).out == "2\n"
        assert again.end(signal.SIGINT).code == 0


def test_volatile_leaves_nothing_on_the_disk(tmp_path: Path) -> None:
    process, facts = serve(write(tmp_path, 'plane = Plane("shop", [Counter])'), "--volatile")
    with process:
        assert facts["data"] is None
        here("command", "/counter/a", "add", "2", "--at", facts["warp"])
        assert process.end().code == 0

    assert not (tmp_path / ".natant").exists()


def test_a_name_chooses_among_planes(tmp_path: Path) -> None:
    file = write(tmp_path, 'one = Plane("one", [Counter])\ntwo = Plane("two", [Counter])')
    process, facts = serve(f"{file}:two", "--volatile")
    with process:
        assert facts["plane"] == "two"

    refused = natant("run", file)
    assert (refused.code, refused.err[:10]) == (1, "NT-CLI-002")
    assert "one, two" in refused.err


def test_a_file_of_a_package_and_a_module_by_its_name(tmp_path: Path) -> None:
    write(tmp_path, "", "shop/agent.py")
    (tmp_path / "shop" / "__init__.py").write_text("")
    (tmp_path / "shop" / "app.py").write_text(
        'from natant import Plane\nfrom shop.agent import Counter\nplane = Plane("shop", [Counter])\n'
    )
    for spec in ("shop/app.py", "shop.app", "shop.app:plane"):
        process, facts = serve(spec, "--volatile", folder=tmp_path)
        with process:
            assert facts["plane"] == "shop"


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("", "NT-CLI-002", "it has the agent class Counter"),
        ("plane = 5", "NT-CLI-002", "has no plane"),
        ("import nowhere_to_be_found", "NT-CLI-003", "ModuleNotFoundError"),
        ("x = (", "NT-CLI-003", "SyntaxError"),
        ("raise SystemExit(3)", "NT-CLI-003", "SystemExit"),
        ('class Plain(Agent): pass\nplane = Plane("x", [Plain])', "NT-PLANE-008", "app.py:12"),
        ('plane = Plane("x", [Agent])', "NT-PLANE-008", "app.py:11"),
    ],
)
def test_a_file_that_cannot_be_served_says_why(tmp_path: Path, text: str, code: str, words: str) -> None:
    done = natant("run", write(tmp_path, text))

    assert done.code == 1
    assert done.out == ""
    lines = done.err.splitlines()
    assert any(line.startswith(code) and words in line for line in lines), done.err
    assert lines[-1] == f"more: natant errors {code}"
    assert "natant/cli" not in done.err, "the author's traceback, not ours"


def test_what_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    for words in (("run", "nowhere.py"), ("run",), ("run", "."), ("run", PLANE, "--data", "d", "--volatile")):
        done = natant(*words, folder=tmp_path)
        assert (done.code, done.err[:10]) == (2, "NT-CLI-001"), done.err


def test_a_taken_port_and_a_locked_folder_are_told(tmp_path: Path) -> None:
    first, facts = serve(PLANE, "--data", str(tmp_path / "data"))
    with first:
        port = natant("run", PLANE, "--volatile", "--port", str(facts["port"]))
        assert (port.code, port.err.splitlines()[-1]) == (1, "more: natant errors NT-SERVER-001")

        folder = natant("run", PLANE, "--data", str(tmp_path / "data"), "--port", "0")
        assert (folder.code, folder.err.splitlines()[-1]) == (1, "more: natant errors NT-STORE-002")
        assert str(first.pid) in folder.err


def test_a_folder_that_cannot_be_written_and_one_that_is_not_ours(tmp_path: Path) -> None:
    # Nobody may make folders in /sys, root neither.
    done = natant("run", PLANE, "--data", "/sys/natant", "--port", "0")
    assert (done.code, done.err.splitlines()[-1]) == (1, "more: natant errors NT-STORE-003")

    (tmp_path / "novel.txt").write_text("chapter one")
    done = natant("run", PLANE, "--data", str(tmp_path), "--port", "0")
    assert (done.code, done.err.splitlines()[-1]) == (1, "more: natant errors NT-STORE-001")
    assert [path.name for path in tmp_path.iterdir()] == ["novel.txt"]


def test_the_log_can_be_json(tmp_path: Path) -> None:
    process, _ = serve(PLANE, "--volatile", "--log-format", "json")
    with process:
        done = process.end()

    lines = [json.loads(line) for line in done.err.splitlines()]
    assert done.code == 0
    assert {"time", "level", "logger", "message"} <= lines[0].keys()
    assert any("listening on" in line["message"] for line in lines)


def test_stopping_under_load_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    process, facts = serve(PLANE, "--data", str(tmp_path / "data"))
    answers: list[int] = []

    def write_on() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", urlsplit(facts["url"]).port or 0, timeout=20)
        try:
            while True:
                connection.request("POST", "/room/1?lane=add", b"1", {"content-type": "application/json"})
                answer = connection.getresponse()
                body = answer.read()
                if answer.status != 200:
                    return
                answers.append(json.loads(body)["value"])
                enough.set()
        except (OSError, http.client.HTTPException):
            return

    enough = threading.Event()
    writers = [threading.Thread(target=write_on) for _ in range(4)]
    with process:
        for writer in writers:
            writer.start()
        assert enough.wait(20)
        assert process.end().code == 0
        for writer in writers:
            writer.join()

    again, facts = serve(PLANE, "--data", str(tmp_path / "data"))
    with again:
        total = int(here("get", "/room/1", "total", "--at", facts["warp"]).out)
    assert len(set(answers)) == len(answers)
    assert total >= max(answers)


def test_a_signal_while_the_file_is_loaded_ends_it(tmp_path: Path) -> None:
    file = write(
        tmp_path, 'import sys, time\nprint("loading", flush=True)\ntime.sleep(60)\nplane = Plane("x", [Counter])'
    )
    for number, code in ((signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 130)):
        with Process("run", file, "--port", "0") as process:
            assert process.line() == "loading"

            assert process.end(number).code == code
    assert not (tmp_path / ".natant").exists()


def test_a_second_signal_stops_at_once(tmp_path: Path) -> None:
    process, facts = serve(PLANE, "--volatile", "--log-format", "json")
    with process:
        here("command", "/room/1", "sleep", "50", "--no-wait", "--at", facts["warp"])
        here("link", "/room/1", "total", "--once", "--no-wait", "--at", facts["warp"])
        with Process("command", "/room/2", "sleep", "50", "--at", facts["warp"]):
            process.until("listening")
            while here("get", "/room/2", "total", "--at", facts["warp"]).code:
                pass
            process.send(signal.SIGTERM)
            process.until("once more stops at once")

            assert process.end(signal.SIGTERM).code == 130
