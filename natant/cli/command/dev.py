"""``natant dev``: serve while writing."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import click

from natant.cli import option
from natant.cli.confirm import confirm
from natant.cli.serving import DEFAULT_PORT, shown_path
from natant.cli.show import put_json, talk

__all__ = ["cli"]


@click.command(
    "dev", epilog=option.examples("natant dev", "natant dev plane.py --fresh --yes", "natant dev plane.py --port 0")
)
@click.argument("file", metavar="[FILE[:NAME]]", required=False)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="Where to listen; anything but loopback lets others in.",
)
@click.option(
    "--port",
    default=DEFAULT_PORT,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="0 takes a free one, and keeps it.",
)
@click.option("--data", metavar="DIR", help="The data folder. [default: .natant/PLANE beside FILE]")
@click.option("--volatile", "is_volatile", is_flag=True, help="Keep nothing on disk: state is lost with each reload.")
@click.option("--fresh", is_flag=True, help="Remove the data folder first.")
@click.option(
    "--allow-origin",
    "allow_origins",
    multiple=True,
    metavar="URL",
    help="Web pages of this origin may use the server. May be repeated.",
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="warning",
    show_default=True,
    help="What is logged.",
)
@option.yes
@click.option("--json", "is_json", is_flag=True, help="Print one JSON line on stdout each time the server is up.")
def cli(
    *,
    file: str | None,
    host: str,
    port: int,
    data: str | None,
    is_volatile: bool,
    fresh: bool,
    allow_origins: tuple[str, ...],
    log_level: str,
    yes: bool,
    is_json: bool,
) -> int:
    """Serve a plane, and load it anew when a file is saved; the state is kept.

    Watches the .py files below the folder of FILE. Tells which lanes were kept, added, dropped and changed. A version that cannot
    be imported replaces nothing: the one before is served on. Clients link again by themselves.
    """
    from natant.cli.load import find_file
    from natant.cli.supervise import Plan, Supervisor

    if is_volatile and (data is not None or fresh):
        raise click.UsageError("--volatile excludes --data and --fresh")
    path, name = find_file(file)

    def on_ready(facts: dict[str, Any]) -> None:
        if is_json:
            put_json(facts)
            sys.stdout.flush()

    plan = Plan(
        path=path,
        name=name,
        host=host,
        port=port,
        data=data,
        is_volatile=is_volatile,
        allow_origins=allow_origins,
        log_level=log_level,
        fresh=(lambda folder: _clear(folder, is_yes=yes)) if fresh else None,
        on_ready=on_ready,
    )
    return Supervisor(plan).run()


def _clear(folder: Path, *, is_yes: bool) -> None:
    """Remove a data folder that nobody has open.

    :raises NatantError: where it is none (``NT-STORE-001``), or another process has it open (``NT-STORE-002``).
    """
    from natant.store.rocks import RocksStore

    if not folder.exists():
        return
    RocksStore(folder).close()
    confirm(f"remove {shown_path(folder)} with all state in it?", is_yes=is_yes)
    shutil.rmtree(folder)
    talk(f"fresh   {shown_path(folder)} was removed")
