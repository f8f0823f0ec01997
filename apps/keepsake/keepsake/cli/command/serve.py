"""``keepsake serve``: the service on this machine."""

from __future__ import annotations

from pathlib import Path

import click

from keepsake.cli import option
from keepsake.cli.crew import QUEUES, Crew, plane_options
from keepsake.cli.option import DEFAULT_PORT
from keepsake.cli.show import paint, put_json, talk

__all__ = ["cli"]


@click.command(
    "serve",
    epilog=option.examples("keepsake serve", "keepsake serve --host 0.0.0.0 --tls cert.pem key.pem --workers none"),
)
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Where to listen; anything but loopback lets others in."
)
@click.option(
    "--port", default=DEFAULT_PORT, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one."
)
@click.option("--allow-origin", multiple=True, metavar="URL", help="Web pages of this origin may use the service.")
@click.option("--allow-host", multiple=True, metavar="NAME", help="A further name of the service on loopback.")
@click.option("--tls", nargs=2, metavar="CERT KEY", type=click.Path(exists=True), help="Serve https and wss only.")
@click.option(
    "--workers",
    metavar="QUEUES",
    default="read,hear,learn,forget",
    show_default=True,
    help="Queues that get a worker here, by commas; none: start them with keepsake worker.",
)
@click.option("--edges", metavar="[HOST:]PORT", help="Let edges in here; 0 takes a free port. See keepsake edge.")
@click.option(
    "--logs", metavar="DIR", type=click.Path(path_type=Path), help="Where the processes' logs go. [default: stderr]"
)
@option.data
@option.as_json
def cli(
    *,
    host: str,
    port: int,
    allow_origin: tuple[str, ...],
    allow_host: tuple[str, ...],
    tls: tuple[str, str] | None,
    workers: str,
    edges: str | None,
    logs: Path | None,
    data: Path,
    is_json: bool,
) -> int:
    """Serve people's memories.

    One plane, with its page, and a worker for each queue. All of it is in the data folder; a process that ends by itself is started again. Ctrl-C or SIGTERM
    stops gracefully; nothing that was acknowledged is lost, by kill -9 either.
    """
    wanted = queues(workers)
    data.mkdir(parents=True, exist_ok=True)
    crew = Crew(data, logs)
    try:
        url = crew.start_plane(
            *plane_options(host, port, allow_origin, allow_host, tls),
            *(["--edges", edges] if edges is not None else []),
        )
        for queue in wanted:
            crew.start_worker(queue, QUEUES[queue])
        if is_json:
            put_json({"url": url, "data": str(data), "workers": wanted})
        else:
            talk(f"open     {paint(url, 'green', is_stderr=True)}")
            talk(f"data     {data.absolute()}")
            talk(f"workers  {', '.join(wanted) or 'none here; keepsake worker starts them'}")
            talk("stop     Ctrl-C; add people with keepsake person add NAME")
        return crew.watch()
    except BaseException:
        crew.stop()
        raise


def queues(text: str) -> list[str]:
    """The queues named.

    :raises click.UsageError: where there is none of a name.
    """
    names = [name.strip() for name in text.split(",") if name.strip() not in ("", "none")]
    for name in names:
        if name not in QUEUES:
            raise click.UsageError(f"there is no queue {name!r}; there are {', '.join(QUEUES)}")
    return names
