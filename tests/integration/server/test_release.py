"""What a connection took is free when it has ended, without the help of the collector of cycles: its buffers are large."""

from __future__ import annotations

import gc
from collections import Counter

import httpx

from natant.server import Server
from tests.support.serving import serving, until
from tests.support.wire import Wire

#: where the server's own objects come from; the test's client leaves circles of its own
MODULES = ("natant.", "picows.", "uvicorn.protocols.")
CONNECTIONS = 5


def _alive() -> Counter[str]:
    kinds = (type(thing) for thing in gc.get_objects())
    names = (f"{kind.__module__}.{kind.__qualname__}" for kind in kinds)
    return Counter(name for name in names if name.startswith(MODULES))


async def _come_and_go(server: Server) -> None:
    wire = await Wire.connect(server.port)
    await wire.upgrade()
    await wire.send('@sync(node:"/unit/1",lane:info)')
    await wire.texts(2)
    await wire.close()
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as http:
        assert (await http.get("/-/health")).status_code == 200
    await until(lambda: not len(server.service.table))


async def test_nothing_is_left_of_ended_connections() -> None:
    async with serving() as server:
        await _come_and_go(server)
        gc.collect()
        gc.disable()
        try:
            before = _alive()
            for _ in range(CONNECTIONS):
                await _come_and_go(server)
            assert not _alive() - before
        finally:
            gc.enable()
