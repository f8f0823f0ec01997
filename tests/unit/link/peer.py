"""A host as a channel sees it: a wire that can be cut, and lanes that answer as SwimOS hosts do.

What the client sends waits in ``inbox``, what the host sends in ``outbox``; nothing moves until the test says so.
"""

from __future__ import annotations

from collections import deque
from functools import cmp_to_key
from typing import Any

from natant.codec import recon, warp
from natant.codec.recon.value import Absent
from natant.codec.warp import operation
from natant.link.channel import Channel

NODE = "/unit/1"


def recon_order(keys: Any) -> list[Any]:
    return sorted(keys, key=cmp_to_key(recon.compare))


class Lane:
    """A lane of the host: who is linked is known, changes go out."""

    def __init__(self, host: Host, name: str) -> None:
        self.host = host
        self.name = name
        self.is_linked = False
        self.has_lost = False

    def tell(self, tag: str, body: str = "") -> None:
        self.host.outbox.append(warp.encode(tag, NODE, self.name, body).encode())

    def event(self, body: str) -> None:
        if self.is_linked:
            self.tell("event", body)

    def link(self) -> None:
        self.is_linked = True
        self.tell("linked")

    def sync(self) -> None:
        if not self.is_linked:
            self.link()
        if self.has_lost and self.host.clears:
            self.tell("event", "@clear")
        for body in self.bodies():
            self.tell("event", body)
        self.tell("synced")

    def bodies(self) -> list[str]:
        return []

    def advance(self) -> None:
        """Send a little more of a sync that is under way."""

    def command(self, body: Any) -> None:
        """Take a command."""

    def lose(self) -> None:
        """The connection is gone."""
        self.is_linked = False


class ValueLane(Lane):
    """A value."""

    value: Any = Absent

    def bodies(self) -> list[str]:
        return [recon.encode_body(self.value)]

    def command(self, body: Any) -> None:
        self.value = body
        self.event(recon.encode_body(body))


class MapLane(Lane):
    """Entries; its sync goes on step by step, in the order of the keys, where the host is lazy."""

    def __init__(self, host: Host, name: str) -> None:
        super().__init__(host, name)
        self.entries: dict[Any, Any] = {}
        self.cursor: Any = None
        self.syncs = 0

    def bodies(self) -> list[str]:
        return [self.body(key) for key in recon_order(self.entries)]

    def body(self, key: Any) -> str:
        return operation.update(recon.encode(key), recon.encode_body(self.entries[key]))

    def sync(self) -> None:
        if not self.host.is_lazy:
            super().sync()
            return
        if not self.is_linked:
            self.link()
        self.syncs += 1
        if self.syncs == 1:
            self.cursor = None

    def advance(self) -> None:
        if not self.syncs:
            return
        left = [
            key for key in recon_order(self.entries) if self.cursor is None or recon.compare(key, self.cursor[0]) > 0
        ]
        if left:
            self.cursor = (left[0],)
            self.tell("event", self.body(left[0]))
            return
        self.tell("synced")
        self.syncs -= 1
        self.cursor = None

    def lose(self) -> None:
        super().lose()
        self.syncs = 0

    def command(self, body: Any) -> None:
        change = operation.read(body)
        assert change is not None
        if change.op == operation.UPDATE:
            self.entries[change.key] = change.value
            self.event(self.body(change.key))
            return
        keys = recon_order(self.entries)
        if change.op == operation.REMOVE:
            gone = [change.key] if change.key in self.entries else []
            if not gone:
                return
        elif change.op == operation.CLEAR:
            gone = keys
        else:
            gone = keys[change.n :] if change.op == operation.TAKE else keys[: change.n]
        for key in gone:
            del self.entries[key]
        self.has_lost = self.has_lost or bool(gone)
        self.event(recon.encode_body(body))


