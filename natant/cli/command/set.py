"""``natant set``: set a value lane, or one entry of a map lane."""

from __future__ import annotations

import click

from natant.cli import option
from natant.cli.send import send_acknowledged, send_plain
from natant.cli.target import take_lane, words_only
from natant.cli.value import JSON_TYPE, RECON_TYPE, Sent, read_value

__all__ = ["cli"]


@click.command(
    "set",
    context_settings=option.TAKES_VALUE,
    epilog=option.examples(
        "natant set /room/5 target 21.5", "natant set /room/5 names --key desk '\"next to the window\"'"
    ),
)
@click.argument("words", metavar="NODE LANE VALUE", nargs=-1, required=True)
@click.option("--key", help="Set this entry of a map.")
@click.option("--no-wait", is_flag=True, help="Only send it, by WARP; for every server that speaks it.")
@option.notation
@option.at
@option.as_json
def cli(
    words: tuple[str, ...], *, key: str | None, no_wait: bool, value_notation: str | None, at: str | None, is_json: bool
) -> None:
    """Set a lane, or one entry of a map.

    Waits until that is durable; the agent's callbacks run. VALUE is JSON or Recon; - reads it from stdin.
    """
    target, rest = take_lane(words, at)
    rest = words_only(rest, 1)
    if not rest:
        raise click.UsageError(f"which value? Write it behind {target.lane}")
    value = read_value(rest[0], value_notation)
    if key is not None:
        value = _update(read_value(key, value_notation), value, is_warp=no_wait)
    if no_wait:
        send_plain(target, value)
    else:
        send_acknowledged(target, value, None, is_json)


def _update(key: Sent, value: Sent, *, is_warp: bool) -> Sent:
    """The operation that sets an entry: for HTTP in the notation of the value (JSON is read by the lane's types), for WARP in Recon."""
    from natant.codec import recon
    from natant.codec.form import any_to_json
    from natant.codec.warp import operation

    if value.media == JSON_TYPE and not is_warp:
        key_json = key.body if key.media == JSON_TYPE else any_to_json(key.as_recon())
        return Sent(b'{"op":"update","key":' + key_json + b',"value":' + value.body + b"}", JSON_TYPE)
    text = operation.update(recon.encode(key.as_recon()), recon.encode_body(value.as_recon()))
    return Sent(text.encode(), RECON_TYPE)
