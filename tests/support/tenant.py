"""Tenants on a real server, for tests: an operator's folder, the server of all its tenants, and clients that keep what they are told."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from nats.aio.client import Client

from natant.fabric.nats.credential import Credentials
from natant.fabric.nats.engine import Engine, EngineSpec
from natant.fabric.nats.resolver import Resolver
from natant.tenant.folder import OperatorFolder
from natant.tenant.quota import Quota

__all__ = ["Peer", "Tenants", "tenants"]


class Peer:
    """A client of NATS that keeps what the server complains of.

    :ivar complaints: texts of the server's errors, in order.
    :ivar heard: subjects of what came.
    """

    def __init__(self, nc: Client) -> None:
        self.nc = nc
        self.complaints: list[str] = []
        self.heard: list[str] = []
        self.is_gone = asyncio.Event()

    async def publish(self, subject: str, data: bytes = b"x", **options: Any) -> None:
        """Publish, and see what the server says to it."""
        await self.nc.publish(subject, data, **options)
        await self.nc.flush()

    async def subscribe(self, subject: str) -> None:
        """Hear a subject."""

        async def take(message: Any) -> None:
            self.heard.append(message.subject)

        await self.nc.subscribe(subject, cb=take)
        await self.nc.flush()

    async def hears(self, count: int) -> list[str]:
        """Wait for so many messages; their subjects."""
        async with asyncio.timeout(5):
            while len(self.heard) < count:
                await asyncio.sleep(0.01)
        return self.heard

    async def refused(self, word: str) -> None:
        """Wait until the server complains with this word."""
        async with asyncio.timeout(5):
            while not any(word in text for text in self.complaints):
                await asyncio.sleep(0.01)
        self.complaints.clear()


class Tenants:
    """An operator's folder and the server of all its tenants."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.folder = OperatorFolder.create(place / "operator")
        self.engine: Engine
        self._peers: list[Peer] = []

    @property
    def url(self) -> str:
        """Where clients connect."""
        return self.engine.url

    def add(self, name: str, **quota: Any) -> None:
        """A tenant, before the server starts."""
        self.folder.add_tenant(name, quota=Quota(**quota))

    async def push(self, name: str) -> None:
        """Bring a tenant's account to the server."""
        resolver = await Resolver.open(self.url, self.folder.system_creds)
        try:
            await resolver.push(self.folder.account_jwt(name))
        finally:
            await resolver.close()

    def user(self, tenant: str, name: str, role: str = "writer", life_s: int | None = 3600) -> Credentials:
        """A new user."""
        return self.folder.add_user(tenant, name, role, life_s)

    async def connect(self, credentials: Credentials, inbox: str | None = None) -> Peer:
        """A client with these credentials; raises what the server answers."""
        nc = Client()
        peer = Peer(nc)

        async def on_error(error: Exception) -> None:
            peer.complaints.append(str(error))

        async def on_gone() -> None:
            peer.is_gone.set()

        await nc.connect(
            self.url,
            user="jwt",
            user_jwt_cb=lambda: bytearray(credentials.token.encode()),
            signature_cb=lambda nonce: base64.b64encode(credentials.key.sign(nonce.encode())),
            error_cb=on_error,
            disconnected_cb=on_gone,
            allow_reconnect=False,
            connect_timeout=2,
            inbox_prefix=inbox or f"_INBOX.{credentials.claims['name']}",
        )
        self._peers.append(peer)
        return peer

    async def engine_peer(self, tenant: str) -> Peer:
        """A client with all rights within a tenant."""
        return await self.connect(Credentials.read(self.folder.engine_creds(tenant)))

    async def close(self) -> None:
        """End all clients."""
        for peer in self._peers:
            with contextlib.suppress(Exception):
                await peer.nc.close()


@contextlib.asynccontextmanager
async def tenants(
    *names: str, plane: str = "p", spec: dict[str, Any] | None = None, **quotas: dict[str, Any]
) -> AsyncIterator[Tenants]:
    """A server with these tenants; the engine is the first one's.

    :param spec: further fields of its :class:`EngineSpec`.
    :param quotas: tenant -> fields of its quota.
    """
    place = Path(tempfile.mkdtemp(prefix="natant-tenants-"))
    found = Tenants(place)
    try:
        for name in names:
            found.add(name, **quotas.get(name, {}))
        folder = found.folder
        creds = folder.engine_creds(names[0])
        operator = folder.server_part()
        found.engine = await Engine.start(
            EngineSpec(plane=plane, folder=place / "nats", operator=operator, credentials=creds, **(spec or {}))
        )
        try:
            yield found
        finally:
            await found.close()
            await found.engine.close()
    finally:
        shutil.rmtree(place, ignore_errors=True)
