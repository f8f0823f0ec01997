"""Applications under a path of the plane's port: who is let in, what they may do, how they live."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import websockets
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.typing import Subprotocol

from natant import Agent, Identity, Plane, command, lane
from natant.errors import NatantError, PlaneError, ServerError
from natant.server import Limit, Server, fault_response, gate
from tests.support.serving import serving, until

Use = Callable[[Server], Awaitable[None]]


@dataclass
class Sum:
    """What :meth:`Box.add` returns."""

    total: int


class Box(Agent, route="/box/{id}"):
    """Keeps figures."""

    total = lane.value(int, default=0)
    parts = lane.map(str, int)
    notes = lane.list(str)

    @command
    def add(self, by: int) -> Sum:
        """Add to the total."""
        self.total += by
        self.parts[f"p{by}"] = by
        self.notes.append(f"added {by}")
        return Sum(self.total)


async def add(request: Request) -> Response:
    """Command the agent in the caller's name."""
    outcome = await gate(request.scope).command(f"/box/{request.path_params['id']}", "add", 3, Sum)
    return JSONResponse({"total": outcome.value.total, "is_durable": outcome.sequence > 0})


async def state(request: Request) -> Response:
    """Read all lanes."""
    node = f"/box/{request.path_params['id']}"
    caller = gate(request.scope)
    return JSONResponse({name: await caller.read(node, name) for name in ("total", "parts", "notes")})


async def whoami(request: Request) -> Response:
    """Tell what the application sees."""
    caller = gate(request.scope)
    return JSONResponse(
        {
            "name": caller.identity.name,
            "query": str(request.url.query),
            "root": request.scope["root_path"],
            "state": request.state.greeting,
        }
    )


async def take(request: Request) -> Response:
    """Count the bytes of the body as they come."""
    size = 0
    async for part in request.stream():
        size += len(part)
    return PlainTextResponse(str(size))


async def boom(request: Request) -> Response:
    """Fail."""
    raise ValueError("as asked")


async def echo(socket: WebSocket) -> None:
    """Send back what comes, with who sent it."""
    await socket.accept()
    name = gate(socket.scope).identity.name
    with contextlib.suppress(WebSocketDisconnect):
        async for text in socket.iter_text():
            await socket.send_text(f"{name}:{text}:{socket.url.query}")


async def slow(socket: WebSocket) -> None:
    """Read nothing until told."""
    await socket.accept()
    await socket.app.state.go.wait()
    total = 0
    with contextlib.suppress(WebSocketDisconnect):
        async for data in socket.iter_bytes():
            total += len(data)
            if total == 400 * 65536:
                await socket.send_text(str(total))


def application() -> Starlette:
    """The application that is mounted."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, Any]]:
        app.state.life.append("started")
        yield {"greeting": "hello"}
        app.state.life.append("ended")

    app = Starlette(
        routes=[
            Route("/add/{id}", add, methods=["POST"]),
            Route("/state/{id}", state),
            Route("/who", whoami),
            Route("/take", take, methods=["POST", "PATCH"]),
            Route("/boom", boom),
            WebSocketRoute("/echo", echo),
            WebSocketRoute("/slow", slow),
        ],
        lifespan=lifespan,
        exception_handlers={NatantError: refuse},
    )
    app.state.life = []
    app.state.go = asyncio.Event()
    return app


async def refuse(request: Request, error: Exception) -> Response:
    """Answer as natant does."""
    assert isinstance(error, NatantError)
    return fault_response(request, error)


def authenticate(credentials: Any, uri: str) -> Identity | None:
    """Let in whoever has a token that says its own name."""
    token = str(credentials.get("token"))
    return Identity(token.removeprefix("token-")) if token.startswith("token-") else None


def may(identity: Identity, verb: str, node: str, lane: str) -> bool:
    """Everybody with a name may open the application; boxes are their owners'."""
    if verb == "open":
        return bool(identity.name) and "closed" not in node
    return node == f"/box/{identity.name}"


