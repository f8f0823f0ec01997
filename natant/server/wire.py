"""Between the socket and picows: one WebSocket connection's protocol object.

Plain messages are cut out of each read by :mod:`natant.server.inlet`, everything else about frames is done by picows.  This thin
layer around both keeps count of memory, notices that the peer is alive, and ends a connection in an orderly way where picows would
just close it.

Invariant: ``held_bytes`` is what this connection has reserved in the table; it is given back when the connection ends.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import TYPE_CHECKING, Any, Final

from picows import WSAutoPingStrategy, WSUpgradeResponse, WSUpgradeResponseWithListener
from picows.picows import WSProtocol  # type: ignore[attr-defined]

from natant.server.drain import Drain
from natant.server.inlet import Inlet

if TYPE_CHECKING:
    from natant.server.peer import Peer
    from natant.server.service import Service
    from natant.server.upgrade import Upgrade

__all__ = ["Wire", "open_wire"]

#: what picows allocates at first for the frames that it reads
PASS_BYTES: Final = 1024


class _QuietLog(logging.LoggerAdapter[logging.Logger]):
    """What picows logs about peers is told by the server itself, thinned out; only failures of ours come through."""

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - the name is logging's
        return False

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        return None

    def error(self, msg: object, *args: object, **kwargs: Any) -> None:
        return None

    def exception(self, msg: object, *args: object, **kwargs: Any) -> None:
        self.logger.error(msg, *args, exc_info=sys.exc_info())


_LOG = _QuietLog(logging.getLogger("natant.server"), {})


class _Cable:
    """The transport as picows sees it: all as it is, but closing goes through :meth:`Wire.hang_up`."""

    __slots__ = ("_wire", "abort", "get_extra_info", "get_write_buffer_size", "write", "writelines")

    def __init__(self, transport: asyncio.Transport, wire: Wire) -> None:
        self._wire: Wire | None = wire
        self.abort = transport.abort
        self.get_extra_info = transport.get_extra_info
        self.get_write_buffer_size = transport.get_write_buffer_size
        self.write = transport.write
        self.writelines = transport.writelines

    def close(self) -> None:
        if self._wire is not None:
            self._wire.hang_up()

    def release(self) -> None:
        """The connection is gone."""
        self._wire = None


class Wire(WSProtocol):  # type: ignore[misc]
    """One WebSocket connection, from the upgrade to its end.

    :param peer: the listener that gets the messages.
    :ivar raw: the transport, None before the connection is made.
    """

    def __init__(self, service: Service, peer: Peer, upgrade: Upgrade) -> None:
        limit = service.limit
        response = WSUpgradeResponse.create_101_response(
            {"Sec-WebSocket-Protocol": upgrade.subprotocol} if upgrade.subprotocol else None
        )
        super().__init__(
            None,
            None,
            False,
            lambda _request: WSUpgradeResponseWithListener(response, peer),
            _LOG,
            True,
            limit.head_timeout_s,
            False,
            limit.ping_after_s,
            limit.dead_after_s,
            WSAutoPingStrategy.PING_WHEN_IDLE,
            True,
            limit.frame_bytes,
            None,
            PASS_BYTES,
        )
        self.service = service
        self.peer = peer
        self.held_bytes = 0
        self._inlet = Inlet(peer, self, limit.frame_bytes)
        self._largest = limit.large_bytes
        self._is_over = False
        self._is_hung_up = False
        self.raw: asyncio.Transport | None = None
        self._cable: _Cable | None = None
        self._deadline: asyncio.TimerHandle | None = None

    # --- called by the transport ----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Take the connection over."""
        self.raw = transport
        self._cable = _Cable(transport, self)
        super().connection_made(self._cable)

    def get_buffer(self, size_hint: int) -> memoryview:
        """Room for the next read."""
        inlet = self._inlet
        return self._room(size_hint)[: inlet.owed] if inlet.owed else inlet.room()

    def buffer_updated(self, nbytes: int) -> None:
        """``nbytes`` were read."""
        peer = self.peer
        inlet = self._inlet
        peer.is_heard = True
        if inlet.owed:
            inlet.owed -= nbytes
            super().buffer_updated(nbytes)
        else:
            inlet.take(nbytes)
        if self._is_over:
            self._is_over = False
            peer.refuse_large()
        if peer.is_ended or self.transport.is_close_frame_sent:
            peer.look_at_end()
        else:
            session = peer.session
            if session is not None:
                session.end_read()

    def pass_on(self, data: memoryview) -> None:
        """Give picows bytes that were read already, as the transport would."""
        while data:
            room = self._room(len(data))
            size = min(len(room), len(data))
            room[:size] = data[:size]
            super().buffer_updated(size)
            data = data[size:]

    def _room(self, size_hint: int) -> memoryview:
        """Room for what picows reads; it doubles its buffer for a large message and keeps it."""
        view: memoryview = super().get_buffer(size_hint)
        size = len(view)
        if size > self._largest:
            if self.service.table.reserve(size - self._largest):
                self.held_bytes += size - self._largest
                self._largest = size
            else:
                self._is_over = True
        return view

    def eof_received(self) -> bool:
        """The peer has closed its side: nothing more can be expected."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The end."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if self.held_bytes:
            self.service.table.release(self.held_bytes)
            self.held_bytes = 0
        super().connection_lost(exc)
        self.peer.on_lost()
        # No circle is left, so that the read buffer goes now and not at the collector's next look at everything.
        if self._cable is not None:
            self._cable.release()
            self._cable = None
        self._inlet.release()
        self.raw = None

    # --- ending ---------------------------------------------------------------------------------------------------

    def hang_up(self) -> None:
        """Close once everything is written, or cut the connection when that takes too long."""
        raw = self.raw
        if raw is None or self._is_hung_up:
            return
        self._is_hung_up = True
        self._deadline = asyncio.get_running_loop().call_later(self.service.limit.close_timeout_s, raw.abort)
        raw.close()

    def drain(self) -> None:
        """Close after an error of the peer: what it still sends is swallowed, so the close frame reaches it."""
        raw = self.raw
        if raw is None or self._is_hung_up:
            return
        self._is_hung_up = True
        Drain(raw, timeout_s=self.service.limit.close_timeout_s, on_lost=self.connection_lost).begin()


def open_wire(service: Service, transport: asyncio.Transport, upgrade: Upgrade, rest: bytes, address: str) -> Wire:
    """Hand a connection over to WebSocket.

    :param rest: what the client has sent behind its request head.
    """
    from natant.server.peer import Peer

    peer = Peer(service, upgrade, address)
    wire = Wire(service, peer, upgrade)
    peer.wire = wire
    transport.set_protocol(wire)
    wire.connection_made(transport)
    wire.pass_on(memoryview(upgrade.head))
    if rest:
        _feed(wire, rest)
    return wire


def _feed(wire: Wire, data: bytes) -> None:
    """Give bytes that were read already, as the transport would."""
    left = memoryview(data)
    while left:
        room = wire.get_buffer(len(left))
        size = min(len(room), len(left))
        room[:size] = left[:size]
        wire.buffer_updated(size)
        left = left[size:]
