"""Resumable uploads: tus 1.0.0 with creation and termination (https://tus.io/protocols/resumable-upload), below ``/upload/{person}``.

``Upload-Metadata`` may have ``filename``, ``zone`` (IANA), ``me`` (the person's names in the file, by commas) and ``app`` (the importer).  ``GET`` of an
upload tells in JSON what became of it.  An offset that was told is durable.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec
from natant import Identity
from natant.server import Caller, gate
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from keepsake.door.caller import ERRORS, door_of, json_answer
from keepsake.door.intake import Intake
from keepsake.errors import KeepsakeError
from keepsake.key import Token
from keepsake.pipeline.house import House
from keepsake.pipeline.parcel import UPLOAD_BYTES, About, Parcel, Parcels

__all__ = ["Application", "make"]

Application = Callable[[Any, Any, Any], Awaitable[None]]

VERSION: Final = "1.0.0"
#: bytes of a request that are gathered before they are written
GATHER_BYTES: Final = 1024 * 1024
BODY: Final = "application/offset+octet-stream"
NAME_CHARACTERS: Final = 255
#: a token of the service's own, for files that wait when it starts
FOREVER: Final = float("inf")


class Uploads:
    """The door."""

    def __init__(self, house: House) -> None:
        self.parcels = Parcels(house)
        self.intake = Intake()
        self.tasks: set[asyncio.Task[None]] = set()

    # --- life -----------------------------------------------------------------------------------------------------

    async def take_up(self, caller: Caller) -> None:
        """Read what an earlier life left."""
        for person, parcel in await asyncio.to_thread(self.parcels.waiting):
            token = Token(id="", person=person, role="owner", until=FOREVER)
            self._read(person, parcel, caller.acting_for(Identity(person, token)))

    async def close(self) -> None:
        """Leave what is being read; it is taken up with the next start."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    def _read(self, person: str, parcel: Parcel, caller: Caller) -> None:
        task = asyncio.create_task(self.intake.read(person, parcel, caller))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    # --- requests -------------------------------------------------------------------------------------------------

    async def options(self, request: Request) -> Response:
        """What this server can."""
        headers = {
            "tus-version": VERSION,
            "tus-extension": "creation,termination",
            "tus-max-size": str(UPLOAD_BYTES),
        }
        return _answer(204, headers)

    async def create(self, request: Request) -> Response:
        """Begin with a file."""
        person = request.path_params["person"]
        door_of(request, person, "owner", "device")
        _check_version(request)
        metadata = _metadata(request.headers.get("upload-metadata", ""))
        about = About(
            length=_figure(request, "upload-length"),
            name=metadata.get("filename", "file")[:NAME_CHARACTERS],
            zone=metadata.get("zone", "UTC"),
            me=tuple(name.strip() for name in metadata.get("me", "").split(",") if name.strip()),
            app=metadata.get("app", ""),
        )
        if not about.length:
            raise KeepsakeError("KS-DOOR-015", f"{about.name!r} is empty; there is nothing to upload")
        parcel = await asyncio.to_thread(self.parcels.make, person, about)
        return _answer(201, {"location": f"/upload/{person}/{parcel.id}", "upload-offset": "0"})

    async def look(self, request: Request) -> Response:
        """How much is here (HEAD), or what became of it (GET)."""
        parcel, _ = await self._find(request)
        about = await asyncio.to_thread(parcel.about)
        offset = about.length if about.state == "done" else await asyncio.to_thread(parcel.offset)
        headers = {"upload-offset": str(offset), "upload-length": str(about.length), "cache-control": "no-store"}
        if request.method == "HEAD":
            return _answer(200, headers)
        facts = {"name": about.name, "length": about.length, "offset": offset, "state": about.state, "note": about.note}
        return json_answer(facts, 200, cache_control="no-store")

    async def append(self, request: Request) -> Response:
        """Add a part; what came before the client left is kept."""
        _check_version(request)
        if request.headers.get("content-type", "") != BODY:
            raise KeepsakeError("KS-DOOR-015", f"a part of an upload comes as content-type {BODY}")
        parcel, caller = await self._find(request)
        with self.parcels.held(parcel):
            about = await asyncio.to_thread(parcel.about)
            offset = await asyncio.to_thread(parcel.offset)
            if about.state != "open" or _figure(request, "upload-offset") != offset:
                raise KeepsakeError(
                    "KS-DOOR-011", f"upload {parcel.id} is {about.state} and has {offset} bytes; go on there"
                )
            async for parts in _gathered(request, about.length - offset):
                offset = await asyncio.to_thread(parcel.append, parts)
            if offset == about.length:
                await asyncio.to_thread(parcel.note, msgspec.structs.replace(about, state="waiting"))
                self._read(request.path_params["person"], parcel, caller)
        return _answer(204, {"upload-offset": str(offset)})

    async def remove(self, request: Request) -> Response:
        """Give a file up."""
        parcel, _ = await self._find(request)
        with self.parcels.held(parcel):
            await asyncio.to_thread(parcel.remove)
        return _answer(204, {})

    async def _find(self, request: Request) -> tuple[Parcel, Caller]:
        person = request.path_params["person"]
        caller = door_of(request, person, "owner", "device")
        token = caller.identity.claims
        assert isinstance(token, Token)
        # a device may bring files, and what is read of them concerns more than its own stream
        wide = caller.acting_for(Identity(person, Token(id=token.id, person=person, role="owner", until=token.until)))
        return await asyncio.to_thread(self.parcels.find, person, request.path_params["upload"]), wide


