"""Keepsake as its users meet it: a plane, workers, sockets; from a captured word to its deletion."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets.sync.client as client
from support.running import Running

from keepsake.errors import KeepsakeError
from keepsake.store.sqlite import SqliteStores

#: until a worker has done what it was given, on a busy machine
WAIT_S = 60.0
DIARY = [
    "We met Oskar in Lisbon and ate sardines by the river.",
    "Anna plays the cello in an orchestra in Uppsala.",
    "The boat needs new paint before the summer.",
    "My sister Clara is a nurse at the hospital in Lund.",
    "I planted forty tulips behind the greenhouse.",
]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with Running(tmp_path_factory.mktemp("keepsake"), recogniser="none", names="0") as started:
        started.start_plane()
        for queue in ("read", "learn", "forget"):
            started.start_worker(queue)
        yield started


def until(what: str, found: Callable[[], Any]) -> Any:
    limit = time.monotonic() + WAIT_S
    while time.monotonic() < limit:
        if value := found():
            return value
        time.sleep(0.1)
    raise AssertionError(f"{what} has not come")


def capture(running: Running, person: str, stream: str, texts: list[str]) -> None:
    url = f"{running.url.replace('http', 'ws')}/capture/{person}/{stream}?kind=text"
    headers = {"authorization": f"Bearer {running.token(person)}"}
    with client.connect(url, additional_headers=headers) as socket:
        begin = json.loads(socket.recv())["next"]
        for number, text in enumerate(texts, begin):
            socket.send(json.dumps({"n": number, "at": 1_700_000_000 + 3600 * number, "text": text}))
        while json.loads(socket.recv(timeout=30))["ack"] < begin + len(texts) - 1:
            pass
    until(
        "what was captured",
        lambda: running.get(person, "stored", f"/stream/{stream}") == begin + len(texts),
    )


def test_what_was_captured_can_be_asked_for(running: Running) -> None:
    capture(running, "ann", "diary", DIARY)

    assert running.get("ann", "figures")["messages"] == len(DIARY)
    shown = [line["text"] for line in running.get("ann", "timeline").values()]
    assert sorted(shown) == sorted(DIARY)
    answer = running.post("ann", "/question/q1", "ask", {"text": "Who plays the cello?"})
    assert answer["is_known"]
    assert "Anna" in answer["text"]
    assert answer["citations"][0]["text"] == DIARY[1]
    assert "AI" in answer["label"]


def test_a_connection_that_breaks_goes_on_where_it_was(running: Running) -> None:
    capture(running, "bea", "diary", DIARY[:2])
    url = f"{running.url.replace('http', 'ws')}/capture/bea/diary?kind=text"
    with client.connect(url, additional_headers={"authorization": f"Bearer {running.token('bea')}"}) as socket:
        assert json.loads(socket.recv()) == {"next": 2}
        socket.send(json.dumps({"n": 1, "text": "this number is there already"}))
        socket.send(json.dumps({"n": 2, "text": DIARY[2]}))
        assert json.loads(socket.recv(timeout=30))["ack"] == 2
    until("the third", lambda: running.get("bea", "figures")["messages"] == 3)


@pytest.mark.parametrize(
    ("query", "sent", "code"),
    [
        ("kind=text", "no json", "KS-DOOR-005"),
        ("kind=text", json.dumps({"n": 5, "text": "a gap"}), "KS-DOOR-004"),
        ("kind=text", json.dumps({"n": 0, "text": "x" * 70_000}), "KS-DOOR-006"),
        ("kind=smell", "", "KS-DOOR-003"),
        ("kind=audio", b"\0\0\0", "KS-DOOR-005"),
    ],
)
def test_what_cannot_be_taken_is_told(running: Running, query: str, sent: str | bytes, code: str) -> None:
    url = f"{running.url.replace('http', 'ws')}/capture/cid/wrong?{query}"
    with client.connect(url, additional_headers={"authorization": f"Bearer {running.token('cid')}"}) as socket:
        told = json.loads(socket.recv())
        if "next" in told:
            socket.send(sent)
            told = json.loads(socket.recv(timeout=30))
    assert told["error"] == code


def test_a_suggestion_is_in_the_persons_own_words_and_what_becomes_of_it_is_kept(running: Running) -> None:
    capture(running, "ida", "diary", DIARY)
    offers = running.post("ida", "/suggestion/s1", "ask", "Who plays the cello?")
    assert offers
    assert all(offer["text"] in " ".join(DIARY) for offer in offers)
    assert running.post("ida", "/suggestion/s1", "decide", offers[0]["text"]) == "accepted"
    until("the rating", lambda: running.get("ida", "figures")["ratings"] == 1)


def test_a_rating_and_corrections_reach_the_model(running: Running) -> None:
    capture(running, "jon", "diary", DIARY)
    answer = running.post("jon", "/question/q", "ask", {"text": "Who plays the cello?"})
    running.post("jon", "/question/q", "rate", {"right": [answer["citations"][0]["memory"]]})
    for kind in (
        {"kind": "area", "memory": "diary:2#0", "should": "Seagull"},
        {"kind": "name", "was": "Oskar", "should": "Oscar"},
    ):
        running.post("jon", "", "correct", kind)
    until("the ratings", lambda: running.get("jon", "figures")["ratings"] == 3)
    name = running.post("jon", "", "learn", True)
    job = until(
        "the model", lambda: (jobs := running.get("jon", "learning")) and jobs[name]["state"] == "done" and jobs[name]
    )
    assert job["result"]["model"]["built_to"] == len(DIARY)
    assert "Oscar" in running.get("jon", "people")
    with pytest.raises(AssertionError, match="KS-AGENT-018"):
        running.post("jon", "", "correct", {"kind": "area", "memory": "diary:77#0", "should": "Seagull"})


def test_another_person_is_asked_within_a_grant(running: Running) -> None:
    capture(running, "dora", "diary", DIARY)
    running.token("eve")
    ask = {"text": "Who plays the cello?", "about": "dora"}
    assert running.post("eve", "/question/without", "ask", ask) is None
    until("the refusal", lambda: running.get("eve", "state", "/question/without") == "refused")
    assert "KS-GRANT" in running.get("eve", "refusal", "/question/without")

    given = running.post("dora", "", "give", {"to": "eve", "until": time.time() + 3600, "without": ["Clara"]})
    running.post("eve", "/question/with", "ask", ask | {"grant": given["token"]})
    answer = until("the answer", lambda: running.get("eve", "answer", "/question/with"))
    assert "cello" in answer["text"]
    running.post(
        "eve", "/question/outside", "ask", {"text": "Where does Clara work?", "about": "dora", "grant": given["token"]}
    )
    outside = until("the answer", lambda: running.get("eve", "answer", "/question/outside"))
    assert "Clara" not in json.dumps(outside)

    running.post("dora", "", "revoke", given["id"])
    running.post("eve", "/question/late", "ask", ask | {"grant": given["token"]})
    until("the refusal", lambda: running.get("eve", "state", "/question/late") == "refused")
    assert "KS-GRANT-005" in running.get("eve", "refusal", "/question/late")


def test_a_message_that_is_forgotten_is_found_nowhere(running: Running) -> None:
    capture(running, "fay", "diary", DIARY)
    running.post("fay", "", "forget", {"kind": "message", "messages": ["diary:1"]})
    jobs = until(
        "the deletion",
        lambda: [job for job in running.get("fay", "forgetting").values() if job["state"] in ("done", "failed")],
    )
    assert jobs[0]["state"] == "done", jobs
    certificate = json.loads(json.loads(jobs[0]["result"]["certificates"][0])["text"])
    assert {part["part"] for part in certificate["parts"]} >= {"store", "blob", "model", "index"}

    answer = running.post("fay", "/question/q", "ask", {"text": "Who plays the cello?"})
    assert "cello" not in json.dumps(answer)
    until("the timeline", lambda: "cello" not in json.dumps(running.get("fay", "timeline")))


def test_a_person_who_is_forgotten_leaves_nothing_that_can_be_read(running: Running, tmp_path: Path) -> None:
    canary = "the quincunx orchard hides a xylophone"
    capture(running, "gus", "diary", [*DIARY, canary])
    running.post("gus", "/question/q", "ask", {"text": "What hides a xylophone?"})
    token = running.token("gus")
    copy = SqliteStores(running.data / "people", running.ring).open("gus")
    assert copy.find("xylophone")
    copy.close()

    running.post("gus", "", "forget", {"kind": "person"})
    until("the erasure", lambda: not running.ring.has("gus"))
    until("the certificate", lambda: list((running.data / "erased").glob("*.json")))

    def is_gone() -> bool:
        nodes = httpx.get(
            f"{running.url}/person/gus/question/q",
            params={"lane": "answer"},
            headers={"authorization": f"Bearer {token}"},
        )
        return nodes.json() is None

    until("the agents to go", is_gone)
    with pytest.raises(KeepsakeError, match="KS-KEY-001"):
        SqliteStores(running.data / "people", running.ring).open("gus")
    time.sleep(1)
    for path in running.data.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"xylophone" not in content, path
            assert b"quincunx" not in content, path


def test_nothing_that_was_said_is_readable_on_the_disk(running: Running) -> None:
    canary = "zephyrine marmalade"
    capture(running, "hal", "diary", [f"I keep {canary} in the cellar."])
    running.post("hal", "/question/q", "ask", {"text": "Where is the zephyrine marmalade?"})

    found = [path for path in running.data.rglob("*") if path.is_file() and canary.encode() in path.read_bytes()]

    assert not found
