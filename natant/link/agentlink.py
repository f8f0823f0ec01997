"""Downlinks of agents: to lanes of this host and of others, in the same way.

All of a host's agents share one channel to the host itself and one to each other host; what arrives becomes turns of the
agents that watch.  Commands to another host wait in their order until it is connected, then they are handed over once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from natant.codec import uri
from natant.codec.form import form
from natant.errors import ClientError, LinkError, TurnError
from natant.kernel import key
from natant.kernel.turn import Send, Work
from natant.link.channel import Channel
from natant.link.downlink import Downlink, EventDownlink, ListDownlink, MapDownlink, ValueDownlink
from natant.link.near import Near

if TYPE_CHECKING:
    from natant.kernel.cell import Cell
    from natant.kernel.kernel import Kernel

__all__ = ["AgentDownlinks"]

Connect = Callable[[str], tuple[Channel, Callable[[], Awaitable[None]]]]

#: other hosts that one host may be connected to
HOST_LIMIT: Final = 1000
#: commands that may wait for one other host
SEND_LIMIT: Final = 10_000
#: how often it is looked whether a host that commands wait for is connected
LOOK_EVERY_S: Final = 1.0


class AgentDownlinks:
    """The downlinks of all agents of one host.

    :param near: reaches the agents of their own plane.
    :param connect: makes a channel to another host, by its URI, that is kept connected until the function beside it is called;
        None where other hosts cannot be reached.
    """

    def __init__(self, host: Kernel, near: Near, connect: Connect | None = None) -> None:
        self._host = host
        self._connect = connect
        self.near = near
        self._remote: dict[str, Channel] = {}
        self._closers: list[Callable[[], Awaitable[None]]] = []
        self._of: dict[str, set[Downlink]] = {}
        #: by host: commands that wait for it, in their order
        self._waiting: dict[str, deque[Send]] = {}
        self.broken = host.broken
        host.downlinks = self
        host.alive_guards.append(lambda cell: bool(self._of.get(cell.node)))
        host.outbox.remote = self._send

    def open(self) -> None:
        """Begin to link."""
        self.near.open()

    async def close_all(self) -> None:
        """End the connections to other hosts."""
        closers, self._closers = self._closers, []
        for closer in closers:
            try:
                await closer()
            except Exception as error:
                self.broken("the end of a connection to another host", error)

    # --- for agents -----------------------------------------------------------------------------------------------

    def check(self, cell: Cell, host: str | None) -> None:
        """See that an agent may have another downlink to this host (None) or another one.

        :raises LinkError: ``NT-LINK-005``, ``NT-LINK-006`` or ``NT-LINK-007`` where not.
        """
        links = self._of.get(cell.node)
        if links is not None and len(links) >= self._host.config.downlink_limit:
            raise LinkError("NT-LINK-005", f"{cell.node} has {len(links)} downlinks, its bound")
        if host is not None:
            self._channel(host)

    def check_send(self, host: str) -> None:
        """See that another command to another host may wait.

        :raises LinkError: ``NT-LINK-009`` at the bound, ``NT-LINK-006`` or ``NT-LINK-007`` where the host cannot be reached.
        """
        self._channel(host)
        waiting = self._waiting.get(host)
        if waiting is not None and len(waiting) >= SEND_LIMIT:
            raise LinkError(
                "NT-LINK-009",
                f"{len(waiting)} commands wait for {host}, which is away or too slow; try again later",
                http_status=503,
            )

    def value(
        self, cell: Cell, node: str, lane: str, kind: Any, *, host: str | None, changed: Any
    ) -> ValueDownlink[Any]:
        """A downlink to a value lane."""
        on = {} if changed is None else {"changed": self._turn(cell, changed)}
        downlink: ValueDownlink[Any] = ValueDownlink(node, lane, form(kind), on=on)
        self._later(cell, downlink, host)
        return downlink

    def map(
        self, cell: Cell, node: str, lane: str, kinds: tuple[Any, Any], *, host: str | None, on: dict[str, Any]
    ) -> MapDownlink[Any, Any]:
        """A downlink to a map lane."""
        tell = {name: self._turn(cell, method) for name, method in on.items() if method}
        downlink: MapDownlink[Any, Any] = MapDownlink(node, lane, (form(kinds[0]), form(kinds[1])), on=tell)
        self._later(cell, downlink, host)
        return downlink

    def list(self, cell: Cell, node: str, lane: str, kind: Any, *, host: str | None, changed: Any) -> ListDownlink[Any]:
        """A downlink to a list lane."""
        on: dict[str, Callable[..., object]] = {}
        downlink: ListDownlink[Any]
        if changed is not None:
            tell = self._turn(cell, changed)
            is_due = False

            def later(*_: Any) -> None:
                nonlocal is_due
                if not is_due:  # what arrives together, such as a whole list at first, is told once
                    is_due = True
                    self._host.post(now)

            def now() -> None:
                nonlocal is_due
                is_due = False
                tell(list_of(downlink))

            on = dict.fromkeys(("updated", "inserted", "removed", "moved", "cleared", "synced"), later)
        downlink = ListDownlink(node, lane, form(kind), on=on)
        self._later(cell, downlink, host)
        return downlink

    def event(self, cell: Cell, node: str, lane: str, kind: Any, *, host: str | None, event: Any) -> EventDownlink[Any]:
        """A downlink to the events of a lane."""
        on = {} if event is None else {"event": self._turn(cell, event)}
        downlink: EventDownlink[Any] = EventDownlink(node, lane, form(kind), on=on)
        self._later(cell, downlink, host)
        return downlink

    def _turn(self, cell: Cell, method: Callable[..., Any]) -> Callable[..., None]:
        name = getattr(method, "__name__", "")
        if getattr(method, "__self__", None) is not cell or not name:
            raise TurnError(
                "NT-TURN-014", f"a downlink of {cell.node} calls a method of the agent itself, not {method!r}"
            )
        label = f"downlink:{name}"

        def tell(*arguments: Any) -> None:
            self._deliver(cell, Work(lambda agent, _: getattr(agent, name)(*arguments), None, label))

        return tell

    def _later(self, cell: Cell, downlink: Downlink, host: str | None) -> None:
        turn = cell._turn
        if turn is None:
            raise TurnError(
                "NT-TURN-015", f"a downlink of {cell.node} was opened outside a turn; open it in on_start or a handler"
            )
        uri.normalize(downlink.node)
        self.check(cell, host)
        if not self._host.is_volatile:
            turn.records.append((0, key.wake_key(cell.node), b""))
        turn.then(lambda: self._open(cell, downlink, host))

    def _open(self, cell: Cell, downlink: Any, host: str | None) -> Any:
        self.check(cell, host)
        self._channel(host, downlink.node).open(downlink)
        self._of.setdefault(cell.node, set()).add(downlink)
        return downlink

    def close(self, cell: Cell, downlink: Any) -> None:
        """Close a downlink of an agent."""
        links = self._of.get(cell.node, set())
        links.discard(downlink)
        if not links:
            self._of.pop(cell.node, None)
        channel = downlink._channel
        if channel is not None:
            channel.close(downlink)

    def drop(self, cell: Cell) -> None:
        """The agent is removed: close all its downlinks."""
        for downlink in list(self._of.get(cell.node, ())):
            self.close(cell, downlink)

    def _deliver(self, cell: Cell, work: Work) -> None:
        """Tell an agent; one that was removed meanwhile hears nothing."""
        if self._host.agents.get(cell.node) is cell:
            self._host.deliver(cell, work)

    # --- for join lanes -------------------------------------------------------------------------------------------

    def join_value(self, cell: Cell, origin: Any, lane: Any, name: Any) -> ValueDownlink[Any]:
        """The downlink behind one entry of a join-value lane."""
        downlink: ValueDownlink[Any]

        def put(*_: Any) -> None:
            value = downlink.get()
            work = Work(
                lambda agent, new: (
                    lane.put(agent, name, new) if lane.state(agent).origins.get(name) == origin else None
                ),
                value,
                "join",
            )
            self._deliver(cell, work)

        def synced() -> None:
            if name not in lane.state(cell).data:
                put()

        downlink = ValueDownlink(
            origin.node,
            origin.lane,
            lane.form,
            on={"changed": put, "synced": synced, "unlinked": self._ended(cell, origin)},
        )
        opened: ValueDownlink[Any] = self._open(cell, downlink, origin.host)
        return opened

    def join_map(self, cell: Cell, origin: Any, lane: Any) -> MapDownlink[Any, Any]:
        """The downlink behind one source of a join-map lane."""

        def updated(name: Any, new: Any, _old: Any) -> None:
            self._deliver(cell, Work(lambda agent, _: lane.put_from(agent, origin, name, new), None, "join"))

        def removed(name: Any, _old: Any) -> None:
            self._deliver(cell, Work(lambda agent, _: lane.drop_from(agent, origin, name), None, "join"))

        on: dict[str, Callable[..., object]] = {
            "updated": updated,
            "removed": removed,
            "unlinked": self._ended(cell, origin),
        }
        opened: MapDownlink[Any, Any] = self._open(
            cell, MapDownlink(origin.node, origin.lane, (lane.key_form, lane.form), on=on), origin.host
        )
        return opened

    def _ended(self, cell: Cell, origin: Any) -> Callable[[str], None]:
        def tell(reason: str) -> None:
            self._host.log.unjoined(cell.node, origin.node, origin.lane, reason)

        return tell

    # --- channels -------------------------------------------------------------------------------------------------

    def _channel(self, host: str | None, node: str = "") -> Channel:
        if host is None:
            return self.near.channel(node)
        channel = self._remote.get(host)
        if channel is None:
            if self._connect is None:
                raise LinkError(
                    "NT-LINK-006", f"this plane cannot reach {host}: it was made without connections to other hosts"
                )
            if len(self._remote) >= HOST_LIMIT:
                raise LinkError("NT-LINK-007", f"this plane is connected to {HOST_LIMIT} other hosts, its bound")
            channel, closer = self._connect(host)
            self._remote[host] = channel
            self._closers.append(closer)
        return channel

    def _send(self, send: Send) -> None:
        assert send.host is not None
        waiting = self._waiting.get(send.host)
        if waiting is None:
            waiting = self._waiting[send.host] = deque()
        waiting.append(send)
        if len(waiting) == 1:
            self._send_on(send.host)

    def _send_on(self, host: str) -> None:
        """Hand over what waits for a host, as far as it is connected and takes it."""
        waiting = self._waiting[host]
        kernel = self._host
        while waiting:
            send = waiting[0]
            try:
                channel = self._channel(host)
                if not channel.is_connected:
                    break
                channel.command(send.node, send.lane, send.body)
            except (ClientError, LinkError):  # it reads too slowly, or the plane reaches nobody this time
                break
            except Exception as error:  # this one can never be written
                kernel.broken(f"a command to {send.node} {send.lane} of {host}", error)
                kernel.counter.sends_undeliverable += 1
            waiting.popleft()
            kernel.outbox.drop(send)
        if waiting:
            if not kernel.is_stopping:
                kernel.env.call_at(kernel.env.now() + LOOK_EVERY_S, self._send_on, host)
        else:
            del self._waiting[host]


def list_of(downlink: ListDownlink[Any]) -> list[Any]:
    """The values that a list downlink shows."""
    return list(downlink)
