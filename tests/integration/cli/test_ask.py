"""The commands that ask a host and end: get, set, command, ls, describe, parked."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command import Process, here, natant, serve
from tests.support.process import free_port

PLANE = str(Path(__file__).with_name("plane.py"))


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    process, facts = serve(PLANE, "--data", str(tmp_path_factory.mktemp("cli") / "data"))
    with process:
        yield facts["warp"]


def test_each_command_is_a_process(url: str) -> None:
    """The other tests run commands in their own process, which is faster."""
    environment = {"NATANT_URL": url}

    assert natant("command", "/room/process", "add", "3", environment=environment)[:2] == (0, "3\n")
    assert natant("set", "/room/process", "name", "-", text="tea", environment=environment).code == 0
    assert natant("get", "/room/process", "name", environment=environment).out == "tea\n"
    assert natant("link", "/room/process", "name", "--once", environment=environment).out == "tea\n"
    assert natant("ls", "/room/process", "--json", environment=environment).json()["agent"] == "Room"
    assert natant("describe", "/room/process", environment=environment).code == 0
    assert natant("get", "/room/process", "nope", environment=environment).code == 1


def test_a_command_prints_the_answer_and_tells_of_the_commit(url: str) -> None:
    done = here("command", "/room/answer", "add", "3", "--at", url)

    assert (done.code, done.out) == (0, "3\n")
    assert done.err.startswith("committed, sequence ")


def test_negative_numbers_are_values(url: str) -> None:
    assert here("command", "/room/negative", "add", "-3", "--at", url).out == "-3\n"


def test_a_command_with_the_same_id_is_done_once(url: str) -> None:
    first = here("command", "/room/id", "add", "3", "--id", "trip-1", "--json", "--at", url).json()
    second = here("command", "/room/id", "add", "3", "--id", "trip-1", "--json", "--at", url).json()

    assert first["value"] == second["value"] == 3
    assert (first["duplicate"], second["duplicate"]) == (False, True)
    assert first["sequence"] > 0


def test_the_environment_names_the_host(url: str) -> None:
    assert here("command", "/room/env", "add", "1", environment={"NATANT_URL": url}).out == "1\n"


def test_a_lane_can_be_named_by_a_url(url: str) -> None:
    here("command", f"{url}/room/url?lane=add", "7")

    assert here("get", f"{url}/room/url?lane=total").out == "7\n"
    assert here("get", f"{url}/room/url", "total").out == "7\n"


@pytest.mark.parametrize(
    ("value", "options"),
    [
        ('{"lat":59.5,"lon":18}', ()),
        ("{lat:59.5,lon:18}", ()),
        ("{lat:59.5,lon:18}", ("--recon",)),
        ('{"lat":59.5,"lon":18}', ("--json-in",)),
    ],
)
def test_a_value_is_set_from_json_and_recon(url: str, value: str, options: tuple[str, ...]) -> None:
    done = here("set", "/room/set", "place", value, *options, "--at", url)

    assert done.code == 0, done.err
    assert here("get", "/room/set", "place", "--json", "--at", url).json() == {"lat": 59.5, "lon": 18.0}


def test_a_value_comes_from_stdin(url: str) -> None:
    assert here("set", "/room/stdin", "name", "-", "--at", url, text='"two words"').code == 0
    assert here("get", "/room/stdin", "name", "--at", url).out == "two words\n"


def test_an_entry_of_a_map_is_set_and_read(url: str) -> None:
    for key, value in (("desk", '{"lat":1,"lon":2}'), ('"by the window"', "{lat:3,lon:4}")):
        done = here("set", "/room/map", "seats", value, "--key", key, "--at", url)
        assert done.code == 0, done.err

    whole = here("get", "/room/map", "seats", "--json", "--at", url).json()

    assert whole == {"by the window": {"lat": 3.0, "lon": 4.0}, "desk": {"lat": 1.0, "lon": 2.0}}
    assert here("get", "/room/map", "seats", "--key", "desk", "--json", "--at", url).json() == whole["desk"]
    assert here("get", "/room/map", "seats", "--key", "desk", "--recon", "--at", url).out == "{lat:1,lon:2}\n"


def test_state_is_a_table_for_people(url: str) -> None:
    here("set", "/room/table", "seats", "{lat:1,lon:2}", "--key", "desk", "--at", url)
    here("command", "/room/table", "note", "hello", "--at", url)

    assert here("get", "/room/table", "seats", "--at", url).lines() == ["KEY   LAT  LON", "desk  1.0  2.0"]
    assert here("get", "/room/table", "notes", "--at", url).lines() == ["#  VALUE", "0  hello"]
    assert here("get", "/room/table", "name", "--at", url)[1:] == ("", "(not set)\n")


def test_a_command_without_waiting_goes_by_warp(url: str) -> None:
    done = here("command", "/room/plain", "add", "5", "--no-wait", "--at", url)

    assert done.code == 0
    assert "not known" in done.err
    assert here("link", "/room/plain", "total", "--once", "--at", url).out == "5\n"


def test_a_set_without_waiting_goes_by_warp(url: str) -> None:
    for words in (["name", "tea"], ["seats", '{"lat":1,"lon":2}', "--key", "desk"]):
        assert here("set", "/room/quick", *words, "--no-wait", "--at", url).code == 0

    assert here("link", "/room/quick", "name", "--once", "--at", url).out == "tea\n"
    assert (
        here("link", "/room/quick", "seats", "--once", "--recon", "--at", url).out == "@update(key:desk){lat:1,lon:2}\n"
    )


def test_agents_are_listed(url: str) -> None:
    for name in ("a", "b", "c"):
        here("command", f"/room/ls-{name}", "add", "1", "--at", url)

    assert here("ls", "/room/ls-", "--at", url).lines() == [
        "NODE        AGENT  IN MEMORY",
        "/room/ls-a  Room   yes",
        "/room/ls-b  Room   yes",
        "/room/ls-c  Room   yes",
    ]
    limited = here("ls", f"{url}/room/ls-", "--limit", "2", "--json")
    assert len(limited.lines()) == 2
    assert "there are more" in limited.err
    assert "no agents" in here("ls", "/nowhere", "--at", url).err


def test_a_node_is_described(url: str) -> None:
    text = here("describe", "/room/new", "--at", url)
    facts = here("describe", "/room/new", "--json", "--at", url).json()

    assert text.lines()[0].startswith("/room/new  Room  /room/{id}  never touched")
    assert "A room that people use." in text.out
    assert facts["agent"] == "Room"
    assert {lane["name"] for lane in facts["lanes"]} > {"total", "add", "seats"}


def test_parked_work_is_shown_done_again_and_dropped(url: str) -> None:
    failed = here("command", "/room/parked", "divide", "0", "--at", url)
    assert failed.code == 1
    assert failed.err.startswith("NT-TURN-001  ")
    here("command", "/room/parked", "divide", "0", "--at", url)

    listed = list(map(str.split, here("parked", "ls", "/room/parked", "--at", url).lines()[1:]))
    name = listed[0][1]
    assert len(listed) == 2
    shown = here("parked", "show", "/room/parked", name, "--json", "--at", url).json()
    assert (shown["parked"], shown["error"], shown["input"]) == (name, "ZeroDivisionError", 0)
    assert "ZeroDivisionError" in here("parked", "show", "/room/parked", name, "--at", url).out
    assert len(here("parked", "ls", "--under", "/room/par", "--json", "--at", url).lines()) == 2

    here("command", "/room/parked", "add", "4", "--at", url)
    assert here("parked", "retry", "/room/parked", name, "--at", url).code == 0
    gone = here("parked", "show", "/room/parked", name, "--at", url)
    assert (gone.code, gone.err[:10]) == (1, "NT-CLI-010")

    refused = here("parked", "drop", "/room/parked", "--all", "--at", url)
    assert (refused.code, refused.err[:10]) == (1, "NT-CLI-008")
    assert here("parked", "drop", "/room/parked", "--all", "--yes", "--at", url).code == 0
    assert "nothing is parked" in here("parked", "ls", "/room/parked", "--at", url).err


@pytest.mark.parametrize(
    ("words", "code", "start"),
    [
        (("get", "/room/x", "nope"), 1, 'NT-LINK-001  /room/x has no lane "nope"'),
        (("get", "/nowhere", "total"), 1, "NT-PLANE-004  "),
        (("command", "/room/x", "add", '"many"'), 1, "NT-FORM-"),
        (("command", "/room/x", "add", "two words"), 1, "NT-CLI-007  the value 'two words' cannot be read"),
        (("set", "/room/x", "place", "{lat:north,lon:1}"), 1, "NT-"),
        (("command", "/room/x", "refuse"), 1, "NT-TURN-010  the room is closed"),
        (("get", "/room/x"), 2, "NT-CLI-001  which lane of /room/x?"),
        (("set", "/room/x", "total"), 2, "NT-CLI-001  which value?"),
        (("command", "/room/x", "add", "1", "2"), 2, "NT-CLI-001  '2' is one word too many"),
        (("command", "/room/x", "add", "--nope"), 2, "NT-CLI-001  No such option"),
        (("parked", "ls"), 2, "NT-CLI-001  name a NODE"),
    ],
)
def test_a_failure_says_what_why_and_where_to_read_on(url: str, words: tuple[str, ...], code: int, start: str) -> None:
    done = here(*words, "--at", url)

    assert done.code == code
    assert done.out == ""
    first, *_, last = done.err.splitlines()
    assert first.startswith(start), first
    assert last == f"more: natant errors {first.split()[0]}"


@pytest.mark.parametrize(
    "words", [("get", "/a", "b"), ("command", "/a", "b"), ("ls",), ("link", "/a", "b"), ("describe", "/a")]
)
def test_a_host_that_is_not_there_is_told_at_once(words: tuple[str, ...]) -> None:
    done = here(*words, "--at", f"warp://127.0.0.1:{free_port()}")

    assert done.code == 3
    assert done.err.startswith("NT-CLI-004  no connection to http://127.0.0.1:")


def test_an_address_that_is_none_is_wrong_usage() -> None:
    assert here("ls", "--at", "somewhere").err.startswith("NT-CLIENT-002  ")
    assert here("ls", "--at", "somewhere").code == 2


class Stranger:
    """A server that is no natant: it answers each connection with the same bytes, or not at all."""

    def __init__(self, answer: bytes) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._answer = answer
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(self._answer)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


def test_a_host_that_is_no_natant_is_named() -> None:
    stranger = Stranger(b"HTTP/1.1 404 Not Found\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nno")
    try:
        read = here("get", "/a", "b", "--at", stranger.url)
    finally:
        stranger.close()

    assert (read.code, read.err[:10]) == (1, "NT-CLI-006")
    assert "natant link --once" in read.err


def test_a_host_that_gives_no_answer_leaves_the_outcome_open() -> None:
    stranger = Stranger(b"")
    try:
        done = here("command", "/a", "b", "1", "--id", "trip-9", "--at", stranger.url)
    finally:
        stranger.close()

    assert (done.code, done.err[:10]) == (3, "NT-CLI-005")
    assert "--id trip-9" in done.err


def test_an_answer_is_not_waited_for_for_ever(url: str) -> None:
    done = here("command", "/room/slow", "sleep", "5", "--wait", "0.2", "--id", "nap", "--at", url)

    assert (done.code, done.err[:10]) == (3, "NT-CLI-005")


def test_a_reader_that_goes_away_is_no_failure(url: str) -> None:
    here("command", "/room/pipe", "add", "1", "--at", url)
    process = Process("ls", "--json", "--at", url)
    process.close_out()

    done = process.wait()
    with process:
        assert (done.code, done.err) == (0, "")
