"""The fast connection to NATS: for what is asked thousands of times a second, journals first of all.

nats-py wraps each request into a task, a future and a timer; here a request is one entry of a table, all that is sent in a tick of the
loop leaves in one write, and time-outs are looked for four times a second.  It comes back by itself, with its subscriptions.  A request
that was under way when the connection went fails at once; whoever asked knows whether it may ask again.

Called by :mod:`natant.fabric.nats.journal`; everything rare goes over ``engine.nc``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import secrets
import ssl
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from natant.fabric.nats.parse import Parser, head_of, request

__all__ = ["NOBODY", "Answer", "Courier", "NobodyThere"]

#: time for each step of a connection
STEP_S: Final = 2.0
#: between two tries
RETRY_S: Final = 0.1
#: between two looks for time-outs, which are that much late at most
SWEEP_S: Final = 0.25
#: between two pings; a connection that answers two of them not is given up
PING_S: Final = 2.0
#: what waits to be written; then a request is refused
PENDING_BYTES: Final = 64 * 1024 * 1024

_LOG = logging.getLogger("natant.fabric.nats")
#: how the headers begin of what the server answers where nobody listens
NOBODY: Final = b"NATS/1.0 503"

Call = Callable[[bytes, bytes, bytes, bytes], object]


class NobodyThere(ConnectionError):
    """Nobody has subscribed to what was asked; for JetStream: the stream has no leader at present, or is not there."""


@dataclass(slots=True)
class Answer:
    """The answer to a request."""

    data: bytes
    head: bytes


@dataclass(slots=True)
class _Subscription:
    subject: str
    queue: str
    call: Call


class Courier:
    """One connection.

    :param urls: servers, tried in turn.
    :param login: what CONNECT takes besides our name: ``user`` and ``password``, or ``user_jwt_cb`` and ``signature_cb``.
    :param inbox: first tokens of the subjects of answers.
    :ivar max_payload: of the server.
    :ivar losses: how often the connection went.
    """

    def __init__(self, urls: list[str], *, name: str, login: Mapping[str, Any], inbox: str = "_INBOX") -> None:
        self.max_payload = 1024 * 1024
        self.losses = 0
        self._urls = list(urls)
        self._name = name
        self._login = login
        self._inbox = f"{inbox}.{secrets.token_hex(11)}"
        self._next = 0
        self._waiting: dict[int, tuple[float, asyncio.Future[Answer]]] = {}
        self._sid = 1
        self._subscriptions: dict[int, _Subscription] = {}
        self._line: _Line | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._up = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._is_closed = False
        #: called in the loop each time the connection is there, subscriptions included
        self.on_up: list[Callable[[], None]] = []

    @property
    def pending(self) -> int:
        """Bytes that wait to be sent."""
        return 0 if self._line is None else self._line.pending

    @property
    def is_connected(self) -> bool:
        """Whether the connection is there at present."""
        return self._line is not None

    @property
    def is_closed(self) -> bool:
        """Whether it was closed by us."""
        return self._is_closed

    async def open(self, wait_s: float) -> None:
        """Connect.

        :raises TimeoutError: where no server took us within ``wait_s``; it goes on trying until it is closed.
        """
        self._keeper = self._loop.create_task(self._keep())
        async with asyncio.timeout(wait_s):
            await self._up.wait()

    async def close(self) -> None:
        """End it; what is under way fails."""
        self._is_closed = True
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await keeper
        if self._line is not None:
            self._line.end(ConnectionAbortedError("closed"))

    def publish(self, subject: str, data: bytes, *, reply: str = "", headers: Mapping[str, str] | None = None) -> None:
        """Send a message, at most once.

        :raises ConnectionError: where there is no connection, or too much waits.
        :raises nats.errors.ConnectionClosedError: it was closed.
        """
        if self._line is None:
            if self._is_closed:
                from nats.errors import ConnectionClosedError

                raise ConnectionClosedError
            raise ConnectionResetError("there is no connection to NATS at present")
        self._line.write(request(subject, reply, data, head_of(headers) if headers else b""))

    async def flush(self) -> None:
        """Return once the server has taken all that was sent.

        :raises ConnectionError: where the connection goes before that.
        """
        if self._line is None:
            raise ConnectionResetError("there is no connection to NATS at present")
        await self._line.ping()

    async def request(
        self,
        subject: str,
        data: bytes,
        timeout: float,  # noqa: ASYNC109  # as nats-py has it
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Ask, and wait for the first answer.

        :param timeout: in seconds; up to a quarter of a second more is waited.
        :raises NobodyThere: nobody listens there.
        :raises ConnectionError: there is no connection, or it went away meanwhile.
        :raises TimeoutError: no answer came.
        """
        self._next = number = self._next + 1
        self.publish(subject, data, reply=f"{self._inbox}.{number}", headers=headers)
        answer: asyncio.Future[Answer] = self._loop.create_future()
        self._waiting[number] = (self._loop.time() + timeout, answer)
        try:
            return await answer
        finally:
            self._waiting.pop(number, None)

    def subscribe(self, subject: str, call: Call, *, queue: str = "") -> int:
        """Have ``call(subject, reply, head, data)`` called in the loop for each message; the number for :meth:`unsubscribe`."""
        self._sid = sid = self._sid + 1
        self._subscriptions[sid] = wanted = _Subscription(subject, queue, call)
        if self._line is not None:
            self._line.write([_sub(sid, wanted)])
        return sid

    def unsubscribe(self, sid: int) -> None:
        """No more of it."""
        if self._subscriptions.pop(sid, None) is not None and self._line is not None:
            self._line.write([b"UNSUB %d\r\n" % sid])

    # -- life --------------------------------------------------------------------------------------------------

    async def _keep(self) -> None:
        """Connect again and again, until closed."""
        turn, said = 0, ""
        while True:
            url = self._urls[turn % len(self._urls)]
            turn += 1
            line = _Line(self)
            try:
                await self._connect(line, url)
            except Exception as error:  # credentials that cannot be read are mended some time, too
                line.end(error)
                if self.losses and said != (said := str(error) or type(error).__name__):
                    _LOG.warning("the fast connection to NATS does not come back yet: %s", said)
                await asyncio.sleep(RETRY_S)
                continue
            except BaseException:
                line.end(ConnectionAbortedError("closed"))
                raise
            said = ""
            self._line = line
            self._up.set()
            try:
                self._tell()
                await self._attend(line)
            finally:
                self._line = None
                self._up.clear()
                self.losses += 1
                self._fail(ConnectionResetError("the connection to NATS was lost"))
                line.end(ConnectionResetError())

    def _tell(self) -> None:
        for call in list(self.on_up):
            try:
                call()
            except Exception:
                _LOG.exception("somebody failed when the fast connection to NATS was there")

    async def _connect(self, line: _Line, url: str) -> None:
        parts = urlsplit(url if "://" in url else f"nats://{url}")
        host = parts.hostname or "127.0.0.1"
        async with asyncio.timeout(STEP_S):
            await self._loop.create_connection(lambda: line, host, parts.port or 4222)
            info = await line.info
        if parts.scheme == "tls" or info.get("tls_required"):
            async with asyncio.timeout(STEP_S):
                await line.encrypt(host)
        self.max_payload = int(info.get("max_payload") or self.max_payload)
        self._learn(parts.scheme or "nats", info.get("connect_urls") or ())
        wanted = b"".join(_sub(sid, each) for sid, each in self._subscriptions.items())
        line.write(
            [
                b"CONNECT %s\r\n" % json.dumps(self._hello(info)).encode(),
                b"SUB %s.* 1\r\n" % self._inbox.encode(),
                wanted,
            ]
        )
        async with asyncio.timeout(STEP_S):
            await line.ping()

    def _learn(self, scheme: str, places: Iterable[str]) -> None:
        """Remember the other servers of a cluster."""
        known = {urlsplit(url if "://" in url else f"nats://{url}").netloc.rpartition("@")[2] for url in self._urls}
        self._urls += [f"{scheme}://{place}" for place in places if place not in known]

    def _hello(self, info: Mapping[str, Any]) -> dict[str, Any]:
        said: dict[str, Any] = {
            "name": self._name,
            "lang": "natant",
            "version": "1",
            "protocol": 1,
            "verbose": False,
            "pedantic": False,
            "headers": True,
            "no_responders": True,
        }
        login = self._login
        if "signature_cb" in login:
            said["jwt"] = login["user_jwt_cb"]().decode()
            if "nonce" in info:
                said["sig"] = login["signature_cb"](info["nonce"]).decode()
        elif "token" in login:
            said["auth_token"] = login["token"]
        elif "user" in login:
            said |= {"user": login["user"], "pass": login["password"]}
        return said

    async def _attend(self, line: _Line) -> None:
        """Look for time-outs and ping, until the connection is gone."""
        next_ping_s = self._loop.time() + PING_S
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SWEEP_S):
                    await line.gone.wait()
            if line.gone.is_set():
                _LOG.warning("the fast connection to NATS is lost: %s", line.reason or "closed by the server")
                return
            now_s = self._loop.time()
            for deadline_s, answer in list(self._waiting.values()):
                if deadline_s <= now_s and not answer.done():
                    answer.set_exception(TimeoutError("no answer from NATS"))
            if now_s >= next_ping_s:
                if line.unanswered >= 2:
                    line.end(TimeoutError("pings are not answered"))
                    continue
                line.ping()
                next_ping_s = now_s + PING_S

    def _fail(self, error: Exception) -> None:
        for _, answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(error)
        self._waiting.clear()

    def _take(self, sid: int, subject: bytes, reply: bytes, head: bytes, data: bytes) -> None:
        if sid == 1:
            found = self._waiting.get(int(subject[len(self._inbox) + 1 :]))
            if found is not None and not found[1].done():
                if head.startswith(NOBODY) and not data:
                    found[1].set_exception(NobodyThere(f"nobody answers at {subject.decode()}"))
                else:
                    found[1].set_result(Answer(data, head))
            return
        wanted = self._subscriptions.get(sid)
        if wanted is None:
            return
        try:
            wanted.call(subject, reply, head, data)
        except Exception:
            _LOG.exception("a message of %s was not taken", wanted.subject)


