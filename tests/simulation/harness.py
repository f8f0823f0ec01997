"""What stands around a simulated host: an environment that takes its time, a store that fails, peers that come and go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from natant import Absent
from natant.codec import recon, warp
from natant.codec.form import form
from natant.codec.warp import operation
from natant.errors import StoreError
from natant.host import Host
from natant.kernel import key
from natant.link.channel import Channel
from natant.link.downlink import EventDownlink, ListDownlink, MapDownlink, ValueDownlink
from natant.link.session import Session
from natant.store.contract import Operation
from natant.store.memory import MemoryStore
from natant.testing import VirtualEnv

__all__ = ["Disk", "Facade", "SlowEnv", "Watcher", "stored_int"]


class Disk(MemoryStore):
    """What survives a crash."""

    is_durable = True

    def __init__(self) -> None:
        super().__init__()
        self.is_full = False
        self.commits = 0

    def apply(self, batch: Sequence[Operation]) -> None:
        if self.is_full:
            raise StoreError("NT-STORE-005", "the disk is full, says the test")
        self.commits += 1
        super().apply(batch)


class Facade:
    """The disk as one host sees it, until that host is lost."""

    is_durable = True

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self.is_lost = False
        self.get = disk.get
        self.scan = disk.scan

    def apply(self, batch: Sequence[Operation]) -> None:
        if self.is_lost:
            raise StoreError("NT-STORE-006", "this host was lost")
        self._disk.apply(batch)

    def close(self) -> None:
        """The disk stays."""


class SlowEnv(VirtualEnv):
    """Writes take effect some turns of the loop after they were asked for, and are told some turns later."""

    def __init__(self, start_s: float, seed: int) -> None:
        super().__init__(start_s, seed)
        self._chance = Random(seed)
        self.is_dead = False

    def write(self, function: Callable[[], None], done: Callable[[BaseException | None], None]) -> None:
        self._wait(self._chance.choice((0, 0, 1, 3)), self._apply, function, done)

    def _wait(self, turns: int, function: Callable[..., None], *args: Any) -> None:
        if turns:
            self.call_soon(self._wait, turns - 1, function, *args)
        else:
            function(*args)

    def _apply(self, function: Callable[[], None], done: Callable[[BaseException | None], None]) -> None:
        if self.is_dead:
            return
        error: BaseException | None = None
        try:
            function()
        except Exception as raised:
            error = raised
        self._wait(self._chance.choice((1, 1, 2, 4)), self._tell, done, error)

    def _tell(self, done: Callable[[BaseException | None], None], error: BaseException | None) -> None:
        if not self.is_dead:
            done(error)


def stored_int(disk: Disk, node: str, lane: str, sub: str = "") -> int:
    """The durable value of a lane of ints, or of one entry."""
    text = disk.get(key.lane_prefix(node, lane) + sub.encode())
    return 0 if text is None else int(recon.decode(text))


class Watcher:
    """A client that keeps its views through lost connections, and sees to it that it is never shown what is not durable."""

    def __init__(self, disk: Disk, nodes: Sequence[str]) -> None:
        self.disk = disk
        self.is_paused = False
        self.session: Session | None = None
        self.ahead: list[str] = []
        self.channel = Channel(self._send, lambda: 0.0)
        self.values = {node: ValueDownlink(node, "balance", form(int)) for node in nodes}
        self.versions = {node: ValueDownlink(node, "version", form(int)) for node in nodes}
        self.done = {node: MapDownlink(node, "done", (form(str), form(int))) for node in nodes}
        self.newest = {node: MapDownlink(node, "newest", (form(str), form(int))) for node in nodes}
        self.notes = {node: MapDownlink(node, "notes", (form(int), form(int))) for node in nodes}
        self.history = {node: ListDownlink(node, "history", form(int)) for node in nodes}
        self.row = {node: ListDownlink(node, "row", form(int)) for node in nodes}
        self.board: MapDownlink[str, Any] = MapDownlink("/board/1", "balances", (form(str), form(int | None)))
        #: ``notes`` as a client sees it that keeps its map through a reconnect, as SwimOS's do
        self.plain: dict[str, dict[int, int]] = {node: {} for node in nodes}
        self.moves = [EventDownlink(node, "moves", form(int)) for node in nodes]
        for views in (self.values, self.versions, self.done, self.newest, self.notes, self.history, self.row):
            for view in views.values():
                self.channel.open(view)
        for other in (self.board, *self.moves):
            self.channel.open(other)

    # --- the connection

    def connect(self, host: Host) -> None:
        """Connect, unless connected."""
        if self.session is None:
            self.session = host.connect(self, remote="watcher")
            self.channel.connected()

    def lose(self) -> None:
        """The connection breaks."""
        session, self.session = self.session, None
        if session is not None:
            session.close("lost")
            self.channel.disconnected("lost")

    def resume(self) -> None:
        """Read on."""
        self.is_paused = False
        if self.session is not None:
            self.session.resume()

    def _send(self, payload: bytes) -> None:
        assert self.session is not None
        self.session.receive(payload)

    # --- the sink

    def write(self, payloads: list[bytes]) -> None:
        """Called by the session."""
        for payload in payloads:
            self._check(payload)
            self.channel.receive(payload)

    def close(self, code: int, reason: str) -> None:
        """Called by the session."""
        self.ahead.append(f"closed: {code} {reason}")
        self.session = None
        self.channel.disconnected(reason)

    def pause_reading(self) -> None:
        """Called by the session; what the watcher asks is little."""

    def resume_reading(self) -> None:
        """Called by the session."""

    def _check(self, payload: bytes) -> None:
        envelope = warp.decode(payload)
        if envelope.tag != "event" or envelope.body is Absent:
            return
        node, lane = envelope.node or "", envelope.lane
        if lane == "notes":
            self._follow(self.plain[node], envelope.body)
            return
        if lane == "version" or lane == "moves":
            shown, held = envelope.body, stored_int(self.disk, node, "version")
        elif lane == "done":
            change = operation.read(envelope.body)
            if change is None or change.op != operation.UPDATE:
                return
            shown, held = change.value, stored_int(self.disk, node, "done", recon.encode(change.key))
        else:
            return
        if shown > held:
            self.ahead.append(f"{node} {lane} showed {shown} while the disk held {held}")

    @staticmethod
    def _follow(entries: dict[int, int], body: Any) -> None:
        change = operation.read(body)
        assert change is not None
        if change.op == operation.UPDATE:
            entries[change.key] = change.value
        elif change.op == operation.REMOVE:
            entries.pop(change.key, None)
        else:
            keys = sorted(entries)
            gone = {operation.CLEAR: keys, operation.TAKE: keys[change.n :], operation.DROP: keys[: change.n]}[
                change.op
            ]
            for key_gone in gone:
                del entries[key_gone]
