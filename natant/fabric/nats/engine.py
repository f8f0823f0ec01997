"""The plane's connection to NATS JetStream, and the embedded server where no other is named."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Self

from natant.errors import FabricError
from natant.fabric.nats.config import EngineSpec
from natant.fabric.nats.connect import check_version, connect, login_of, safe_url
from natant.fabric.nats.count import JournalCounts
from natant.fabric.nats.courier import Courier
from natant.fabric.nats.embedded import EmbeddedServer
from natant.fabric.nats.subject import Subjects
from natant.fabric.nats.survey import from_monitors, refuse_unsafe

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.js import JetStreamContext

__all__ = ["Engine", "EngineSpec"]

#: time for JetStream to answer after the connection: a cluster that starts elects its leader in about 5 s
JETSTREAM_S: Final = 15.0
#: between two questions whether it does
ASK_S: Final = 0.1
#: time for a call of JetStream's management; a group without a leader needs 4 to 9 s for an election
CALL_S: Final = 10.0

_LOG = logging.getLogger("natant.fabric.nats")


class Engine:
    """A connection to NATS, the names of a plane, and the server where it is embedded.

    :ivar nc: the connection; comes back by itself, subscriptions included.
    :ivar courier: a second connection, for what is asked thousands of times a second.
    :ivar js: JetStream over it; calls wait for 10 s.
    :ivar subjects: all names of the plane.
    :ivar journals: what is counted of the journals that are open over it.
    :ivar server: the embedded server, or None.
    :ivar replicas: copies of each stream, 1 or 3.
    :ivar lost: done with the reason where the server ends the connection for good; the process then has to start anew.
    :ivar on_change: called in the loop with True when the connection came back and False when it went away.
    """

    def __init__(self, spec: EngineSpec, server: EmbeddedServer | None) -> None:
        self.spec = spec
        self.server = server
        self.subjects = Subjects(spec.plane)
        self.journals = JournalCounts()
        self.replicas = spec.replicas or 1
        self.on_change: list[Callable[[bool], None]] = []
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._losses = 0
        self._drops = 0
        self._is_closing = False
        self.nc: Client
        self.js: JetStreamContext
        self.courier: Courier

    @classmethod
    async def start(cls, spec: EngineSpec) -> Self:
        """Start the embedded server where no URL is given, connect, and see that what is there suits a durable plane.

        :raises FabricError: ``NT-FABRIC-001`` to ``-012``; see each page of the catalogue.
        """
        server = await EmbeddedServer.start(spec) if spec.url is None else None
        self = cls(spec, server)
        try:
            self.nc = await connect(
                self.url,
                name=f"natant {spec.plane}",
                credentials=spec.credentials,
                inbox=spec.inbox,
                on_change=self._on_change,
                on_lost=self._on_lost,
                on_drop=self._on_drop,
            )
            check_version(str(self.nc.connected_server_version), safe_url(self.url))
            if spec.replicas is None:
                self.replicas = 3 if server is None and self.cluster else 1  # a leaf names a cluster of its own
            self.js = self.nc.jetstream(timeout=CALL_S)
            await self._wait_for_jetstream()
            await self._refuse_unsafe()
            self.courier = await self._start_courier()
        except BaseException:
            await self.close()
            raise
        return self

    @property
    def url(self) -> str:
        """Where it is connected, credentials in the URL included: for further processes of this plane, never for a log."""
        if self.server is not None:
            return self.server.url()
        assert self.spec.url is not None
        return self.spec.url

    @property
    def remote(self) -> EngineSpec:
        """What a further process of this plane starts its own engine with; it starts no server."""
        return replace(self.spec, url=self.url, folder=None)

    @property
    def cluster(self) -> str:
        """The name of the servers' cluster; empty where the server stands alone."""
        return str(self.nc._server_info.get("cluster") or "")

    @property
    def domain(self) -> str:
        """JetStream's domain at the server; empty where it has none."""
        return str(self.nc._server_info.get("domain") or "")

    @property
    def is_connected(self) -> bool:
        """Whether the connection is there at present."""
        return self.nc.is_connected

    def counts(self) -> dict[str, int]:
        """For metrics."""
        return {
            "nats_disconnects": self._losses,
            "nats_fast_disconnects": self.courier.losses,
            "nats_overflows": self._drops,
            "nats_server_restarts": 0 if self.server is None else self.server.restarts,
            **self.journals.as_dict(),
        }

    async def close(self) -> None:
        """Close the connection, what was published first, and stop the embedded server; idempotent."""
        self._is_closing = True
        courier = getattr(self, "courier", None)
        if courier is not None:
            await courier.close()
        nc = getattr(self, "nc", None)
        if nc is not None and not nc.is_closed:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(2.0):
                    await nc.flush()
            with contextlib.suppress(Exception):
                await nc.close()
        if self.server is not None:
            await self.server.stop()

    def _on_lost(self, reason: str) -> None:
        if not self._is_closing and not self.lost.done():
            self.lost.set_result(reason)

    def _on_drop(self) -> None:
        self._drops += 1

    def _on_change(self, is_up: bool) -> None:
        if is_up:
            _LOG.info("the NATS connection is back")
        elif not self._is_closing:
            self._losses += 1
            _LOG.warning("the NATS connection is lost; trying again")
        for call in self.on_change:
            call(is_up)

    async def _start_courier(self) -> Courier:
        courier = Courier(
            [part.strip() for part in self.url.split(",")],
            name=f"natant {self.spec.plane} fast",
            login=login_of(self.url, self.spec.credentials),
            inbox=self.spec.inbox,
        )
        try:
            await courier.open(JETSTREAM_S)
        except BaseException as error:
            await courier.close()
            if not isinstance(error, TimeoutError):
                raise
            raise FabricError(
                "NT-FABRIC-004",
                f"the NATS server at {safe_url(self.url)} takes no second connection within {JETSTREAM_S:g} s; raise its "
                "max_connections.",
            ) from None
        return courier

    async def _wait_for_jetstream(self) -> None:
        from nats.errors import Error as NatsError

        deadline_s = time.monotonic() + JETSTREAM_S
        while True:
            try:
                await self.nc.jetstream(timeout=2.0).account_info()
            except NatsError as error:
                # A server of a cluster may answer before the others are there; one that stands alone knows at once.
                if time.monotonic() < deadline_s and (self.cluster or self.nc._server_info.get("jetstream")):
                    await asyncio.sleep(ASK_S)
                    continue
                raise FabricError(
                    "NT-FABRIC-005",
                    f"JetStream does not answer at {safe_url(self.url)} ({str(error) or type(error).__name__}); enable it for the "
                    "server and for this user's account, and see that a cluster has a leader.",
                ) from error
            return

    async def _refuse_unsafe(self) -> None:
        """Only the monitoring tells whether external servers acknowledge what is not on the disk yet."""
        if self.server is not None:
            return
        where = safe_url(self.url)
        if self.spec.monitors:
            for note in refuse_unsafe(await from_monitors(self.spec.monitors), where):
                _LOG.warning("%s  %s; %s", note.code, note.fact, note.cure)
        elif self.replicas == 1:
            _LOG.warning(
                "NT-FABRIC-009  whether the NATS server at %s acknowledges only what is on the disk cannot be seen; "
                "natant doctor --nats shows it to the system account",
                where,
            )
