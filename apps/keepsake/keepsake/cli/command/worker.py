"""``keepsake worker``: more hands for the queues."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from keepsake.cli import option
from keepsake.cli.command.serve import queues
from keepsake.cli.crew import QUEUES, Crew
from keepsake.cli.show import talk

__all__ = ["cli"]

#: processes of one command
PROCESSES: Final = 64


@click.command(
    "worker", epilog=option.examples("keepsake worker", "keepsake worker read --processes 4", "keepsake worker hear")
)
@click.argument("names", nargs=-1, metavar="[QUEUE]...")
@click.option("--processes", default=1, show_default=True, type=click.IntRange(1, PROCESSES), help="For each queue.")
@click.option(
    "--slots", type=click.IntRange(1, 64), help="Jobs that a process does at a time. [default: 2 of read, else 1]"
)
@click.option(
    "--logs", metavar="DIR", type=click.Path(path_type=Path), help="Where the processes' logs go. [default: stderr]"
)
@option.data
def cli(*, names: tuple[str, ...], processes: int, slots: int | None, logs: Path | None, data: Path) -> int:
    """Read, hear, learn and forget: do the jobs of the service.

    QUEUE is read (text into memories), hear (speech into text), learn (people's models) or forget (deletions); all of
    them where none is named. Any number of workers may run, and die at any time: what one did not finish another does. On another machine
    $NATANT_NATS names the service's NATS servers, and the data folder is shared.
    """
    crew = Crew(data, logs)
    wanted = queues(",".join(names)) if names else list(QUEUES)
    try:
        for queue in wanted:
            for _ in range(processes):
                crew.start_worker(queue, slots or QUEUES[queue])
        talk(f"at work: {', '.join(member.name for member in crew.members)}; Ctrl-C stops")
        return crew.watch()
    except BaseException:
        crew.stop()
        raise
