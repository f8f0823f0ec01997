"""``GET /export/{person}``: everything of a person, as a ZIP file, made while it is downloaded; nothing of it is on the disk in the clear.

What the client takes slowly is made slowly: a few blocks wait between the thread that writes and the connection.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import AsyncIterator
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from keepsake.custody import Log
from keepsake.custody.archive import Archive
from keepsake.custody.record import Action
from keepsake.door.caller import ERRORS, door_of
from keepsake.pipeline.house import House

__all__ = ["make"]

#: of a block, about, and how many of them wait
BLOCK_BYTES: Final = 256 * 1024
BLOCKS: Final = 8
#: a client that takes no block for so long has left
STALL_S: Final = 120.0


class _Gone(Exception):
    """The client has left."""


class _Pipe:
    """A file for the writer, blocks for the reader."""

    def __init__(self) -> None:
        self._blocks: queue.Queue[bytes | None] = queue.Queue(BLOCKS)
        self._buffer = bytearray()
        self._is_gone = threading.Event()
        self._told = 0

    def write(self, data: bytes, /) -> int:
        """Take a part."""
        self._buffer += data
        self._told += len(data)
        if len(self._buffer) >= BLOCK_BYTES:
            self.flush()
        return len(data)

    def tell(self) -> int:
        """Bytes so far."""
        return self._told

    def flush(self) -> None:
        """Hand over what is there.

        :raises _Gone: where nobody takes it.
        """
        if self._buffer:
            self._put(bytes(self._buffer))
            self._buffer.clear()

    def end(self) -> None:
        """No more comes."""
        self.flush()
        self._put(None)

    def _put(self, block: bytes | None) -> None:
        limit = time.monotonic() + STALL_S
        while not self._is_gone.is_set() and time.monotonic() < limit:
            try:
                self._blocks.put(block, timeout=0.25)
            except queue.Full:
                continue
            return
        raise _Gone

    def leave(self) -> None:
        """The client has left."""
        self._is_gone.set()

    async def blocks(self, writer: asyncio.Task[None]) -> AsyncIterator[bytes]:
        """What the writer makes; its error where it could not end."""
        while True:
            try:
                block = self._blocks.get_nowait()
            except queue.Empty:
                if writer.done():
                    await writer
                    if self._blocks.empty():
                        return
                await asyncio.sleep(0.01)
                continue
            if block is None:
                return
            yield block


def make(house: House) -> Starlette:
    """The application at ``/export``."""

    def write(person: str, pipe: _Pipe) -> None:
        key = house.ring.key(person)
        store = house.stores.open(person)
        try:
            log = Log(store, key, time.time)
            with store.write() as writer:
                log.append(writer, Action.EXPORTED, "all", by="service/page")
            models = [] if house.embedder is None else [house.embedder.model]
            Archive(store, house.blobs, key, log, models=models).write(pipe, time.time())  # type: ignore[arg-type]  # a ZIP file asks for no more
            pipe.end()
        except _Gone:
            pass
        finally:
            store.close()

    async def download(request: Request) -> Response:
        person = request.path_params["person"]
        door_of(request, person, "owner")
        house.ring.key(person)
        pipe = _Pipe()

        async def body() -> AsyncIterator[bytes]:
            writer = asyncio.create_task(asyncio.to_thread(write, person, pipe))
            try:
                async for block in pipe.blocks(writer):
                    yield block
            finally:
                pipe.leave()
                await asyncio.gather(writer, return_exceptions=True)

        headers = {"content-disposition": f'attachment; filename="{person}.zip"', "cache-control": "no-store"}
        return StreamingResponse(body(), media_type="application/zip", headers=headers)

    return Starlette(routes=[Route("/{person}", download)], exception_handlers=ERRORS)
