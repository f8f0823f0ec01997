"""Options that several commands share, and what they stand for: a person at a service."""

from __future__ import annotations

import base64
import functools
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import click

from keepsake.errors import KeepsakeError

__all__ = ["DEFAULT_DATA", "DEFAULT_PORT", "Reach", "as_json", "data", "examples", "reach", "yes"]

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_PORT: Final = 9001
DEFAULT_DATA: Final = ".keepsake"
#: how long a token is good that a command makes for itself
OWN_TOKEN_S: Final = 3600.0

#: output for programs
as_json = click.option("--json", "is_json", is_flag=True, help="Print JSON, one value a line.")
#: a destructive command does not ask
yes = click.option("--yes", "-y", "is_yes", is_flag=True, help="Do not ask.")
#: the folder of an installation
data = click.option(
    "--data",
    metavar="DIR",
    envvar="KEEPSAKE_DATA",
    default=DEFAULT_DATA,
    show_default=True,
    type=click.Path(path_type=Path),
    help="The data folder; or set $KEEPSAKE_DATA.",
)


def examples(*lines: str) -> str:
    """The end of a command's help: lines to copy."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


@dataclass(frozen=True, slots=True)
class Reach:
    """How a command reaches the service.

    :ivar at: ``http://host:port``.
    :ivar token: as given, else empty.
    :ivar data: a folder that may hold the keys, from which whoever may read them makes a token.
    """

    at: str
    token: str
    data: Path

    def token_of(self, person: str) -> str:
        """A token of the person.

        :raises KeepsakeError: ``KS-CLI-003`` where there is none, ``KS-KEY-001`` where there is no such person.
        """
        if self.token:
            if (owner := _owner(self.token)) != person:
                raise KeepsakeError("KS-CLI-003", f"the token is one of {owner!r}, not of {person!r}")
            return self.token
        if not (self.data / "keys" / "master.key").exists():
            raise KeepsakeError(
                "KS-CLI-003",
                f"no token of {person!r}, and no keys in {self.data}; set $KEEPSAKE_TOKEN, or name the data folder with --data",
            )
        from keepsake.key import Ring, Tokens

        ring = Ring(self.data / "keys")
        ring.key(person)
        return Tokens(ring).make(person, "owner", until=time.time() + OWN_TOKEN_S)

    def connect(self, person: str) -> Any:
        """A client of the service, as the person (of ``natant.connect``); to be opened with ``with``."""
        import natant

        return natant.connect("warp" + self.at.removeprefix("http"), auth={"token": self.token_of(person)})

    def socket(self, path: str) -> str:
        """The address of a WebSocket there."""
        return "ws" + self.at.removeprefix("http") + path


def _owner(token: str) -> str:
    """Whose a token says that it is; the service checks whether that is so."""
    try:
        payload = token.split(".")[1]
        return str(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["person"])
    except (IndexError, ValueError, KeyError, TypeError):
        return ""


def address(text: str) -> str:
    """``warp://h``, ``ws://h:1``, ``h:1`` and ``https://h`` as ``http(s)://host:port``.

    :raises click.UsageError: where it is no address.
    """
    parts = urlsplit(text if "://" in text else f"http://{text}")
    scheme = {"warp": "http", "ws": "http", "http": "http", "warps": "https", "wss": "https", "https": "https"}
    try:
        if parts.scheme not in scheme or not parts.hostname:
            raise ValueError(text)
        kind = scheme[parts.scheme]
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        return f"{kind}://{host}:{parts.port or (443 if kind == 'https' else DEFAULT_PORT)}"
    except ValueError:
        raise click.UsageError(f"--at {text!r} is no address; it takes http://HOST:PORT") from None


def _noted(folder: Path) -> str:
    """Where the service of a data folder said that it is."""
    try:
        return (folder / "address").read_text("utf-8").strip()
    except OSError:
        return f"http://127.0.0.1:{DEFAULT_PORT}"


def reach(function: F) -> F:
    """Add ``--at``, ``--data`` and ``$KEEPSAKE_TOKEN``; the function gets ``reach``, a :class:`Reach`."""

    @functools.wraps(function)
    def call(*arguments: Any, at: str | None, data: Path, **rest: Any) -> Any:
        where = address(at or _noted(data))
        return function(*arguments, reach=Reach(where, os.environ.get("KEEPSAKE_TOKEN", ""), data), **rest)

    add = click.option(
        "--at",
        metavar="URL",
        envvar="KEEPSAKE_AT",
        help="The service; or set $KEEPSAKE_AT. [default: the one of the data folder, else this machine]",
    )
    return add(data(call))  # type: ignore[return-value]
