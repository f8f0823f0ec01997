"""A plane in memory, for tests of agents: real turns, real links, virtual time.

async with natant.testing.plane(app) as p:
    await p.command("/vehicle/7", "report", Fix(59.3, 18.1, 50.0))
    assert (await p.get("/vehicle/7", "position")).lat == 59.3
    await p.clock.jump(3600)
"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar

from natant.codec.recon.value import Absent, Extant
from natant.egress.large import large_values
from natant.errors import StoreError
from natant.host import Attachment, Host
from natant.kernel.turn import Outcome
from natant.lane.base import to_value
from natant.link.channel import Channel
from natant.link.downlink import Downlink
from natant.link.hub import Identity
from natant.link.session import Session
from natant.observe.meta import attach
from natant.plane import Plane
from natant.store.memory import MemoryStore
from natant.testing.clock import VirtualClock, VirtualEnv
from natant.testing.queue import MemoryQueues

__all__ = ["Peer", "TestPlane", "plane"]


class _Kept:
    """A store that outlives its hosts; each sees it until it stops or is lost."""

    def __init__(self, store: Any) -> None:
        self.is_durable = store.is_durable
        self.get = store.get
        self.scan = store.scan
        self.is_lost = False
        self._store = store

    def apply(self, batch: Any) -> None:
        """Nothing reaches the store from a host that was lost."""
        if self.is_lost:
            raise StoreError("NT-STORE-006", "this host was lost by the test")
        self._store.apply(batch)

    def close(self) -> None:
        """The next host goes on with it."""


class _Takes(Protocol):
    """A session, as far as a client needs it."""

    def receive(self, payload: str | bytes, /) -> Any: ...


S = TypeVar("S", bound=_Takes)
S_co = TypeVar("S_co", bound=_Takes, covariant=True)


class _Listens(Protocol[S_co]):
    """Who takes a client in: a host, or a worker of a cluster; each gives a session of its own kind."""

    @property
    def env(self) -> Any: ...

    def connect(self, sink: Any, *, remote: str) -> S_co: ...


class Peer(Generic[S]):
    """A client of a test plane or of a worker of a test cluster, without a socket: it speaks WARP with it through memory.

    :ivar is_held: the host takes no more from it for now.
    """

    is_paused = False

    def __init__(self, host: _Listens[S], remote: str) -> None:
        self.is_held = False
        self.received: list[bytes] = []
        self.closed: tuple[int, str] | None = None
        self.session: S = host.connect(self, remote=remote)
        self.channel = Channel(self.session.receive, host.env.now)
        self.channel.connected()

    def write(self, payloads: list[bytes]) -> None:
        """Called by the session."""
        self.received.extend(payloads)
        for payload in payloads:
            self.channel.receive(payload)

    def close(self, code: int, reason: str) -> None:
        """Called by the session."""
        self.closed = (code, reason)
        self.channel.disconnected(reason)

    def pause_reading(self) -> None:
        """Called by the session."""
        self.is_held = True

    def resume_reading(self) -> None:
        """Called by the session."""
        self.is_held = False


class TestPlane:
    """A plane at work in memory; made by :func:`plane`.

    :ivar queues: the plane's work queues by name: ``p.queues["asr"].parked``.
    :ivar identity: who commands and reads where a call does not say; at first somebody unknown, as over a socket without credentials.
    """

    __test__ = False

    def __init__(
        self,
        app: Plane,
        store: MemoryStore | None,
        start_s: float,
        seed: int,
        *,
        is_volatile: bool,
        attachments: Sequence[Attachment],
    ) -> None:
        self.identity = Identity()
        self._attachments = (large_values(None, None).attach, *attachments)
        self.app = app
        self.store: Any = store or MemoryStore()
        self.env = VirtualEnv(start_s, seed)
        self.clock = VirtualClock(self.env)
        self._is_volatile = is_volatile
        self.queues = MemoryQueues(app.queues)
        self.host: Host
        self._kept: _Kept

    async def __aenter__(self) -> TestPlane:
        await self._open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            await self.host.stop()
        else:
            self._lose()

    async def _open(self) -> None:
        self._kept = _Kept(self.store)
        self.host = Host(
            self.app,
            store=self._kept,
            env=self.env,
            is_volatile=self._is_volatile,
            attachments=self._attachments,
        )
        attach(self.host)
        self.queues.attach(self.host)
        await self.host.start()
        await self.clock.settle()

    async def restart(self) -> None:
        """Stop the host as SIGTERM would, and start another one on what it stored."""
        await self.host.stop()
        await self._open()

    async def crash(self) -> None:
        """Lose the host as SIGKILL would, and start another one on what was stored."""
        self._lose()
        env = VirtualEnv(self.env.time_s, self.env.random.randrange(2**32))
        self.env = self.clock._env = env
        await self._open()

    def _lose(self) -> None:
        self._kept.is_lost = True
        self.host.kernel.shut()
        self.host.kernel.halt()
        for pump in self.host.pumps:
            pump.stop()
        for closer in self.host.closers:
            closer()

    async def command(
        self,
        node: str,
        lane: str,
        value: Any = None,
        *,
        command_id: str | None = None,
        identity: Identity | None = None,
    ) -> Outcome:
        """Command a lane, wait for the commit, let what follows settle.

        :param identity: whom the plane's policy sees; None: :attr:`identity`.
        :raises NatantError: where it was refused or failed.
        """
        who = identity or self.identity
        outcome = await self.host.command(node, lane, to_value(value), command_id=command_id, identity=who)
        await self.clock.settle()
        return outcome

    async def get(self, node: str, lane: str, *, identity: Identity | None = None) -> Any:
        """The state of a lane: the typed value of a value lane, a dict of a map lane, a list of a list lane.

        :param identity: whom the plane's policy sees; None: :attr:`identity`.
        """
        declared = self.host.lane(node, lane)
        value: Any = await self.host.read(node, lane, identity=identity or self.identity)
        forms = declared.types()
        form = forms["value"]
        if "key" in forms:
            is_join = declared.kind == "joinValue"  # which shows lanes that were never set, too
            return {
                forms["key"].decode(slot.key): None if is_join and slot.value is Extant else form.decode(slot.value)
                for slot in value.items
            }
        if declared.kind == "list":
            return [form.decode(item) for item in value.items]
        return None if value is Absent else form.decode(value)

    def connect(self, remote: str = "test") -> Peer[Session]:
        """A client of the plane."""
        return Peer(self.host, remote)

    async def open(self, downlink: Downlink, peer: Peer[Session] | None = None) -> Downlink:
        """Open a downlink of a client and wait until it has settled."""
        (peer or self.connect()).channel.open(downlink)
        await self.clock.settle()
        return downlink


def plane(
    app: Plane,
    *,
    store: MemoryStore | None = None,
    start_s: float = 1_000_000_000.0,
    seed: int = 0,
    volatile: bool = False,
    attachments: Sequence[Attachment] = (),
) -> TestPlane:
    """A context manager that runs ``app`` in memory under a virtual clock.

    :param store: state to begin with, from an earlier test plane.
    :param start_s: what time it is at first, in epoch seconds.
    :param seed: of the plane's randomness.
    :param attachments: called with each host before it starts.
    """
    return TestPlane(app, store, start_s, seed, is_volatile=volatile, attachments=attachments)
