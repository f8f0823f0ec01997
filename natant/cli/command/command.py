"""``natant command``: an acknowledged command, or one that is only sent."""

from __future__ import annotations

import click

from natant.cli import option
from natant.cli.send import send_acknowledged, send_plain
from natant.cli.target import take_lane, words_only
from natant.cli.value import read_value

__all__ = ["cli"]


@click.command(
    "command",
    context_settings=option.TAKES_VALUE,
    epilog=option.examples(
        "natant command /counter/apples add 3",
        'natant command /vehicle/7 report \'{"lat":59.3,"lon":18.1}\'',
        "natant command /vehicle/7 report '{lat:59.3,lon:18.1}' --id trip-8-fix-15",
    ),
)
@click.argument("words", metavar="NODE LANE [VALUE]", nargs=-1, required=True)
@click.option(
    "--id",
    "command_id",
    metavar="ID",
    help="Names the command: with the same id it is done once, however often it is sent.",
)
@click.option("--no-wait", is_flag=True, help="Only send it, by WARP; for every server that speaks it.")
@click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(0, min_open=True),
    default=30.0,
    show_default=True,
    metavar="S",
    help="Seconds to wait for the answer.",
)
@option.notation
@option.at
@option.as_json
def cli(
    words: tuple[str, ...],
    *,
    command_id: str | None,
    no_wait: bool,
    wait_s: float,
    value_notation: str | None,
    at: str | None,
    is_json: bool,
) -> None:
    """Command a lane and wait until the effect is durable.

    Prints what the handler returned, and the sequence of the commit on stderr. VALUE is JSON or Recon; - reads it from stdin.
    """
    target, rest = take_lane(words, at)
    rest = words_only(rest, 1)
    value = read_value(rest[0] if rest else None, value_notation)
    if not no_wait:
        send_acknowledged(target, value, command_id, is_json, wait_s=wait_s)
    elif command_id is not None:
        raise click.UsageError("--id needs an acknowledged command; leave out --no-wait")
    else:
        send_plain(target, value)
