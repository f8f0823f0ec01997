"""Nodes and lanes over HTTP, as curl and fetch would use them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from natant import Plane
from natant.codec.recon.value import Record
from natant.errors import NatantError, StoreError, TurnError
from natant.link.hub import Identity, Refusal
from natant.server.server import Server
from tests.support.serving import host_of, serving

RECON = {"accept": "application/recon"}


@contextlib.asynccontextmanager
async def client(**options: Any) -> AsyncIterator[tuple[httpx.AsyncClient, Server]]:
    async with serving(**options) as server, httpx.AsyncClient(base_url=server.url, trust_env=False) as http:
        yield http, server


async def update(http: httpx.AsyncClient, lane: str, key: Any, value: Any) -> None:
    answer = await http.post(f"/unit/1?lane={lane}", json={"op": "update", "key": key, "value": value})
    assert answer.status_code == 200, answer.text


async def test_a_node_is_described() -> None:
    async with client() as (http, _):
        answer = await http.get("/unit/1")
        facts = answer.json()
        assert (facts["agent"], facts["route"]) == ("Unit", "/unit/{id}")
        assert {"name": "count", "kind": "value", "volatile": False, "value": "int"} in facts["lanes"]
        assert (await http.get("/unit/1", headers=RECON)).text.startswith("{")


async def test_a_value_is_read_as_json_and_as_recon() -> None:
    async with client() as (http, _):
        assert (await http.get("/unit/1?lane=info")).json() is None
        assert (await http.get("/unit/1?lane=info", headers=RECON)).content == b""
        await http.post("/unit/1?lane=info", json="a b")
        answer = await http.get("/unit/1?lane=info")
        assert (answer.headers["content-type"], answer.json()) == ("application/json", "a b")
        answer = await http.get("/unit/1?lane=info", headers={"accept": "text/recon, application/json;q=0.5"})
        assert (answer.headers["content-type"], answer.text) == ("application/recon", '"a b"')


async def test_a_command_is_answered_after_its_commit() -> None:
    async with client() as (http, server):
        answer = await http.post("/unit/1?lane=add", json=5)
        assert answer.status_code == 200
        assert answer.json()["value"] == 5
        assert answer.json()["sequence"] == int(answer.headers["natant-sequence"]) > 0
        answer = await http.post("/unit/1?lane=add", content="2", headers={"content-type": "application/recon"} | RECON)
        assert answer.text == "7"
        assert host_of(server).kernel.journal.sequence >= 2


async def test_a_command_with_a_key_is_done_once() -> None:
    async with client() as (http, _):
        for number in range(3):
            answer = await http.post("/unit/1?lane=add", json=5, headers={"idempotency-key": "abc"})
            assert answer.json()["value"] == 5
            assert ("natant-duplicate" in answer.headers) is (number > 0)
        assert (await http.get("/unit/1?lane=count")).json() == 5


async def test_a_map_is_read_whole_by_key_and_by_page() -> None:
    async with client() as (http, _):
        for key in (10, 9, 100, 1):
            await update(http, "speeds", key, key / 2)
        assert (await http.get("/unit/1?lane=speeds")).json() == {"1": 0.5, "9": 4.5, "10": 5.0, "100": 50.0}
        assert (await http.get("/unit/1?lane=speeds", headers=RECON)).text == "{1:0.5,9:4.5,10:5,100:50}"
        assert (await http.get("/unit/1?lane=speeds&key=9")).json() == 4.5
        assert (await http.get("/unit/1?lane=speeds&key=9", headers=RECON)).text == "4.5"
        missing = await http.get("/unit/1?lane=speeds&key=2")
        assert (missing.status_code, missing.json()["code"]) == (404, "NT-SERVER-011")
        seen: dict[str, float] = {}
        target: str | None = "/unit/1?lane=speeds&limit=3"
        while target:
            answer = await http.get(target)
            seen |= answer.json()
            target = answer.links.get("next", {}).get("url")
        assert seen == {"1": 0.5, "9": 4.5, "10": 5.0, "100": 50.0}
        assert list((await http.get("/unit/1?lane=speeds&after=50&limit=9")).json()) == ["100"]


async def test_keys_with_any_character_are_found() -> None:
    async with client() as (http, _):
        for key in ("a b", "é/ü", "", "true", "&x=1", "5"):
            await update(http, "names", key, "v" + key)
            answer = await http.get("/unit/1", params={"lane": "names", "key": key})
            assert answer.json() == "v" + key


async def test_maps_and_lists_take_operations() -> None:
    async with client() as (http, _):
        for operation in (
            {"op": "update", "key": "a", "value": "1"},
            {"op": "update", "key": "b", "value": "2"},
            {"op": "update", "key": "c", "value": ""},
            {"op": "remove", "key": "b"},
        ):
            assert (await http.post("/unit/1?lane=names", json=operation)).status_code == 200
        assert (await http.get("/unit/1?lane=names")).json() == {"a": "1", "c": ""}
        await http.post("/unit/1?lane=names", json={"op": "take", "n": 1})
        assert (await http.get("/unit/1?lane=names")).json() == {"a": "1"}
        await http.post("/unit/1?lane=names", json={"op": "drop", "n": 1})
        assert (await http.get("/unit/1?lane=names")).json() == {}
        for change in (
            {"op": "update", "index": 0, "value": "x"},
            {"op": "update", "index": 1, "value": "y"},
            {"op": "update", "index": 2, "value": "z"},
            {"op": "move", "from": 2, "to": 0},
            {"op": "remove", "index": 1},
        ):
            answer = await http.post("/unit/1?lane=notes", json=change)
            assert answer.status_code == 200, answer.text
        assert (await http.get("/unit/1?lane=notes")).json() == ["z", "y"]
        await http.post("/unit/1?lane=notes", json={"op": "clear"})
        assert (await http.get("/unit/1?lane=notes")).json() == []


async def test_percent_encoding_means_the_same_node() -> None:
    async with client() as (http, _):
        await http.post("/unit/%41?lane=add", json=3)
        assert (await http.get("/unit/A?lane=count")).json() == 3
        await http.post("/unit/x%2Fy?lane=add", json=4)
        assert (await http.get("/unit/x%2fy?lane=count")).json() == 4
        assert (await http.get("/unit/x/y?lane=count")).status_code == 404


@pytest.mark.parametrize(
    ("method", "target", "options", "status", "code"),
    [
        ("GET", "/nope", {}, 404, "NT-SERVER-011"),
        ("GET", "/nope/1?lane=info", {}, 404, "NT-PLANE-004"),
        ("GET", "/unit/1?lane=nope", {}, 404, "NT-LINK-001"),
        ("POST", "/unit/1?lane=nope", {"json": 1}, 404, "NT-LINK-001"),
        ("POST", "/unit/1", {"json": 1}, 400, "NT-SERVER-016"),
        ("PUT", "/unit/1?lane=info", {"json": 1}, 405, "NT-SERVER-008"),
        ("DELETE", "/unit/1", {}, 405, "NT-SERVER-008"),
        ("POST", "/-/health", {}, 405, "NT-SERVER-008"),
        ("GET", "/-/nope", {}, 404, "NT-SERVER-011"),
        ("GET", "/unit/1?lane=count&key=1", {}, 400, "NT-SERVER-016"),
        ("GET", "/unit/1?lane=speeds&limit=0", {}, 400, "NT-SERVER-016"),
        ("GET", "/unit/1?lane=speeds&limit=x", {}, 400, "NT-SERVER-016"),
        ("GET", "/-/nodes?limit=99999999", {}, 400, "NT-SERVER-016"),
        ("POST", "/unit/1?lane=add", {"json": "x"}, 400, "NT-FORM-002"),
        (
            "POST",
            "/unit/1?lane=add",
            {"content": "{", "headers": {"content-type": "application/json"}},
            400,
            "NT-FORM-009",
        ),
        ("POST", "/unit/1?lane=add", {"content": "1", "headers": {"content-type": "text/plain"}}, 415, "NT-SERVER-010"),
        ("POST", "/unit/1?lane=add", {"data": {"a": "1"}}, 415, "NT-SERVER-010"),
        (
            "POST",
            "/unit/1?lane=add",
            {"content": b"\xff", "headers": {"content-type": "application/recon"}},
            400,
            "NT-SERVER-004",
        ),
        ("POST", "/unit/1?lane=add", {"json": 1, "headers": {"idempotency-key": "x" * 201}}, 400, "NT-SERVER-016"),
        ("POST", "/unit/1?lane=names", {"json": 1}, 400, "NT-SERVER-016"),
        ("POST", "/unit/1?lane=names", {"json": {"op": "update"}}, 400, "NT-SERVER-016"),
        ("POST", "/unit/1?lane=names", {"json": {"op": "explode"}}, 400, "NT-SERVER-016"),
        ("POST", "/unit/1?lane=notes", {"json": {"op": "update", "index": "x"}}, 400, "NT-SERVER-016"),
        ("POST", "/unit/1?lane=alarms", {"json": "x"}, 400, "NT-SERVER-016"),
        (
            "POST",
            "/unit/1?lane=notes",
            {"content": "hi", "headers": {"content-type": "application/recon"}},
            400,
            "NT-SERVER-016",
        ),
        ("GET", "/unit/1?lane=broken", {}, 500, "NT-LINK-002"),
        ("POST", "/unit/1?lane=speeds", {"json": {"op": "update", "key": 1, "value": "fast"}}, 400, "NT-FORM-002"),
        ("POST", "/unit/1?lane=fail", {}, 500, "NT-TURN-001"),
    ],
)
async def test_what_cannot_be_done_is_told_with_a_code(
    method: str, target: str, options: dict[str, Any], status: int, code: str
) -> None:
    async with client() as (http, _):
        answer = await http.request(method, target, **options)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
        assert answer.json()["message"]
        if status == 405:
            assert "GET" in answer.headers["allow"]
        assert (await http.get("/unit/1?lane=count")).json() == 0


async def test_errors_come_in_recon_where_that_is_asked_for() -> None:
    async with client() as (http, _):
        answer = await http.get("/unit/1?lane=nope", headers=RECON)
        assert answer.status_code == 404
        assert answer.text.startswith("{code:NT-LINK-001,message:")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (TurnError("NT-TURN-009", "the journal is behind", http_status=503), 503),
        (TurnError("NT-TURN-007", "busy", http_status=429), 429),
        (StoreError("NT-STORE-005", "the disk is full"), 503),
        (TurnError("NT-TURN-006", "parked"), 409),
    ],
)
async def test_what_may_go_later_says_when(error: NatantError, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise error

    async with client() as (http, server):
        monkeypatch.setattr(server.host, "command", refuse)
        answer = await http.post("/unit/1?lane=add", json=1)
        assert (answer.status_code, answer.json()["code"]) == (status, error.code)
        assert ("retry-after" in answer.headers) is (status in (429, 503))


async def test_head_tells_the_length_only() -> None:
    async with client() as (http, _):
        answer = await http.head("/unit/1?lane=count")
        assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "1")


async def test_options_says_what_is_allowed() -> None:
    async with client() as (http, _):
        answer = await http.options("/unit/1")
        assert answer.status_code == 405
        assert "POST" in answer.headers["allow"]


async def test_the_index_nodes_health_counters_metrics_and_openapi() -> None:
    async with client() as (http, _):
        for name in ("3", "1", "2"):
            await http.post(f"/unit/{name}?lane=add", json=1)
        assert (await http.get("/")).json()["agents"] == [{"agent": "Unit", "route": "/unit/{id}"}]
        page = (await http.get("/-/nodes?prefix=/unit/&limit=2")).json()
        assert [node["node"] for node in page["nodes"]] == ["/unit/1", "/unit/2"]
        page = (await http.get("/-/nodes", params={"prefix": "/unit/", "limit": 2, "after": page["next"]})).json()
        assert ([node["node"] for node in page["nodes"]], page["next"]) == (["/unit/3"], None)
        health = await http.get("/-/health")
        assert (health.status_code, health.json()["ready"]) == (200, True)
        assert (await http.get("/-/counters")).json()["commands"] == 3
        metrics = (await http.get("/metrics")).text
        assert 'natant_commands_total{plane="test"} 3\n' in metrics
        assert 'natant_ready{plane="test"} 1' in metrics
        document = (await http.get("/-/openapi.json")).json()
        assert document["openapi"].startswith("3.1")
        post = document["paths"]["/unit/{id}"]["post"]
        assert post["parameters"][0]["schema"]["enum"] == [
            "info",
            "count",
            "speeds",
            "names",
            "notes",
            "blob",
            "add",
            "fail",
            "alarm",
        ]


async def test_health_is_503_while_the_store_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    async with client() as (http, server):
        monkeypatch.setattr(server.host, "health", lambda: {"ready": False, "store": "NT-STORE-005  disk full"})
        answer = await http.get("/-/health")
        assert (answer.status_code, answer.json()["store"]) == (503, "NT-STORE-005  disk full")


async def test_foreign_pages_may_not_command_and_foreign_names_nothing() -> None:
    async with client() as (http, _):
        answer = await http.post("/unit/1?lane=add", json=1, headers={"origin": "https://evil.example"})
        assert (answer.status_code, answer.json()["code"]) == (403, "NT-SERVER-006")
        answer = await http.post("/unit/1?lane=add", json=1, headers={"origin": "null"})
        assert answer.status_code == 403
        answer = await http.get("/unit/1?lane=count", headers={"host": "evil.example"})
        assert (answer.status_code, answer.json()["code"]) == (421, "NT-SERVER-005")
        answer = await http.post("/unit/1?lane=add", json=1, headers={"origin": "http://localhost:5173"})
        assert answer.status_code == 200
        answer = await http.get("/unit/1?lane=count", headers={"origin": "https://evil.example"})
        assert "access-control-allow-origin" not in answer.headers


async def test_an_allowed_origin_may_do_all() -> None:
    async with client(allow_origins=["https://app.example"], allow_hosts=["box.example"]) as (http, _):
        page = {"origin": "https://app.example", "host": "box.example"}
        asked = await http.options(
            "/unit/1?lane=add",
            headers=page | {"access-control-request-method": "POST", "access-control-request-headers": "content-type"},
        )
        assert asked.status_code == 200
        answer = await http.post("/unit/1?lane=add", json=1, headers=page)
        assert answer.headers["access-control-allow-origin"] == "https://app.example"
        assert (await http.post("/unit/1?lane=add", json=1, headers={"origin": "https://b.example"})).status_code == 403


async def test_files_under_a_prefix_and_under_the_root(tmp_path: Path) -> None:
    site, other = tmp_path / "site", tmp_path / "other"
    site.mkdir()
    other.mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (site / "index.html").write_text("<p>hello")
    (site / "app.js").write_text("let a = 1")
    (other / "data.json").write_text("{}")

    def prepare(plane: Plane) -> None:
        plane.static("/", site)
        plane.static("/files", other)

    async with client(prepare=prepare) as (http, _):
        page = await http.get("/")
        assert (page.text, page.headers["content-type"]) == ("<p>hello", "text/html; charset=utf-8")
        again = await http.get("/", headers={"if-none-match": page.headers["etag"]})
        assert again.status_code == 304
        assert (await http.head("/app.js")).headers["content-length"] == "9"
        assert (await http.get("/files/data.json")).json() == {}
        assert (await http.get("/unit/1?lane=count")).json() == 0
        for path in (
            "/../secret.txt",
            "/%2e%2e/secret.txt",
            "/..%2fsecret.txt",
            "/files/..%2f..%2fsecret.txt",
            "/nope.js",
        ):
            answer = await http.get(httpx.URL(http.base_url, raw_path=path.encode()))
            assert answer.status_code == 404, path
            assert "secret" not in answer.text.replace("secret.txt", "")
        answer = await http.post("/app.js", content="x")
        assert (answer.status_code, answer.json()["code"]) == (405, "NT-SERVER-008")


async def test_bearer_tokens_go_to_the_authenticator_and_the_policy_decides() -> None:
    def authenticate(credentials: Any, target: str) -> Identity | Refusal | None:
        assert isinstance(credentials, Record)
        token = credentials.get("token")
        if token == "barred":
            return Refusal(is_forbidden=True)
        return Identity("ann") if token == "good" else None

    def prepare(plane: Plane) -> None:
        plane.authenticator = authenticate
        plane.policy = lambda identity, verb, node, lane: verb == "read" or identity.name == "ann"

    async with client(prepare=prepare) as (http, _):
        assert (await http.get("/unit/1?lane=count")).status_code == 200
        assert (await http.post("/unit/1?lane=add", json=1)).status_code == 403
        bad = await http.post("/unit/1?lane=add", json=1, headers={"authorization": "Bearer bad"})
        assert (bad.status_code, bad.headers["www-authenticate"]) == (401, "Bearer")
        assert bad.json()["code"] == "NT-SERVER-019"
        barred = await http.post("/unit/1?lane=add", json=1, headers={"authorization": "Bearer barred"})
        assert barred.status_code == 403
        good = await http.post("/unit/1?lane=add", json=1, headers={"authorization": "Bearer good"})
        assert good.json()["value"] == 1


async def test_pages_get_recon_from_the_server_and_nothing_beside_it() -> None:
    async with client() as (http, _):
        answer = await http.get("/-/web/recon.js")
        assert answer.status_code == 200
        assert "javascript" in answer.headers["content-type"]
        assert "export" in answer.text
        for path in ("/-/web/__init__.py", "/-/web/", "/-/web", "/-/web/%2e%2e/site.py", "/-/web/other.js"):
            assert (await http.get(path)).status_code == 404