def prepare(app: Any, *, is_guarded: bool = True) -> Callable[[Plane], None]:
    """A plane with the application."""

    def set_up(plane: Plane) -> None:
        plane.mount("/app/", app, frame_bytes=100_000)
        if is_guarded:
            plane.authenticator = authenticate
            plane.policy = may

    return set_up


def bearer(name: str) -> dict[str, str]:
    """The header of a caller."""
    return {"authorization": f"Bearer token-{name}"}


async def test_the_application_commands_and_reads_in_the_name_of_its_caller() -> None:
    async with serving(Box, prepare=prepare(application())) as server:
        async with httpx.AsyncClient(base_url=server.url, headers=bearer("ann")) as client:
            assert (await client.post("/app/add/ann")).json() == {"total": 3, "is_durable": True}
            assert (await client.get("/app/state/ann")).json() == {
                "total": 3,
                "parts": {"p3": 3},
                "notes": ["added 3"],
            }
            foreign = await client.post("/app/add/bob")
            assert (foreign.status_code, foreign.json()["code"]) == (403, "NT-LINK-008")


async def test_tokens_come_in_a_header_or_the_query_and_are_not_shown_to_the_application() -> None:
    async with serving(Box, prepare=prepare(application())) as server:
        async with httpx.AsyncClient(base_url=server.url) as client:
            seen = (await client.get("/app/who?a=1&token=token-ann&b=2")).json()
            assert seen == {"name": "ann", "query": "a=1&b=2", "root": "/app", "state": "hello"}
            both = await client.get("/app/who?token=token-eve", headers=bearer("ann"))
            assert both.json()["name"] == "ann"


async def test_whom_the_policy_does_not_open_the_path_is_refused_before_the_application() -> None:
    async with serving(Box, prepare=prepare(application())) as server:
        async with httpx.AsyncClient(base_url=server.url) as client:
            unknown = await client.get("/app/who")
            wrong = await client.get("/app/who", headers={"authorization": "Bearer nonsense"})
            closed = await client.get("/app/closed", headers=bearer("ann"))
            assert (unknown.status_code, unknown.json()["code"]) == (401, "NT-SERVER-023")
            assert (wrong.status_code, wrong.json()["code"]) == (401, "NT-SERVER-019")
            assert (closed.status_code, closed.json()["code"]) == (403, "NT-SERVER-023")
        with pytest.raises(websockets.InvalidStatus) as caught:
            await websockets.connect(f"ws://127.0.0.1:{server.port}/app/echo")
        assert caught.value.response.status_code == 401
        assert b"NT-SERVER-023" in (caught.value.response.body or b"")


async def test_a_policy_that_raises_opens_nothing() -> None:
    def set_up(plane: Plane) -> None:
        plane.mount("/app", application())
        plane.policy = lambda identity, verb, node, lane: 1 // 0 == 0

    async with serving(Box, prepare=set_up) as server, httpx.AsyncClient(base_url=server.url) as client:
        assert (await client.get("/app/who")).status_code == 401


async def test_a_private_plane_shows_applications_to_known_callers_only() -> None:
    def set_up(plane: Plane) -> None:
        plane.mount("/app", application())
        plane.authenticator = authenticate
        plane.is_private = True

    async with serving(Box, prepare=set_up) as server, httpx.AsyncClient(base_url=server.url) as client:
        assert (await client.get("/app/who")).json()["code"] == "NT-SERVER-020"
        assert (await client.get("/app/who", headers=bearer("ann"))).status_code == 200


async def test_web_sockets_with_a_token_in_query_or_subprotocol() -> None:
    async with serving(Box, prepare=prepare(application())) as server:
        base = f"ws://127.0.0.1:{server.port}/app/echo"
        async with websockets.connect(f"{base}?x=1&token=token-ann") as socket:
            await socket.send("hi")
            assert await socket.recv() == "ann:hi:x=1"
        subprotocols = [Subprotocol("bearer"), Subprotocol("token-bob")]
        async with websockets.connect(base, subprotocols=subprotocols) as socket:
            assert socket.subprotocol == "bearer"
            await socket.send("hi")
            assert await socket.recv() == "bob:hi:"
        async with websockets.connect(base, additional_headers=bearer("eve")) as socket:
            await socket.send("hi")
            assert await socket.recv() == "eve:hi:"


