"""A session: one peer connection as the serving side sees it, without the socket.

============  ==========================================================================================
peer sends    answer
============  ==========================================================================================
``@link``     ``@linked``; events from the next change on
``@sync``     ``@linked`` unless linked already, the state as events, ``@synced``
``@unlink``   ``@unlinked``; nothing where there is no such link
``@command``  none; echoed by command lanes
``@auth``     ``@authed``, or ``@deauthed`` and close 1008
``@deauth``   ``@deauthed``
others        ignored
============  ==========================================================================================

A link to an unknown node or lane is answered ``@unlinked`` with ``@nodeNotFound`` or ``@laneNotFound``, each time it is tried.
A link to a durable lane is attached behind the units that are on their way to the disk.

Hot: a command's way is :meth:`Session.receive`, then ``_command``; an event's is :meth:`Session.flush`.  Types for Cython are in
``session.pxd``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from natant.codec import recon, uri, warp
from natant.codec.warp.envelope import Envelope, decode
from natant.codec.warp.frame import frame
from natant.errors import CodecError, NatantError, WarpError
from natant.link import uplink as uplinks
from natant.link.hub import Outlet
from natant.link.identity import ANONYMOUS, Identity
from natant.link.uplink import Uplink
from natant.link.welcome import examine

if TYPE_CHECKING:
    from natant.kernel.cell import Cell
    from natant.link.hub import Hub
    from natant.link.sink import Sink

__all__ = ["Session"]

#: bytes gathered for one write
WRITE_BYTES: Final = 64 * 1024
#: answers (as opposed to events) that may wait for a peer that does not read
ANSWER_LIMIT: Final = 10_000


class Session(Outlet):
    """One peer connection.

    :ivar identity: who the peer is; None until it has authenticated where the host asks for that.
    """

    def __init__(self, hub: Hub, sink: Sink, remote: str, request_uri: str) -> None:
        super().__init__(hub, remote, bool(getattr(sink, "is_framed", False)))
        self.host = hub.host
        self.agents = hub.host.agents
        self.sink = sink
        self._send = sink.write
        self.request_uri = request_uri
        self.identity: Identity = ANONYMOUS
        self.links: dict[tuple[str, str], Uplink] = {}
        self.link_limit = hub.config.link_limit
        self.answer_limit = ANSWER_LIMIT
        self._answers: list[bytes] = []
        self._has_prio = False
        self._is_reading_paused = False

    # --- what the connection calls --------------------------------------------------------------------------------

    def receive(self, payload: bytes | str) -> None:
        """Take one message of the peer.

        :raises WarpError: where it is not an envelope; the connection is to be closed.
        """
        if self.is_closed:
            return
        try:
            envelope = decode(payload)
        except (WarpError, CodecError) as error:
            self.host.counter.frames_in += 1
            raise self._protest(error) from error.__cause__
        self.take(envelope)

    def take(self, envelope: Envelope) -> None:
        """Take one message that has been read; as :meth:`receive`."""
        if self.is_closed:
            return
        self.host.counter.frames_in += 1
        tag = envelope.tag
        try:
            if tag == "command":
                self._command(envelope)
            elif tag == "sync" or tag == "link":
                self._link(envelope, tag == "sync")
            elif tag == "unlink":
                self._unlink(envelope)
            elif tag == "auth":
                self._auth(envelope)
            elif tag == "deauth":
                self._deauth()
        except (WarpError, CodecError) as error:
            raise self._protest(error) from error.__cause__
        except NatantError as error:  # of the agent, most likely a damaged record; the other links have no part in it
            self._fail_alone(envelope, error)

    def _protest(self, error: WarpError | CodecError) -> WarpError:
        """Note that the peer broke the protocol; returns what ends the connection."""
        self.host.counter.warp_errors += 1
        self.hub.log.protocol(self.remote, error)
        return error if isinstance(error, WarpError) else WarpError(error.code, error.message, **error.context)

    def end_read(self) -> None:
        """All messages of one read have been given: what they caused may leave now, where it is little."""
        self.hub.end_read()

    def _fail_alone(self, envelope: Envelope, error: NatantError) -> None:
        tag, node, lane = envelope.tag, envelope.node or "", envelope.lane or ""
        self.host.broken(f"@{tag} from {self.remote} for {node} {lane}", error)
        if tag == "sync" or tag == "link":
            self._answer(_failed(uri.normalize(node), lane, error))

    def resume(self) -> None:
        """The connection can be written again."""
        self.mark()

    def close(self, reason: str = "") -> None:
        """The connection is gone: forget its links."""
        if self.is_closed:
            return
        self.is_closed = True
        for link in list(self.links.values()):
            self._detach(link)
        self.links.clear()
        self.ready.clear()
        self._answers.clear()
        self.host.pressure.forget(self)
        self.hub.sessions.discard(self)

    def end(self, code: int, reason: str) -> None:
        """End the connection from this side."""
        if not self.is_closed:
            try:
                self.sink.close(code, reason)
            finally:
                self.close(reason)

    def fail(self) -> None:
        """Something of this connection raised: end it, whatever else happens."""
        if self.identity.is_internal:
            return  # it cannot be made anew
        try:
            self.end(1011, "NT-LINK-010 the connection failed on this side")
        except Exception as error:
            self.host.broken(f"the end of the connection to {self.remote}", error)

    # --- commands -------------------------------------------------------------------------------------------------

    def _target(self, envelope: Envelope) -> tuple[str, Cell | None]:
        node = envelope.node
        assert node is not None
        cell = self.host.agents.get(node)
        if cell is not None:
            return node, cell
        echo, key = uri.resolve(node)
        return echo, self.host.find(key)

    def _command(self, envelope: Envelope) -> None:
        host = self.host
        node = envelope.node
        lane_text = envelope.lane
        assert node is not None
        assert lane_text is not None
        cell = self.agents.get(node)
        if cell is None:
            node, cell = self._target(envelope)
            if cell is None:
                host.counter.unknown_nodes += 1
                self.hub.log.undeliverable(node, lane_text, "no such node")
                return
        lane = cell._schema.lanes.get(lane_text)
        if lane is None:
            lane = cell._lane(uri.resolve_lane(lane_text)[1])
            if lane is None:
                host.counter.unknown_lanes += 1
                self.hub.log.undeliverable(node, lane_text, "no such lane")
                return
        if self.hub.policy is not None and not self.hub.may(self.identity, "command", cell, lane):
            return
        if cell._mail is not None and self._is_stuck(cell):
            host.counter.deliveries_refused += 1
            self.hub.log.undeliverable(node, lane_text, "its agent is stuck and its mailbox is full")
            return
        host.command(cell, lane, envelope.body)
        if cell._mail is not None or not host.is_volatile or host.outbox.is_busy:
            self._ease(cell)

    def _is_stuck(self, cell: Cell) -> bool:
        return self.host.pressure.is_full(cell) and cell.node in self.host.async_turns.stuck

    def _ease(self, cell: Cell) -> None:
        """Take no more from the peer while the host, or the agent it has just asked, has enough to do."""
        if self._is_reading_paused:
            return
        pressure = self.host.pressure
        is_full = cell._mail is not None and pressure.is_full(cell) and cell.node not in self.host.async_turns.stuck
        if not (is_full or pressure.is_high):
            return
        self._is_reading_paused = True
        if is_full:
            pressure.wait_for_room(cell, self, self._resume_reading)
        else:
            pressure.wait(self, self._resume_reading)
        self.sink.pause_reading()

    def _resume_reading(self) -> None:
        self._is_reading_paused = False
        if not self.is_closed:
            self.sink.resume_reading()

    # --- links ----------------------------------------------------------------------------------------------------

    def _link(self, envelope: Envelope, is_sync: bool) -> None:
        hub = self.hub
        node, cell = self._target(envelope)
        lane_text = envelope.lane
        assert lane_text is not None
        reason = None
        lane = None
        if cell is None:
            reason = "@nodeNotFound"
            hub.counter.unknown_nodes += 1
        else:
            lane = cell._schema.lanes.get(lane_text) or cell._lane(uri.resolve_lane(lane_text)[1])
            if lane is None:
                reason = "@laneNotFound"
                hub.counter.unknown_lanes += 1
            elif not hub.may(self.identity, "sync" if is_sync else "link", cell, lane):
                reason = ""
            elif (node, lane_text) not in self.links and len(self.links) >= self.link_limit:
                reason = "@linkLimit"
                hub.counter.links_refused += 1
        if cell is None or lane is None or reason is not None:
            self._answer(warp.encode("unlinked", node, lane_text, reason or ""))
            return
        linked = warp.encode("linked", node, lane_text, envelope.body_text.strip(), envelope.prio, envelope.rate)
        link = self.links.get((node, lane_text))
        is_new = link is None
        if link is None:
            link = uplinks.make(self, cell, lane, (node, lane_text), prio=envelope.prio, rate=envelope.rate)
            self.links[node, lane_text] = link
            hub.counter.links_opened += 1
        else:
            link.ask(envelope.prio, envelope.rate)
        self._has_prio = self._has_prio or bool(envelope.prio)
        self._attach(link, linked if is_new or not is_sync else None, is_sync)
        self._ease(cell)

    def _attach(self, link: Uplink, linked: str | None, is_sync: bool) -> None:
        lane = link.lane

        def read(_: Any) -> Any:
            if not is_sync:
                return iter(())
            return link.read_state()

        def use(bodies: Any) -> None:
            if link.is_closed or self.is_closed:
                return
            if isinstance(bodies, Exception):
                self.break_link(link, bodies)
                return
            if self.host.agents.get(link.cell.node) is not link.cell:
                self.end_link(link, "@nodeRemoved")
                return
            if linked is not None:
                watchers = link.cell._links
                if watchers is None:
                    watchers = link.cell._links = {}
                members = watchers.setdefault(lane.index, [])
                if not link.is_attached:
                    link.is_attached = True
                    members.append(link)
                    lane_linked = getattr(lane, "linked", None)
                    if lane_linked is not None:
                        lane_linked(link.cell)
                self._answer(linked)
            if is_sync:
                link.begin_sync(bodies)

        self.hub.when_shown(link.cell, lane, f"link:{lane.name}", read, use)

    def resync(self, link: Uplink, is_told: bool = True) -> None:
        """Send the whole state of a link anew."""

        def use(bodies: Any) -> None:
            if link.is_closed or self.is_closed:
                return
            if isinstance(bodies, Exception):
                self.break_link(link, bodies)
            else:
                link.begin_sync(bodies, is_told)

        self.hub.when_shown(link.cell, link.lane, f"sync:{link.lane.name}", lambda _: link.read_state(), use)

    def break_link(self, link: Uplink, error: Exception) -> None:
        """The state cannot be read: end this one link and tell why in the log."""
        self.hub.log.failed(link.cell.node, f"sync of {link.lane.name}", error)
        self._remove(link)
        self._answer(_failed(link.node, link.lane_text, error))

    def end_link(self, link: Uplink, reason: str) -> None:
        """End one link from this side, behind what it has to send, and say why."""
        if link.is_ready:
            self.flush()
        self._remove(link)
        self._answer(warp.encode("unlinked", link.node, link.lane_text, reason))

    def _unlink(self, envelope: Envelope) -> None:
        assert envelope.node is not None
        assert envelope.lane is not None
        echo, _ = uri.resolve(envelope.node)
        link = self.links.get((echo, envelope.lane))
        if link is None:
            return
        self._remove(link)
        self._answer(warp.encode("unlinked", echo, envelope.lane))

    def _remove(self, link: Uplink) -> None:
        self.links.pop((link.node, link.lane_text), None)
        self._detach(link)

    def _detach(self, link: Uplink) -> None:
        link.end()
        cell = link.cell
        watchers = cell._links
        if watchers is None or not link.is_attached:
            return
        link.is_attached = False
        index = link.lane.index
        # A new list: an event may be on its way through the old one.
        members = [other for other in watchers.get(index, ()) if other is not link]
        if members:
            watchers[index] = members
        else:
            watchers.pop(index, None)
            self.hub.unwatch(cell)
            lane_left = getattr(link.lane, "left", None)
            if lane_left is not None:
                lane_left(cell)
        cell._touched = self.host.tick

    # --- authentication -------------------------------------------------------------------------------------------

    def _auth(self, envelope: Envelope) -> None:
        verdict = examine(
            self.hub.authenticator,
            envelope.body,
            self.request_uri,
            lambda error: self.host.broken(f"the authenticator, asked for {self.remote}", error),
        )
        if verdict.identity is not None:
            self.identity = verdict.identity
        if verdict.answer:
            self._answer(verdict.answer)
        if verdict.close_reason:
            self.flush()
            self.end(1008, verdict.close_reason)

    def _deauth(self) -> None:
        self.identity = ANONYMOUS
        self._answer("@deauthed")

    # --- sending --------------------------------------------------------------------------------------------------

    def _answer(self, text: str) -> None:
        if len(self._answers) >= self.answer_limit:
            self.end(1008, "NT-LINK-004 the peer does not read its answers")
            return
        payload = text.encode()
        self._answers.append(frame(payload) if self.is_framed else payload)
        self.mark()

    def flush(self) -> None:
        """Write what is ready, as far as the peer takes it."""
        self.is_dirty = False
        if self.is_closed:
            return
        self.is_blocked = self.sink.is_paused
        if self.is_blocked:
            return
        out = self._answers
        ready = self.ready
        self._answers = []
        self.ready = []
        if len(ready) == 1:  # most often: changes of one link
            self._drain(ready[0], out)
        elif ready:
            out = self._drain_all(ready, out)
        if out and not self.is_closed:
            self._write(out)
        if self.ready and not self.is_closed:
            self.is_blocked = self.sink.is_paused
            if not self.is_blocked:
                self.mark()

    def _drain(self, link: Uplink, out: list[bytes]) -> None:
        """Take from one link what it may send now."""
        link.is_ready = False
        if link.is_closed:
            return
        try:
            if link.drain(out):
                link.is_ready = True
                self.ready.append(link)
        except Exception as error:
            self.break_link(link, error)

    def _drain_all(self, ready: list[Uplink], out: list[bytes]) -> list[bytes]:
        """Take from several links, and write in between where it is much; returns what is still to be written."""
        if self._has_prio:
            ready.sort(key=_urgency)
        size = 0
        for at, link in enumerate(ready):
            before = len(out)
            self._drain(link, out)
            size += sum(map(len, out[before:]))
            if size >= WRITE_BYTES:
                self._write(out)
                out = []
                size = 0
                if self.is_closed or self.sink.is_paused:
                    self.ready.extend(ready[at + 1 :])
                    break
        return out

    def _write(self, out: list[bytes]) -> None:
        self.host.counter.frames_out += len(out)
        self._send(out)


def _urgency(link: Uplink) -> float:
    return -link.prio


def _failed(node: str, lane_text: str, error: Exception) -> str:
    """The end of a link whose state cannot be had, with the code of the error."""
    code = error.code if isinstance(error, NatantError) else "NT-LINK-002"
    return warp.encode("unlinked", node, lane_text, f"@failed({recon.encode(code)})")
