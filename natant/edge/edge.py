"""The edge's side, put together: one object a process, made with the engine and attached to the host."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from natant.edge.agent import NODE, hub_agent
from natant.edge.copy import Copier
from natant.edge.forward import Forwarder
from natant.edge.keep import Keeper
from natant.edge.name import EdgeNames, check_name
from natant.edge.status import EdgeStatus
from natant.fabric.nats.wire import Log, Wire
from natant.lane.base import to_value

if TYPE_CHECKING:
    from natant.fabric.nats.engine import Engine
    from natant.host import Host

__all__ = ["EdgeSide"]

#: what may wait at the edge until the hub has it
STREAM_BYTES: Final = 1024 * 1024 * 1024
#: what an edge counts
COUNTS: Final = (
    "connections", "copied", "copy_failures", "displaced", "forward_failures", "forwarded", "keep_failures", "kept", "parcels",
)  # fmt: skip
#: the edge's stream says in its metadata which one it is
_ORIGIN: Final = "natant-origin"


class EdgeSide:
    """An edge, for one process.

    :param edge: its name; the hub lets only this one in with its password.
    :param copies: node and lane of what to copy from the hub, besides what agents asked for.
    :param stream_bytes: how much may wait until the hub has it.
    """

    def __init__(
        self, engine: Engine, edge: str, *, copies: Iterable[tuple[str, str]] = (), stream_bytes: int = STREAM_BYTES
    ) -> None:
        self._engine = engine
        self.edge = check_name(edge)
        self._copies = list(copies)
        self._bytes = stream_bytes
        self.names = EdgeNames(engine.spec.plane)
        self.status = EdgeStatus(COUNTS)
        self.wire = Wire(engine.nc, self.names.answers(edge))
        self.stream = Log(self.wire, engine.subjects.edge_stream)
        self.keeper = Keeper(self.stream, self.names, self.status)
        self.forwarder: Forwarder | None = None
        self._host: Host | None = None
        self._copier: Copier | None = None

    def attach(self, host: Host) -> None:
        """Carry what the agents of a host send to the hub; call it before the host starts."""
        self.keeper.attach(host)
        kind = hub_agent(host.env.now, self.facts)
        route = kind._schema.route
        assert route is not None
        host.router.add(route, kind)
        is_away = host.kernel.outbox.is_away
        if is_away is None or not is_away(NODE):
            self._host = host

    async def open(self) -> None:
        """Begin to keep, forward and copy; call it when the host has started."""
        await self.wire.open()
        metadata = await self.stream.ensure(
            [self.names.bundles()],
            max_bytes=self._bytes,
            replicas=self._engine.replicas,
            metadata={_ORIGIN: secrets.token_hex(8)},
        )
        self.keeper.start()
        self.forwarder = Forwarder(
            self.wire,
            kept=self.stream,
            hub=Log(self.wire, self._engine.subjects.aggregate_stream),
            names=self.names,
            edge=self.edge,
            origin=metadata[_ORIGIN],
            news=self.keeper.kept,
            status=self.status,
        )
        self.forwarder.start()
        host = self._host
        if host is not None:
            for node, lane in self._copies:
                await host.command(NODE, "copy", to_value({"node": node, "lane": lane}))
            self._copier = Copier(self.wire, host.kernel, self.names, self.edge, self.status)
            self._copier.start()

    async def close(self) -> None:
        """Stop; what has not been forwarded stays for the next start."""
        for part in (self._copier, self.forwarder, self.keeper, self.wire):
            if part is None:
                continue
            await (part.close() if isinstance(part, Wire) else part.stop())

    def counts(self) -> dict[str, int]:
        """For metrics."""
        return {f"edge_{name}": count for name, count in self.status.counts.items()}

    def facts(self) -> dict[str, Any]:
        """For people: is the hub there, what waits."""
        seen_s = self.status.facts.get("seen_s")
        forwarder = self.forwarder
        return {
            "edge": self.edge,
            "connected": bool(self.status.facts.get("connected")),
            "trouble": self.status.facts.get("trouble", ""),
            "seenAgo": None if seen_s is None else round(time.time() - seen_s, 3),
            "inOutbox": self.keeper.waiting,
            "bundlesForwarded": 0 if forwarder is None else forwarder.sent,
            **dict(self.status.counts),
        }
