"""An edge that is offline: it captures, reads and answers by itself, and the hub has everything once when it is back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets.sync.client as client

from keepsake.errors import KeepsakeError
from keepsake.key import Ring, Tokens

WAIT_S = 90.0
TEXTS = [
    "Anna plays the cello in Uppsala.",
    "We met Oskar in Lisbon.",
    "The boat needs new paint.",
    "Clara grows tulips in Lund.",
]


class Served:
    """``keepsake serve`` or ``keepsake edge run`` in a process group of its own."""

    def __init__(self, data: Path, *words: str) -> None:
        self.data = data
        self.words = words
        self.log = data.parent / f"{data.name}.log"
        self.start()

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "keepsake.cli", *self.words, "--data", str(self.data), "--json"],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
                env=os.environ | {"KEEPSAKE_NAMES": "0", "KEEPSAKE_EMBEDDER": "none"},
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.log.read_text("utf-8")
        self.url = json.loads(line)["url"]

    def token(self, person: str) -> str:
        return Tokens(Ring(self.data / "keys")).make(person, "owner", until=time.time() + 3600)

    def get(self, person: str, lane: str, node: str = "") -> Any:
        headers = {"authorization": f"Bearer {self.token(person)}"}
        answer = httpx.get(f"{self.url}/person/{person}{node}", params={"lane": lane}, headers=headers, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ask(self, person: str, question: str, text: str) -> Any:
        headers = {"authorization": f"Bearer {self.token(person)}"}
        at = f"{self.url}/person/{person}/question/{question}"
        answer = httpx.post(at, params={"lane": "ask"}, json={"text": text}, headers=headers, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()["value"]

    def capture(self, person: str, texts: list[str]) -> None:
        url = f"{self.url.replace('http', 'ws').rstrip('/')}/capture/{person}/notes?kind=text"
        with client.connect(url, additional_headers={"authorization": f"Bearer {self.token(person)}"}) as socket:
            begin = json.loads(socket.recv())["next"]
            for number, text in enumerate(texts, begin):
                socket.send(json.dumps({"n": number, "at": 1_700_000_000 + number, "text": text}))
            while json.loads(socket.recv(timeout=30))["ack"] < begin + len(texts) - 1:
                pass

    def stop(self, sign: int = signal.SIGTERM) -> None:
        self.process.send_signal(sign)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(30)


def until(what: str, found: Callable[[], Any]) -> Any:
    limit = time.monotonic() + WAIT_S
    while time.monotonic() < limit:
        try:
            if value := found():
                return value
        except (httpx.HTTPError, AssertionError):
            pass
        time.sleep(0.2)
    raise AssertionError(f"{what} has not come")


def keepsake(*words: str) -> None:
    done = subprocess.run([sys.executable, "-m", "keepsake.cli", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_an_edge_works_alone_and_the_hub_has_everything_once_when_it_is_back(tmp_path: Path) -> None:
    hub_data, edge_data, ticket = tmp_path / "hub", tmp_path / "edge", tmp_path / "phone.ticket"
    Ring(hub_data / "keys").make("ada")
    serve = ("serve", "--port", "0", "--edges", "0", "--workers", "read")
    hub = Served(hub_data, *serve)
    members = [hub]
    try:
        keepsake("edge", "add", "phone", "ada", "--out", str(ticket), "--data", str(hub_data))
        assert ticket.stat().st_mode & 0o077 == 0
        edge = Served(edge_data, "edge", "run", str(ticket), "--words", "--port", "0")
        members.append(edge)
        edge.capture("ada", TEXTS[:1])
        until("the first at the hub", lambda: hub.get("ada", "stored", "/stream/phone.notes") == 1)

        hub.stop()
        edge.capture("ada", TEXTS[1:])
        until("what was read at the edge", lambda: edge.get("ada", "stored", "/stream/notes") == len(TEXTS))
        answer = edge.ask("ada", "alone", "Who plays the cello?")
        assert answer["citations"][0]["text"] == TEXTS[0]

        hub.start()
        until("the rest at the hub", lambda: hub.get("ada", "stored", "/stream/phone.notes") == len(TEXTS))
        shown = [line["text"] for line in hub.get("ada", "timeline").values()]
        assert sorted(shown) == sorted(TEXTS)
        assert hub.ask("ada", "q", "Where does Clara grow tulips?")["is_known"]
    finally:
        for member in members:
            member.stop()


def test_a_lent_key_opens_what_was_sealed_and_nothing_else_is_one(tmp_path: Path) -> None:
    ring, other = Ring(tmp_path / "a"), Ring(tmp_path / "b")
    sealed = ring.make("ada").seal(b"tea", "lane", "x")

    assert other.adopt(ring.lend("ada")) == "ada"
    assert other.adopt(ring.lend("ada")) == "ada"
    assert other.key("ada").open(sealed, "lane", "x") == b"tea"
    for wrong in ("", "bm90IG9uZQ==", "%%%", ring.lend("ada")[:-8]):
        with pytest.raises(KeepsakeError, match="KS-KEY-007"):
            other.adopt(wrong)
    third = Ring(tmp_path / "c")
    third.make("ada")
    with pytest.raises(KeepsakeError, match="KS-KEY-007"):
        third.adopt(ring.lend("ada"))


def test_what_is_no_ticket_or_no_name_is_told(tmp_path: Path) -> None:
    (tmp_path / "ticket").write_text("no ticket")
    for words, code in (
        (("edge", "run", str(tmp_path / "ticket"), "--data", str(tmp_path)), "KS-CLI-022"),
        (("edge", "add", "Not A Name", "ada", "--out", str(tmp_path / "x"), "--data", str(tmp_path)), "KS-CLI-021"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "keepsake.cli", *words], capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert code in done.stderr
    Ring(tmp_path / "keys").make("ada")
    words = ("edge", "add", "phone", "ada", "--out", str(tmp_path / "x"), "--data", str(tmp_path))
    done = subprocess.run([sys.executable, "-m", "keepsake.cli", *words], capture_output=True, text=True, check=False)
    assert "KS-CLI-023" in done.stderr
