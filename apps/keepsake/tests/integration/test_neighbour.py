"""A hostile neighbour at every door of a running service: not one byte of another person comes through, nor onto the disk in the clear."""

from __future__ import annotations

import json
import re
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

sys.path.insert(0, str(Path(__file__).parents[1]))
from support.neighbour import Canaries, Eve, spellings
from support.running import Running

#: only ever said by ann
SECRETS = ["Quexalbrin", "zyphoretta", "Morvendiluth", "brathuzine"]
#: only in names that ann gave: they are in addresses, which lie open on the service's own disk
NAMES = ["plumvexit"]

STREAM = f"diary-{NAMES[0]}"
TEXTS = [
    "Yesterday I met Quexalbrin at the old harbour and we talked about the boat.",
    "The doctor said that the zyphoretta will pass; nobody at work may know.",
    "My password for the garden gate is brathuzine.",
]
NODES = [
    "/person/ann",
    f"/person/ann/stream/{STREAM}",
    "/person/ann/question/q1",
    "/person/ann/capsule/c1",
    "/vault/ann/c1",
]
LANES = [
    *("timeline", "figures", "people", "places", "categories", "model", "streams", "grants", "capsules", "notices"),
    *("learning", "forgetting", "state", "received", "stored", "pieces", "aside", "reading", "transcript", "partial"),
    *("answer", "kept", "sealed", "refusal", "content", "unlock", "lock", "give", "asked", "vanish"),
]
QUESTIONS = [
    "When did I meet Quexalbrin and talk about the boat?",
    "What did the doctor say will pass?",
    "What is my password for the garden gate?",
    "harbour boat",
]

#: nearly what ann said, so that even a careful answer quotes it
ALMOST_SAID = [
    "Yesterday I met at the old harbour and we talked about the boat",
    "The doctor said that the will pass nobody at work may know",
    "My password for the garden gate is",
]

#: for the workers
READ_S = 90.0


class Town:
    """A running service with ann, who has said something, bob, whom she trusts, and eve."""

    def __init__(self, data: Path) -> None:
        data.mkdir()
        self.running = Running(data, recogniser="none", embedder="none", names="0")
        self.tokens = {person: self.running.token(person) for person in ("ann", "bob", "eve")}
        self.eve = Eve(self.running.port, self.tokens["eve"], Canaries([*SECRETS, *NAMES]))
        try:
            self.running.start_plane()
            self.running.start_worker("read")
            self._live()
        except BaseException:
            self.running.close()
            raise

    def post(self, person: str, node: str, lane: str, value: Any) -> Any:
        return self.running.post(person, node, lane, value)

    def _live(self) -> None:
        url = f"ws://127.0.0.1:{self.running.port}/capture/ann/{STREAM}?kind=text"
        with connect(url, additional_headers={"Authorization": f"Bearer {self.tokens['ann']}"}) as door:
            assert json.loads(door.recv(timeout=30))["next"] == 0
            for number, text in enumerate(TEXTS):
                source = {"title": "about Morvendiluth"}
                door.send(
                    json.dumps({"n": number, "text": text, "at": 1.7e9, "speaker": "Quexalbrin", "source": source})
                )
            acknowledged = -1
            while acknowledged < len(TEXTS) - 1:
                acknowledged = json.loads(door.recv(timeout=30))["ack"]
        limit = time.monotonic() + READ_S
        while self.running.get("ann", "figures")["messages"] < len(TEXTS):
            assert time.monotonic() < limit, self.running.log("read-0")
            time.sleep(0.2)
        self.post("ann", "/question/q1", "ask", {"text": QUESTIONS[0]})
        fill = {"text": "for later: Morvendiluth", "opens_at": time.time() + 3600}
        self.post("ann", "/capsule/c1", "fill", fill)

    def give(self, to: str, **scope: Any) -> dict[str, Any]:
        """A grant of ann's; its id and token."""
        what = {"to": to, "until": time.time() + 3600} | scope
        given: dict[str, Any] = self.post("ann", "", "give", what)
        return given


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    made = Town(tmp_path_factory.mktemp("town") / "data")
    yield made
    made.running.close()


@pytest.fixture
def eve(town: Town) -> Iterator[Eve]:
    town.eve.leaks.clear()
    yield town.eve
    assert town.eve.leaks == []


