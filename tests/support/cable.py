"""A TCP proxy as the cable between two machines: it can be cut, so that both ends see a broken connection, and mended.

It can be frozen as well: then nothing comes through and nobody is told, as on a radio link out of reach.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Self

#: what one read moves at most
CHUNK = 1 << 16


class Cable:
    """Passes each connection to ``port`` on to ``target``.

    :ivar port: where to connect to.
    """

    def __init__(self, target: int) -> None:
        self.port = 0
        self._target = target
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._jobs: set[asyncio.Task[None]] = set()
        self._is_open = asyncio.Event()
        self._is_open.set()

    async def __aenter__(self) -> Self:
        await self.mend()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cut()

    async def mend(self) -> None:
        """Let connections through, at the same port as before."""
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Break what is connected and refuse what wants to."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for writer in list(self._open):
            writer.transport.abort()
        for job in list(self._jobs):
            job.cancel()
        await asyncio.gather(*self._jobs, return_exceptions=True)

    def freeze(self) -> None:
        """Let nothing through from now on, and tell nobody."""
        self._is_open.clear()

    async def thaw(self) -> None:
        """Let everything through again; what was connected before has been forgotten, as by a router on the way."""
        self._is_open.set()
        await self.cut()
        await self.mend()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, far_writer}
        for pair in ((reader, far_writer), (far_reader, writer)):
            job = asyncio.ensure_future(self._move(*pair))
            self._jobs.add(job)
            job.add_done_callback(self._jobs.discard)

    async def _move(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                await self._is_open.wait()
                writer.write(data)
                await writer.drain()
        writer.transport.abort()
        self._open.discard(writer)
