"""Lanes that are followed by subject: events at ``R.ev.<lane>.<node>``.

A lane is followed for a lease, which every request for it renews; lanes declared with ``publish=True`` are followed as long as their agent is
in memory.  Each is a link of its own to the host (a session with a sink, as streams over HTTP are), so changes are conflated as for any
link when the way out is full.

===========================  ================================================================================
header of an event           meaning
===========================  ================================================================================
``Natant-Sequence``          number of the event in this life, one more than that of the one before
``Natant-Life``              another life begins with another state: ask anew
===========================  ================================================================================

Whoever wants state and events without a gap subscribes, then asks to follow, then drops the events whose number is not above that of the
answer.  A number that is left out says that events were lost on the way: ask again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from secrets import token_hex
from typing import Any, Final

import msgspec

from natant.codec import recon, warp
from natant.errors import LinkError, NatantError, ServerError
from natant.fabric.nats.subject import Subjects
from natant.link.identity import Identity
from natant.server.http.lanejson import LaneJson
from natant.server.nats.ask import Answer, Ask
from natant.server.nats.limit import NatsLimit
from natant.server.nats.mirror import Mirror
from natant.server.nats.outflow import Outflow

__all__ = ["Followed", "Follows"]

#: how long a request waits for the state of a lane
SYNC_WAIT_S: Final = 10.0
#: the request names the life it knows, so that a renewal need not carry the state
LIFE: Final = "natant-life"


class Followed:
    """One followed lane; the sink of its session, see :class:`natant.link.sink.Sink`.

    :ivar until_s: when the lease ends, in seconds of the loop's clock; infinite for a published lane.
    :ivar number: of the last event.
    """

    __slots__ = (
        "_outflow",
        "end",
        "ended",
        "is_synced",
        "life",
        "mirror",
        "number",
        "session",
        "source",
        "subject",
        "until_s",
        "waiting",
    )

    def __init__(self, subject: str, mirror: Mirror, outflow: Outflow) -> None:
        self.subject = subject
        self.mirror = mirror
        self._outflow = outflow
        self.life = token_hex(4)
        self.number = 0
        self.until_s = 0.0
        self.session: Any = None
        #: the host that it was opened with
        self.source: Any = None
        self.is_synced = False
        #: why it ended; None while it has not
        self.ended: LinkError | None = None
        self.waiting: list[asyncio.Future[None]] = []
        #: told why it ended
        self.end: Callable[[Followed, str], None] = lambda followed, reason: None

    @property
    def is_paused(self) -> bool:
        """True while the link is to conflate."""
        return self._outflow.is_full

    def write(self, payloads: list[bytes]) -> None:
        """Publish the events among some envelopes."""
        for payload in payloads:
            envelope = warp.decode(payload)
            tag = envelope.tag
            if tag == "event":
                body = self.mirror.apply(envelope.body)
                if self.is_synced:
                    self._publish(body)
            elif tag == "synced":
                self.is_synced = True
                for future in self._take_waiting():
                    future.set_result(None)
            elif tag == "unlinked":
                reason = envelope.body
                self.end(self, reason.tag if isinstance(reason, recon.Record) and reason.tag else "unlinked")

    def close(self, code: int, reason: str) -> None:
        """The session ends the link."""
        self.end(self, reason or str(code))

    def pause_reading(self) -> None:
        """Nothing is read here."""

    def resume_reading(self) -> None:
        """Nothing is read here."""

    def headers(self) -> dict[str, str]:
        """Where the state stands."""
        return {"Natant-Sequence": str(self.number), "Natant-Life": self.life}

    async def synced(self) -> None:
        """Return when the state is there."""
        if self.ended is not None:
            raise self.ended
        if not self.is_synced:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.waiting.append(future)
            async with asyncio.timeout(SYNC_WAIT_S):
                await future

    def stop(self, reason: str) -> None:
        """Tell those who wait or follow that this is over."""
        self.ended = LinkError(
            "NT-LINK-511", f"the link behind {self.subject} ended: {reason}; ask again", http_status=503
        )
        for future in self._take_waiting():
            future.set_exception(self.ended)
        if self.is_synced:
            self._publish(b'{"op":"end","reason":' + msgspec.json.encode(reason) + b"}")
        self.session.close(reason)

    def _publish(self, body: bytes) -> None:
        self.number += 1
        self._outflow.put(self.subject, body, self.headers(), is_event=True)

    def _take_waiting(self) -> Iterator[asyncio.Future[None]]:
        waiting, self.waiting = self.waiting, []
        return (future for future in waiting if not future.done())


class Follows:
    """All lanes that are followed through one door.

    :param now: the loop's clock, in seconds.
    """

    def __init__(
        self, host: Any, subjects: Subjects, outflow: Outflow, limit: NatsLimit, now: Callable[[], float]
    ) -> None:
        self._host = host
        self._subjects = subjects
        self._outflow = outflow
        self._limit = limit
        self._now = now
        self._members: dict[tuple[str, str], Followed] = {}

    def __len__(self) -> int:
        return len(self._members)

    async def follow(self, ask: Ask, identity: Identity) -> Answer:
        """Follow a lane for a lease; the state as it is at the number told in the headers.

        :raises NatantError: where the lane is not there or may not be read.
        """
        lease_s = ask.lease_s(self._limit)
        lane = self._host.lane(ask.node, ask.lane)
        if self._host.plane.policy is not None:  # the link may be another's: look what this one may do
            await self._host.read(ask.node, ask.lane, identity=identity)
        place = (ask.node, lane.name)
        followed = self._members.get(place)
        if followed is None:
            followed = self._open(self._host, place, lane, identity)
        followed.until_s = max(followed.until_s, self._now() + lease_s)
        try:
            await followed.synced()
        except TimeoutError:
            raise LinkError(
                "NT-LINK-511", f"no state of {ask.lane} of {ask.node} came in time; ask again", http_status=503
            ) from None
        headers = followed.headers()
        headers["Natant-Lease"] = f"{lease_s:g}"
        headers["Natant-Subject"] = followed.subject
        is_known = ask.headers.get(LIFE) == followed.life
        return Answer(b"" if is_known else followed.mirror.state(), headers)

    def pin(self, host: Any, node: str, lane: Any, identity: Identity) -> None:
        """Follow a published lane as long as its agent lives."""
        place = (node, lane.name)
        followed = self._members.get(place)
        if followed is None:
            followed = self._open(host, place, lane, identity)
        followed.until_s = float("inf")

    def sweep(self) -> None:
        """Let go the lanes whose lease is over."""
        now_s = self._now()
        for place, followed in list(self._members.items()):
            if followed.until_s <= now_s:
                self._drop(place, followed, "the lease is over")

    def forget(self, host: Any) -> None:
        """A host has stopped: what it published goes on with another one, or not at all."""
        for place, followed in list(self._members.items()):
            if followed.source is host:
                self._drop(place, followed, "the agent has moved")

    def resume(self) -> None:
        """There is room again for events."""
        for followed in list(self._members.values()):
            followed.session.resume()

    def close(self, reason: str) -> None:
        """Follow nothing any more."""
        for place, followed in list(self._members.items()):
            self._drop(place, followed, reason)

    def _open(self, host: Any, place: tuple[str, str], lane: Any, identity: Identity) -> Followed:
        if len(self._members) >= self._limit.follows:
            raise ServerError(
                "NT-SERVER-034",
                f"{len(self._members)} lanes are followed already, which is all this door follows; ask later, or shorten leases",
                http_status=503,
            )
        node, name = place
        followed = Followed(self._subjects.event(name, node), Mirror(LaneJson(lane.kind, lane.types())), self._outflow)
        followed.source = host
        followed.end = lambda member, reason: self._drop(place, member, reason)
        followed.session = host.connect(followed, remote=f"nats:{followed.subject}")
        followed.session.identity = identity
        self._members[place] = followed
        try:
            followed.session.receive(warp.encode("sync", node, name))
        except NatantError as error:
            self._drop(place, followed, str(error))
            raise
        return followed

    def _drop(self, place: tuple[str, str], followed: Followed, reason: str) -> None:
        if self._members.get(place) is followed:
            del self._members[place]
            followed.stop(reason)
