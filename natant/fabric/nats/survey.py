"""What servers are there, and whether a durable plane may trust them.

Version and topology anybody may see.  Whether acknowledged data is on the disk only the system account or the monitoring tells.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from natant.errors import FabricError
from natant.fabric.nats.connect import OLDEST, connect, number_of, safe_url

if TYPE_CHECKING:
    from nats.aio.client import Client

__all__ = ["Complaint", "ServerFacts", "complaints", "facts_of", "from_monitors", "refuse_unsafe", "survey"]

#: time for the first connection of a survey
REACH_S: Final = 3.0
#: time for a monitoring to answer
MONITOR_S: Final = 5.0
#: time for the other servers of a cluster to answer the system account once the first has
GATHER_S: Final = 0.5
#: servers of a cluster below which the death of one ends it all
ENOUGH_SERVERS: Final = 3
_NANO: Final = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFacts:
    """One server.

    :ivar cluster: the cluster's name; empty: it stands alone.
    :ivar cluster_size: how many servers share JetStream's streams; 0: not known.
    :ivar has_jetstream: whether it keeps streams.
    :ivar is_synced: whether it acknowledges only what is on the disk; None: not known.
    :ivar sync_s: where it does not: how many seconds of acknowledged data a power cut may take.
    """

    name: str
    version: str
    cluster: str = ""
    cluster_size: int = 0
    domain: str = ""
    has_jetstream: bool = True
    is_synced: bool | None = None
    sync_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """What is wrong or worth knowing; ``level`` bad: a durable plane is refused."""

    level: Literal["bad", "note"]
    code: str
    fact: str
    cure: str


async def survey(url: str, *, monitors: Sequence[str] = (), credentials: Path | None = None) -> list[ServerFacts]:
    """The servers behind a URL: all of a cluster where the user is of the system account or monitorings are named, else the one.

    :param monitors: ``http://host:8222`` of each server.
    :raises FabricError: see :func:`connect`; ``NT-FABRIC-004`` also where a monitoring does not answer.
    """
    nc = await connect(url, name="natant doctor", credentials=credentials, wait_s=REACH_S)
    try:
        info = nc._server_info
        mine = ServerFacts(
            name=str(info.get("server_name", "")),
            version=str(info.get("version", "")),
            cluster=str(info.get("cluster") or ""),
            domain=str(info.get("domain") or ""),
            has_jetstream=bool(info.get("jetstream")),
        )
        if monitors:
            return await from_monitors(monitors)
        return await _from_system(nc) or [mine]
    finally:
        await nc.close()


async def from_monitors(monitors: Iterable[str]) -> list[ServerFacts]:
    """What the monitorings of servers tell.

    :raises FabricError: ``NT-FABRIC-004`` where one does not answer.
    """
    import httpx

    found = []
    async with httpx.AsyncClient(timeout=MONITOR_S) as client:
        for monitor in monitors:
            try:
                answer = await client.get(f"{monitor.rstrip('/')}/varz")
                answer.raise_for_status()
                found.append(facts_of(answer.json()))
            except (httpx.HTTPError, httpx.InvalidURL, ValueError, TypeError, AttributeError) as error:
                raise FabricError(
                    "NT-FABRIC-004",
                    f"the monitoring at {safe_url(monitor)} does not tell of a NATS server ({str(error) or type(error).__name__}); "
                    'give its http address and port, which the server has as http: "127.0.0.1:8222".',
                ) from error
    return found


async def _from_system(nc: Client) -> list[ServerFacts]:
    """What all servers tell the system account; nothing to anybody else."""
    from nats.errors import TimeoutError as NatsTimeout

    inbox = nc.new_inbox()
    answers = await nc.subscribe(inbox)
    await nc.publish("$SYS.REQ.SERVER.PING.VARZ", b"", reply=inbox)
    found: list[ServerFacts] = []
    deadline_s = time.monotonic() + GATHER_S
    while (left_s := deadline_s - time.monotonic()) > 0:
        try:
            message = await answers.next_msg(left_s)
        except NatsTimeout:
            break
        if not message.data:  # nobody answers: not the system account
            break
        found.append(facts_of(json.loads(message.data).get("data") or {}))
    return sorted(found, key=lambda each: each.name)


def facts_of(varz: Mapping[str, Any]) -> ServerFacts:
    """One server from its general information (``/varz``)."""
    stream = varz.get("jetstream") or {}
    config = stream.get("config") or {}
    is_synced = bool(config.get("sync_always"))
    return ServerFacts(
        name=str(varz.get("server_name", "")),
        version=str(varz.get("version", "")),
        cluster=str((varz.get("cluster") or {}).get("name") or ""),
        cluster_size=int((stream.get("meta") or {}).get("cluster_size") or 0),
        domain=str(config.get("domain") or ""),
        has_jetstream=bool(config),
        is_synced=is_synced if config else None,
        sync_s=0.0 if is_synced else int(config.get("sync_interval") or 0) / _NANO,
    )


def complaints(servers: Sequence[ServerFacts]) -> Iterator[Complaint]:
    """What a durable plane has against these servers."""
    for server in servers:
        yield from _of_one(server)
    size = max((server.cluster_size for server in servers), default=0)
    if any(server.cluster for server in servers) and 0 < size < ENOUGH_SERVERS:
        yield Complaint(
            level="bad",
            code="NT-FABRIC-012",
            fact=f"a cluster of {size}: no stream can have three copies, and one server's death ends it",
            cure="run three or five servers, or one that stands alone",
        )
    elif size and size % 2 == 0:
        yield Complaint(
            level="note",
            code="NT-FABRIC-012",
            fact=f"a cluster of {size} survives no more deaths than one of {size - 1}",
            cure="run three or five servers",
        )


def _of_one(server: ServerFacts) -> Iterator[Complaint]:
    if number_of(server.version) < OLDEST:
        yield Complaint(
            level="bad",
            code="NT-FABRIC-003",
            fact=f"{server.name} is version {server.version or 'unknown'}",
            cure=f"{'.'.join(map(str, OLDEST))} or later is needed",
        )
    if not server.has_jetstream:
        # In a cluster streams may lie on the other servers.
        yield Complaint(
            level="note" if server.cluster else "bad",
            code="NT-FABRIC-005",
            fact=f"{server.name} has no JetStream",
            cure="jetstream { store_dir, domain, sync_interval: always }",
        )
    elif server.is_synced is None:
        yield Complaint(
            level="note",
            code="NT-FABRIC-009",
            fact=f"{server.name}: whether it acknowledges only what is on the disk cannot be seen",
            cure="ask as a user of the system account, or name its monitoring",
        )
    elif not server.is_synced:
        alone = f"{server.name} loses up to {server.sync_s:g} s of what it acknowledged at a power cut"
        yield Complaint(
            level="note" if server.cluster else "bad",
            code="NT-FABRIC-009",
            fact=alone + (", where all servers of the cluster have it at once" if server.cluster else ""),
            cure="jetstream { sync_interval: always }",
        )


def refuse_unsafe(servers: Sequence[ServerFacts], where: str) -> list[Complaint]:
    """Refuse servers that a durable plane cannot trust; what is only worth knowing is returned.

    :raises FabricError: ``NT-FABRIC-003``, ``-005``, ``-009``, ``-012``, for the first that is bad.
    """
    notes = []
    for complaint in complaints(servers):
        if complaint.level == "bad":
            raise FabricError(
                complaint.code,
                f"the NATS servers at {where} are unsafe for a durable plane: {complaint.fact}; {complaint.cure}.",
            )
        notes.append(complaint)
    return notes