async def test_links_and_nodes_go_on_beside_the_application() -> None:
    async with serving(Box, prepare=prepare(application(), is_guarded=False)) as server:
        async with httpx.AsyncClient(base_url=server.url) as client:
            await client.post("/box/x?lane=add", json=4)
            assert (await client.get("/box/x?lane=total")).json() == 4
            assert (await client.get("/application")).status_code == 404
            assert (await client.get("/-/health")).status_code == 200
        async with websockets.connect(f"ws://127.0.0.1:{server.port}/", subprotocols=[Subprotocol("warp0")]) as socket:
            await socket.send('@sync(node:"/box/x",lane:total)')
            assert "linked" in str(await socket.recv())


async def test_pages_of_other_origins_open_no_web_socket_and_post_nothing() -> None:
    async with serving(Box, prepare=prepare(application())) as server:
        async with httpx.AsyncClient(base_url=server.url, headers=bearer("ann")) as client:
            found = await client.post("/app/add/ann", headers={"origin": "https://evil.example"})
            assert found.json()["code"] == "NT-SERVER-006"
        with pytest.raises(websockets.InvalidStatus) as caught:
            await websockets.connect(
                f"ws://127.0.0.1:{server.port}/app/echo?token=token-ann",
                origin="https://evil.example",  # type: ignore[arg-type]
            )
        assert caught.value.response.status_code == 403


async def test_an_allowed_origin_may_use_all_methods() -> None:
    async with serving(Box, prepare=prepare(application()), allow_origins=["https://page.example"]) as server:
        async with httpx.AsyncClient(base_url=server.url) as client:
            asked = {"origin": "https://page.example", "access-control-request-method": "PATCH"}
            found = await client.options(
                "/app/take", headers=asked | {"access-control-request-headers": "upload-offset"}
            )
            assert found.status_code == 200
            assert "PATCH" in found.headers["access-control-allow-methods"]


async def test_a_large_body_passes_through_and_one_that_stops_coming_ends() -> None:
    limit = Limit(sweep_s=0.02, body_bytes=1000, body_timeout_s=0.2)
    async with serving(Box, prepare=prepare(application()), limit=limit) as server:
        async with httpx.AsyncClient(base_url=server.url, headers=bearer("ann")) as client:
            assert (await client.patch("/app/take", content=b"x" * 5_000_000)).text == "5000000"
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        head = "POST /app/take HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer token-ann\r\ncontent-length: 10\r\n\r\nabc"
        writer.write(head.encode())
        async with asyncio.timeout(5.0):
            await reader.read(1000)
        writer.close()


async def test_a_message_that_is_too_long_ends_the_web_socket() -> None:
    async with serving(Box, prepare=prepare(application())) as server:
        async with websockets.connect(f"ws://127.0.0.1:{server.port}/app/echo?token=token-ann") as socket:
            await socket.send("x" * 100_001)
            with pytest.raises(websockets.ConnectionClosedError) as caught:
                await socket.recv()
            assert caught.value.rcvd is not None
            assert caught.value.rcvd.code == 1009


async def test_what_the_application_does_not_read_stays_with_the_sender() -> None:
    app = application()
    async with serving(Box, prepare=prepare(app)) as server:
        uri = f"ws://127.0.0.1:{server.port}/app/slow?token=token-ann"
        async with websockets.connect(uri, write_limit=1) as socket:

            async def send() -> int:
                for _ in range(400):
                    await socket.send(b"x" * 65536)
                return 400

            sender = asyncio.create_task(send())
            await asyncio.wait({sender}, timeout=0.3)
            assert not sender.done(), "26 MB have gone where nobody reads"
            app.state.go.set()
            assert await sender == 400
            assert await socket.recv() == str(400 * 65536)


