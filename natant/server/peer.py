"""One WARP peer: messages in to its session, envelopes of its session out.

=====================  ========================================================================================
what happens           what the peer sees
=====================  ========================================================================================
not UTF-8              close 1007
no envelope            close 1002 with the code of the error
frame breaks RFC 6455  close 1002 (reserved bits, unmasked frame, fragments out of order)
message too large      close 1009
no memory for it       close 1013: try again later
credentials refused    close 1008 (by the session)
reads nothing          close 1008 after ``stall_timeout_s``
silent                 ping after ``ping_after_s``; dropped ``dead_after_s`` later
close frame            close 1000
server stops           close 1001 "going away: reconnect"
=====================  ========================================================================================

Invariants: nothing is written behind a close frame; while ``is_paused`` the session writes nothing, so what one slow peer
costs is bounded by the write buffer's limit plus what its links conflate to.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport

from natant.errors import NatantError, ServerError
from natant.server.frame import close_reason
from natant.server.outflow import Outflow

if TYPE_CHECKING:
    from natant.server.service import Service
    from natant.server.upgrade import Upgrade
    from natant.server.wire import Wire

__all__ = ["Peer"]

_TEXT: Final = WSMsgType.TEXT
_BINARY: Final = WSMsgType.BINARY
_CONTINUATION: Final = WSMsgType.CONTINUATION
_CLOSE: Final = WSMsgType.CLOSE

#: close codes that stand for "no code" and must not be sent (RFC 6455, 7.4.1)
_NEVER_SENT: Final = frozenset({0, 1004, 1005, 1006, 1015})

#: reasons to stop reading; any of them keeps it stopped
_BY_HOST: Final = 1
_BY_SERVER: Final = 2


class Peer(WSListener):
    """A connection's listener and its session's sink.

    :ivar is_heard: something came in since the last sweep.
    :ivar is_paused: the write buffer is over its limit; see :class:`natant.link.sink.Sink`.
    :ivar is_ended: a close frame was sent or the connection is being cut: take and send nothing more.
    """

    #: the session's payloads come as frames
    is_framed = True

    def __init__(self, service: Service, upgrade: Upgrade, address: str) -> None:
        self.service = service
        self.address = address
        self.target = upgrade.target
        self.wire: Wire | None = None
        self.session: Any = None
        self.is_heard = True
        self.is_paused = False
        self.is_ended = False
        self._transport: WSTransport | None = None
        self._raw: Any = None
        self._outflow: Outflow | None = None
        #: send frames; a session is opened only once there is a transport to write to
        self.write: Callable[[list[bytes]], None] = _nowhere
        self._fragments: bytearray | None = None
        self._reserved_bytes = 0
        self._reading_stopped = 0
        #: messages that were read together with the one at which reading had to stop; at most one read's worth
        self._held: deque[str] = deque()
        self._is_closed_by_us = False
        self._is_settled = False
        now_s = asyncio.get_running_loop().time()
        self._heard_s = now_s
        self._pinged_s = 0.0
        self._ended_s = 0.0
        self._backlog_bytes = 0
        self._moved_s = now_s

    # --- called by the inlet --------------------------------------------------------------------------------------

    def take(self, text: str) -> None:
        """A whole message."""
        if self.is_ended:
            return
        try:
            if self._fragments is not None:
                raise _broken("a new message starts inside a fragmented one")
            if self._reading_stopped:
                self._held.append(text)
            else:
                self.session.receive(text)
        except NatantError as error:
            self._refuse(WSCloseCode(error.context.get("close_code", 1002)), error)
        except Exception as error:
            self._fail("a message from %s could not be handled", error)

    def refuse_bytes(self) -> None:
        """A message is not UTF-8."""
        self._refuse(WSCloseCode.INVALID_TEXT, ServerError("NT-SERVER-014", "a message is not valid UTF-8"))

    # --- called by picows -----------------------------------------------------------------------------------------

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The upgrade is done: open the session."""
        self._transport = transport
        assert self.wire is not None
        raw = self.wire.raw
        assert raw is not None
        self._raw = raw
        self._outflow = Outflow(raw)
        self.write = self._outflow.write
        limit = self.service.limit
        raw.set_write_buffer_limits(high=limit.write_high_bytes, low=limit.write_low_bytes)
        self.service.counter.upgrades += 1
        self.service.table.add(self)
        try:
            self.session = self.service.host.connect(self, remote=self.address, request_uri=self.target)
        except NatantError as error:
            self.close(1013, str(error))
        except Exception as error:
            self._fail("a session could not be opened for %s", error)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """One frame that the inlet has passed on; pings were answered by picows."""
        if self.is_ended and frame.msg_type is not _CLOSE:
            return
        try:
            kind = frame.msg_type
            if frame.rsv1 or frame.rsv2 or frame.rsv3:
                raise _broken("a reserved bit is set, but no extension was agreed on")
            if kind is _TEXT or kind is _BINARY:
                if self._fragments is not None:
                    raise _broken("a new message starts inside a fragmented one")
                if frame.fin:
                    self._take(frame.get_payload_as_utf8_text())
                else:
                    self._fragments = bytearray(frame.get_payload_as_memoryview())
                    self._check_size()
            elif kind is _CONTINUATION:
                self._continue(frame)
            elif kind is _CLOSE:
                self._answer_close(frame)
        except UnicodeDecodeError:
            self.refuse_bytes()
        except NatantError as error:
            self._refuse(WSCloseCode(error.context.get("close_code", 1002)), error)
        except Exception as error:
            self._fail("a message from %s could not be handled", error)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """The connection is gone."""
        self.on_lost()

    def pause_writing(self) -> None:
        """The write buffer is over its limit."""
        self.is_paused = True
        self._backlog_bytes = self._raw.get_write_buffer_size()
        self._moved_s = asyncio.get_running_loop().time()

    def resume_writing(self) -> None:
        """The write buffer can take more."""
        self.is_paused = False
        if self.session is not None and not self.is_ended:
            self.session.resume()

    # --- the sink of the session ----------------------------------------------------------------------------------

    def close(self, code: int, reason: str) -> None:
        """Send a close frame and wait, bounded, for its answer."""
        if self.is_ended or self._transport is None:
            return
        self._end()
        self._is_closed_by_us = True
        self._transport.send_close(WSCloseCode(code), close_reason(reason).encode())
        self._reading_stopped = 0
        self._raw.resume_reading()

    def pause_reading(self) -> None:
        """The host has enough to do: leave what comes in the socket."""
        self._stop_reading(_BY_HOST)

    def resume_reading(self) -> None:
        """The host takes work again."""
        self._resume_reading(_BY_HOST)

    # --- called by the server -------------------------------------------------------------------------------------

    def hold(self) -> None:
        """The server is stopping: take no more messages."""
        self._stop_reading(_BY_SERVER)

    def abort(self) -> None:
        """Cut the connection."""
        if self._raw is not None:
            self._raw.abort()

    def refuse_large(self) -> None:
        """There is no memory left for the message that this peer is sending."""
        self._refuse(
            WSCloseCode.TRY_AGAIN_LATER,
            ServerError(
                "NT-SERVER-013",
                "other connections are sending large messages and the memory for them is used up; try again later",
            ),
        )

    def look_at_end(self) -> None:
        """After a read of an ended connection: see it off.  Picows may have ended it for a frame it could not take."""
        if self._is_settled:
            return
        wire, transport = self.wire, self._transport
        if wire is None or transport is None:
            return
        if not self.is_ended:  # picows met a bad frame and has sent the close frame itself
            sent = transport.close_handshake.sent
            code = sent.code.value if sent is not None else 1002
            if code == 1009:
                self.service.counter.messages_too_big += 1
            name = "NT-SERVER-013" if code == 1009 else "NT-SERVER-014"
            self._note_broken(f"close {code}: {name}  {sent.reason if sent is not None else ''}")
            self._end()
            self._is_settled = True
            wire.drain()
        elif not self._is_closed_by_us:
            self._is_settled = True
            wire.drain()

    def sweep(self, now_s: float) -> None:
        """Look at the timeouts."""
        limit = self.service.limit
        if self.is_heard:
            self.is_heard = False
            self._heard_s = now_s
            self._pinged_s = 0.0
        if self.is_ended:
            if now_s - self._ended_s > limit.close_timeout_s:
                self.abort()
            return
        if self.is_paused:
            backlog = self._raw.get_write_buffer_size()
            if backlog < self._backlog_bytes:
                self._backlog_bytes = backlog
                self._moved_s = now_s
            elif now_s - self._moved_s > limit.stall_timeout_s:
                self._drop_stalled(backlog)
            return
        if self._reading_stopped:
            self._heard_s = now_s
            self._pinged_s = 0.0
        elif self._pinged_s:
            if now_s - self._pinged_s > limit.dead_after_s:
                self.service.counter.peers_dead += 1
                self.service.log.info("peer %s is silent since %.0f s: dropped", self.address, now_s - self._heard_s)
                self._end()
                self.abort()
        elif now_s - self._heard_s > limit.ping_after_s and self._transport is not None:
            self._pinged_s = now_s
            self.service.counter.pings_sent += 1
            self._transport.send_ping(b"natant")

    def on_lost(self) -> None:
        """The connection has ended, in whatever way; safe to call twice."""
        if self._held and self.session is not None and not self._reading_stopped & _BY_SERVER:
            self._give_held(is_last=True)  # the peer had sent it before it left
        self._held.clear()
        self._end()
        self._is_settled = True
        self._unreserve()
        self._fragments = None
        self.service.table.remove(self)
        session, self.session = self.session, None
        if session is not None:
            session.close("connection lost")
        self.wire = self._transport = None

    # --- inside ---------------------------------------------------------------------------------------------------

    def _take(self, text: str) -> None:
        """Give a message to the session, or keep it while reading is stopped: one read may have brought many."""
        if self._reading_stopped:
            self._held.append(text)
        else:
            self.session.receive(text)

    def _give_held(self, *, is_last: bool) -> None:
        """Give what was kept to the session, as far as it takes it; all of it where nothing more will come."""
        held = self._held
        try:
            while held and not self.is_ended and (is_last or not self._reading_stopped):
                self.session.receive(held.popleft())
        except NatantError as error:
            self._refuse(WSCloseCode(error.context.get("close_code", 1002)), error)
        except Exception as error:
            self._fail("a message from %s could not be handled", error)

    def _continue(self, frame: WSFrame) -> None:
        fragments = self._fragments
        if fragments is None:
            raise _broken("a continuation frame without a beginning")
        fragments += frame.get_payload_as_memoryview()
        self._check_size()
        if self.is_ended or not frame.fin:
            return
        self._fragments = None
        self._unreserve()
        self._take(fragments.decode())

    def _check_size(self) -> None:
        """Hold a fragmented message to the limits of size and memory."""
        limit = self.service.limit
        size = len(self._fragments) if self._fragments is not None else 0
        if size > limit.frame_bytes:
            self._fragments = None
            self._unreserve()
            self.service.counter.messages_too_big += 1
            raise ServerError(
                "NT-SERVER-013",
                f"a message has more than {limit.frame_bytes} bytes; send smaller ones or raise the limit",
                close_code=1009,
            )
        if size > limit.large_bytes + self._reserved_bytes:
            if self.service.table.reserve(size - self._reserved_bytes):
                self._reserved_bytes = size
            else:
                self._fragments = None
                self._unreserve()
                self.refuse_large()

    def _unreserve(self) -> None:
        if self._reserved_bytes:
            self.service.table.release(self._reserved_bytes)
            self._reserved_bytes = 0

    def _answer_close(self, frame: WSFrame) -> None:
        code = int.from_bytes(frame.get_payload_as_bytes()[:2], "big") if frame.payload_size >= 2 else 1000
        if code in _NEVER_SENT or not 1000 <= code < 5000:
            raise _broken(f"close code {code} must not be sent")
        if not self._reading_stopped & _BY_SERVER:
            self._give_held(is_last=True)
        if not self.is_ended and self._transport is not None:
            self._end()
            self._transport.send_close(WSCloseCode.OK)
        self._is_settled = True
        if self.wire is not None:
            self.wire.hang_up()

    def _refuse(self, code: WSCloseCode, error: NatantError) -> None:
        """End the connection for something the peer did."""
        if self.is_ended or self._transport is None:
            return
        if isinstance(error, ServerError):
            self._note_broken(f"close {code.value}: {error}")
        else:  # the session has logged it
            self.service.counter.protocol_errors += 1
        self._end()
        self._transport.send_close(code, close_reason(str(error)).encode())

    def _fail(self, message: str, error: Exception) -> None:
        """End the connection for something that is wrong on our side."""
        self.service.log.error(message, self.address, exc_info=error)
        if not self.is_ended and self._transport is not None:
            self._end()
            self._transport.send_close(WSCloseCode.INTERNAL_ERROR, b"internal error")

    def _note_broken(self, what: str) -> None:
        self.service.counter.protocol_errors += 1
        self.service.complain("protocol", "connection of %s ended: %s", self.address, what)

    def _drop_stalled(self, backlog: int) -> None:
        self.service.counter.peers_stalled += 1
        error = ServerError(
            "NT-SERVER-015",
            f"peer {self.address} read nothing for {self.service.limit.stall_timeout_s:g} s while {backlog} bytes wait for it; dropped",
        )
        self.service.complain("stalled", "%s", error)
        self._end()
        self.abort()

    def _end(self) -> None:
        if not self.is_ended:
            self.is_ended = True
            if self._outflow is not None:
                self._outflow.end()
            self._ended_s = asyncio.get_running_loop().time()

    def _stop_reading(self, why: int) -> None:
        if not self._reading_stopped and self._raw is not None and not self.is_ended:
            self.service.counter.reads_paused += 1
            self._raw.pause_reading()
        self._reading_stopped |= why

    def _resume_reading(self, why: int) -> None:
        if not self._reading_stopped:
            return
        self._reading_stopped &= ~why
        self._give_held(is_last=False)
        if self.is_ended:
            self.look_at_end()
        elif not self._reading_stopped and self._raw is not None:
            self._raw.resume_reading()


def _nowhere(_: list[bytes]) -> None:
    raise AssertionError("there is no transport yet")


def _broken(what: str) -> ServerError:
    return ServerError("NT-SERVER-014", f"the WebSocket protocol was broken: {what}")
