"""The client for programs without an event loop: the same calls, which wait.

    with natant.client.blocking.connect("warp://127.0.0.1:9001") as client:
        position = client.value("/vehicle/7", "position", Position).synced()
        print(position.get())
        for change in position.changes(wait_s=5.0):
            print(change.new)

A thread with a loop of its own runs the asynchronous client; every call here hands its work to that loop and waits.  So all objects
may be used from any thread, also from several at once.  Callbacks do not exist here: nothing of the caller's runs in the loop's thread.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from types import TracebackType
from typing import Any, Generic, Self, TypeAlias, TypeVar, overload

from natant.client.client import Client
from natant.client.follow import Changes, Followed
from natant.client.handle import EventLink, ListLink, MapLink, ValueLink
from natant.client.timing import CONNECT_WAIT_S, LINK_WAIT_S
from natant.codec.recon.value import Value
from natant.errors import ClientError
from natant.link.base import Source
from natant.link.change import Change
from natant.link.state import State

__all__ = ["BlockingClient", "BlockingEvent", "BlockingLink", "BlockingList", "BlockingMap", "BlockingValue", "connect"]

K = TypeVar("K")
V = TypeVar("V")
R = TypeVar("R")

Nodes: TypeAlias = list[dict[str, Any]]


class BlockingClient:
    """One host, as a program without a loop sees it.  Made by :func:`connect`; parameters as of :class:`~natant.client.Client`."""

    def __init__(
        self,
        url: str,
        *,
        auth: Value | Mapping[str, Any] | Callable[[], dict[str, Any]] | None = None,
        tls: ssl.SSLContext | None = None,
        wait_s: float = CONNECT_WAIT_S,
    ) -> None:
        self._client = Client(url, auth=auth, tls=tls, wait_s=wait_s)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        started: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._thread = threading.Thread(target=self._serve, args=(started,), name="natant client", daemon=True)
        self._thread.start()
        try:
            started.result()
        except BaseException:
            self._thread.join()
            raise
        return self

    def _serve(self, started: concurrent.futures.Future[None]) -> None:
        async def serve() -> None:
            stop = asyncio.Event()
            try:
                async with self._client:
                    self._stop = stop
                    self._loop = asyncio.get_running_loop()
                    started.set_result(None)
                    await stop.wait()
            finally:
                self._loop = None

        try:
            asyncio.run(serve())
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all links, the connection and the thread."""
        loop, stop, thread = self._loop, self._stop, self._thread
        if thread is not None and loop is not None and stop is not None:
            loop.call_soon_threadsafe(stop.set)
            thread.join()
        self._thread = None

    def _run(self, work: Callable[[], Awaitable[R]]) -> R:
        """Run something in the loop's thread and wait for it."""
        loop = self._loop
        if loop is None or threading.current_thread() is self._thread:
            raise ClientError(
                "NT-CLIENT-008",
                f"the client of {self._client.address.host_uri} is not open, or is used from its own thread. Use it inside its with block.",
            )

        async def run() -> R:
            return await work()

        return asyncio.run_coroutine_threadsafe(run(), loop).result()

    def _now(self, function: Callable[..., R], *args: Any, **options: Any) -> R:
        """Call something in the loop's thread and wait for it."""

        async def call() -> R:
            return function(*args, **options)

        return self._run(call)

    # ------------------------------------------------------------------ links

    @overload
    def value(self, node: str, lane: str, *, prio: float = ..., rate: float = ...) -> BlockingValue[Any]: ...

    @overload
    def value(self, node: str, lane: str, of: type[V], *, prio: float = ..., rate: float = ...) -> BlockingValue[V]: ...

    def value(self, node: str, lane: str, of: Any = Any, *, prio: float = 0.0, rate: float = 0.0) -> BlockingValue[Any]:
        """Follow the value of a lane; errors as of :meth:`natant.client.Client.value`."""
        return BlockingValue(self, self._now(self._client.value, node, lane, of, prio=prio, rate=rate))

    @overload
    def map(self, node: str, lane: str, *, prio: float = ..., rate: float = ...) -> BlockingMap[Any, Any]: ...

    @overload
    def map(
        self, node: str, lane: str, key: type[K], of: type[V], *, prio: float = ..., rate: float = ...
    ) -> BlockingMap[K, V]: ...

    def map(
        self, node: str, lane: str, key: Any = Any, of: Any = Any, *, prio: float = 0.0, rate: float = 0.0
    ) -> BlockingMap[Any, Any]:
        """Follow the entries of a map lane; errors as of :meth:`natant.client.Client.map`."""
        return BlockingMap(self, self._now(self._client.map, node, lane, key, of, prio=prio, rate=rate))

    @overload
    def list(self, node: str, lane: str, *, prio: float = ..., rate: float = ...) -> BlockingList[Any]: ...

    @overload
    def list(self, node: str, lane: str, of: type[V], *, prio: float = ..., rate: float = ...) -> BlockingList[V]: ...

    def list(self, node: str, lane: str, of: Any = Any, *, prio: float = 0.0, rate: float = 0.0) -> BlockingList[Any]:
        """Follow the elements of a list lane; errors as of :meth:`natant.client.Client.list`."""
        return BlockingList(self, self._now(self._client.list, node, lane, of, prio=prio, rate=rate))

    @overload
    def event(self, node: str, lane: str, *, prio: float = ..., rate: float = ...) -> BlockingEvent[Any]: ...

    @overload
    def event(self, node: str, lane: str, of: type[V], *, prio: float = ..., rate: float = ...) -> BlockingEvent[V]: ...

    def event(self, node: str, lane: str, of: Any = Any, *, prio: float = 0.0, rate: float = 0.0) -> BlockingEvent[Any]:
        """Follow the events of a lane; errors as of :meth:`natant.client.Client.event`."""
        return BlockingEvent(self, self._now(self._client.event, node, lane, of, prio=prio, rate=rate))

    # ------------------------------------------------------------------ commands and reads

    def command(self, node: str, lane: str, value: Any = None) -> None:
        """Send a command and do not wait for its effect; errors as of :meth:`natant.client.Client.command`."""
        self._now(self._client.command, node, lane, value)

    def ask(self, node: str, lane: str, value: Any = None, id: str | None = None, *, of: Any = Any) -> Any:  # noqa: A002  # the word users know
        """Send a command and wait until it is committed; as :meth:`natant.client.Client.ask`."""
        return self._run(lambda: self._client.ask(node, lane, value, id, of=of))

    @overload
    def get(self, node: str, lane: str) -> Any: ...

    @overload
    def get(self, node: str, lane: str, of: type[V]) -> V | None: ...

    def get(self, node: str, lane: str, of: Any = Any) -> Any:
        """The committed state of a lane, once; errors as of :meth:`ask`."""
        return self._run(lambda: self._client.get(node, lane, of))

    def describe(self, node: str) -> dict[str, Any]:
        """What a node is; errors as of :meth:`ask`."""
        return self._run(lambda: self._client.describe(node))

    def nodes(self, prefix: str = "/") -> Nodes:
        """The agents whose URIs start so; errors as of :meth:`ask`."""
        return self._run(lambda: self._client.nodes(prefix))

    @property
    def is_connected(self) -> bool:
        """True while there is a connection."""
        return self._client.is_connected


