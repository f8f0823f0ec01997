"""What the commands ``tenant``, ``user`` and ``run --tenant`` share: the operator's folder, and bringing a change to the servers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click
import msgspec

from natant.cli.show import talk
from natant.errors import FabricError, TenantError

if TYPE_CHECKING:
    from natant.tenant.folder import OperatorFolder

__all__ = [
    "NOT_THERE",
    "VARIABLE",
    "bring",
    "known_server",
    "known_url",
    "operator",
    "read_life",
    "remember_server",
    "servers",
]

F = TypeVar("F", bound=Callable[..., Any])

#: names the operator's folder for all commands
VARIABLE: Final = "NATANT_OPERATOR"
DEFAULT_FOLDER: Final = ".natant/operator"
#: within the folder: where the servers are that natant tenant serve has started
_SERVER: Final = "server.json"
#: the server was started by natant and is not there: it takes all tenants when it starts
NOT_THERE: Final = "NT-FABRIC-004"
_LIFE: Final = re.compile(r"(\d{1,9})([smhd])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def operator(function: F) -> F:
    """Decorator: the option ``--operator``."""
    return click.option(
        "--operator",
        "operator_path",
        metavar="DIR",
        envvar=VARIABLE,
        default=DEFAULT_FOLDER,
        type=click.Path(file_okay=False, path_type=Path),
        help=f"The operator's folder; ${VARIABLE} or {DEFAULT_FOLDER} where it is not given.",
    )(function)


def servers(function: F) -> F:
    """Decorator: the option ``--nats``."""
    return click.option(
        "--nats", metavar="URL", help="The servers of NATS. [default: what natant tenant serve has started]"
    )(function)


def remember_server(folder: OperatorFolder, url: str | None, monitor: str = "") -> None:
    """Note where the server is, and its monitoring; None: it is no more."""
    from natant.fabric.nats.private import write_private

    path = folder.path / _SERVER
    if url is None:
        path.unlink(missing_ok=True)
    else:
        write_private(path, msgspec.json.encode({"url": url, "monitor": monitor}).decode() + "\n")


def known_server(folder: OperatorFolder) -> dict[str, str]:
    """``url`` and ``monitor`` of the server, as far as noted."""
    try:
        return msgspec.json.decode((folder.path / _SERVER).read_bytes(), type=dict[str, str])
    except (OSError, msgspec.MsgspecError):
        return {}


def known_url(folder: OperatorFolder) -> str | None:
    """Where the servers are, as far as noted."""
    return known_server(folder).get("url")


def bring(folder: OperatorFolder, tenant: str, nats: str | None) -> None:
    """Bring a tenant's account to the servers, and say what became of it.

    :raises TenantError: ``NT-TENANT-011`` where a server refuses it.
    :raises FabricError: ``NT-FABRIC-004`` where those that were named are not there.
    """
    url = nats or known_url(folder)
    if url is None:
        talk(
            "no server is known yet; those that start take the tenant then: natant tenant serve, or natant tenant push"
        )
        return
    try:
        count = asyncio.run(_push(url, folder.system_creds, folder.account_jwt(tenant)))
    except FabricError as error:
        if nats is not None or error.code != NOT_THERE:
            raise
        talk("the server is down; it takes the change when it starts")
        return
    talk(f"in effect at {count} {'server' if count == 1 else 'servers'}")


async def _push(url: str, credentials: Path, token: str) -> int:
    from natant.fabric.nats.resolver import Resolver

    resolver = await Resolver.open(url, credentials)
    try:
        return await resolver.push(token)
    finally:
        await resolver.close()


def read_life(text: str) -> int | None:
    """Seconds: ``90s``, ``15m``, ``12h``, ``30d``; None for ``never``.

    :raises TenantError: ``NT-TENANT-010``.
    """
    if text == "never":
        return None
    match = _LIFE.fullmatch(text)
    if match is None or not int(match[1]):
        raise TenantError("NT-TENANT-010", f"{text[:40]!r} is no span of time; write 90s, 15m, 12h, 30d, or never")
    return int(match[1]) * _SECONDS[match[2]]