def _sub(sid: int, wanted: _Subscription) -> bytes:
    return f"SUB {wanted.subject} {wanted.queue} {sid}\r\n".encode()


class _Line(asyncio.Protocol):
    """One TCP connection of a courier."""

    def __init__(self, courier: Courier) -> None:
        loop = asyncio.get_running_loop()
        self.info: asyncio.Future[dict[str, Any]] = loop.create_future()
        self.gone = asyncio.Event()
        self.reason: Exception | None = None
        self.unanswered = 0
        self._courier = courier
        self._loop = loop
        self._parser = Parser(self)
        self._transport: asyncio.Transport | None = None
        self._parts: list[bytes] = []
        self._bytes = 0
        self._is_paused = False
        self._pongs: list[asyncio.Future[None]] = []

    # -- out ---------------------------------------------------------------------------------------------------

    def write(self, parts: list[bytes]) -> None:
        """Send; all of one tick leaves at once.

        :raises ConnectionError: where too much waits already.
        """
        if not self._parts and not self._is_paused:
            self._loop.call_soon(self._flush)
        self._bytes += sum(map(len, parts))
        if self._bytes > PENDING_BYTES:
            self._bytes -= sum(map(len, parts))
            raise ConnectionError(f"{self._bytes} bytes wait to be sent to NATS")
        self._parts += parts

    @property
    def pending(self) -> int:
        """Bytes that wait here and in the transport."""
        return self._bytes + (0 if self._transport is None else self._transport.get_write_buffer_size())

    def _flush(self) -> None:
        if self._transport is not None and self._parts and not self._is_paused:
            self._transport.write(b"".join(self._parts))
            self._parts.clear()
            self._bytes = 0

    def ping(self) -> asyncio.Future[None]:
        """Send a ping; done when it is answered."""
        pong: asyncio.Future[None] = self._loop.create_future()
        self._pongs.append(pong)
        self.unanswered += 1
        self.write([b"PING\r\n"])
        return pong

    async def encrypt(self, host: str) -> None:
        """Go on in TLS."""
        assert self._transport is not None
        self._transport = await self._loop.start_tls(
            self._transport, self, ssl.create_default_context(), server_hostname=host
        )

    def end(self, reason: Exception) -> None:
        """Cut it."""
        self.reason = self.reason or reason
        if self._transport is not None:
            self._transport.abort()
        self.connection_lost(reason)

    # -- asyncio -----------------------------------------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed(data)
        except Exception as error:  # whatever a server says must not go on half understood
            self.end(error)

    def pause_writing(self) -> None:
        self._is_paused = True

    def resume_writing(self) -> None:
        self._is_paused = False
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self.reason = self.reason or exc
        self.gone.set()
        error = ConnectionResetError(str(self.reason or "the server closed the connection"))
        waiters: list[asyncio.Future[Any]] = [self.info, *self._pongs]
        for waiting in waiters:
            if not waiting.done():
                waiting.set_exception(error)
                waiting.exception()  # nobody may wait for it any more
        self._pongs.clear()

    # -- in ----------------------------------------------------------------------------------------------------

    def on_message(self, sid: int, subject: bytes, reply: bytes, head: bytes, data: bytes) -> None:
        self._courier._take(sid, subject, reply, head, data)

    def on_info(self, info: dict[str, Any]) -> None:
        if not self.info.done():
            self.info.set_result(info)

    def on_ping(self) -> None:
        self.write([b"PONG\r\n"])

    def on_pong(self) -> None:
        self.unanswered = 0
        if self._pongs:
            pong = self._pongs.pop(0)
            if not pong.done():
                pong.set_result(None)

    def on_refusal(self, text: str) -> None:
        # A permission that is missing ends nothing; whoever asked gets no answer.
        if "permissions violation" in text.lower():
            _LOG.warning("NATS: %s", text)
        else:
            self.end(ConnectionResetError(text))
