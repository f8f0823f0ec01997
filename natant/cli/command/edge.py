"""``natant edge``: at a hub, the edges that are let in."""

from __future__ import annotations

import json
from pathlib import Path

import click

from natant.cli import option
from natant.cli.serving import data_folder
from natant.cli.show import put, put_json, put_table, talk
from natant.errors import EdgeError

__all__ = ["cli"]


@click.group("edge", context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """At a hub: add edges, list them, remove them.

    A hub that runs takes changes up at once. Run it with natant run --edges PORT.
    """


_file = click.argument("file", metavar="[FILE[:NAME]]", required=False)
_data = click.option("--data", metavar="DIR", help="The hub's data folder. [default: .natant/PLANE beside FILE]")


@cli.command(
    "add", epilog=option.examples("natant edge add truck-7", "natant edge add truck-7 --at hub.example.org:7422")
)
@click.argument("name")
@_file
@_data
@click.option(
    "--at", metavar="HOST[:PORT]", help="Where edges reach this hub. [default: this machine, the hub's own port]"
)
@option.as_json
def add(name: str, file: str | None, data: str | None, at: str | None, is_json: bool) -> None:
    """Let an edge in, and print the URL it runs with.

    The URL holds the edge's password. For an edge that is known already the same one is printed again.
    """
    from natant.edge.name import check_name
    from natant.fabric.nats.leaf import Edges, leaf_url

    folder = _folder(file, data)
    password = Edges(folder).add(check_name(name))
    url = leaf_url(name, password, _place(folder, at))
    if is_json:
        put_json({"edge": name, "url": url})
        return
    put(url)
    talk(f"at the edge: natant run FILE --leaf '{url}'")


@cli.command("ls")
@_file
@_data
@option.as_json
def ls(file: str | None, data: str | None, is_json: bool) -> None:
    """List the edges that are let in."""
    from natant.fabric.nats.leaf import Edges

    names = sorted(Edges(_folder(file, data)).all())
    if is_json:
        for name in names:
            put_json({"edge": name})
    else:
        put_table(["edge"], [[name] for name in names])
    if not names:
        talk("no edge is let in")


@cli.command("rm")
@click.argument("name")
@_file
@_data
def rm(name: str, file: str | None, data: str | None) -> None:
    """Let an edge in no more. What it has forwarded stays; what it still holds is not taken any more."""
    from natant.fabric.nats.leaf import Edges

    if not Edges(_folder(file, data)).remove(name):
        raise EdgeError("NT-EDGE-012", f"this hub knows no edge {name!r}; natant edge ls lists those it knows")
    talk(f"{name} is let in no more")


def _folder(file: str | None, data: str | None) -> Path:
    """The folder of the hub's NATS server, made where the hub has never run."""
    from natant.cli.load import find_file, load_plane
    from natant.store.folder import NATS

    if data is None:
        path, name = find_file(file)
        place = data_folder(load_plane(path, name), None, is_volatile=False)
    else:
        place = Path(data).absolute()
    assert place is not None
    folder = place / NATS
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _place(folder: Path, at: str | None) -> str:
    """Host and port where edges come in."""
    host, colon, port = (at or "127.0.0.1").rpartition(":")
    if colon and port.isdecimal():
        return f"{host}:{port}"
    try:
        known = json.loads((folder / "ports.json").read_text("utf-8")).get("leafs")
    except (FileNotFoundError, ValueError, AttributeError):
        known = None
    if not known:
        raise EdgeError(
            "NT-EDGE-013",
            "it is not known at which port this hub lets edges in; run it once with natant run --edges PORT, or say --at HOST:PORT",
        )
    return f"{at or '127.0.0.1'}:{known}"
