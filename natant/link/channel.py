"""A channel: all downlinks and commands that go to one host over one connection.

It holds no socket.  Its owner makes connections one after the other and tells of them:

* in: :meth:`Channel.connected`, :meth:`Channel.disconnected`, :meth:`Channel.receive`, :meth:`Channel.heard`;
* out: the ``send`` it was made with gets one WARP envelope a call, only while connected.

Downlinks to the same node and lane share one *network link*.  After a reconnect the channel asks for all of them again.

Invariants: at most one sync of a network link is under way; a network link is asked for only while connected; commands of one
channel to one lane leave in the order of the calls.

Called by :mod:`natant.client` and, for links to other agents, by hosts.  Not for use from several threads.
"""

from __future__ import annotations

import logging
import math
import secrets
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Final

from natant.codec import recon, uri, warp
from natant.codec.recon.value import Record, Value
from natant.errors import LinkError, NatantError
from natant.link.base import Downlink
from natant.link.state import Signal, State

__all__ = ["MAX_LINKS", "MAX_PENDING_COMMANDS", "MAX_RESYNCS", "Channel"]

#: commands that wait while there is no connection
MAX_PENDING_COMMANDS: Final = 1024
#: network links of one channel
MAX_LINKS: Final = 100_000
#: times that a downlink may ask for the state again on one connection because it lost track
MAX_RESYNCS: Final = 3
#: time between two lines of the log about what one host sends
LOG_GAP_S: Final = 1.0
#: refused addresses that are remembered while connected
MAX_REFUSED: Final = 10_000

_log = logging.getLogger("natant.link")


class _Link:
    """One network link: what all downlinks to one node and lane share."""

    __slots__ = ("downlinks", "is_linked", "is_sync_due", "is_syncing", "lane", "node", "prio", "rate", "resyncs")

    def __init__(self, node: str, lane: str) -> None:
        self.node = node
        self.lane = lane
        #: by identity: maps and lists are equal where their contents are
        self.downlinks: dict[int, Downlink] = {}
        self.prio = 0.0
        self.rate = 0.0
        self.is_linked = False
        self.is_syncing = False
        self.is_sync_due = False
        self.resyncs = 0

    def reset(self) -> None:
        """The connection is gone."""
        self.is_linked = self.is_syncing = self.is_sync_due = False
        self.resyncs = 0

    def settle(self) -> bool:
        """Ask for what the most demanding downlink wants; True where that is another prio or rate than before."""
        prio = max((downlink.prio for downlink in self.downlinks.values()), default=0.0)
        rates = [downlink.rate for downlink in self.downlinks.values()]
        rate = max(rates) if rates and all(rates) else 0.0
        is_other = (prio, rate) != (self.prio, self.rate)
        self.prio, self.rate = prio, rate
        return is_other


