"""A lane as server-sent events: its state, then every change.

The stream is a link like any other: a local session of the host with a sink that keeps a bounded number of envelopes.
When the client reads slowly the sink is paused and the link conflates.

==================  =========================================================================================
event               data
==================  =========================================================================================
(none: "message")   one change, ``{"op":"set","value":...}`` or an operation (see ``lanejson.py``)
``synced``          ``{}``: the state is complete
``unlinked``        ``{"reason":"..."}``; the stream ends
==================  =========================================================================================

Source: the HTML standard, 9.2 (server-sent events).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import StreamingResponse

from natant.codec import recon, warp
from natant.codec.warp import operation
from natant.link.hub import Identity
from natant.server.http.identity import identify
from natant.server.http.lanejson import LaneJson, is_keyed
from natant.server.http.negotiate import STREAM_TYPE

if TYPE_CHECKING:
    from natant.server.service import Service

__all__ = ["StreamSink", "stream_lane"]

#: what a browser waits before it connects again
RETRY_MS: Final = 2000


class StreamSink:
    """The sink of a local session; see :class:`natant.link.sink.Sink`.

    :param limit: envelopes after which it is paused.
    """

    def __init__(self, limit: int) -> None:
        self.waiting: deque[bytes] = deque()
        self.ready = asyncio.Event()
        self.end_reason: str | None = None
        self._limit = limit

    @property
    def is_paused(self) -> bool:
        """True while the client has to catch up."""
        return len(self.waiting) >= self._limit

    def write(self, payloads: list[bytes]) -> None:
        """Keep envelopes for the stream."""
        self.waiting.extend(payloads)
        self.ready.set()

    def close(self, code: int, reason: str) -> None:
        """The session ends the link."""
        self.end_reason = reason or str(code)
        self.ready.set()

    def pause_reading(self) -> None:
        """Nothing is read from a stream's client."""

    def resume_reading(self) -> None:
        """Nothing is read from a stream's client."""


def stream_lane(service: Service, request: Request, node: str, lane: str, lane_json: LaneJson) -> StreamingResponse:
    """The answer that streams a lane."""
    remote = request.client.host if request.client is not None else "local"
    session_of = partial(service.host.connect, remote=remote, request_uri=request.url.path)
    return StreamingResponse(
        _events(service, session_of, identify(service, request), warp.encode("sync", node, lane), lane_json),
        media_type=STREAM_TYPE,
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


async def _events(
    service: Service, connect: Callable[[StreamSink], Any], identity: Identity, request: str, lane_json: LaneJson
) -> AsyncIterator[bytes]:
    sink = StreamSink(service.limit.stream_events)
    session = connect(sink)
    session.identity = identity
    stopping = asyncio.ensure_future(service.stopping.wait())
    try:
        session.receive(request)
        yield b"retry: %d\n\n" % RETRY_MS
        while True:
            await _wait(sink, stopping, service.limit.stream_heartbeat_s)
            sink.ready.clear()
            was_paused = sink.is_paused
            waiting, sink.waiting = sink.waiting, deque()
            out: list[bytes] = []
            is_over = False
            for payload in waiting:
                text, is_over = _event(payload, lane_json)
                out.append(text)
                if is_over:
                    break
            if out:
                yield b"".join(out)
            elif not stopping.done() and sink.end_reason is None:
                yield b": alive\n\n"
            if is_over:
                return
            if stopping.done() or sink.end_reason is not None:
                yield _unlinked(sink.end_reason or "stopping")
                return
            if was_paused:
                session.resume()
    finally:
        stopping.cancel()
        session.close("stream ended")


async def _wait(sink: StreamSink, stopping: asyncio.Future[Any], heartbeat_s: float) -> None:
    """Return when something happened, or when it is time for a sign of life."""
    ready = asyncio.ensure_future(sink.ready.wait())
    try:
        await asyncio.wait({ready, stopping}, timeout=heartbeat_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ready.cancel()


def _event(payload: bytes, lane_json: LaneJson) -> tuple[bytes, bool]:
    """One envelope as an event, and whether it is the last."""
    envelope = warp.decode(payload)
    tag = envelope.tag
    if tag == "event":
        body = envelope.body
        change = operation.read(body) if is_keyed(lane_json.kind) or lane_json.kind == "list" else None
        return b"data: " + lane_json.change(change, body) + b"\n\n", False
    if tag == "synced":
        return b"event: synced\ndata: {}\n\n", False
    if tag == "unlinked":
        body = envelope.body
        reason = body.tag if isinstance(body, recon.Record) and body.tag else ""
        return _unlinked(reason), True
    return b"", False


def _unlinked(reason: str) -> bytes:
    return b"event: unlinked\ndata: " + msgspec.json.encode({"reason": reason}) + b"\n\n"