def test_the_canaries_are_there_for_their_owner_and_would_be_seen(town: Town) -> None:
    ann = Eve(town.running.port, town.tokens["ann"], Canaries([*SECRETS, *NAMES]))

    for node, lane in [(NODES[0], "timeline"), (NODES[0], "streams"), (NODES[0], "people")]:
        assert ann.http("GET", f"{node}?lane={lane}")[0] == 200
    assert len(ann.leaks) == 3
    ann.warp([f"@sync(node:{json.dumps(NODES[0])},lane:timeline)"])
    assert len(ann.leaks) == 4
    assert Canaries(["zyphoretta"]).find(b"eHpaeXBob3JldHRhIQ==" + b"x/" + "ZYPHORETTA".encode("utf-16-le"))


@pytest.mark.parametrize("node", NODES)
def test_http_gives_nothing_of_anothers_node_however_it_is_written(eve: Eve, node: str) -> None:
    for target in spellings("ann", node):
        for query in ("", "?lane=timeline", "?lane=state", "?lane=answer&fresh=1", "?lane=content"):
            status, _ = eve.http("GET", target + query)
            assert status != 200 or "eve" in target, (target, query)


@pytest.mark.parametrize("token", ["", None, "device", "forged", "garbage"])
def test_http_gives_nothing_of_any_lane_for_any_token(town: Town, eve: Eve, token: str | None) -> None:
    mine, hers = town.tokens["eve"].split("."), town.tokens["ann"].split(".")
    shown = {
        "device": town.running.token("eve", "device"),
        "forged": f"{hers[0]}.{hers[1]}.{mine[2]}",
        "garbage": "ks1.e30.AAAA",
    }.get(token or "", token)
    for node in NODES:
        for lane in LANES:
            for method, headers in (("GET", ()), ("HEAD", ()), ("GET", ("Accept: text/event-stream",))):
                status, content = eve.http(method, f"{node}?lane={lane}", token=shown, headers=headers)
                is_told_off = b"event: unlinked" in content and b"event: synced" not in content
                assert status in {400, 401, 403, 404, 405} or is_told_off, (method, node, lane, status, content)


def test_http_takes_no_command_for_another_person(town: Town, eve: Eve) -> None:
    before = town.running.get("ann", "figures"), town.running.get("ann", "grants")
    bodies = [
        {"to": "eve", "until": time.time() + 999},
        {"kind": "person"},
        {"asker": "eve", "question": "/person/eve/question/x", "ask": "", "grant": ""},
        {"number": 3, "kind": "text", "pieces": ["AAAA"]},
        {},
    ]
    lanes = [
        *LANES,
        "forget",
        "learn",
        "revoke",
        "take",
        "end",
        "ask",
        "rate",
        "fill",
        "event",
        "destroy",
        "noted",
        "erase",
    ]
    for node in NODES:
        for lane in lanes:
            for body in bodies:
                status, _ = eve.http("POST", f"{node}?lane={lane}", body=json.dumps(body).encode())
                assert status in {400, 401, 403, 404, 405}, (node, lane, status)

    assert (town.running.get("ann", "figures"), town.running.get("ann", "grants")) == before


def test_the_services_own_pages_name_nobody_else(eve: Eve) -> None:
    pages = ["/", "/-/health", "/-/counters", "/metrics", "/-/openapi.json", "/-/nodes", "/-/nodes?prefix=/person/ann"]
    pages += ["/-/nodes?prefix=/person/ann/stream/", "/-/nodes?prefix=/vault/", "/-/nodes?prefix=/person/eve/../ann"]
    for token in (None, ""):
        for page in pages:
            status, content = eve.http("GET", page, token=token)
            assert b"/person/ann" not in content, (page, status)


def test_no_path_leads_to_the_services_files(town: Town, eve: Eve) -> None:
    files = ["keys/master.key", "plane/nats/secrets.json", "keepsake.toml", "people"]
    for start in ("/", "/page/", "/static/", "/-/", "/capture/", "/person/eve/", "/upload/eve/", "/export/eve/"):
        for up in ("../" * 6, "..%2f" * 6, "%2e%2e/" * 6, "..\\" * 6, "....//" * 6, "%252e%252e%252f" * 6):
            for file in files:
                for path in (file, f"{town.running.data}/{file}"):
                    status, content = eve.http("GET", f"{start}{up}{path}")
                    assert status != 200 or b"<html" in content[:500].lower(), (start, up, path)


