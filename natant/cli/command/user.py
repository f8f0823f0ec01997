"""``natant user``: the users of a tenant, and their credentials."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import click

from natant.cli import option
from natant.cli.show import put, put_json, put_table, talk
from natant.cli.tenancy import bring, operator, read_life, servers

__all__ = ["cli"]


@click.group("user", context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Add and revoke users of a tenant; make tokens of their credentials.

    Roles: writer commands and reads all agents, reader only reads them, owner has those whose second part is its name (/vehicle/7 for
    user 7), device is an owner over MQTT, edge is a plane that forwards to the tenant's, engine may do everything in the tenant's account.
    """


@cli.command(
    "add",
    epilog=option.examples(
        "natant user add acme ann --out ann.creds", "natant user add acme 7 --role owner --expires 365d"
    ),
)
@click.argument("tenant")
@click.argument("name")
@click.option("--role", default="writer", show_default=True, help="writer, reader, owner, device, edge or engine.")
@click.option("--expires", default="30d", show_default=True, metavar="SPAN", help="90s, 15m, 12h, 30d, or never.")
@click.option(
    "--out",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the credentials there, mode 0600.",
)
@operator
def add(tenant: str, name: str, *, role: str, expires: str, out: Path | None, operator_path: Path) -> None:
    """Add a user; prints its credentials, which are kept nowhere else."""
    from natant.tenant.folder import OperatorFolder

    credentials = OperatorFolder.open(operator_path).add_user(tenant, name, role, read_life(expires))
    if out is None:
        put(credentials.text().rstrip())
    else:
        credentials.write(out)
        talk(f"the credentials of {name} are in {out}; whoever has the file is {name}")
    if role == "device":
        talk("a device shows the first part as its password: it is a secret too, so let it use TLS")


@cli.command("ls")
@click.argument("tenant")
@operator
@option.as_json
def ls(tenant: str, operator_path: Path, is_json: bool) -> None:
    """List the users of a tenant."""
    from natant.tenant.folder import OperatorFolder

    users = OperatorFolder.open(operator_path).tenant(tenant).users
    now = time.time()
    rows = []
    for name, user in sorted(users.items()):
        if user.expires is not None and user.expires <= now:
            continue
        if is_json:
            put_json({"user": name, "role": user.role, "issued": user.issued, "expires": user.expires, "key": user.key})
        until = "never" if user.expires is None else datetime.fromtimestamp(user.expires, UTC).isoformat(" ")[:19]
        rows.append([name, user.role, until, user.key])
    if not is_json:
        put_table(["user", "role", "expires", "key"], rows)


@cli.command("revoke", epilog=option.examples("natant user revoke acme ann"))
@click.argument("tenant")
@click.argument("name")
@operator
@servers
def revoke(tenant: str, name: str, operator_path: Path, nats: str | None) -> None:
    """Take back all tokens of a user: servers cut it off at once, doors within two seconds."""
    from natant.tenant.folder import OperatorFolder

    folder = OperatorFolder.open(operator_path)
    folder.revoke_user(tenant, name)
    bring(folder, tenant, nats)


@cli.command(
    "token",
    epilog=option.examples(
        "NATANT_TOKEN=$(natant user token ann.creds) natant ls", "natant user token ann.creds --expires 30s"
    ),
)
@click.argument("credentials", metavar="FILE.creds", type=click.Path(path_type=Path))
@click.option("--expires", default="5m", show_default=True, metavar="SPAN", help="At most 1h.")
def token(credentials: Path, expires: str) -> None:
    """Sign a token for the WebSocket and HTTP doors, here and now.

    It needs the user's credentials and nothing else: no server is asked.
    """
    from natant.fabric.nats.credential import TOKEN_LIFE_MAX_S, Credentials

    life_s = read_life(expires)
    put(Credentials.read(credentials).door_token(time.time(), TOKEN_LIFE_MAX_S + 1 if life_s is None else life_s))