class Channel:
    """All downlinks and commands that go to one host over one connection.

    :param send: takes one envelope to send; called only between :meth:`connected` and :meth:`disconnected`.
    :param now: the time in seconds; :meth:`Downlink.age` and :attr:`Downlink.since` are in its terms.
    :param host_uri: the host, as :attr:`Downlink.source` shows it.
    :param auth: credentials, sent first on each connection; a function is asked for them each time; None sends nothing.
    :param report: gets what could not be told to a downlink; by default it is logged only.
    :param token: makes fresh keys for the elements that are inserted into lists.
    :param link_limit: network links that it may hold; None takes ``MAX_LINKS``.
    :param heard_at: when the other side last gave a sign of life that is not told by :meth:`heard`; where that is this process, what it
        does not say has not happened, so it is the present time.
    """

    def __init__(
        self,
        send: Callable[[bytes], None],
        now: Callable[[], float],
        host_uri: str = "",
        *,
        auth: Value | dict[str, Any] | Callable[[], dict[str, Any]] | None = None,
        report: Callable[[LinkError], object] | None = None,
        token: Callable[[], bytes] = lambda: secrets.token_bytes(6),
        heard_at: Callable[[], float] | None = None,
        link_limit: int | None = None,
    ) -> None:
        self._send = send
        self.now = now
        self.host_uri = host_uri
        self.auth = auth
        self.token = token
        self.is_connected = False
        #: True once the host has refused the credentials; it closes the connection then
        self.is_refused = False
        self._heard_at = heard_at
        self._link_limit = MAX_LINKS if link_limit is None else link_limit
        self._heard_s = -math.inf
        self._logged_s = -math.inf
        #: envelopes that belonged to no link of ours
        self.strays = 0
        self._report = report
        self._links: dict[tuple[str, str], _Link] = {}
        self._pending: deque[bytes] = deque()
        self._refused: dict[tuple[str, str], None] = {}
        self._leaving: dict[tuple[str, str], int] = {}

    # ------------------------------------------------------------------ facts

    @property
    def is_idle(self) -> bool:
        """True while there is nothing to keep a connection for."""
        return not self._links and not self._pending and not self._leaving

    @property
    def heard_s(self) -> float:
        """When the host was last heard of."""
        if self._heard_at is not None and self.is_connected:
            return max(self._heard_at(), self._heard_s)
        return self._heard_s

    @property
    def downlinks(self) -> Iterator[Downlink]:
        """The downlinks that are open."""
        for link in list(self._links.values()):
            yield from list(link.downlinks.values())

    # ------------------------------------------------------------------ connection

    def connected(self) -> None:
        """A connection is up: credentials go first, then the links, then the commands that waited."""
        assert not self.is_connected, "a channel has one connection at a time"
        self.is_connected = True
        self.is_refused = False
        self._heard_s = self.now()
        auth = self.auth() if callable(self.auth) else self.auth
        if auth is not None:
            self._send(("@auth" + recon.encode_body(auth)).encode())
        for link in list(self._links.values()):
            if self.is_connected and link.downlinks:
                self._ask(link)
        while self._pending and self.is_connected:
            self._send(self._pending.popleft())

    def disconnected(self, reason: str = "") -> None:
        """The connection is gone; what the downlinks show is stale from now on."""
        self.is_connected = False
        self._refused.clear()
        self._leaving.clear()
        for link in list(self._links.values()):
            link.reset()
            for downlink in list(link.downlinks.values()):
                downlink._move(Signal.LOSE, reason)

    def end(self, reason: str) -> None:
        """There will be no further connection: every link ends as though the host had ended it."""
        self._pending.clear()
        for key, link in list(self._links.items()):
            self._unlink(key, link, reason)

    def heard(self) -> None:
        """The host gave a sign of life that is no message, such as a pong."""
        self._heard_s = self.now()

    # ------------------------------------------------------------------ calls

    def open(self, downlink: Downlink) -> None:
        """Open a downlink; it is asked for at once, or with the next connection.

        :raises WarpError: where its node is no valid URI.
        :raises LinkError: ``NT-LINK-502`` where it is open already, ``NT-LINK-508`` where the channel has too many links.
        """
        if downlink.is_open:
            raise LinkError(
                "NT-LINK-502",
                f"{downlink!r} is open already; close it first, or make a second one: they share one link.",
            )
        node = uri.normalize(downlink.node)
        key = (node, downlink.lane)
        link = self._links.get(key)
        if link is None:
            if len(self._links) >= self._link_limit:
                raise LinkError(
                    "NT-LINK-508",
                    f"the channel to {self.host_uri} has {self._link_limit} links, its bound; close some, or use a second one.",
                )
            link = self._links[key] = _Link(node, downlink.lane)
        is_first = not link.downlinks
        link.downlinks[id(downlink)] = downlink
        is_other = link.settle()
        downlink._attach(self)
        if not self.is_connected:
            return
        if is_first:
            self._ask(link)
            return
        if link.is_linked and downlink.state is State.OPENING:
            downlink._move(Signal.LINK)
        if downlink.wants_sync:
            if link.is_linked or not link.is_syncing:
                self._want_sync(link)
        elif is_other:
            self._emit("link", link)

    def close(self, downlink: Downlink) -> None:
        """Close a downlink; with the last one to its lane the network link ends.  Closing twice does nothing."""
        if downlink._channel is not self or downlink.state is State.CLOSED:
            return
        key = (uri.normalize(downlink.node), downlink.lane)
        link = self._links.get(key)
        was_here = link is not None and link.downlinks.pop(id(downlink), None) is not None
        if link is not None and was_here and not link.downlinks:
            del self._links[key]
            if self.is_connected:
                self._leaving[key] = self._leaving.get(key, 0) + 1
                self._emit("unlink", link)
        downlink._move(Signal.CLOSE)

    def command(self, node: str, lane: str, value: Any = None, *, body_text: str | None = None) -> None:
        """Send a command; while there is no connection it waits for the next one.

        Delivery is at most once: a command that was handed to a connection which then broke may be lost.

        :param value: the body, as a Recon value or plain Python.
        :param body_text: the body as Recon text, in place of ``value``.
        :raises LinkError: ``NT-LINK-501`` where too many commands wait already.
        :raises CodecError: where ``value`` cannot be written in Recon.
        """
        text = recon.encode_body(value) if body_text is None else body_text
        payload = warp.encode("command", uri.normalize(node), lane, text).encode()
        if self.is_connected:
            self._send(payload)
        elif len(self._pending) < MAX_PENDING_COMMANDS:
            self._pending.append(payload)
        else:
            raise LinkError(
                "NT-LINK-501",
                f"a command to {node} {lane} was refused: {MAX_PENDING_COMMANDS} commands wait for a connection to "
                f"{self.host_uri or 'the host'}. Wait until it is back, or use acknowledged commands.",
            )

    def resync(self, downlink: Downlink) -> None:
        """Fetch the state of a downlink's lane once more; only so many times a connection (``MAX_RESYNCS``)."""
        link = self._links.get((uri.normalize(downlink.node), downlink.lane))
        if link is not None and self.is_connected and link.resyncs < MAX_RESYNCS:
            link.resyncs += 1
            self._want_sync(link)

    # ------------------------------------------------------------------ receiving

    def receive(self, payload: bytes) -> None:
        """Take one message of the host.  What cannot be read is reported and left out; the channel goes on."""
        if not self.is_connected:
            self.strays += 1  # a late message of the connection that is gone
            return
        self._heard_s = self.now()
        try:
            envelope = warp.decode(payload)
            tag, node, lane = envelope.tag, envelope.node, envelope.lane
            if node is None or lane is None:
                self._receive_host(tag, envelope.body)
                return
            key = (node, lane)
            if key not in self._links and key not in self._leaving:
                key = (uri.normalize(node), lane)
            if key in self._leaving:
                self._receive_leaving(tag, key)
                return
            link = self._links.get(key)
            if link is None:
                self.strays += 1
                return
        except NatantError as error:
            self._fault("NT-LINK-509", f"a message of {self.host_uri or 'the host'} cannot be read: {error}", error)
            return
        if tag == "event":
            self._receive_event(link, envelope)
        elif tag == "linked":
            self._receive_linked(link)
        elif tag == "synced":
            self._receive_synced(link)
        elif tag == "unlinked":
            self._receive_unlinked(key, link, envelope)
        else:
            self.strays += 1

    def _receive_event(self, link: _Link, envelope: warp.Envelope) -> None:
        try:
            body = envelope.body
        except NatantError as error:
            for downlink in list(link.downlinks.values()):
                downlink._misfit("an event", error)
            return
        for downlink in list(link.downlinks.values()):
            if downlink.is_open:
                downlink._event(body)

    def _receive_linked(self, link: _Link) -> None:
        link.is_linked = True
        for downlink in list(link.downlinks.values()):
            if downlink.is_open:
                downlink._move(Signal.LINK)
        self._mark_syncing(link)

    def _receive_synced(self, link: _Link) -> None:
        if not link.is_linked:
            self._receive_linked(link)
        link.is_syncing = False
        for downlink in list(link.downlinks.values()):
            if downlink.state is State.SYNCING:
                downlink._move(Signal.SYNCED)
        if link.is_sync_due and self.is_connected and link.downlinks:
            link.is_sync_due = False
            self._want_sync(link)

    def _receive_unlinked(self, key: tuple[str, str], link: _Link, envelope: warp.Envelope) -> None:
        try:
            reason = _reason(envelope.body)
        except NatantError:
            reason = "unreadable"
        if len(self._refused) < MAX_REFUSED:
            self._refused[key] = None
        self._unlink(key, link, reason)

    def _unlink(self, key: tuple[str, str], link: _Link, reason: str) -> None:
        del self._links[key]
        downlinks, link.downlinks = link.downlinks, {}
        for downlink in downlinks.values():
            if downlink.is_open:
                downlink._move(Signal.UNLINK, reason)

    def _receive_leaving(self, tag: str, key: tuple[str, str]) -> None:
        """Until the host confirms an unlink, all that it says of that link belongs to the one that was closed."""
        if tag != "unlinked":
            return
        self._leaving[key] -= 1
        if not self._leaving[key]:
            del self._leaving[key]

    def _receive_host(self, tag: str, body: Value) -> None:
        if tag == "deauthed":
            self.is_refused = self.auth is not None
            self._fault(
                "NT-LINK-510",
                f"{self.host_uri or 'the host'} refused the credentials ({_reason(body) or 'no reason given'}). "
                "Correct what is given as auth.",
                None,
            )
        elif tag != "authed":
            self.strays += 1

    def may_log(self) -> bool:
        """True at most once in ``LOG_GAP_S``: a host that goes on talking nonsense does not fill the log."""
        now_s = self.now()
        if now_s - self._logged_s < LOG_GAP_S:
            return False
        self._logged_s = now_s
        return True

    # ------------------------------------------------------------------ asking

    def _ask(self, link: _Link) -> None:
        """Ask for a link that is not there yet on this connection."""
        key = (link.node, link.lane)
        if key in self._refused:
            # Java hosts stay silent on a second try until the client has unlinked.
            del self._refused[key]
            self._emit("unlink", link)
        link.is_syncing = any(downlink.wants_sync for downlink in link.downlinks.values())
        self._emit("sync" if link.is_syncing else "link", link)

    def _want_sync(self, link: _Link) -> None:
        """Have the state sent, after the sync that is under way where there is one."""
        if link.is_syncing:
            link.is_sync_due = True
            return
        link.is_syncing = True
        self._mark_syncing(link)
        self._emit("sync", link)

    def _mark_syncing(self, link: _Link) -> None:
        if not (link.is_linked and link.is_syncing):
            return
        for downlink in list(link.downlinks.values()):
            if downlink.wants_sync and downlink.is_linked:
                downlink._move(Signal.SYNC)

    def _emit(self, tag: str, link: _Link) -> None:
        if tag == "unlink":
            self._send(warp.encode(tag, link.node, link.lane).encode())
        else:
            self._send(warp.encode(tag, link.node, link.lane, prio=link.prio, rate=link.rate).encode())

    def _fault(self, code: str, message: str, cause: BaseException | None) -> None:
        error = LinkError(code, message, host=self.host_uri)
        error.__cause__ = cause
        if self.may_log():
            _log.warning("%s", error)
        if self._report is not None:
            self._report(error)


def _reason(body: Value) -> str:
    """Why a host ended a link: the tag or text that it gave."""
    if isinstance(body, Record):
        return body.tag or recon.encode(body)
    return body if isinstance(body, str) else ""
