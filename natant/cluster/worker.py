"""A worker: one process of a plane that runs on several.

To a server it looks like one host: it takes peers and answers questions about any node of the plane, whoever has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from natant.cluster.call import Calls
from natant.cluster.crossing import Router
from natant.cluster.gate import Gate
from natant.cluster.guest import Guests
from natant.cluster.keeper import Keeper
from natant.cluster.trunk import Trunk
from natant.errors import FabricError
from natant.host import LISTING_LIMIT, Attachment, declared_lane
from natant.kernel.counter import Counter
from natant.kernel.log import Log
from natant.link.hub import ANONYMOUS, Identity
from natant.observe.meta import add_routes, follow_log

if TYPE_CHECKING:
    from natant.cluster.peer import GateSession
    from natant.codec.recon.value import Value
    from natant.fabric.contract import Fabric
    from natant.kernel.env import Env
    from natant.kernel.turn import Outcome
    from natant.link.agentlink import Connect
    from natant.link.sink import Sink
    from natant.plane import Plane

__all__ = ["Worker"]


class Worker:
    """One worker of a plane.

    :param fabric: joins it with the others; the worker opens and closes it.
    :param connect: reaches other hosts over WARP; None where that is not wanted.
    :param attachments: called with each partition's host before it starts.
    :param info: what other workers are told of this one; plain JSON.
    """

    is_shared = True

    def __init__(
        self,
        plane: Plane,
        *,
        fabric: Fabric,
        env: Env,
        connect: Connect | None = None,
        attachments: Iterable[Attachment] = (),
        info: Mapping[str, Any] | None = None,
    ) -> None:
        self.plane = plane
        self.env = env
        self.fabric = fabric
        self.log = Log(env.now)
        self.counters = Counter()
        self._info = dict(info or {})
        self.started_s = env.now()
        self.is_stopping = False
        self._is_open = False
        self.trunk = Trunk(fabric, env, self._broken)
        self.keeper = Keeper(
            plane,
            fabric,
            env,
            log=self.log,
            counter=self.counters,
            connect=connect,
            attachments=attachments,
        )
        keeper = self.keeper
        self.hosts = keeper.hosts
        self.gate = Gate(
            plane,
            fabric,
            self.trunk,
            env,
            hosts=keeper.hosts,
            log=self.log,
            counter=self.counters,
            broken=self._broken,
        )
        self.guests = Guests(self.trunk, env, hosts=keeper.hosts, is_coming=keeper.is_coming)
        self.calls = Calls(fabric, self.trunk, env, keeper.hosts)
        self.calls.whole["nodes"] = self._nodes_here
        self.router = Router(
            self.trunk,
            fabric.worker,
            arrivals=keeper.arrivals,
            departures=keeper.departures,
            owner=self._owner,
        )
        keeper.gate, keeper.guests, keeper.router = self.gate, self.guests, self.router
        keeper.on_change = self._host_changed
        self._owned: list[str | None] = [None] * len(fabric.owners)
        #: told when the partitions that work here are other than before
        self.watchers: list[Callable[[], object]] = []
        self._nodes = plane.router.copy()
        #: called when the worker has stopped
        self.closers: list[Callable[[], object]] = []
        if plane.meta:
            add_routes(self._nodes, plane.queues)
            self.attach(lambda host: add_routes(host.router, plane.queues))

    def attach(self, attachment: Attachment) -> None:
        """Have ``attachment`` called with each partition's host before it starts; before the worker does."""
        self.keeper.attachments.append(attachment)

    def _broken(self, what: str, error: BaseException) -> None:
        self.counters.faults += 1
        self.log.broken(what, error)

    def _owner(self, partition: int) -> str | None:
        owner = self.fabric.owners[partition]
        return None if owner is None else owner.worker

    # --- life -----------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Join the others and take up work."""
        fabric = self.fabric
        fabric.on_message = self.trunk.receive
        fabric.on_gap = self._gap
        fabric.on_change = self._changed
        if self.plane.meta:
            self.closers.append(follow_log(self.env))
        await fabric.open(self._info)
        self._is_open = True
        self.trunk.start()
        self._changed()

    async def quiesce(self) -> None:
        """Hand over all partitions."""
        self.is_stopping = True
        await self.fabric.leave()
        await self.keeper.give_all()

    async def stop(self) -> None:
        """Hand over all partitions and leave."""
        if not self._is_open:
            return
        if not self.is_stopping:
            await self.quiesce()
        self._is_open = False
        for session in list(self.gate.sessions):
            session.close("the worker stops")
        self.trunk.stop()
        for closer in self.closers:
            try:
                closer()
            except Exception as error:
                self._broken("the end of the worker", error)
        await self.fabric.close()

    def _changed(self) -> None:
        """Members or owners are other than before."""
        moved = []
        for partition, owner in enumerate(self.fabric.owners):
            name = None if owner is None else owner.worker
            if name != self._owned[partition]:
                self._owned[partition] = name
                moved.append(partition)
        self.keeper.settle()
        self.gate.settle()
        self.calls.settle()
        if moved:
            self.router.again(moved)

    def _host_changed(self, partition: int) -> None:
        self.gate.settle()
        self.calls.settle()
        self.router.again([partition])
        for watcher in list(self.watchers):
            watcher()

    def _gap(self, worker: str) -> None:
        """What was shared with a worker is gone, whatever happened to it."""
        self.trunk.forget(worker)
        self.guests.forget(worker)
        self.gate.lose_worker(worker)
        self.calls.lose_worker(worker)
        self.router.again([partition for partition, owner in enumerate(self._owned) if owner == worker])

    # --- asking ---------------------------------------------------------------------------------------------------

    def connect(self, sink: Sink, *, remote: str, request_uri: str = "/") -> GateSession:
        """A session for a new peer connection."""
        return self.gate.connect(sink, remote=remote, request_uri=request_uri)

    def lane(self, node: str, lane: str) -> Any:
        """The declaration of a lane; as :meth:`natant.host.Host.lane`."""
        return declared_lane(self._nodes, node, lane)

    def _admit(self) -> None:
        if not self._is_open:
            raise FabricError("NT-FABRIC-307", "this worker is not at work; ask another one", http_status=503)

    async def command(
        self, node: str, lane: str, value: Value, *, command_id: str | None = None, identity: Identity = ANONYMOUS
    ) -> Outcome:
        """Command a lane and wait until the effect is durable; as :meth:`natant.host.Host.command`.

        It is asked again where the partition moves, and done once: a command without an id is given one.

        :raises FabricError: ``NT-FABRIC-304`` where nobody has the partition for too long; ask again.
        """
        self._admit()
        return await self.calls.command(
            self.gate.partition(node), node, lane, value, command_id=command_id, identity=identity
        )

    async def read(self, node: str, lane: str, *, identity: Identity = ANONYMOUS, fresh: bool = False) -> Value:
        """The committed state of a lane as its owner knows it; as :meth:`natant.host.Host.read`."""
        self._admit()
        value: Value = await self.calls.read(self.gate.partition(node), node, lane, identity=identity, fresh=fresh)
        return value

    async def describe(self, node: str) -> dict[str, Any]:
        """What lives at a node; as :meth:`natant.host.Host.describe`."""
        self._admit()
        return await self.calls.describe(self.gate.partition(node), node)

    async def nodes(self, prefix: str = "/", *, limit: int = 100, after: str | None = None) -> list[dict[str, Any]]:
        """The agents of all workers whose URI starts with ``prefix``, in order; as :meth:`natant.host.Host.nodes`."""
        self._admit()
        limit = min(limit, LISTING_LIMIT)
        found = await self.calls.everybody("nodes", prefix, limit, after)
        rows = {row["node"]: row for part in found for row in part}
        return [rows[node] for node in sorted(rows)][:limit]

    async def _nodes_here(self, prefix: str, limit: int, after: str | None) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for host in list(self.hosts.values()):
            rows.extend(await host.nodes(prefix, limit=limit, after=after))
        rows.sort(key=lambda row: str(row["node"]))
        return rows[:limit]

    @property
    def is_ready(self) -> bool:
        """True while commands are welcome."""
        return self._is_open and not self.is_stopping

    @property
    def watched(self) -> Worker:
        """What a watchdog watches."""
        return self

    @property
    def running(self) -> Any:
        """The turn whose synchronous part runs at present, for the watchdog."""
        for host in list(self.hosts.values()):
            turn = host.kernel.running
            if turn is not None:
                return turn
        return None

    @property
    def turn_count(self) -> int:
        """Tells one such part from the next."""
        return sum(host.kernel.turn_count for host in list(self.hosts.values()))

    def counts(self) -> dict[str, int]:
        """What a worker counts besides what its hosts do."""
        keeper = self.keeper
        counts = {"cluster_taken": keeper.taken, "cluster_given": keeper.given, "cluster_lost": keeper.lost}
        return counts | {f"fabric_{name}": count for name, count in self.fabric.counts().items()}

    def health(self) -> dict[str, Any]:
        """How the worker is, for probes."""
        faults = [host.kernel.journal.fault for host in self.hosts.values() if host.kernel.journal.fault is not None]
        unowned = sum(owner is None for owner in self.fabric.owners)
        broken = {str(partition): str(error) for partition, error in sorted(self.keeper.faults.items())}
        return {
            "plane": self.plane.name,
            "worker": self.fabric.worker,
            "ready": self.is_ready,
            "stopping": self.is_stopping,
            "store": str(faults[0]) if faults else "ok",
            "volatile": False,
            "agents": sum(len(host.kernel.agents) for host in self.hosts.values()),
            "sessions": len(self.gate.sessions),
            "guests": len(self.guests),
            "members": len(self.fabric.members),
            "partitions": len(self.hosts),
            "partitions_without_owner": unowned,
            "partition_faults": broken,
            "uptime_s": round(self.env.now() - self.started_s, 3),
        }
