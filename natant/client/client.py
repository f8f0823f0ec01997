"""The asynchronous client: one connection to one host, shared by all its downlinks and commands."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self, TypeAlias, TypeVar, overload

from natant.client.address import parse
from natant.client.connection import Connection
from natant.client.handle import EventLink, ListLink, MapLink, ValueLink
from natant.client.http import HttpSide
from natant.client.timing import CONNECT_WAIT_S, Timing
from natant.client.value import to_recon
from natant.codec.form import form
from natant.codec.recon.value import Absent, Extant, Record, Value
from natant.errors import ClientError
from natant.link.base import ANY, Form

__all__ = ["Client", "connect"]

K = TypeVar("K")
V = TypeVar("V")
L = TypeVar("L", ValueLink[Any], MapLink[Any, Any], ListLink[Any], EventLink[Any])

Nodes: TypeAlias = list[dict[str, Any]]


class Client:
    """One host, as plain Python sees it.  Made by :func:`connect`.

    Lanes are followed through downlinks, which are open at once and come to life with the connection; a lost connection is made
    again by itself, and what the downlinks show is stale meanwhile.  ``prio`` and ``rate`` (events per second, 0 is without limit)
    ask the host how to send.  Not for use from several threads.
    """

    def __init__(
        self,
        url: str,
        *,
        auth: Value | Mapping[str, Any] | Callable[[], dict[str, Any]] | None = None,
        tls: ssl.SSLContext | None = None,
        wait_s: float = CONNECT_WAIT_S,
        timing: Timing | None = None,
    ) -> None:
        self.address = parse(url)
        self._wait_s = wait_s
        timing = timing or Timing()
        self._connection = Connection(self.address, timing, tls)
        self._channel = self._connection.channel
        self._channel.auth = dict(auth) if isinstance(auth, Mapping) else auth
        self._http = HttpSide(self.address, timing, tls, token=_token(auth))

    # ------------------------------------------------------------------ life

    async def __aenter__(self) -> Self:
        self._connection.start()
        try:
            await self.connected(self._wait_s)
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def connected(self, wait_s: float = CONNECT_WAIT_S) -> None:
        """Wait until there is a connection.

        :raises ClientError: ``NT-CLIENT-001`` where there is none within ``wait_s``.
        """
        try:
            async with asyncio.timeout(wait_s):
                await self._connection.is_up.wait()
        except TimeoutError as error:
            raise ClientError(
                "NT-CLIENT-001",
                f"no connection to {self.address.host_uri} within {wait_s:g} s"
                f"{f' ({self._connection.reason})' if self._connection.reason else ''}. Is a server listening there?",
                host=self.address.host_uri,
            ) from error

    async def close(self) -> None:
        """Close all downlinks and the connection."""
        for downlink in list(self._channel.downlinks):
            if isinstance(downlink, (ValueLink, MapLink, ListLink, EventLink)):
                downlink.close()
        await self._connection.close()
        await self._http.close()

    @property
    def is_connected(self) -> bool:
        """True while there is a connection."""
        return self._channel.is_connected

    @property
    def reason(self) -> str:
        """Why there is no connection; empty while there is one."""
        return self._connection.reason

    # ------------------------------------------------------------------ links

    @overload
    def value(self, node: str, lane: str, *, prio: float = ..., rate: float = ...) -> ValueLink[Any]: ...

    @overload
    def value(self, node: str, lane: str, of: type[V], *, prio: float = ..., rate: float = ...) -> ValueLink[V]: ...

    def value(self, node: str, lane: str, of: Any = Any, *, prio: float = 0.0, rate: float = 0.0) -> ValueLink[Any]:
        """Follow the value of a lane.

        :param of: the type of the value (see :mod:`natant.codec.form`); ``Any`` shows Recon values as they come.
        :raises WarpError: where ``node`` is no URI.
        :raises LinkError: ``NT-LINK-508`` where there are too many links.
        """
        return self._open(ValueLink(node, lane, _form(of), prio=prio, rate=rate))

    @overload
    def map(self, node: str, lane: str, *, prio: float = ..., rate: float = ...) -> MapLink[Any, Any]: ...

    @overload
    def map(
        self, node: str, lane: str, key: type[K], of: type[V], *, prio: float = ..., rate: float = ...
    ) -> MapLink[K, V]: ...

    def map(
        self, node: str, lane: str, key: Any = Any, of: Any = Any, *, prio: float = 0.0, rate: float = 0.0
    ) -> MapLink[Any, Any]:
        """Follow the entries of a map, join or demand-map lane; ``key`` and ``of`` are types; errors as of :meth:`value`."""
        return self._open(MapLink(node, lane, (_form(key), _form(of)), prio=prio, rate=rate))

    @overload
    def list(self, node: str, lane: str, *, prio: float = ..., rate: float = ...) -> ListLink[Any]: ...

    @overload
    def list(self, node: str, lane: str, of: type[V], *, prio: float = ..., rate: float = ...) -> ListLink[V]: ...

    def list(self, node: str, lane: str, of: Any = Any, *, prio: float = 0.0, rate: float = 0.0) -> ListLink[Any]:
        """Follow the elements of a list lane; errors as of :meth:`value`."""
        return self._open(ListLink(node, lane, _form(of), prio=prio, rate=rate))

    @overload
    def event(self, node: str, lane: str, *, prio: float = ..., rate: float = ...) -> EventLink[Any]: ...

    @overload
    def event(self, node: str, lane: str, of: type[V], *, prio: float = ..., rate: float = ...) -> EventLink[V]: ...

    def event(self, node: str, lane: str, of: Any = Any, *, prio: float = 0.0, rate: float = 0.0) -> EventLink[Any]:
        """Follow the events of a supply, demand or command lane; errors as of :meth:`value`."""
        return self._open(EventLink(node, lane, _form(of), prio=prio, rate=rate))

    def _open(self, link: L) -> L:
        link._follow()
        self._channel.open(link)
        return link

    # ------------------------------------------------------------------ commands and reads

    def command(self, node: str, lane: str, value: Any = None) -> None:
        """Send a command and do not wait: at most once, and silent where the host cannot take it.

        :param value: a Recon value, plain Python, or an object of a type that has a form.
        :raises LinkError: ``NT-LINK-501`` where there is no connection and too many commands wait for one.
        :raises ClientError: ``NT-CLIENT-006`` where the host reads too slowly.
        """
        self._channel.command(node, lane, to_recon(value))

    async def ask(self, node: str, lane: str, value: Any = None, id: str | None = None, *, of: Any = Any) -> Any:  # noqa: A002  # the word users know
        """Send a command and wait until the host has committed it; safe to repeat with the same id.

        It goes by HTTP to the same host.  Where the connection breaks it is sent again, with the same id, so that its effect
        happens once.

        :param id: names this command; made up where it is None.
        :param of: the type of the answer.
        :returns: what the handler returned; None where that is nothing.
        :raises ClientError: ``NT-CLIENT-005`` where the host refuses it, ``NT-CLIENT-007`` where no answer came.
        """
        return _read(await self._http.ask(node, lane, to_recon(value), id), of)

    @overload
    async def get(self, node: str, lane: str) -> Any: ...

    @overload
    async def get(self, node: str, lane: str, of: type[V]) -> V | None: ...

    async def get(self, node: str, lane: str, of: Any = Any) -> Any:
        """The committed state of a lane, once; None where it has none; errors as of :meth:`ask`."""
        return _read(await self._http.get(node, lane), of)

    async def describe(self, node: str) -> dict[str, Any]:
        """What a node is: its agent and lanes, with their types; errors as of :meth:`ask`."""
        return await self._http.describe(node)

    async def nodes(self, prefix: str = "/") -> Nodes:
        """The agents whose URIs start so; errors as of :meth:`ask`."""
        return await self._http.nodes(prefix)


def _token(auth: Any) -> str | Callable[[], str | None] | None:
    """What HTTP requests carry of the credentials: their token."""
    if callable(auth):
        return lambda: _token_of(auth())
    return _token_of(auth)


def _token_of(auth: Any) -> str | None:
    token = auth.get("token") if isinstance(auth, Mapping | Record) else None
    return token if isinstance(token, str) else None


#: opens a client: ``async with connect("warp://127.0.0.1:9001") as client``
connect = Client


def _read(value: Value, of: Any) -> Any:
    return None if value is Absent or value is Extant else _form(of).decode(value)


def _form(of: Any) -> Form[Any]:
    return ANY if of is Any else form(of)
