"""``natant tenant``: the tenants of one set of NATS servers, kept in the operator's folder."""

from __future__ import annotations

import asyncio
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import click

from natant.cli import option
from natant.cli.confirm import confirm
from natant.cli.show import put, put_json, put_table, talk
from natant.cli.tenancy import NOT_THERE, bring, known_url, operator, remember_server, servers
from natant.errors import FabricError

__all__ = ["cli"]


@click.group("tenant", context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Keep tenants apart: an account of NATS each, with a quota.

    All keys lie in the operator's folder, which nobody else may read. A change is brought to the servers at once.
    """


def _quota_options(function: Any) -> Any:
    sizes = {
        "disk": "All its streams on disk, copies counted.",
        "memory": "All its streams in memory.",
        "stream-bytes": "One stream on disk.",
        "payload": "One message.",
    }
    counts = {
        "streams": "Streams; a plane of 64 partitions has about 70.",
        "consumers": "Consumers of streams.",
        "connections": "Connections of clients.",
        "leaf-nodes": "Connections of edges.",
        "subscriptions": "Subscriptions of each connection.",
    }
    for name, text in reversed({**sizes, **counts}.items()):
        metavar = "SIZE" if name in sizes else "COUNT"
        function = click.option(f"--{name}", metavar=metavar, help=text)(function)
    return function


def _quota(before: Any, given: dict[str, str | None]) -> Any:
    from natant.tenant.quota import read_size

    return replace(before, **{name: read_size(text) for name, text in given.items() if text is not None})


@cli.command(
    "add", epilog=option.examples("natant tenant add acme", "natant tenant add acme --disk 50GB --connections 500")
)
@click.argument("name")
@click.option(
    "--partitions", default=64, show_default=True, type=click.IntRange(1, 1024), help="Of the tenant's planes."
)
@_quota_options
@operator
@servers
def add(name: str, *, partitions: int, operator_path: Path, nats: str | None, **quota: str | None) -> None:
    """Make a tenant; makes the operator's folder where there is none."""
    from natant.tenant.folder import OperatorFolder
    from natant.tenant.quota import Quota

    wanted = _quota(Quota(), quota)
    folder = OperatorFolder.create(operator_path)
    record = folder.add_tenant(name, quota=wanted, partitions=partitions)
    put(record.account)
    bring(folder, name, nats)


@cli.command("ls")
@operator
@option.as_json
def ls(operator_path: Path, is_json: bool) -> None:
    """List the tenants with what they may use."""
    from natant.tenant.folder import OperatorFolder
    from natant.tenant.quota import size_text

    folder = OperatorFolder.open(operator_path)
    rows = []
    for name in folder.tenants():
        record = folder.tenant(name)
        quota = record.quota
        if is_json:
            limits = {field.name: getattr(quota, field.name) for field in fields(quota)}
            put_json({"tenant": name, "account": record.account, "users": len(record.users), "quota": limits})
        rows.append(
            [
                name,
                len(record.users),
                size_text(quota.disk),
                size_text(quota.memory),
                quota.streams,
                quota.connections,
                record.account,
            ]
        )
    if not is_json:
        put_table(["tenant", "users", "disk", "memory", "streams", "connections", "account"], rows)
    if not rows:
        talk("there are no tenants")


@cli.command(
    "quota",
    epilog=option.examples("natant tenant quota acme --disk 100GB", "natant tenant quota acme --connections unlimited"),
)
@click.argument("name")
@_quota_options
@operator
@servers
@option.as_json
def quota(name: str, *, operator_path: Path, nats: str | None, is_json: bool, **quota: str | None) -> None:
    """Show what a tenant may use, or change it."""
    from natant.tenant.folder import OperatorFolder
    from natant.tenant.quota import size_text

    folder = OperatorFolder.open(operator_path)
    limits = folder.tenant(name).quota
    if any(text is not None for text in quota.values()):
        limits = folder.set_quota(name, _quota(limits, quota)).quota
        bring(folder, name, nats)
    facts = {field.name: getattr(limits, field.name) for field in fields(limits)}
    if is_json:
        put_json(facts)
        return
    sizes = {"disk", "memory", "stream_bytes", "payload"}
    put_table(
        ["limit", "value"],
        [
            [
                key,
                "unlimited"
                if value < 0 or (key, value) == ("stream_bytes", 0)
                else size_text(value)
                if key in sizes
                else value,
            ]
            for key, value in facts.items()
        ],
    )


@cli.command("rm", epilog=option.examples("natant tenant rm acme --yes"))
@click.argument("name")
@click.option("--keep-data", is_flag=True, help="Leave its streams where they are; nobody can read them then.")
@operator
@servers
@option.yes
def rm(name: str, *, keep_data: bool, operator_path: Path, nats: str | None, yes: bool) -> None:
    """Remove a tenant: its users, its streams, its keys.

    The servers must be there, or be told with --keep-data that the streams stay.
    """
    from natant.tenant.folder import OperatorFolder

    folder = OperatorFolder.open(operator_path)
    record = folder.tenant(name)
    confirm(
        f"Remove tenant {name} with its {len(record.users)} users{'' if keep_data else ' and all its data'}?",
        is_yes=yes,
    )
    url = nats or known_url(folder)
    if url is not None:
        try:
            asyncio.run(_remove(url, folder, name, record.account, keep_data))
        except FabricError as error:
            if nats is not None or not keep_data or error.code != NOT_THERE:
                raise
            talk("the server is down; it forgets the tenant when it starts")
    folder.remove_tenant(name)
    talk(f"tenant {name} is gone")


async def _remove(url: str, folder: Any, name: str, account: str, keep_data: bool) -> None:
    from natant.fabric.nats.resolver import Resolver, delete_streams

    if not keep_data:
        count = await delete_streams(url, folder.engine_creds(name))
        talk(f"{count} streams deleted")
    resolver = await Resolver.open(url, folder.system_creds)
    try:
        await resolver.delete(folder.deletion(account))
    finally:
        await resolver.close()


@cli.command("push", epilog=option.examples("natant tenant push --nats nats://db1:4222"))
@click.argument("names", metavar="[NAME]...", nargs=-1)
@operator
@servers
def push(names: tuple[str, ...], operator_path: Path, nats: str | None) -> None:
    """Bring tenants to servers that run already; all of them where none is named."""
    from natant.tenant.folder import OperatorFolder

    folder = OperatorFolder.open(operator_path)
    for name in names or folder.tenants():
        bring(folder, name, nats)


@cli.command("config", epilog=option.examples("natant tenant config >> nats-server.conf"))
@click.option("--jwt-folder", default="jwt", show_default=True, metavar="DIR", help="Where that server keeps accounts.")
@operator
def config(operator_path: Path, jwt_folder: str) -> None:
    """Print what makes a NATS server of your own serve the tenants. It holds no secrets."""
    from natant.fabric.nats.config import block, operator_part
    from natant.tenant.folder import OperatorFolder

    put(block(operator_part(OperatorFolder.open(operator_path).server_part(), Path(jwt_folder))))


@cli.command("serve", epilog=option.examples("natant tenant serve --port 4222", "natant tenant serve --websocket 8080"))
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Where to listen.")
@click.option("--port", default=4222, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option(
    "--websocket", metavar="PORT", type=click.IntRange(0, 65535), help="Let browsers speak NATS at this port."
)
@click.option("--mqtt", metavar="PORT", type=click.IntRange(0, 65535), help="Let MQTT devices in at this port.")
@click.option("--leafs", metavar="PORT", type=click.IntRange(0, 65535), help="Let edges in at this port.")
@click.option(
    "--data",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="The server's folder. [default: nats in the operator's]",
)
@operator
@option.as_json
def serve(
    *,
    host: str,
    port: int,
    websocket: int | None,
    mqtt: int | None,
    leafs: int | None,
    data: Path | None,
    operator_path: Path,
    is_json: bool,
) -> None:
    """Serve the NATS of all tenants, until a signal comes.

    Planes and users connect to it, each with its own credentials.
    """
    from natant.fabric.nats.config import EngineSpec
    from natant.tenant.folder import OperatorFolder

    folder = OperatorFolder.open(operator_path)
    spec = EngineSpec(
        plane="tenants",
        folder=data or folder.path / "nats",
        operator=folder.server_part(),
        host=host,
        port=port,
        websocket=_listener(websocket),
        mqtt=_listener(mqtt),
        leafs=_listener(leafs),
    )
    try:
        asyncio.run(_serve(spec, folder, is_json))
    finally:
        remember_server(folder, None)


def _listener(port: int | None) -> bool | int:
    return False if port is None else port or True


async def _serve(spec: Any, folder: Any, is_json: bool) -> None:
    import signal

    from natant.fabric.nats.embedded import EmbeddedServer
    from natant.fabric.nats.resolver import forget_others

    assert spec.operator is not None
    forget_others(spec.folder / "jwt", spec.operator.accounts)
    server = await EmbeddedServer.start(spec)
    try:
        remember_server(folder, server.url(), server.url(kind="http"))
        if is_json:
            put_json({"url": server.url(), "tenants": folder.tenants(), "pid": server.pid})
        else:
            talk(f"open    {server.url()}  for {', '.join(folder.tenants()) or 'no tenants yet'}")
            talk("stop    Ctrl-C, or SIGTERM")
        asked = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, asked.set)
        await asked.wait()
    finally:
        await server.stop()
