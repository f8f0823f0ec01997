"""Tenants: what a door token costs, how fast accounts reach the servers, and what a tenant feels of another one's flood."""

from __future__ import annotations

import asyncio
import base64
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING, Final

from bench.place import Place
from bench.table import Row
from natant.codec.recon.value import Record
from natant.fabric.nats.credential import Credentials
from natant.fabric.nats.engine import Engine, EngineSpec
from natant.fabric.nats.nkey import verify
from natant.fabric.nats.resolver import Resolver
from natant.link.identity import Identity
from natant.tenant.account import Account
from natant.tenant.authenticator import Authenticator
from natant.tenant.folder import OperatorFolder
from natant.tenant.quota import Quota

if TYPE_CHECKING:
    from nats.aio.client import Client

__all__ = ["tenants"]

TOKENS: Final = 1_000
PUSHES: Final = 100
CUTS: Final = 10
#: requests one after the other, and how many connections flood meanwhile
REQUESTS: Final = 2_000
FLOODS: Final = 4


def _rate(count: int, work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return count / (time.perf_counter() - begun)


def _tokens(folder: OperatorFolder) -> list[Row]:
    ann = folder.add_user("acme", "ann", "writer", 3_600)
    now = time.time()
    shown = [Record.of({"token": ann.door_token(now, 300 + number)}) for number in range(TOKENS)]
    door = Authenticator(Account.read(folder.account_jwt("acme")))
    signed, signature = b"x" * 500, ann.key.sign(b"x" * 500)

    def show(tokens: list[Record]) -> None:
        assert all(isinstance(door(token, "/"), Identity) for token in tokens)

    fresh = _rate(TOKENS, lambda: show(shown))
    known = _rate(TOKENS, lambda: show(shown))
    bare = _rate(TOKENS, lambda: [verify(ann.key.public, signed, signature) for _ in range(2 * TOKENS)])
    return [
        Row(
            "door tokens seen for the first time",
            fresh,
            "/s",
            "two bare Ed25519 verifications",
            bare,
            is_more_better=True,
        ),
        Row("door tokens seen before", known, "/s", is_more_better=True),
    ]


async def _client(url: str, credentials: Credentials) -> Client:
    from nats.aio.client import Client

    client = Client()
    await client.connect(
        url,
        user="jwt",
        user_jwt_cb=lambda: bytearray(credentials.token.encode()),
        signature_cb=lambda nonce: base64.b64encode(credentials.key.sign(nonce.encode())),
        allow_reconnect=False,
        inbox_prefix=f"_INBOX.{credentials.claims['name']}",
    )
    return client


async def _pushes(folder: OperatorFolder, resolver: Resolver, url: str) -> list[Row]:
    """Accounts a second, and milliseconds until a user that was revoked is off."""
    token = folder.account_jwt("bolt")
    begun = time.perf_counter()
    await asyncio.gather(*(resolver.push(token) for _ in range(PUSHES)))
    rate = PUSHES / (time.perf_counter() - begun)
    cuts = []
    for number in range(CUTS):
        client = await _client(url, folder.add_user("bolt", f"u{number}", "writer", 3_600))
        folder.revoke_user("bolt", f"u{number}")
        account = folder.account_jwt("bolt")
        begun = time.perf_counter()
        pushing = asyncio.create_task(resolver.push(account))
        while client.is_connected:  # noqa: ASYNC110  # the client has no event for it that comes sooner
            await asyncio.sleep(0.001)
        cuts.append((time.perf_counter() - begun) * 1e3)
        await pushing
    return [
        Row("accounts brought to a running server", rate, "/s", is_more_better=True),
        Row("from the push of a revocation until the user is cut off", median(cuts), "ms"),
    ]


async def _flood(folder: OperatorFolder, engine: Engine) -> Row:
    """The p99 of one tenant's requests, alone and while another publishes as fast as it can."""
    client = await _client(engine.url, folder.add_user("acme", "asker", "writer", 3_600))
    subject = engine.subjects.ask("get", "total", "/counter/a")

    async def answer(message: object) -> None:
        await message.respond(b"1")  # type: ignore[attr-defined]

    await engine.nc.subscribe(f"{engine.subjects.root}.at.>", cb=answer)
    await engine.nc.flush()

    async def ask() -> float:
        taken = []
        for _ in range(REQUESTS):
            begun = time.perf_counter()
            await client.request(subject, b"", timeout=10)
            taken.append((time.perf_counter() - begun) * 1e3)
        return quantiles(taken, n=100)[98]

    quiet = await ask()
    creds = folder.engine_creds("bolt")
    floods = [
        await asyncio.create_subprocess_exec(*_PYTHON, engine.url, str(creds), cwd=Path(__file__).parents[1])
        for _ in range(FLOODS)
    ]
    await asyncio.sleep(1.0)
    try:
        loud = await ask()
    finally:
        for flood in floods:
            flood.kill()
            await flood.wait()
        await client.close()
    return Row(f"p99 of a tenant's requests while {FLOODS} connections of another flood", loud, "ms", "without", quiet)


async def _flooder(url: str, creds: str) -> None:
    client = await _client(url, Credentials.read(Path(creds)))
    while True:
        for _ in range(1_000):
            await client.publish("natant.bench.in.command.add.counter.a", b"x" * 128)
        await client.flush()


#: this file as a program that floods
_PYTHON: Final = (sys.executable, "-m", "bench.tenant")


async def _measure(place: Place) -> list[Row]:
    folder = OperatorFolder.create(place.data("operator"))
    for name in ("acme", "bolt"):
        folder.add_tenant(name, quota=Quota())
    rows = _tokens(folder)
    engine = await Engine.start(
        EngineSpec(
            plane="bench",
            folder=place.data("tenants"),
            operator=folder.server_part(),
            credentials=folder.engine_creds("acme"),
        )
    )
    try:
        resolver = await Resolver.open(engine.url, folder.system_creds)
        rows += await _pushes(folder, resolver, engine.url)
        await resolver.close()
        return [*rows, await _flood(folder, engine)]
    finally:
        await engine.close()


def tenants(place: Place) -> list[Row]:
    """All of it, over the embedded server in operator mode."""
    return asyncio.run(_measure(place))


if __name__ == "__main__":
    asyncio.run(_flooder(*sys.argv[1:3]))