async def test_connections_are_counted_and_limited() -> None:
    limit = Limit(sweep_s=0.02, connections=1)
    async with serving(Box, prepare=prepare(application()), limit=limit) as server:
        uri = f"ws://127.0.0.1:{server.port}/app/echo?token=token-ann"
        async with websockets.connect(uri):
            assert len(server.service.table) == 1
            async with httpx.AsyncClient(base_url=server.url, headers=bearer("ann")) as client:
                assert (await client.get("/app/who")).status_code == 503
        await until(lambda: not len(server.service.table))


async def test_too_many_headers_are_refused() -> None:
    async with serving(Box, prepare=prepare(application())) as server:
        uri = f"ws://127.0.0.1:{server.port}/app/echo?token=token-ann"
        with pytest.raises(websockets.InvalidStatus) as caught:
            await websockets.connect(uri, additional_headers={f"x-{n}": "1" for n in range(125)})
        assert caught.value.response.status_code == 431


async def test_an_error_of_the_application_is_its_own() -> None:
    async with serving(Box, prepare=prepare(application())) as server:
        async with httpx.AsyncClient(base_url=server.url, headers=bearer("ann")) as client:
            assert (await client.get("/app/boom")).status_code == 500
            assert (await client.get("/app/who")).status_code == 200


async def test_the_application_lives_as_long_as_the_server() -> None:
    app = application()
    async with serving(Box, prepare=prepare(app)) as server:
        assert app.state.life == ["started"]
        async with websockets.connect(f"ws://127.0.0.1:{server.port}/app/echo?token=token-ann") as socket:
            await server.stop(grace_s=2.0)
            with pytest.raises(websockets.ConnectionClosed) as caught:
                await socket.recv()
            assert caught.value.rcvd is not None
            assert caught.value.rcvd.code == 1012
    assert app.state.life == ["started", "ended"]


async def test_an_application_that_cannot_start_keeps_the_server_from_starting() -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    with pytest.raises(ServerError, match="no database") as caught:
        async with serving(Box, prepare=prepare(broken)):
            pass
    assert caught.value.code == "NT-SERVER-021"


async def test_an_application_that_knows_no_lifespan_is_served() -> None:
    async def plain(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"plain"})

    async with serving(Box, prepare=prepare(plain, is_guarded=False)) as server:
        async with httpx.AsyncClient(base_url=server.url) as client:
            assert (await client.get("/app")).text == "plain"


async def test_without_the_library_web_sockets_of_applications_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "natant.server.mount.peer", None)
    async with serving(Box, prepare=prepare(application())) as server:
        with pytest.raises(websockets.InvalidStatus) as caught:
            await websockets.connect(f"ws://127.0.0.1:{server.port}/app/echo?token=token-ann")
        assert caught.value.response.status_code == 501
        assert b"NT-SERVER-024" in (caught.value.response.body or b"")


async def test_the_longest_prefix_wins() -> None:
    def answering(text: str) -> Any:
        return Starlette(routes=[Route("/{rest:path}", lambda request: PlainTextResponse(text))])

    def set_up(plane: Plane) -> None:
        plane.mount("/a", answering("short"))
        plane.mount("/a/b", answering("long"))

    async with serving(Box, prepare=set_up) as server, httpx.AsyncClient(base_url=server.url) as client:
        assert (await client.get("/a/c")).text == "short"
        assert (await client.get("/a/b/c")).text == "long"
        assert (await client.get("/a/bc")).text == "short"
        assert (await client.head("/a/c")).status_code == 200


@pytest.mark.parametrize("prefix", ["/", "", "/-/x", "/-", "/metrics", "/ü", "/a%2Fb"])
def test_prefixes_that_cannot_be_had(prefix: str) -> None:
    with pytest.raises(PlaneError) as caught:
        Plane("test", []).mount(prefix, application())
    assert caught.value.code == "NT-PLANE-011"


def test_a_prefix_is_taken_once() -> None:
    plane = Plane("test", [])
    plane.mount("/a", application())
    with pytest.raises(PlaneError) as caught:
        plane.mount("a/", application())
    assert caught.value.code == "NT-PLANE-009"


def test_the_gate_is_only_a_planes() -> None:
    with pytest.raises(ServerError) as caught:
        gate({"type": "http"})
    assert caught.value.code == "NT-SERVER-022"