connect = BlockingClient


class BlockingLink:
    """What all links have in common."""

    def __init__(self, client: BlockingClient, link: Followed) -> None:
        self._client = client
        self._link = link

    @property
    def state(self) -> State:
        """Where the link stands."""
        return self._link.state

    @property
    def is_synced(self) -> bool:
        """True while what it shows is the state of the lane, kept up to date."""
        return self._link.is_synced

    @property
    def source(self) -> Source:
        """Host, node and lane of what it shows."""
        return self._link.source

    def age(self) -> float:
        """Seconds since the last proof that what it shows is current; see :meth:`natant.link.downlink.Downlink.age`."""
        return self._client._now(self._link.age)

    def synced(self, wait_s: float = LINK_WAIT_S) -> Self:
        """Wait until what is shown is the state of the lane; errors as of the asynchronous link's."""
        self._client._run(lambda: self._link.synced(wait_s))
        return self

    def linked(self, wait_s: float = LINK_WAIT_S) -> Self:
        """Wait until the host has answered; errors as of the asynchronous link's."""
        self._client._run(lambda: self._link.linked(wait_s))
        return self

    def changes(self, wait_s: float | None = None) -> Iterator[Change]:
        """The changes from now on; ends when none came for ``wait_s`` seconds (None waits for ever) or the link is closed."""
        return _follow(self._client, self._client._now(self._link.changes), wait_s)

    def close(self) -> None:
        """End the link; what is shown stays."""
        self._client._now(self._link.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class BlockingValue(BlockingLink, Generic[V]):
    """Shows the value of a lane."""

    _link: ValueLink[Any]

    def get(self) -> V | None:
        """The value as last heard."""
        return self._client._now(self._link.get)

    def set(self, value: V) -> None:
        """Set the lane: sends a command."""
        self._client._now(self._link.set, value)


class BlockingMap(BlockingLink, Generic[K, V]):
    """Shows the entries of a lane.  Each read asks the loop's thread; :meth:`snapshot` takes all at once."""

    _link: MapLink[Any, Any]

    def snapshot(self) -> list[tuple[K, V]]:
        """Keys and values as they are now."""
        return self._client._now(self._link.snapshot)

    def get(self, key: K, default: Any = None) -> V | Any:
        """The value of a key, or the default."""
        return self._client._now(self._link.get, key, default)

    def __getitem__(self, key: K) -> V:
        value: V = self._client._now(self._link.__getitem__, key)
        return value

    def __contains__(self, key: object) -> bool:
        return self._client._now(self._link.__contains__, key)

    def __iter__(self) -> Iterator[K]:
        return iter([key for key, _ in self.snapshot()])

    def __len__(self) -> int:
        return self._client._now(self._link.__len__)

    def items(self) -> list[tuple[K, V]]:
        """The same as :meth:`snapshot`."""
        return self.snapshot()

    def put(self, key: K, value: V) -> None:
        """Set an entry of the lane: sends a command."""
        self._client._now(self._link.put, key, value)

    def remove(self, key: K) -> None:
        """Remove an entry of the lane: sends a command."""
        self._client._now(self._link.remove, key)

    def clear(self) -> None:
        """Remove all entries of the lane: sends a command."""
        self._client._now(self._link.clear)


class BlockingList(BlockingLink, Generic[V]):
    """Shows the elements of a lane."""

    _link: ListLink[Any]

    def snapshot(self) -> list[V]:
        """The elements as they are now."""
        return self._client._now(self._link.snapshot)

    def __getitem__(self, index: int) -> V:
        value: V = self._client._now(self._link.__getitem__, index)
        return value

    def __iter__(self) -> Iterator[V]:
        return iter(self.snapshot())

    def __len__(self) -> int:
        return self._client._now(self._link.__len__)

    def append(self, value: V) -> None:
        """Add an element at the end of the lane: sends a command."""
        self._client._now(self._link.append, value)

    def insert(self, index: int, value: V) -> None:
        """Put an element before the one at ``index``: sends a command."""
        self._client._now(self._link.insert, index, value)

    def set(self, index: int, value: V) -> None:
        """Replace an element: sends a command."""
        self._client._now(self._link.set, index, value)

    def remove(self, index: int) -> None:
        """Remove an element: sends a command."""
        self._client._now(self._link.remove, index)

    def clear(self) -> None:
        """Remove all elements: sends a command."""
        self._client._now(self._link.clear)


class BlockingEvent(BlockingLink, Generic[V]):
    """Follows the events of a lane through :meth:`changes`."""

    _link: EventLink[Any]

    def command(self, value: Any) -> None:
        """Send a command to the lane."""
        self._client._now(self._link.command, value)


def _follow(client: BlockingClient, changes: Changes, wait_s: float | None) -> Iterator[Change]:
    async def step() -> Change | None:
        try:
            return await asyncio.wait_for(anext(changes), wait_s)
        except (StopAsyncIteration, TimeoutError):
            return None

    try:
        while (change := client._run(step)) is not None:
            yield change
    finally:
        if client._loop is not None:
            client._now(changes.close)