@pytest.mark.parametrize("node", NODES)
def test_warp_links_to_nothing_of_another_person(eve: Eve, node: str) -> None:
    for target in spellings("ann", node):
        name = json.dumps(target)
        eve.warp([f"@sync(node:{name},lane:{lane})" for lane in LANES[:15]])
    name = json.dumps(node)
    eve.warp([f"@link(node:{name},lane:{lane})" for lane in LANES])
    eve.warp([f"@sync(node:{name},lane:{lane})" for lane in LANES], token=None)
    eve.warp([f'@command(node:{name},lane:{lane}){{to:"eve",until:2e9}}' for lane in LANES])
    for meta in ("swim", "swimos"):
        inner = node.replace("/", "%2F")
        for lane in ("nodes", "lanes", "uplinks", "pulse", "traceLog", "infoLog", "errorLog"):
            eve.warp(
                [
                    f'@sync(node:"{meta}:meta:node/{inner}",lane:{lane})',
                    f'@sync(node:"{meta}:meta:host",lane:{lane})',
                    f'@sync(node:"{meta}:meta:edge",lane:"{lane}#/person/")',
                    f'@sync(node:"{meta}:meta:node/{inner}/lane/timeline",lane:{lane})',
                ]
            )


def test_a_new_token_on_an_old_connection_opens_nothing_more(town: Town, eve: Eve) -> None:
    for second in ("garbage", town.tokens["eve"]):
        frames = [f'@auth{{token:"{second}"}}', f'@sync(node:"{NODES[0]}",lane:timeline)', "@deauth"]
        eve.warp([*frames, f'@sync(node:"{NODES[0]}",lane:timeline)'])


def test_the_capture_door_is_closed_for_other_streams(town: Town, eve: Eve) -> None:
    piece = json.dumps({"n": 3, "text": "eve was here"})
    before = town.running.get("ann", "received", f"/stream/{STREAM}")
    for person in ("ann", "%61nn", "eve/../ann", "eve%2f..%2fann", "ANN", "ann%00", "eve;ann", "*", ""):
        for token in ("", None, "garbage", town.running.token("eve", "device")):
            got = eve.socket(f"/capture/{person}/{STREAM}?kind=text", token=token, messages=[piece])
            assert b'"next"' not in got, (person, got)
            assert b'"ack"' not in got
    for stream in ("..%2f..%2fann", "..", "a%2fb", "x?token=y", "%00", "a" * 300):
        eve.socket(f"/capture/eve/{stream}", messages=[piece])

    assert town.running.get("ann", "received", f"/stream/{STREAM}") == before


def test_other_doors_are_closed(town: Town, eve: Eve) -> None:
    for door in ("upload", "export", "ask", "blob", "sound", "backup", "download", "receipt", "person"):
        for rest in ("ann", f"ann/{STREAM}", "ann/", "%61nn", "eve/../ann", "eve%2f..%2fann", "", "eve?person=ann"):
            for method in ("GET", "POST", "HEAD", "PATCH", "PUT", "DELETE", "OPTIONS"):
                body = json.dumps({"person": "ann", "about": "ann", "text": QUESTIONS[0]}).encode()
                headers = ("Tus-Resumable: 1.0.0", "Upload-Length: 10", "Upload-Offset: 0")
                eve.http(
                    method, f"/{door}/{rest}", body=body if method in {"POST", "PATCH", "PUT"} else b"", headers=headers
                )


@pytest.mark.parametrize(
    "about", ["ann", "Ann", "%61nn", "ann/", "eve/../ann", "../person/ann", "ann/question/q1", "ann?x"]
)
def test_asking_without_a_grant_is_refused(eve: Eve, about: str) -> None:
    found = eve.ask(about, QUESTIONS[0], wait_s=3.0 if about == "ann" else 0.5)

    assert found["answer"] in {b"null", b""}
    if about == "ann":
        assert found["state"] == "refused"
        assert b"KS-GRANT" in bytes(str(found["refusal"]), "utf-8")


