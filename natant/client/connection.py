"""Keeps a channel connected to its host: WebSocket, reassembly, pings, and trying again.

Offers the subprotocol ``warp0`` and does not mind when it is not echoed (SwimOS Java never does).  Sends text frames, takes text
and binary ones.  A connection that the host closes because of wrong credentials is not tried again.

Invariant: the channel is told ``connected`` and ``disconnected`` in turns, by the one task that runs :meth:`Connection.run`.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from typing import Any, Final

from picows import WSCloseCode, WSError, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from natant.client.address import Address
from natant.client.backoff import Backoff, Heartbeat
from natant.client.timing import (
    CLOSE_WAIT_S,
    HANDSHAKE_WAIT_S,
    MAX_MESSAGE_BYTES,
    MAX_UNSENT_BYTES,
    STEADY_S,
    Timing,
)
from natant.errors import ClientError
from natant.link.channel import Channel

__all__ = ["Connection"]

SUBPROTOCOL: Final = "warp0"

_log = logging.getLogger("natant.client")


class _Listener(WSListener):
    """One connection's receiving side."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._parts: list[bytes] = []
        self._size = 0
        self.reason = ""
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        if kind is WSMsgType.TEXT or kind is WSMsgType.BINARY or kind is WSMsgType.CONTINUATION:
            self._take(transport, frame)
        elif kind is WSMsgType.CLOSE:
            text = frame.get_close_message()
            words = bytes(text).decode("utf-8", "replace") if text else ""
            self.reason = f"closed by the host: {_code(frame)} {words}".rstrip()
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()
        else:
            self._channel.heard()

    def _take(self, transport: WSTransport, frame: WSFrame) -> None:
        payload = frame.get_payload_as_bytes()
        if frame.fin and not self._parts:
            self._channel.receive(payload)
            return
        self._parts.append(payload)
        self._size += len(payload)
        self._channel.heard()
        if self._size > MAX_MESSAGE_BYTES:
            self.reason = f"the host sent a message of more than {MAX_MESSAGE_BYTES} bytes"
            transport.send_close(WSCloseCode.MESSAGE_TOO_BIG)
            transport.disconnect()
        elif frame.fin:
            whole = b"".join(self._parts)
            self._parts.clear()
            self._size = 0
            self._channel.receive(whole)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        if not self.gone.done():
            self.gone.set_result(None)


class Connection:
    """Keeps a channel connected until :meth:`close`.

    :param tls: the TLS context for a secure address; None takes the system's trust store.
    """

    def __init__(self, address: Address, timing: Timing, tls: ssl.SSLContext | None = None) -> None:
        self.address = address
        #: set while connected
        self.is_up = asyncio.Event()
        #: what the last try or connection ended with; empty while all is well
        self.reason = ""
        self._timing = timing
        self._tls = tls
        self._transport: WSTransport | None = None
        self._listener: _Listener | None = None
        self._task: asyncio.Task[None] | None = None
        self.channel = Channel(self._send, timing.now, address.host_uri)

    def start(self) -> None:
        """Begin to connect."""
        self._task = asyncio.get_running_loop().create_task(self.run(), name=f"natant link to {self.address.host_uri}")

    async def run(self) -> None:
        """Connect, again and again, until cancelled or refused."""
        backoff = Backoff(self._timing.random)
        while not self.channel.is_refused:
            try:
                transport, listener = await self._connect()
            except (OSError, WSError, TimeoutError) as error:
                self.reason = f"{type(error).__name__}: {error}".rstrip(": ")
            else:
                await self._hold(transport, listener, backoff)
            if not self.channel.is_refused:
                wait_s = backoff.next()
                _log.info("no connection to %s (%s); next try in %.1f s", self.address.host_uri, self.reason, wait_s)
                await self._timing.sleep(wait_s)
        self.channel.end(f"deauthed: {self.reason}")

    async def _connect(self) -> tuple[WSTransport, _Listener]:
        options: dict[str, Any] = {"ssl_context": self._tls} if self._tls is not None else {}
        listener = _Listener(self.channel)
        transport, _ = await ws_connect(
            lambda: listener,
            self.address.websocket,
            websocket_handshake_timeout=HANDSHAKE_WAIT_S,
            max_frame_size=MAX_MESSAGE_BYTES,
            extra_headers={"Sec-WebSocket-Protocol": SUBPROTOCOL},
            max_redirects=0,
            logger_name="natant",
            **options,
        )
        return transport, listener

    async def _hold(self, transport: WSTransport, listener: _Listener, backoff: Backoff) -> None:
        """Use one connection until it ends."""
        self._transport, self._listener = transport, listener
        self.reason = ""
        watch = asyncio.get_running_loop().create_task(self._watch(transport, listener))
        try:
            self.channel.connected()
            self.is_up.set()
            connected_s = self.channel.heard_s
            await listener.gone
            if self.channel.heard_s - connected_s >= STEADY_S:
                backoff.reset()
        finally:
            watch.cancel()
            self._transport = self._listener = None
            self.is_up.clear()
            self.reason = listener.reason or self.reason or "the connection broke"
            transport.disconnect(graceful=False)
            self.channel.disconnected(self.reason)

    async def _watch(self, transport: WSTransport, listener: _Listener) -> None:
        """Ping a silent host; give up a dead one."""
        heartbeat = Heartbeat()
        while True:
            what, wait_s = heartbeat.check(self._timing.now(), self.channel.heard_s)
            if what == "dead":
                listener.reason = "the host did not answer a ping"
                transport.disconnect(graceful=False)
                return
            if what == "ping":
                transport.send_ping()
            await self._timing.sleep(wait_s)

    def _send(self, payload: bytes) -> None:
        transport = self._transport
        if transport is None or transport.is_disconnected:
            return
        if transport.underlying_transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            raise ClientError(
                "NT-CLIENT-006",
                f"more than {MAX_UNSENT_BYTES} bytes wait to be sent to {self.address.host_uri}: it reads more slowly than this "
                "client writes. Write less, or use acknowledged commands, which wait.",
            )
        transport.send(WSMsgType.TEXT, payload)

    async def close(self) -> None:
        """End the connection; commands that were handed to it are sent first."""
        transport, listener = self._transport, self._listener
        if transport is not None and listener is not None and not transport.is_disconnected:
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()
            await asyncio.wait([listener.gone], timeout=CLOSE_WAIT_S)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None


def _code(frame: WSFrame) -> int:
    try:
        return int(frame.get_close_code().value)
    except (ValueError, AttributeError):
        return 1005