class ListLane(Lane):
    """Elements with keys."""

    def __init__(self, host: Host, name: str) -> None:
        super().__init__(host, name)
        self.elements: list[tuple[str, Any]] = []

    def bodies(self) -> list[str]:
        return [
            operation.list_update(index, key, recon.encode_body(value))
            for index, (key, value) in enumerate(self.elements)
        ]

    def values(self) -> list[Any]:
        return [value for _, value in self.elements]

    def command(self, body: Any) -> None:
        change = operation.read(body)
        assert change is not None
        elements = self.elements
        if change.op == operation.UPDATE:
            key = recon.encode(change.key)
            at = next((index for index, (known, _) in enumerate(elements) if known == key), None)
            if at is not None:
                elements[at] = (key, change.value)
            else:
                at = min(change.index, len(elements))
                elements.insert(at, (key, change.value))
            self.event(operation.list_update(at, key, recon.encode_body(change.value)))
            return
        if change.op == operation.MOVE:
            element = elements.pop(change.index)
            elements.insert(change.to, element)
            self.event(operation.list_move(change.index, change.to, element[0]))
            return
        self.has_lost = True
        if change.op == operation.REMOVE:
            key, _ = elements.pop(change.index)
            self.event(operation.list_remove(change.index, key))
            return
        if change.op == operation.CLEAR:
            elements.clear()
        elif change.op == operation.TAKE:
            del elements[change.n :]
        else:
            del elements[: change.n]
        self.event(recon.encode_body(body))


class Host:
    """One host with one agent, ``/unit/1``, and lanes ``value``, ``map``, ``list``.

    :param is_lazy: a map is synced step by step (Java), else at once (natant).
    :param clears: ``@clear`` goes first in the sync of a lane that has lost entries (natant).
    """

    def __init__(self, *, is_lazy: bool = False, clears: bool = True) -> None:
        self.is_lazy = is_lazy
        self.clears = clears
        self.now_s = 100.0
        self.inbox: deque[bytes] = deque()
        self.outbox: deque[bytes] = deque()
        self.sent: list[str] = []
        self.value = ValueLane(self, "value")
        self.map = MapLane(self, "map")
        self.list = ListLane(self, "list")
        self.lanes: dict[str, Lane] = {lane.name: lane for lane in (self.value, self.map, self.list)}
        self.faults: list[Any] = []
        self.channel = Channel(self._send, lambda: self.now_s, "warp://host", report=self.faults.append)

    def _send(self, payload: bytes) -> None:
        self.inbox.append(payload)
        self.sent.append(payload.decode())

    def connect(self) -> None:
        self.channel.connected()

    def cut(self, reason: str = "cut") -> None:
        self.inbox.clear()
        self.outbox.clear()
        for lane in self.lanes.values():
            lane.lose()
        self.channel.disconnected(reason)

    def read(self) -> None:
        """Handle the next message of the client."""
        message = warp.decode(self.inbox.popleft())
        if message.node is None or message.lane is None:
            return
        lane = self.lanes.get(message.lane)
        if lane is None:
            if message.tag in ("link", "sync"):
                self.outbox.append(warp.encode("unlinked", message.node, message.lane, "@laneNotFound").encode())
            return
        if message.tag == "link":
            lane.link()
        elif message.tag == "sync":
            lane.sync()
        elif message.tag == "unlink":
            if lane.is_linked:
                lane.tell("unlinked")
            lane.lose()
        else:
            lane.command(message.body)

    def deliver(self) -> None:
        """Hand the next message to the client."""
        self.channel.receive(self.outbox.popleft())

    def settle(self) -> None:
        """Let everything happen that is on its way."""
        while self.inbox or self.outbox or (self.map.syncs and self.channel.is_connected):
            if self.inbox:
                self.read()
            elif self.outbox:
                self.deliver()
            else:
                self.map.advance()

    def say(self, text: str) -> None:
        """Hand a message to the client that no lane of this host made."""
        self.channel.receive(text.encode())