def test_grants_of_others_forged_expired_or_revoked_open_nothing(town: Town, eve: Eve) -> None:
    of_bob = town.give("bob")
    revoked = town.give("eve")
    town.post("ann", "", "revoke", revoked["id"])
    over = time.time() + 4
    short = town.give("eve", until=over)
    time.sleep(max(0.0, over + 0.1 - time.time()))
    head, payload, _ = of_bob["token"].split(".")
    tries = ["", of_bob["token"], revoked["token"], short["token"], of_bob["id"], f"{head}.{payload}."]
    tries += [f"{head}.{payload}.{revoked['token'].split('.')[2]}", "x" * 9000, town.tokens["eve"]]
    for grant in tries:
        for question in QUESTIONS[:2]:
            found = eve.ask("ann", question, grant=grant)
            assert found["state"] == "refused", (grant[:40], found)
            assert found["answer"] == b"null"


def test_a_grant_shows_what_lies_within_it_and_nothing_else(town: Town, eve: Eve) -> None:
    for scope in (
        {"without": ["Quexalbrin", "zyphoretta", "brathuzine", "doctor", "password"]},
        {"said_until": 1.6e9},
        {"said_since": 1.8e9},
        {"streams": ["phone"]},
        {"names": ["Nobody"]},
        {"verbs": ["mentor"], "streams": ["phone"]},
    ):
        grant = town.give("eve", **scope)
        for question in QUESTIONS:
            for style in ("quote", "mentor", "prose", "../x"):
                eve.ask("ann", question, grant=grant["token"], style=style, wait_s=2.0)


def test_a_good_grant_works_so_that_the_refusals_mean_something(town: Town) -> None:
    eve = Eve(town.running.port, town.tokens["eve"], Canaries(SECRETS))

    grant = town.give("eve")["token"]
    found = [eve.ask("ann", question, grant=grant) for question in (*QUESTIONS, *ALMOST_SAID)]

    assert {answer["state"] for answer in found} == {"answered"}
    assert eve.leaks


def test_her_own_lanes_lead_to_nobody_elses_jobs(town: Town, eve: Eve) -> None:
    job = {
        "person": "ann",
        "kind": "person",
        "messages": [],
        "stream": STREAM,
        "first": 0,
        "pieces": [],
        "is_whole": True,
    }
    operations = [
        job,
        {"op": "update", "key": "x", "value": job},
        {"op": "update", "key": "x", "value": {"input": job}},
    ]
    for node in ("/person/eve", "/person/eve/stream/x", f"/person/eve/stream/{STREAM}"):
        for lane in ("learning", "forgetting", "reading", "rereading", "hearing", "pieces", "spills", "kept"):
            for operation in operations:
                eve.http("POST", f"{node}?lane={lane}", body=json.dumps(operation).encode())
    time.sleep(1.0)

    assert town.running.get("ann", "figures")["messages"] == len(TEXTS)
    assert town.running.ring.has("ann")


def test_the_queue_lets_nobody_in_without_its_secret(town: Town, eve: Eve) -> None:
    secrets = json.loads((town.running.data / "plane" / "nats" / "secrets.json").read_text())
    said = (town.running.data / "plane.log").read_text()
    port = int(re.findall(r"nats://127\.0\.0\.1:(\d+)", said)[0])
    for user, password in ((None, None), ("eve", "x"), ("", ""), (town.tokens["eve"], "")):
        with socket.create_connection(("127.0.0.1", port), timeout=5) as door:
            door.settimeout(1.0)
            options = {"verbose": False, "pedantic": False} | (
                {"user": user, "pass": password} if user is not None else {}
            )
            door.sendall(f"CONNECT {json.dumps(options)}\r\nSUB > 1\r\nPING\r\n".encode())
            got = b""
            try:
                while piece := door.recv(65_536):
                    got += piece
            except (TimeoutError, ConnectionError):
                pass
            assert b"-ERR" in got, got
            assert b"PONG" not in got
            eve.look("nats", got)
    assert secrets


def test_nothing_that_was_said_is_on_the_disk_in_the_clear(town: Town) -> None:
    canaries = Canaries(SECRETS)
    found = [
        (path.relative_to(town.running.data), canaries.find(path.read_bytes()))
        for path in town.running.data.rglob("*")
        if path.is_file() and canaries.find(path.read_bytes())
    ]

    assert found == []
