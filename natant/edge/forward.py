"""Passing on: from the edge's stream to the hub's, over a cable that is cut at times.

The edge pushes.  (That the hub's server *sources* the edge's stream was measured too: after an absence of 20 s it begins again 36 s
after the cable is back, since the server waits longer after each try.)  Parcels go one at a time; each names the one before it,
so the hub's server stores none twice and none out of order.  After each silence the edge asks the hub how far it has come.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Final

from natant.edge.batch import FORMAT, Parcel, digest_of, encode
from natant.edge.question import ask_hub
from natant.errors import EdgeError
from natant.fabric.nats.wire import Displaced, Entry, Full, Log, NotThere, Wire

if TYPE_CHECKING:
    from natant.edge.name import EdgeNames
    from natant.edge.status import EdgeStatus

__all__ = ["Forwarder"]

#: one parcel, but for a single bundle that is longer
PARCEL_BYTES: Final = 256 * 1024
#: between two tries while the hub is away
RETRY_S: Final = 0.25
#: an edge with nothing to forward asks so often whether its hub is there
PING_EVERY_S: Final = 2.0
#: what has been forwarded is deleted at the edge so often
PURGE_EVERY_S: Final = 1.0

_log = logging.getLogger("natant.edge")


class Forwarder:
    """Drives one edge.

    :param kept: the edge's stream.
    :param hub: the hub's.
    :param origin: of the edge's stream: its identity.
    :param news: set when something has been kept.
    """

    def __init__(
        self, wire: Wire, *, kept: Log, hub: Log, names: EdgeNames, edge: str, origin: str, news: asyncio.Event,
        status: EdgeStatus,
    ) -> None:  # fmt: skip
        self._wire = wire
        self._kept = kept
        self._hub = hub
        self._names = names
        self.edge = edge
        self._origin = origin
        self._news = news
        self._status = status
        #: sequence in the edge's stream up to which the hub has everything
        self.sent = 0
        #: sequence in the hub's stream of our newest parcel there
        self._after = 0
        #: by subject: the last bundle that the hub has
        self._had: dict[str, int] = {}
        self._purge_at_s = 0.0
        self._told = ""
        self._job: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._status.facts["connected"] = False
        self._job = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Forward no more."""
        job, self._job = self._job, None
        if job is not None:
            job.cancel()
            await asyncio.gather(job, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                await self._greet()
                while True:
                    self._news.clear()
                    while await self._pass_on():
                        pass
                    self._told = self._status.facts["trouble"] = ""
                    await self._purge()
                    if not await self._is_news():
                        await self._ping()
            except Displaced:  # an answer was lost: ask how far the hub is
                self._status.count("displaced")
            except EdgeError as error:
                self._failed(error)
                await asyncio.sleep(RETRY_S)

    def _failed(self, error: EdgeError) -> None:
        if isinstance(error, NotThere):
            self._status.facts["connected"] = False
        self._status.facts["trouble"] = str(error)
        self._status.count("forward_failures")
        if self._told != error.code:
            self._told = error.code
            level = logging.INFO if isinstance(error, NotThere) else logging.WARNING
            _log.log(level, "what is meant for the hub is kept at the edge: %s", error)

    async def _is_news(self) -> bool:
        """Wait for something to forward; False when it is time to look."""
        try:
            async with asyncio.timeout(PING_EVERY_S):
                return await self._news.wait()
        except TimeoutError:
            return False

    async def _greet(self) -> None:
        """Ask the hub how far it has come.

        :raises EdgeError: ``NT-EDGE-001`` where it is away, ``-006`` where it has more than we ever had, or what it refuses us with.
        """
        answer = await ask_hub(self._wire, self._names.questions(self.edge), {"verb": "hello", "natant": FORMAT})
        self._after = int(answer["after"])
        sent = int(answer["sequence"]) if answer["origin"] == self._origin else 0
        if sent > self.sent:
            await self._check_history(sent, answer.get("digest"))
        self.sent = sent
        if not self._status.facts.get("connected"):
            self._status.count("connections")
            _log.info("edge %s has its hub", self.edge)
        self._status.facts.update(connected=True, seen_s=time.time())

    async def _check_history(self, sent: int, digest: object) -> None:
        """See that what the hub calls bundle ``sent`` is what it is here.

        :raises EdgeError: ``NT-EDGE-006`` where it is not.
        """
        found = await self._kept.read(sent, self._names.bundles(), max_bytes=1)
        if found and found[0].sequence == sent:
            is_same = digest_of(found[0].data) == digest
        else:
            is_same = sent <= int((await self._kept.facts())["last_seq"])
        if not is_same:
            raise EdgeError(
                "NT-EDGE-006",
                f"the hub has {sent} bundles of edge {self.edge}, and number {sent} of stream {self._kept.name} is another one: the "
                "edge was put back to an earlier state, or is a copy of another. What it holds now would pass for what the hub has "
                "had. Give the edge a fresh data folder",
            )

    async def _ping(self) -> None:
        """See that the hub is there."""
        await ask_hub(self._wire, self._names.questions(self.edge), {"verb": "ping"})
        self._status.facts["seen_s"] = time.time()

    async def _pass_on(self) -> bool:
        """Forward the next parcel; False where there is none."""
        entries = await self._kept.read(self.sent + 1, self._names.bundles(), max_bytes=PARCEL_BYTES)
        if not entries:
            return False
        parcel = encode(Parcel(FORMAT, self._origin, [(entry.sequence, entry.data) for entry in entries]))
        try:
            self._after = await self._hub.append(self._names.parcels(self.edge), parcel, after=self._after)
        except Full as error:
            raise EdgeError(error.code, f"at the hub: {error.message}") from None
        self._passed(entries)
        await self._wire.tell(self._names.news(self.edge), b"")
        if time.monotonic() >= self._purge_at_s:
            await self._purge()
        return True

    def _passed(self, entries: list[Entry]) -> None:
        self.sent = entries[-1].sequence
        for entry in entries:
            self._had[entry.subject] = entry.sequence
        self._status.count("parcels")
        self._status.count("forwarded", len(entries))

    async def _purge(self) -> None:
        """Delete what the hub has, but for the newest bundle of each outbox, which says how far that has been kept."""
        self._purge_at_s = time.monotonic() + PURGE_EVERY_S
        had, self._had = self._had, {}
        for subject, sequence in had.items():
            await self._kept.purge(subject, sequence)