async def _gathered(request: Request, left: int) -> AsyncIterator[list[bytes]]:
    """The body in portions, up to where the client left.

    :raises KeepsakeError: ``KS-DOOR-012`` where it is longer than the file was said to be; what fits was given.
    """
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            if len(part) > left:
                raise KeepsakeError("KS-DOOR-012", "the part is longer than what the file still lacks")
            left -= len(part)
            size += len(part)
            parts.append(part)
            if size >= GATHER_BYTES:
                yield parts
                parts, size = [], 0
    except ClientDisconnect:
        pass
    if parts:
        yield parts


def _answer(status: int, headers: dict[str, str]) -> Response:
    return Response(status_code=status, headers={"tus-resumable": VERSION, **headers})


def _check_version(request: Request) -> None:
    if request.headers.get("tus-resumable") != VERSION:
        raise KeepsakeError("KS-DOOR-015", f"uploads are spoken of in tus; send the header Tus-Resumable: {VERSION}")


def _figure(request: Request, name: str) -> int:
    text = request.headers.get(name, "")
    if not (text.isascii() and text.isdecimal() and len(text) < 16):
        raise KeepsakeError("KS-DOOR-015", f"header {name} is {text[:40]!r}; it takes a number of bytes")
    return int(text)


def _metadata(text: str) -> dict[str, str]:
    """Keys with values in base64, by commas."""
    found: dict[str, str] = {}
    for pair in text.split(","):
        name, _, value = pair.strip().partition(" ")
        try:
            found[name] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise KeepsakeError(
                "KS-DOOR-015", f"Upload-Metadata has {pair[:60]!r}; it takes names, each with a text in base64"
            ) from None
    return found


def make(house: House) -> Application:
    """The application at ``/upload``."""
    uploads = Uploads(house)

    @asynccontextmanager
    async def life(app: Starlette) -> AsyncIterator[dict[str, Any]]:
        await uploads.take_up(app.state.caller)
        yield {}
        await uploads.close()

    app = Starlette(
        routes=[
            Route("/{person}", uploads.options, methods=["OPTIONS"]),
            Route("/{person}", uploads.create, methods=["POST"]),
            Route("/{person}/{upload}", uploads.look, methods=["HEAD", "GET"]),
            Route("/{person}/{upload}", uploads.append, methods=["PATCH"]),
            Route("/{person}/{upload}", uploads.remove, methods=["DELETE"]),
        ],
        lifespan=life,
        exception_handlers=ERRORS,
    )

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            app.state.caller = gate(scope)
        await app(scope, receive, send)

    return application
