"""An application of Starlette under /api: it uploads a file's lines to an agent, and follows a WebSocket."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from natant import Agent, NatantError, Plane, command, lane
from natant.server import fault_response, gate


class Diary(Agent, route="/diary/{owner}"):
    owner: str
    pages = lane.list(str)

    @command
    def write(self, text: str) -> int:
        self.pages.append(text)
        return len(self.pages)


async def upload(request: Request) -> Response:
    """Write each line of the body; answers when all of them are durable."""
    diary = f"/diary/{request.path_params['owner']}"
    count = 0
    for line in (await request.body()).decode().splitlines():
        count = (await gate(request.scope).command(diary, "write", line, int)).value
    return JSONResponse({"pages": count})


async def dictate(socket: WebSocket) -> None:
    """Write each message, and tell the number of its page once it is durable."""
    diary = f"/diary/{socket.path_params['owner']}"
    await socket.accept()
    try:
        while True:
            text = await socket.receive_text()
            done = await gate(socket.scope).command(diary, "write", text, int)
            await socket.send_json({"page": done.value})
    except WebSocketDisconnect:
        pass


async def refuse(request: Request, error: Exception) -> Response:
    """Errors of the plane leave as the plane's own: their status and their code."""
    assert isinstance(error, NatantError)
    return fault_response(request, error)


api = Starlette(
    routes=[Route("/{owner}/upload", upload, methods=["POST"]), WebSocketRoute("/{owner}/dictate", dictate)],
    exception_handlers={NatantError: refuse},
)
plane = Plane("diaries", [Diary])
plane.mount("/api", api)
