"""``natant grow``: bring the store of an embedded NATS server into a cluster."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from natant.cli import option
from natant.cli.confirm import confirm
from natant.cli.finding import NATS_FOLDER
from natant.cli.show import put, put_json, talk

if TYPE_CHECKING:
    from natant.fabric.nats.grow import Grown

__all__ = ["cli"]


@click.command(
    "grow",
    epilog=option.examples("natant grow --data .natant/transit --to nats://engine:PASSWORD@db1,nats://db2,nats://db3"),
)
@click.option(
    "--data",
    metavar="DIR",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The data folder of the plane, which must be stopped.",
)
@click.option("--to", "url", metavar="URL", required=True, help="The servers, comma-separated; stores of their own.")
@click.option(
    "--creds",
    "credentials",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Credentials for them, a .creds file.",
)
@click.option(
    "--monitor", "monitors", multiple=True, metavar="URL", help="Their monitoring, http://host:8222; one each."
)
@option.yes
@option.as_json
def cli(*, data: Path, url: str, credentials: Path | None, monitors: tuple[str, ...], yes: bool, is_json: bool) -> None:
    """Bring the store of an embedded NATS server into a cluster.

    Copies every stream, with its sequences and consumers, waits until all copies are level, and marks the old store: it stays as it is,
    but no plane opens it again. Where it breaks off, the old store still counts; the same command goes on.
    """
    from natant.fabric.nats.grow import grow

    folder = data / NATS_FOLDER if (data / NATS_FOLDER / "natant.json").exists() else data
    confirm(f"Move the plane's store from {folder} to the servers at that URL?", is_yes=yes)

    def tell(grown: Grown) -> None:
        if is_json:
            put_json(
                {
                    "stream": grown.stream,
                    "messages": grown.state.messages,
                    "bytes": grown.state.bytes,
                    "last": grown.state.last,
                    "replicas": grown.replicas,
                }
            )
        else:
            put(f"{grown.stream}: {grown.state.messages} messages up to {grown.state.last}, {grown.replicas} copies")

    done = asyncio.run(grow(folder, url, credentials=credentials, monitors=monitors, on_stream=tell))
    talk(f"moved {len(done)} streams; {folder} is not opened again and can be kept as a backup")
