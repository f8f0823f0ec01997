"""``POST /ask``: a question and its answer in one request, for those who need no agent of their own.

The body is an `Ask` as JSON, ``{"text": "When did I see Ilse?"}``; the answer names the question's agent, where it can be rated:
``{"question": URI, "state": "answered", "answer": {...}}``.  Another person's agent has half a minute; later the answer is in the question's lanes.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import Final

import msgspec
from natant.server import Caller
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keepsake.agent.value import Ask
from keepsake.door.caller import ERRORS, json_answer, owner
from keepsake.errors import KeepsakeError
from keepsake.record import Answer

__all__ = ["make"]

BODY_BYTES: Final = 64 * 1024
#: until an answer of another person's agent is left to the lanes, and how often it is looked for
WAIT_S: Final = 30.0
LOOK_S: Final = 0.2


async def _body(request: Request) -> bytes:
    content = b""
    async for part in request.stream():
        content += part
        if len(content) > BODY_BYTES:
            raise KeepsakeError("KS-DOOR-012", f"a question has at most {BODY_BYTES} bytes")
    return content


async def _wait(caller: Caller, node: str) -> str:
    """The state of a question that another person's agent has, once it is no longer ``asked`` or the wait is over."""
    loop = asyncio.get_running_loop()
    limit = loop.time() + WAIT_S
    while True:
        state: str = await caller.read(node, "state")
        if state != "asked" or loop.time() > limit:
            return state
        await asyncio.sleep(LOOK_S)


async def ask(request: Request) -> Response:
    """Answer one question."""
    person, caller = owner(request)
    try:
        what = msgspec.json.decode(await _body(request), type=Ask)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise KeepsakeError("KS-DOOR-005", f'a question is JSON, {{"text": "..."}}: {error}') from None
    node = f"/person/{person}/question/{secrets.token_hex(8)}"
    outcome = await caller.command(node, "ask", what, Answer | None)
    answer: Answer | None = outcome.value
    if answer is not None:
        return json_answer({"question": node, "state": "answered", "answer": answer})
    state = await _wait(caller, node)
    answer = await caller.read(node, "answer")
    refusal = await caller.read(node, "refusal") if state == "refused" else ""
    return json_answer({"question": node, "state": state, "answer": answer, "refusal": refusal})


def make() -> Starlette:
    """The application at ``/ask``."""
    return Starlette(routes=[Route("/", ask, methods=["POST"])], exception_handlers=ERRORS)
