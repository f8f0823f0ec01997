"""``natant hello``: the demo, with nothing to write and nothing to know."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from natant.cli import option
from natant.cli.serving import DEFAULT_PORT, Serving, data_folder, facts_of, serve, set_up_log, shown_path, warp_url
from natant.cli.show import paint, put_json, talk

if TYPE_CHECKING:
    from natant.server.server import Server

__all__ = ["cli"]


@click.command("hello", epilog=option.examples("natant hello --open", "natant hello --speed 3600 --data flights.data"))
@click.option(
    "--speed",
    type=click.FloatRange(0),
    metavar="S",
    help="Seconds of 2013 that pass in one second; 0: as fast as it goes. [default: 240]",
)
@click.option(
    "--from",
    "day",
    metavar="DAY",
    help="Replay up to this day or instant of 2013, such as 2013-02-08T12:00Z, as fast as it goes. [default: 2013-01-02T14:10Z]",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=None,
    help=f"The port. [default: {DEFAULT_PORT}, or a free one where that is taken]",
)
@click.option(
    "--data", metavar="DIR", help="Keep the state here, and go on with it the next time. [default: nothing is kept]"
)
@click.option("--open", "is_open", is_flag=True, help="Open the page in the browser.")
@option.as_json
def cli(
    *, speed: float | None, day: str | None, port: int | None, data: str | None, is_open: bool, is_json: bool
) -> int:
    """Show natant at work: a year of flights, live on a map.

    The 336,776 flights that left New York in 2013 are replayed: airports, carriers, aircraft and connections are web agents, and the page is
    linked to them. Prints the page's address. Ctrl-C stops it.
    """
    set_up_log("text", "warning")
    if speed is not None:
        os.environ["FLIGHTS_SPEED"] = f"{speed:g}"
    if day is not None:
        os.environ["FLIGHTS_FROM"] = day
    found = _demo()
    serving = Serving(port=_choose(port), data=data_folder(found, data, is_volatile=data is None))

    def on_ready(server: Server) -> None:
        if is_json:
            put_json(facts_of(found, serving, server))
            sys.stdout.flush()
        _greet(server, serving)
        if is_open:
            import webbrowser

            webbrowser.open(server.url)

    return serve(found.plane, serving, on_ready)


def _demo() -> Any:
    """The plane of the flights.

    :raises NatantError: ``NT-DEMO-001`` where its packages are missing.
    """
    from natant.cli.load import Found
    from natant.demo.flights import plane, table

    plane.speed()
    plane.begin()
    table.folder()
    return Found(plane.plane, Path(plane.__file__), "plane")


def _choose(port: int | None) -> int:
    """The port that was asked for; else the usual one, or 0 (a free one) where that is taken."""
    import socket

    if port is not None:
        return port
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", DEFAULT_PORT))
        except OSError:
            return 0
    return DEFAULT_PORT


def _greet(server: Server, serving: Serving) -> None:
    at = "" if server.port == DEFAULT_PORT else f" --at {warp_url(server.url)}"
    talk("The flights that left New York in 2013, live. Open this page:")
    talk()
    talk(f"    {paint(server.url, 'green', bold=True)}")
    talk()
    talk("Everything on it is a link, and a terminal can link too:")
    talk(f"    natant ls /airport/{at}")
    talk(f"    natant link /control clock{at}")
    talk(f"    natant get /control waves{at}")
    talk()
    talk(f"State: {'nothing is kept' if serving.data is None else shown_path(serving.data)}. Ctrl-C stops it.")
