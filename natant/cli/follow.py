"""Following a lane from the command line, over WARP: any lane of any host that speaks it.

One downlink takes each event as it comes.  What kind of lane it is need not be known: an event whose body is an operation is a
change of a map or list, any other body is a value.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, ClassVar, Final

from natant.cli.target import token
from natant.client.address import Address
from natant.client.connection import Connection
from natant.client.timing import Timing
from natant.codec import recon
from natant.codec.form import any_to_json
from natant.codec.warp import operation
from natant.errors import ClientError
from natant.link.change import Change
from natant.link.event_downlink import EventDownlink

__all__ = ["Follower", "Lane", "as_facts", "as_text", "connected"]

#: how long the first connection may take
CONNECT_WAIT_S: Final = 10.0
#: events that may wait to be printed; past that they are left out and counted
EVENT_LIMIT: Final = 100_000


class Lane(EventDownlink[Any]):
    """The events of a lane, those of its state first."""

    wants_sync: ClassVar[bool] = True


class Follower:
    """What happens to one downlink, as a queue to read from."""

    def __init__(self, node: str, lane: str, *, wants_sync: bool, rate: float, prio: float) -> None:
        kind = Lane if wants_sync else EventDownlink
        self.downlink: EventDownlink[Any] = kind(node, lane, rate=rate, prio=prio)
        self.downlink.watch = self._hear
        self._queue: asyncio.Queue[Change] = asyncio.Queue()
        #: events that were left out since this was last set to 0
        self.missed = 0

    def _hear(self, change: Change) -> None:
        if change.kind == "event" and self._queue.qsize() >= EVENT_LIMIT:
            self.missed += 1
        else:
            self._queue.put_nowait(change)

    async def next(self) -> Change:
        """The next thing that happens."""
        return await self._queue.get()


@contextlib.asynccontextmanager
async def connected(address: Address) -> AsyncIterator[Connection]:
    """A connection that stays: it is made again where it breaks.

    :raises ClientError: ``NT-CLI-004`` where nobody listens, ``NT-CLI-006`` where somebody listens and does not speak WARP.
    """
    await _probe(address)
    connection = Connection(address, Timing())
    known = token()
    connection.channel.auth = None if known is None else {"token": known}
    connection.start()
    try:
        try:
            async with asyncio.timeout(CONNECT_WAIT_S):
                await connection.is_up.wait()
        except TimeoutError:
            raise ClientError(
                "NT-CLI-006",
                f"{address.host_uri} does not speak WARP over WebSocket ({connection.reason or 'no answer'})",
            ) from None
        yield connection
    finally:
        await connection.close()


async def _probe(address: Address) -> None:
    """Tell at once where nobody listens, which a connection that tries for ever does not."""
    from urllib.parse import urlsplit

    from natant.cli.remote import unreachable

    parts = urlsplit(address.http)
    try:
        async with asyncio.timeout(CONNECT_WAIT_S):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port or (443 if address.is_secure else 80))
    except OSError as error:  # a TimeoutError too
        raise unreachable(address, error) from error
    writer.close()


def as_facts(body: Any) -> bytes:
    """An event as JSON: ``{"op":"set","value":...}``, or the operation on a map or list."""
    change = operation.read(body)
    if change is None:
        return b'{"op":"set","value":' + any_to_json(body) + b"}"
    op = change.op
    parts = [b'{"op":"' + op.encode() + b'"']
    if op in (operation.TAKE, operation.DROP):
        parts.append(b'"n":%d' % change.n)
    elif op == operation.MOVE:
        parts.append(b'"from":%d,"to":%d' % (change.index, change.to))
    elif op != operation.CLEAR:
        if change.index >= 0:
            parts.append(b'"index":%d' % change.index)
        else:
            parts.append(b'"key":' + any_to_json(change.key))
        if op == operation.UPDATE:
            parts.append(b'"value":' + any_to_json(change.value))
    return b",".join(parts) + b"}"


def as_text(body: Any) -> str:
    """An event as a line for people."""
    change = operation.read(body)
    if change is None:
        return _text(body)
    place = f"[{change.index}]" if change.index >= 0 else _text(change.key)
    match change.op:
        case operation.UPDATE:
            return f"{place}: {_text(change.value)}"
        case operation.REMOVE:
            return f"{place} removed"
        case operation.MOVE:
            return f"[{change.index}] moved to [{change.to}]"
        case operation.TAKE:
            return f"all but the first {change.n} removed"
        case operation.DROP:
            return f"the first {change.n} removed"
        case _:
            return "all removed"


def _text(value: Any) -> str:
    """A value for people: text bare, the rest as JSON; nothing as ``-``."""
    if value is recon.Absent or value is recon.Extant:
        return "-"
    return value if isinstance(value, str) else any_to_json(value).decode()
