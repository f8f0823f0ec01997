"""Bringing accounts to running servers, and asking them for one.

Servers with ``resolver { type: full }`` take accounts over the system account and keep them; in a cluster each of them answers.
A change takes effect at once: connections of users that were revoked, or whose account was deleted, are closed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from natant.errors import TenantError
from natant.fabric.nats.connect import connect, safe_url

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg

__all__ = ["Resolver", "delete_streams", "forget_others", "lookup"]

#: time to reach a server
REACH_S: Final = 3.0
#: time for the first server to answer
ANSWER_S: Final = 5.0
#: time for the others of a cluster after it
OTHERS_S: Final = 0.3
#: answers of one request that are looked at; a cluster has far fewer servers
ANSWER_LIMIT: Final = 100

_UPDATE: Final = "$SYS.REQ.CLAIMS.UPDATE"
_DELETE: Final = "$SYS.REQ.CLAIMS.DELETE"
_LOOKUP: Final = "$SYS.REQ.ACCOUNT.{}.CLAIMS.LOOKUP"


class Resolver:
    """A connection to the servers' own account."""

    def __init__(self, nc: Client, url: str) -> None:
        self._nc = nc
        self._where = safe_url(url)

    @classmethod
    async def open(cls, url: str, credentials: Path, *, wait_s: float = REACH_S) -> Resolver:
        """Connect.

        :param credentials: those of a user of the system account.
        :raises FabricError: ``NT-FABRIC-004`` not reached, ``-008`` refused: a server of another operator.
        """
        return cls(await connect(url, name="natant tenant", credentials=credentials, wait_s=wait_s), url)

    async def close(self) -> None:
        """End the connection."""
        with contextlib.suppress(Exception):
            await self._nc.close()

    async def push(self, token: str) -> int:
        """Bring an account; how many servers took it.

        :raises TenantError: ``NT-TENANT-011`` where a server refuses it, or none answers.
        """
        return await self._ask(_UPDATE, token)

    async def delete(self, request: str) -> int:
        """Delete accounts; how many servers did.

        :raises TenantError: ``NT-TENANT-011``.
        """
        return await self._ask(_DELETE, request)

    async def _ask(self, subject: str, token: str) -> int:
        answers: asyncio.Queue[bytes] = asyncio.Queue(ANSWER_LIMIT)

        async def take(message: Msg) -> None:
            with contextlib.suppress(asyncio.QueueFull):
                answers.put_nowait(message.data)

        inbox = self._nc.new_inbox()
        subscription = await self._nc.subscribe(inbox, cb=take)
        await self._nc.publish(subject, token.encode(), reply=inbox)
        count = 0
        try:
            while True:
                async with asyncio.timeout(OTHERS_S if count else ANSWER_S):
                    self._check(await answers.get())
                count += 1
                if not self._nc._server_info.get("cluster"):  # it stands alone
                    return count
        except TimeoutError:
            if not count:
                raise TenantError(
                    "NT-TENANT-011",
                    f"no server at {self._where} answers to accounts; it takes operator mode with resolver {{ type: full }}: "
                    "natant tenant config prints that part of its configuration",
                ) from None
            return count
        finally:
            with contextlib.suppress(Exception):
                await subscription.unsubscribe()

    def _check(self, data: bytes) -> None:
        try:
            answer: Any = msgspec.json.decode(data)
        except msgspec.DecodeError:
            answer = None
        if isinstance(answer, dict) and isinstance(answer.get("data"), dict) and answer["data"].get("code") == 200:
            return
        error = answer.get("error") if isinstance(answer, dict) else None
        said = error.get("description") if isinstance(error, dict) else repr(data[:100])
        raise TenantError("NT-TENANT-011", f"a server at {self._where} refuses the account: {said}")


async def delete_streams(url: str, credentials: Path) -> int:
    """Delete all streams of an account; how many there were.

    :param credentials: those of its engine.
    :raises FabricError: ``NT-FABRIC-004`` not reached, ``-008`` refused.
    """
    nc = await connect(url, name="natant tenant rm", credentials=credentials, wait_s=REACH_S)
    try:
        js = nc.jetstream(timeout=ANSWER_S)
        count = 0
        while infos := await js.streams_info():
            for info in infos:
                await js.delete_stream(str(info.config.name))
                count += 1
        return count
    finally:
        with contextlib.suppress(Exception):
            await nc.close()


def forget_others(folder: Path, accounts: Collection[str]) -> None:
    """Before a server starts: drop accounts from its folder that are none of these, since they were removed while it was down."""
    for path in folder.glob("*.jwt"):
        if path.stem not in accounts:
            path.unlink()


async def lookup(nc: Client, account: str, wait_s: float = ANSWER_S) -> str:
    """The token of an account, asked by one of its own users.

    :raises TenantError: ``NT-TENANT-011`` where the servers do not tell.
    """
    from nats.errors import Error

    try:
        answer = await nc.request(_LOOKUP.format(account), b"", timeout=wait_s)
    except Error as error:
        raise TenantError(
            "NT-TENANT-011",
            f"the servers do not tell this user its own account ({str(error) or type(error).__name__}); an account that natant tenant "
            "made may ask: bring it to them with natant tenant push",
        ) from None
    token: str = answer.data.decode("utf-8", "replace")
    return token
