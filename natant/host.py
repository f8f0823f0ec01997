"""A plane at work: what servers, tests and tools hold on to.

It joins the kernel, the hub of links, the sources and the store of one plane, and answers the questions of the outside in terms of
nodes and lanes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol

from natant.codec import recon, uri
from natant.codec.recon.value import Record, Value
from natant.errors import LinkError, NatantError, PlaneError, StoreError, TurnError
from natant.ingress.pump import Pump
from natant.kernel import key
from natant.kernel.cell import Cell
from natant.kernel.counter import Counter
from natant.kernel.env import Env
from natant.kernel.kernel import Kernel
from natant.kernel.log import Log
from natant.kernel.route import Router
from natant.kernel.turn import Outcome
from natant.link.agentlink import AgentDownlinks, Connect
from natant.link.hub import ANONYMOUS, Hub, Identity
from natant.link.near import HubNear, Near
from natant.link.session import Session
from natant.link.sink import Sink
from natant.plane import Plane

__all__ = ["Attachment", "Host", "Place", "declared_lane"]

Attachment = Callable[["Host"], object]

#: nodes that one listing may give
LISTING_LIMIT: Final = 1000
#: how long a stop waits for handlers that run
STOP_GRACE_S: Final = 5.0
#: how long it waits then for those that it cancels
CANCEL_GRACE_S: Final = 0.5
#: how long a stop waits for the store to take what is on its way
COMMIT_GRACE_S: Final = 20.0


class Place(Protocol):
    """Where a host stands among the hosts of a plane that has several; see :mod:`natant.cluster`.

    :ivar partition: the number of the host's partition.
    :ivar log: shared with the other hosts of the process, as is
    :ivar counter: what they count.
    """

    partition: int
    log: Log
    counter: Counter

    def near(self, kernel: Kernel) -> Near:
        """The way of the agents of this host to all agents of the plane."""

    def has_source(self, name: str) -> bool:
        """True where this host reads the source."""


def declared_lane(router: Router[type[Cell]], node: str, lane: str) -> Any:
    """The declaration of a lane.

    :raises PlaneError: ``NT-PLANE-004`` where no route fits the node.
    :raises LinkError: ``NT-LINK-001`` where the agent has no such lane.
    """
    _, path = uri.resolve(node)
    kind = router.find(path)
    if kind is None:
        raise PlaneError("NT-PLANE-004", f"no agent lives at {node!r}: no route of the plane fits", http_status=404)
    found = kind._schema.lanes.get(uri.resolve_lane(lane)[1])
    if found is None:
        names = ", ".join(sorted(name for name in kind._schema.lanes if not name.startswith("parked")))
        raise LinkError("NT-LINK-001", f'{node} has no lane "{lane}"; it has {names}', http_status=404)
    return found


class Host:
    """One running plane, or one partition of it.

    :param store: where durable lanes are kept; the host closes it when it stops.
    :param env: time, randomness, execution.
    :param is_volatile: journal nothing.
    :param connect: reaches other hosts; None where that is not wanted.
    :param attachments: called with the host before it starts: what else belongs to it.
    :param place: where it stands among other hosts of the same plane; None where it is the only one.
    """

    is_shared = False

    def __init__(
        self,
        plane: Plane,
        *,
        store: Any,
        env: Env,
        is_volatile: bool = False,
        connect: Connect | None = None,
        attachments: Iterable[Attachment] = (),
        place: Place | None = None,
    ) -> None:
        self.plane = plane
        self.env = env
        self.store = store
        self.router = plane.router.copy()
        #: called when the host has stopped
        self.closers: list[Callable[[], object]] = []
        self.place = place
        self.kernel = Kernel(
            self.router,
            store=store,
            env=env,
            config=plane.config,
            log=Log(env.now) if place is None else place.log,
            counter=None if place is None else place.counter,
            is_volatile=is_volatile,
        )
        self.hub = Hub(self.kernel, authenticator=plane.authenticator, policy=plane.policy)
        self.downlinks = AgentDownlinks(
            self.kernel, HubNear(self.kernel, self.hub) if place is None else place.near(self.kernel), connect
        )
        self.counters = self.kernel.counter
        #: what callers of this object wait for
        self._asked: set[Any] = set()
        self.pumps = [Pump(self.kernel, spec) for spec in plane.sources if place is None or place.has_source(spec.name)]
        for attach in attachments:
            attach(self)

    # --- life -----------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Take up work."""
        self.downlinks.open()
        self.kernel.open()
        for pump in self.pumps:
            pump.start()

    async def quiesce(self) -> None:
        """Take no more work; finish what runs, make all of it durable and show it to the links."""
        kernel = self.kernel
        for pump in self.pumps:
            pump.stop()
        kernel.shut()
        deadline_s = self.env.now() + STOP_GRACE_S
        await kernel.async_turns.wait_idle(deadline_s)
        await self.downlinks.close_all()
        kernel.drain()
        kernel.halt()
        await kernel.async_turns.wait_idle(self.env.now() + CANCEL_GRACE_S)
        done = self.env.future()
        kernel.journal.when_idle(lambda: None if done.done() else done.set_result(None))
        late = self.env.call_at(self.env.now() + COMMIT_GRACE_S, lambda: None if done.done() else done.set_result(None))
        await done
        late.cancel()
        if not kernel.journal.is_idle:
            kernel.log.store_failed(
                StoreError("NT-STORE-005", "the host stops with units that were never acknowledged and are not durable")
            )

    async def stop(self) -> None:
        """Quiesce, then close the store.  Who still waits is told that nobody knows."""
        if not self.kernel.is_stopping:
            await self.quiesce()
        for future in list(self._asked):
            if not future.done():
                future.set_exception(_unknown())
        for closer in self.closers:
            try:
                closer()
            except Exception as error:
                self.kernel.broken("the end of the host", error)
        self.kernel.journal.close()
        self.store.close()

    def abandon(self) -> None:
        """Begin nothing more: the state belongs to somebody else by now, and nothing can be made durable here."""
        kernel = self.kernel
        for pump in self.pumps:
            pump.stop()
        kernel.shut()
        kernel.halt()
        kernel.journal.close()

    @property
    def watched(self) -> Kernel:
        """What a watchdog watches."""
        return self.kernel

    @property
    def is_ready(self) -> bool:
        """True while commands are welcome."""
        return self.kernel.admit() is None

    # --- asking ---------------------------------------------------------------------------------------------------

    def connect(self, sink: Sink, *, remote: str, request_uri: str = "/") -> Session:
        """A session for a new peer connection."""
        return self.hub.connect(sink, remote=remote, request_uri=request_uri)

    def lane(self, node: str, lane: str) -> Any:
        """The declaration of a lane.

        :raises PlaneError: ``NT-PLANE-004`` where no route fits the node.
        :raises LinkError: ``NT-LINK-001`` where the agent has no such lane.
        """
        return declared_lane(self.router, node, lane)

    def _target(self, node: str, lane: str, verb: str, identity: Identity) -> tuple[Cell, Any]:
        found = self.lane(node, lane)
        cell = self.kernel.require(uri.resolve(node)[1])
        if not self.hub.may(identity, verb, cell, found):
            raise LinkError(
                "NT-LINK-008",
                f'{identity.name or "an unknown peer"} may not {verb} "{lane}" of {cell.node}',
                http_status=403,
            )
        return cell, found

    async def command(
        self, node: str, lane: str, value: Value, *, command_id: str | None = None, identity: Identity = ANONYMOUS
    ) -> Outcome:
        """Command a lane and wait until the effect is durable.

        :param command_id: a command that comes again with the same id is not done again.
        :raises NatantError: where it was refused or failed; nothing of it happened then, but for ``NT-TURN-016`` (a part of it
            did) and ``NT-TURN-018`` (nobody knows).
        """
        refusal = self.kernel.admit()
        if refusal is not None:
            raise refusal
        cell, found = self._target(node, lane, "command", identity)
        future = self.env.future()

        def reply(outcome: Outcome | None, error: NatantError | None) -> None:
            if future.done():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(outcome)

        self._asked.add(future)
        try:
            self.kernel.command(cell, found, value, command_id=command_id, reply=reply)
            outcome: Outcome = await future
        finally:
            self._asked.discard(future)
        return outcome

    async def read(self, node: str, lane: str, *, identity: Identity = ANONYMOUS, fresh: bool = False) -> Value:
        """The committed state of a lane: of a map lane a record of slots, of a list lane a record of values.

        :param fresh: first make sure that nobody else has taken the state over: what was acknowledged before the call is shown.
        :raises NatantError: as :meth:`lane`, ``NT-STORE-004`` where a record is corrupt, ``NT-LINK-002`` where a cue method raised.
        """
        if fresh:
            await self._make_sure()
        cell, found = self._target(node, lane, "read", identity)
        future = self.env.future()

        def use(result: Any) -> None:
            if future.done():
                return
            if isinstance(result, NatantError):
                future.set_exception(result)
            elif isinstance(result, Exception):
                self.kernel.log.failed(cell.node, f"reading of {lane}", result)
                future.set_exception(
                    LinkError(
                        "NT-LINK-002",
                        f'lane "{lane}" of {cell.node} cannot be read: {type(result).__name__}: {result}; the log says more',
                        http_status=500,
                    )
                )
            else:
                future.set_result(result)

        cell._touched = self.kernel.tick
        self._asked.add(future)
        try:
            self.hub.when_shown(cell, found, f"read:{lane}", found.read, use, may_refuse=True)
            result: Value = await future
        finally:
            self._asked.discard(future)
        return result

    async def _make_sure(self) -> None:
        """Return once the store is known to be ours, at a time after the call."""
        barrier = getattr(self.store, "barrier", None)
        if barrier is None:
            return  # a store that nobody else can take over
        future = self.env.future()

        def done(error: BaseException | None) -> None:
            if future.done():
                return
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)

        self._asked.add(future)
        try:
            barrier(done)
            await future
        finally:
            self._asked.discard(future)

    async def describe(self, node: str) -> dict[str, Any]:
        """What lives at a node: class, lanes with their types, timers; plain JSON values.

        :raises PlaneError: ``NT-PLANE-004`` where no route fits.
        """
        _, path = uri.resolve(node)
        kind = self.router.find(path)
        if kind is None:
            raise PlaneError("NT-PLANE-004", f"no agent lives at {node!r}: no route of the plane fits", http_status=404)
        schema = kind._schema
        cell = self.kernel.agents.get(path)
        return {
            "node": path,
            "agent": schema.name,
            "route": schema.route.pattern if schema.route else "",
            "doc": schema.doc,
            "resident": cell is not None,
            "known": cell is not None or self.store.get(key.node_key(path)) is not None,
            "links": 0 if cell is None or cell._links is None else sum(map(len, cell._links.values())),
            "lanes": [lane.describe() for lane in schema.ordered],
            "timers": self.kernel.timer.of(path),
        }

    async def nodes(self, prefix: str = "/", *, limit: int = 100, after: str | None = None) -> list[dict[str, Any]]:
        """The agents whose URI starts with ``prefix``, in order: those in memory and those in the store.

        :param after: show what comes after this node, for paging.
        """
        limit = min(limit, LISTING_LIMIT)
        found: dict[str, dict[str, Any]] = {}
        for node in sorted(n for n in self.kernel.agents if n.startswith(prefix) and (after is None or n > after))[
            :limit
        ]:
            found[node] = {"node": node, "agent": self.kernel.agents[node]._schema.name, "resident": True}
        count = 0
        for stored, text in self.store.scan(key.NODE + prefix.encode()):
            node = stored[1:].decode()
            if (after is not None and node <= after) or node in found:
                continue
            record = recon.decode(text)
            assert isinstance(record, Record)
            found[node] = {"node": node, "agent": str(record.get("agent")), "resident": False}
            count += 1
            if count >= limit:
                break
        return [found[node] for node in sorted(found)][:limit]

    def health(self) -> dict[str, Any]:
        """How the host is, for probes."""
        kernel = self.kernel
        fault = kernel.journal.fault
        return {
            "plane": self.plane.name,
            "ready": self.is_ready,
            "stopping": kernel.is_stopping,
            "store": "ok" if fault is None else str(fault),
            "volatile": kernel.is_volatile,
            "agents": len(kernel.agents),
            "sessions": len(self.hub.sessions),
            "sequence": kernel.journal.sequence,
            "uptime_s": round(self.env.now() - kernel.started_s, 3),
        }


def _unknown() -> TurnError:
    return TurnError(
        "NT-TURN-018",
        "the host stopped before the store had what was asked for, so it may or may not have happened; send it again under "
        "the same id, or look",
        http_status=503,
    )
