"""Moves the store of an embedded server to other servers, usually a cluster.

A standalone store must never be opened by a server of a cluster: the cluster knows none of its streams and deletes them after half a
minute.  So each stream is copied to servers with stores of their own, and the old store is marked; it stays as it is but is not opened
again.  What was copied before a break-off is not copied twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from natant.errors import FabricError
from natant.fabric.nats.config import EngineSpec
from natant.fabric.nats.connect import safe_url
from natant.fabric.nats.copy import StreamState, call, copy_stream, state_of, wait_for_copies
from natant.fabric.nats.engine import Engine
from natant.fabric.nats.folder import read, write

__all__ = ["Grown", "grow"]

#: streams of one page of the server's list
PAGE: Final = 256
#: streams that a server makes for itself: sessions of MQTT devices, which connect anew
_OWN: Final = "$MQTT_"


@dataclass(frozen=True, slots=True)
class Grown:
    """One stream that has come over."""

    stream: str
    state: StreamState
    replicas: int


async def grow(
    folder: Path,
    url: str,
    *,
    credentials: Path | None = None,
    monitors: Sequence[str] = (),
    on_stream: Callable[[Grown], None] = lambda grown: None,
) -> list[Grown]:
    """Copy all streams of an embedded server's folder to the servers at ``url``, then mark the folder as moved.

    The plane must be stopped.  An error leaves the old store the one that counts; the same call goes on where it broke off.

    :param on_stream: called for each stream once all its copies are level.
    :raises FabricError: ``NT-FABRIC-013``; those of :meth:`Engine.start` for the folder and for the other servers.
    """
    path = folder / "natant.json"
    mark = read(path)
    if mark is None:
        raise FabricError(
            "NT-FABRIC-007",
            f"{folder} has no store of an embedded NATS server; name the folder that holds natant.json.",
        )
    spec = EngineSpec(
        plane=str(mark.get("plane")),
        partitions=int(mark.get("partitions") or 0),
        folder=folder,
        domain=mark.get("domain"),
    )
    old = await Engine.start(spec)
    try:
        new = await Engine.start(
            replace(spec, url=url, folder=None, domain=None, credentials=credentials, monitors=monitors)
        )
        try:
            done = []
            for stream in await _streams(old):
                done.append(await _move(old, new, stream))
                on_stream(done[-1])
        finally:
            await new.close()
        # Still locked, so nobody has it in between.
        write(path, json.dumps({**mark, "mode": "moved", "to": safe_url(url)}, indent=1) + "\n")
        return done
    finally:
        await old.close()


async def _streams(engine: Engine) -> list[str]:
    names: list[str] = []
    while True:
        page: dict[str, Any] = await call(engine.nc, "STREAM.NAMES", {"offset": len(names)})
        found = page.get("streams") or []
        names.extend(found)
        if not found or len(names) >= int(page.get("total") or 0):
            return sorted(name for name in names if not name.startswith(_OWN))


async def _move(old: Engine, new: Engine, stream: str) -> Grown:
    there, here = await state_of(new.nc, stream), await state_of(old.nc, stream)
    if there is not None and there != here:
        raise FabricError(
            "NT-FABRIC-013",
            f"the servers at {safe_url(new.url)} have a stream {stream} already, and it differs ({there}, here {here}): a plane has "
            "run there. Delete its streams there, or name other servers.",
            stream=stream,
        )
    if there is None:
        there = await copy_stream(old.nc, new.nc, stream, replicas=new.replicas)
    await wait_for_copies(new.nc, stream, new.replicas)
    return Grown(stream, there, new.replicas)
