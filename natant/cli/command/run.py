"""``natant run``: serve a plane."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from natant.cli.cluster import ClusterChoice, cluster_options, run_workers
from natant.cli.edge import EdgeChoice, edge_options
from natant.cli.nats import EMBEDDED, NatsChoice, nats_options
from natant.cli.serving import DEFAULT_PORT, Serving, announce, data_folder, facts_of, serve, set_up_log

if TYPE_CHECKING:
    from natant.cli.load import Found

__all__ = ["cli"]


@click.command("run")
@click.argument("file", metavar="[FILE[:NAME]]", required=False)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="Where to listen; anything but loopback lets others in.",
)
@click.option(
    "--port", default=DEFAULT_PORT, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one."
)
@click.option("--data", metavar="DIR", help="The data folder. [default: .natant/PLANE beside FILE]")
@click.option("--volatile", "is_volatile", is_flag=True, help="Keep nothing on disk.")
@click.option(
    "--allow-origin",
    "allow_origins",
    multiple=True,
    metavar="URL",
    help="Web pages of this origin may use the server. May be repeated.",
)
@click.option(
    "--allow-host",
    "allow_hosts",
    multiple=True,
    metavar="NAME",
    help="A further name of this server on loopback. May be repeated.",
)
@click.option(
    "--tls",
    nargs=2,
    metavar="CERT KEY",
    type=click.Path(exists=True, dir_okay=False),
    help="Certificate chain and key (PEM): serve https and wss.",
)
@nats_options
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="The log on stderr: for people, or JSON lines.",
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="warning",
    help="What is logged. [default: warning; info with --log-format json]",
)
@click.option("--json", "is_json", is_flag=True, help="Print one JSON line on stdout when the server is up.")
@click.option(
    "--work",
    metavar="QUEUES",
    help='Do the jobs of these queues in this process, by commas; "all": of all that have a function. For small machines.',
)
@edge_options
@cluster_options
@click.pass_context
def cli(
    context: click.Context,
    /,
    *,
    file: str | None,
    host: str,
    port: int,
    data: str | None,
    is_volatile: bool,
    allow_origins: tuple[str, ...],
    allow_hosts: tuple[str, ...],
    tls: tuple[str, str] | None,
    nats: str | None,
    log_format: str,
    log_level: str,
    is_json: bool,
    work: str | None,
    edge: EdgeChoice,
    cluster: ClusterChoice,
    **nats_more: Any,
) -> int:
    """Serve a plane.

    FILE is a Python file; NAME says which plane of it where it has several. Without FILE, plane.py, app.py or
    main.py of this folder is taken.

    The first Ctrl-C or SIGTERM stops gracefully, the second at once (exit code 130). Nothing that was acknowledged is lost, by kill -9
    either.
    """
    if nats is not None and nats != EMBEDDED and "://" not in nats and file is None:
        nats, file = EMBEDDED, nats  # natant run --nats app.py
    cluster.check(is_volatile=is_volatile, edge=edge)
    choice = NatsChoice.of(cluster.servers(nats, nats_more["tenant"]), nats_more)
    cluster = cluster.divided(None if choice is None else choice.partitions)
    if data is not None and is_volatile:
        raise click.UsageError("--data and --volatile exclude each other")
    set_up_log(log_format, _level(context, log_format, log_level))
    found = _load(file)
    folder = data_folder(found, data, is_volatile)
    spec = None if choice is None else choice.engine(found.plane.name, folder)
    spec = cluster.engine(found.plane.name, edge.engine(found.plane.name, folder, spec), folder)
    if cluster.workers:
        assert spec is not None
        return run_workers(context, found, cluster, spec, choice)
    serving = Serving(
        host=host,
        port=port,
        data=None if cluster.is_shared else folder,
        allow_origins=allow_origins,
        allow_hosts=allow_hosts,
        tls=tls,
        engine=spec,
        is_shared=cluster.is_shared,
        partitions=cluster.partitions,
        listener=cluster.take_listener(),
        features=[*edge.features(), *_works(work, found)],
        tenant=None if choice is None else choice.tenant,
    )

    def on_ready(server: object) -> None:
        from natant.cli.show import put_json
        from natant.server.server import Server

        assert isinstance(server, Server)
        if choice is not None:
            choice.note(server.service.engine)
        if is_json:
            put_json(facts_of(found, serving, server))
            sys.stdout.flush()
        if log_format == "text" and not cluster.is_of_crew:
            announce(found, serving, server)

    try:
        return serve(found.plane, serving, on_ready)
    finally:
        if choice is not None:
            choice.note(None)


def _level(context: click.Context, log_format: str, log_level: str) -> str:
    """What is logged where nobody says: to programs more than to people."""
    is_default = context.get_parameter_source("log_level") is click.core.ParameterSource.DEFAULT
    return "info" if log_format == "json" and is_default else log_level


def _works(work: str | None, found: Found) -> list[Callable[..., Any]]:
    """Workers in this process."""
    if work is None:
        return []
    from natant.queue.nats.inside import InsideWorkers

    queues = () if work == "all" else tuple(name.strip() for name in work.split(",") if name.strip())
    return [lambda engine, _: InsideWorkers(engine, found.plane, queues)]


def _load(file: str | None) -> Found:
    """The plane in ``file``."""
    from natant.cli.load import ImportFault, find_file, load_plane

    path, name = find_file(file)
    try:
        return load_plane(path, name)
    except ImportFault as error:
        click.echo(error.trace.rstrip(), err=True)
        raise
