"""A peer of this worker: one connection whose messages go to as many partitions as they name nodes.

It remembers what the peer is linked to.  When a partition moves, the links to its lanes are asked for anew, and the answers that the
peer has had before (``@linked``, ``@synced``) are kept from it: it sees the events, then the present state, and no break.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from natant.cluster.leg import Leg, Message
from natant.codec import uri, warp
from natant.codec.warp.envelope import Envelope, decode
from natant.codec.warp.frame import frame
from natant.errors import CodecError, NatantError, WarpError
from natant.link.identity import ANONYMOUS, Identity
from natant.link.welcome import examine

if TYPE_CHECKING:
    from natant.cluster.gate import Gate
    from natant.link.session import Session
    from natant.link.sink import Sink

__all__ = ["GateSession"]

#: answers of the gate itself that may wait for a peer that does not read
ANSWER_LIMIT: Final = 10_000

_ANSWERS: Final = (b"@linked", b"@synced", b"@unlink")


class _Link:
    """What a peer asked of one lane.

    :ivar is_asked: an answer is due.
    :ivar is_leaving: it asked to be unlinked.
    :ivar told: the answers that it has had: ``linked``, ``synced``.
    :ivar swallow: those that are kept from it when they come again.
    """

    __slots__ = ("envelope", "is_asked", "is_leaving", "message", "swallow", "told")

    def __init__(self, envelope: Envelope, message: Message) -> None:
        self.envelope = envelope
        self.message = message
        self.is_asked = False
        self.is_leaving = False
        self.told: set[str] = set()
        self.swallow: set[str] = set()


class _Leg:
    """A leg and the links that go over it."""

    __slots__ = ("asked", "leg", "links")

    def __init__(self) -> None:
        self.leg: Leg | None = None
        self.links: dict[tuple[str, str], _Link] = {}
        #: links that an answer is due for: while there are any, what comes is looked through
        self.asked = 0


class GateSession:
    """One peer connection of a worker."""

    def __init__(self, gate: Gate, sink: Sink, remote: str, request_uri: str) -> None:
        self.gate = gate
        self.sink = sink
        self.remote = remote
        self.request_uri = request_uri
        self.is_framed = bool(getattr(sink, "is_framed", False))
        self.identity: Identity = ANONYMOUS
        self.is_closed = False
        self.link_limit = gate.plane.config.link_limit
        self._legs: dict[int, _Leg] = {}
        self._by_leg: dict[Leg, _Leg] = {}
        self._link_count = 0
        self._answers: list[bytes] = []
        #: legs that messages of the present read went to, and the last of them
        self._used: list[Leg] = []
        self._last: Leg | None = None
        #: legs that hold the peer back
        self._holding: set[Leg] = set()

    @property
    def is_paused(self) -> bool:
        """True while nothing more should be written."""
        return self.sink.is_paused

    # --- what the connection calls --------------------------------------------------------------------------------

    def receive(self, payload: Message) -> None:
        """Take one message of the peer.

        :raises WarpError: where it is not an envelope; the connection is to be closed.
        """
        if self.is_closed:
            return
        try:
            envelope = decode(payload)
            node = envelope.node
            if node is None:
                self._for_host(envelope)
                return
            partition = self.gate.partition(node)
        except (WarpError, CodecError) as error:
            self.gate.counter.warp_errors += 1
            self.gate.log.protocol(self.remote, error)
            if isinstance(error, CodecError):
                raise WarpError(error.code, error.message) from error
            raise
        found = self._legs.get(partition)
        if found is None:
            found = self._make_leg(partition)
        leg = found.leg
        assert leg is not None
        if leg is not self._last:
            self._last = leg
            self._used.append(leg)
        if envelope.tag == "command":
            leg.send(envelope, payload)
        elif envelope.tag in ("link", "sync", "unlink"):
            self._link(found, envelope, payload)

    def _make_leg(self, partition: int) -> _Leg:
        found = self._legs[partition] = _Leg()
        leg = found.leg = self.gate.leg(self, partition)
        self._by_leg[leg] = found
        return found

    def end_read(self) -> None:
        """All messages of one read have been given."""
        used, self._used = self._used, []
        self._last = None
        for leg in used:
            leg.end_read()

    def resume(self) -> None:
        """The connection can be written again."""
        if self._answers:
            answers, self._answers = self._answers, []
            self.sink.write(answers)
        for found in list(self._legs.values()):
            if found.leg is not None:
                found.leg.resume()

    def close(self, reason: str = "") -> None:
        """The connection is gone."""
        if self.is_closed:
            return
        self.is_closed = True
        self.gate.sessions.discard(self)
        for found in self._legs.values():
            if found.leg is not None:
                found.leg.leave(reason)
        self._legs.clear()
        self._by_leg.clear()

    def end(self, code: int, reason: str) -> None:
        """End the connection from this side."""
        if not self.is_closed:
            try:
                self.sink.close(code, reason)
            finally:
                self.close(reason)

    # --- the host as a whole --------------------------------------------------------------------------------------

    def _for_host(self, envelope: Envelope) -> None:
        if envelope.tag == "auth":
            verdict = examine(
                self.gate.plane.authenticator,
                envelope.body,
                self.request_uri,
                lambda error: self.gate.broken(f"the authenticator, asked for {self.remote}", error),
            )
            if verdict.identity is not None:
                self._become(verdict.identity)
            if verdict.answer:
                self._answer(verdict.answer)
            if verdict.close_reason:
                self.end(1008, verdict.close_reason)
        elif envelope.tag == "deauth":
            self._become(ANONYMOUS)
            self._answer("@deauthed")

    def _become(self, identity: Identity) -> None:
        self.identity = identity
        for found in self._legs.values():
            if found.leg is not None:
                found.leg.identify(identity)

    def _answer(self, text: str) -> None:
        payload = text.encode()
        if self.is_framed:
            payload = frame(payload)
        if not self.sink.is_paused and not self._answers:
            self.sink.write([payload])
        elif len(self._answers) < ANSWER_LIMIT:
            self._answers.append(payload)
        else:
            self.end(1008, "NT-LINK-004 the peer does not read its answers")

    # --- links ----------------------------------------------------------------------------------------------------

    def _link(self, found: _Leg, envelope: Envelope, message: Message) -> None:
        leg = found.leg
        assert leg is not None
        assert envelope.node is not None
        assert envelope.lane is not None
        key = (uri.resolve(envelope.node)[0], envelope.lane)
        link = found.links.get(key)
        if envelope.tag == "unlink":
            if link is None:
                return
            link.is_leaving = True
            link.swallow.clear()
            if leg.is_open:
                self._expect(found, link)
                leg.send(envelope, message)
            else:
                self._drop(found, key)
                self._answer(warp.encode("unlinked", *key))
            return
        if link is None:
            if self._link_count >= self.link_limit:
                self.gate.counter.links_refused += 1
                self._answer(warp.encode("unlinked", *key, "@linkLimit"))
                return
            link = found.links[key] = _Link(envelope, message)
            self._link_count += 1
        elif envelope.tag == "sync" or link.envelope.tag == "link":
            link.envelope, link.message = envelope, message
        link.is_leaving = False
        if envelope.tag == "sync":
            link.told.discard("synced")
            link.swallow.discard("synced")
        self._expect(found, link)
        if leg.is_open:
            leg.send(envelope, message)

    @staticmethod
    def _expect(found: _Leg, link: _Link) -> None:
        if not link.is_asked:
            link.is_asked = True
            found.asked += 1

    def _drop(self, found: _Leg, key: tuple[str, str]) -> None:
        link = found.links.pop(key)
        self._link_count -= 1
        if link.is_asked:
            found.asked -= 1

    def _sift(self, found: _Leg, payloads: list[bytes]) -> list[bytes]:
        """Note the answers among what comes, and take out those that the peer has had before."""
        kept = []
        for payload in payloads:
            start = 0
            if self.is_framed:
                start = 2 if payload[1] < 126 else 4 if payload[1] == 126 else 10
            if payload[start : start + 7] not in _ANSWERS or self._note(found, decode(payload[start:])):
                kept.append(payload)
        return kept

    def _note(self, found: _Leg, envelope: Envelope) -> bool:
        """True where the peer is to be told the answer."""
        tag = envelope.tag
        assert envelope.node is not None
        assert envelope.lane is not None
        key = (envelope.node, envelope.lane)
        link = found.links.get(key)
        if link is None:
            return True
        if tag == "unlinked":
            self._drop(found, key)
            return True
        is_told = tag not in link.swallow
        link.swallow.discard(tag)
        link.told.add(tag)
        if link.is_asked and not link.is_leaving and tag == ("synced" if link.envelope.tag == "sync" else "linked"):
            link.is_asked = False
            found.asked -= 1
        return is_told

    # --- what the legs call ---------------------------------------------------------------------------------------

    def deliver(self, leg: Leg, payloads: list[bytes]) -> None:
        """What a partition says."""
        if self.is_closed:
            return
        found = self._by_leg.get(leg) or self._legs.get(leg.partition)
        if found is not None and found.asked:
            payloads = self._sift(found, payloads)
        if payloads:
            self.sink.write(payloads)

    def opened(self, leg: Leg) -> None:
        """A partition can be reached: ask for its links, those first that were there before."""
        found = self._legs.get(leg.partition)
        if found is None:
            return
        for key, link in list(found.links.items()):
            if link.is_leaving:
                continue
            link.swallow = set(link.told)
            self._expect(found, link)
            try:
                leg.repeat(link.envelope, link.message)
            except NatantError as error:
                self.gate.broken(f"a link of {self.remote} to {key[0]} {key[1]}", error)

    def lost(self, leg: Leg, reason: str) -> None:
        """A partition has gone; it comes back by itself."""
        leg.sift(lambda envelope: envelope.tag == "command")  # links are asked for from what is remembered
        found = self._legs.get(leg.partition)
        if found is None:
            return
        for key, link in list(found.links.items()):
            if link.is_leaving:
                self._drop(found, key)
                self._answer(warp.encode("unlinked", *key))

    def ended(self, leg: Leg, code: int, reason: str) -> None:
        """A partition ended the connection."""
        self.end(code, reason)

    def hold(self, leg: Leg, is_held: bool) -> None:
        """A partition takes no more for now, or again."""
        if is_held:
            if not self._holding:
                self.sink.pause_reading()
            self._holding.add(leg)
        elif leg in self._holding:
            self._holding.discard(leg)
            if not self._holding and not self.is_closed:
                self.sink.resume_reading()

    def tune(self, session: Session) -> None:
        """The bounds are those of any peer."""

    def __repr__(self) -> str:
        return f"<GateSession {self.remote}>"
