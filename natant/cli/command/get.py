"""``natant get``: the state of a lane, once."""

from __future__ import annotations

import click

from natant.cli import option
from natant.cli.remote import Remote
from natant.cli.show import put, put_json, put_value
from natant.cli.target import take_lane, words_only
from natant.cli.value import JSON_TYPE, RECON_TYPE

__all__ = ["cli"]


@click.command(
    "get",
    epilog=option.examples(
        "natant get /vehicle/7 position",
        "natant get /vehicle/7 speeds --key 5 --json",
        "natant get 'warp://127.0.0.1:9001/vehicle/7?lane=position'",
    ),
)
@click.argument("words", metavar="NODE LANE | URL", nargs=-1, required=True)
@click.option("--key", help="One entry of a map.")
@option.at
@option.as_json
@click.option("--recon", "is_recon", is_flag=True, help="Print Recon.")
def cli(words: tuple[str, ...], key: str | None, at: str | None, is_json: bool, is_recon: bool) -> None:
    """Print the state of a lane.

    What is printed is committed. Maps, lists and records are tables unless --json or --recon is given.
    """
    if is_json and is_recon:
        raise click.UsageError("--json and --recon exclude each other")
    target, rest = take_lane(words, at)
    words_only(rest, 0)
    with Remote(target.address) as remote:
        answer = remote.read(target.node, target.lane, key=key, media=RECON_TYPE if is_recon else JSON_TYPE)
    if is_recon:
        put(answer.body.decode())
    elif is_json:
        put_json(answer.body)
    else:
        put_value(answer.json())
