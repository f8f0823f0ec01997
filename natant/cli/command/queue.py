"""``natant queue``: work queues, their figures and their parked jobs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import click
import msgspec

from natant.cli import option
from natant.cli.confirm import confirm
from natant.cli.queue import Reach, reach_options, run
from natant.cli.show import put_json, put_table, talk

if TYPE_CHECKING:
    from natant.fabric.nats.engine import Engine
    from natant.queue.message import Parked

__all__ = ["cli"]


@click.group("queue", context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Look at work queues and their parked jobs; do those again, or drop them.

    Where neither --nats nor --data is given, the plane of plane.py, app.py or main.py in this folder is meant.
    """


@cli.command("ls", epilog=option.examples("natant queue ls", "natant queue ls --nats nats://db1 --plane calls --json"))
@reach_options
@option.as_json
def ls(*, reach: Reach, is_json: bool) -> None:
    """List the queues of a plane with their figures; takes a second."""
    from natant.queue.nats.look import look

    found = run(reach.spec(), look)
    if is_json:
        for figures in found:
            put_json(figures.as_dict())
    elif found:
        put_table(
            [
                "queue",
                "waiting",
                "running",
                "parked",
                "oldest s",
                "in/s",
                "out/s",
                "job s",
                "workers",
                "slots",
                "suggested",
            ],
            [
                [
                    each.queue,
                    each.depth,
                    each.running,
                    each.parked,
                    f"{each.oldest_s:.1f}",
                    f"{each.rate_in:.1f}",
                    f"{each.rate_out:.1f}",
                    f"{each.service_s:.3f}",
                    each.workers,
                    each.slots,
                    each.suggested_workers,
                ]
                for each in found
            ],
        )
    if not found:
        talk("the plane has no queues")


@cli.command("parked", epilog=option.examples("natant queue parked asr"))
@click.argument("queue")
@reach_options
@option.as_json
def parked(*, queue: str, reach: Reach, is_json: bool) -> None:
    """List the parked jobs of a queue with their causes, oldest first."""
    found = run(reach.spec(), lambda engine: _parked(engine, queue))
    if is_json:
        for each in found:
            put_json(_facts(each))
    else:
        rows = [
            [each.job.id, each.job.node, each.job.about, each.attempts, each.cause, _when(each.at)] for each in found
        ]
        put_table(["name", "asked by", "about", "attempts", "cause", "when"], rows)
    if not found:
        talk("nothing is parked")


@cli.command("retry", epilog=option.examples("natant queue retry asr 1m7yza9w23fptc14x27js"))
@click.argument("queue")
@click.argument("names", metavar="NAME...", nargs=-1)
@click.option("--all", "is_all", is_flag=True, help="All that is parked, oldest first.")
@reach_options
@option.as_json
def retry(*, queue: str, names: tuple[str, ...], is_all: bool, reach: Reach, is_json: bool) -> None:
    """Give parked jobs another round of attempts."""
    from natant.queue.nats import parked as kept

    spec = reach.spec()
    for name in _chosen(spec, queue, names, is_all=is_all):
        _tell(run(spec, partial(_act, kept.retry, queue, name)), "back in", is_json)


@cli.command("drop", epilog=option.examples("natant queue drop asr --all --yes"))
@click.argument("queue")
@click.argument("names", metavar="NAME...", nargs=-1)
@click.option("--all", "is_all", is_flag=True, help="All that is parked.")
@option.yes
@reach_options
@option.as_json
def drop(*, queue: str, names: tuple[str, ...], is_all: bool, yes: bool, reach: Reach, is_json: bool) -> None:
    """Forget parked jobs, with what they were given."""
    from natant.queue.nats import parked as kept

    spec = reach.spec()
    chosen = _chosen(spec, queue, names, is_all=is_all)
    if chosen:
        confirm(
            f"forget {len(chosen)} parked of {queue} ({', '.join(chosen[:3])}{', ...' if chosen[3:] else ''})?",
            is_yes=yes,
        )
    for name in chosen:
        _tell(run(spec, partial(_act, kept.drop, queue, name)), "gone from", is_json)


def _chosen(spec: Any, queue: str, names: tuple[str, ...], *, is_all: bool) -> list[str]:
    if bool(names) == is_all:
        raise click.UsageError(f"name the parked jobs, or say --all; natant queue parked {queue} lists them")
    if names:
        return list(names)
    found = [each.job.id for each in run(spec, lambda engine: _parked(engine, queue))]
    if not found:
        talk("nothing is parked")
    return found


def _place(engine: Engine, queue: str) -> Any:
    from natant.queue.nats.place import QueuePlace

    return QueuePlace(engine.subjects, queue)


async def _act(what: Callable[..., Awaitable[Parked]], queue: str, name: str, engine: Engine) -> Parked:
    return await what(engine, _place(engine, queue), name)


async def _parked(engine: Engine, queue: str) -> list[Parked]:
    from natant.queue.nats import parked as kept

    return [each async for each in kept.each(engine, _place(engine, queue))]


def _facts(each: Parked) -> dict[str, Any]:
    from natant.codec import recon
    from natant.codec.form import any_to_json

    job = each.job
    return {
        "queue": job.queue,
        "name": job.id,
        "node": job.node,
        "lane": job.lane,
        "key": job.key,
        "priority": job.priority,
        "about": job.about,
        "round": job.round,
        "attempts": each.attempts,
        "cause": each.cause,
        "worker": each.worker,
        "submitted": job.at,
        "parked": each.at,
        "input": msgspec.Raw(any_to_json(recon.decode(job.input))),
    }


def _tell(each: Parked, what: str, is_json: bool) -> None:
    if is_json:
        put_json(_facts(each))
    else:
        talk(f"{each.job.id} is {what} {each.job.queue}")


def _when(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat(" ", "seconds") if at_s else "-"
