"""``natant link``: follow a lane of any host that speaks WARP."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import click

from natant.cli import option
from natant.cli.show import put, talk
from natant.cli.target import Target, take_lane, words_only
from natant.errors import ClientError

if TYPE_CHECKING:
    from natant.cli.follow import Follower

__all__ = ["cli"]

#: how long a host may take to answer a link
LINK_WAIT_S: Final = 10.0

_REASON: Final = {
    "nodeNotFound": "no agent lives at {node}",
    "laneNotFound": '{node} has no lane "{lane}"; natant describe {node} lists its lanes',
    "noLane": '{node} has no lane "{lane}"',
}


@click.command(
    "link",
    epilog=option.examples(
        "natant link /vehicle/7 position", "natant link 'warp://127.0.0.1:9001/vehicle/7?lane=speeds' --rate 2 --json"
    ),
)
@click.argument("words", metavar="NODE LANE | URL", nargs=-1, required=True)
@click.option("--once", is_flag=True, help="Print the state and end.")
@click.option(
    "--count", type=click.IntRange(1), metavar="N", help="End after N lines of changes; the state is not counted."
)
@click.option(
    "--rate",
    type=click.FloatRange(0, min_open=True),
    default=None,
    metavar="R",
    help="At most R events a second; the host conflates.",
)
@click.option("--prio", type=float, default=0.0, metavar="P", help="Links of a higher priority are sent first.")
@click.option("--sync/--no-sync", "wants_sync", default=True, help="Begin with the state, or only with what changes.")
@option.at
@option.as_json
@click.option("--recon", "is_recon", is_flag=True, help="Print the bodies of events in Recon.")
def cli(
    words: tuple[str, ...],
    *,
    once: bool,
    count: int | None,
    rate: float | None,
    prio: float,
    wants_sync: bool,
    at: str | None,
    is_json: bool,
    is_recon: bool,
) -> None:
    """Follow a lane: its state, then every change.

    One line an event, until Ctrl-C. Works with every lane of every server that speaks WARP, SwimOS's too. A connection that breaks is made
    again, and the state printed anew.
    """
    if is_json and is_recon:
        raise click.UsageError("--json and --recon exclude each other")
    if once and not wants_sync:
        raise click.UsageError("--once prints the state, which --no-sync does not ask for")
    target, rest = take_lane(words, at)
    words_only(rest, 0)

    from natant.cli.follow import Follower

    follower = Follower(target.node, target.lane, wants_sync=wants_sync, rate=rate or 0.0, prio=prio)
    asyncio.run(_link(target, follower, once=once, count=count, write=_writer(is_json, is_recon), is_json=is_json))


def _writer(is_json: bool, is_recon: bool) -> Callable[[Any], None]:
    """How an event is printed."""
    from natant.cli.follow import as_facts, as_text
    from natant.codec import recon

    def write(body: Any) -> None:
        put(as_facts(body).decode() if is_json else recon.encode_body(body).strip() if is_recon else as_text(body))

    return write


async def _link(
    target: Target,
    follower: Follower,
    *,
    once: bool,
    count: int | None,
    write: Callable[[Any], None],
    is_json: bool,
) -> None:
    from natant.cli.follow import connected

    left = count
    is_live = not follower.downlink.wants_sync
    async with connected(target.address) as connection:
        connection.channel.open(follower.downlink)
        wait_s: float | None = LINK_WAIT_S
        while True:
            try:
                async with asyncio.timeout(wait_s):
                    change = await follower.next()
            except TimeoutError:
                raise ClientError(
                    "NT-CLI-005",
                    f"{target.address.host_uri} did not answer the link to {target} within {LINK_WAIT_S:g} s",
                ) from None
            if follower.missed:
                talk(
                    f"{follower.missed} events were left out: they came faster than they could be printed; --rate asks for fewer"
                )
                follower.missed = 0
            if change.kind == "event":
                write(change.new)
                if is_live and left is not None:
                    left -= 1
                    if left == 0:
                        return
            elif change.kind == "synced":
                is_live, wait_s = True, None
                if is_json and not once:
                    put('{"op":"synced"}')
                if once:
                    return
                _say("synced; changes follow", is_json)
            elif change.kind == "linked":
                wait_s = wait_s if follower.downlink.wants_sync else None
                _say(f"linked to {target} of {target.address.host_uri}", is_json)
            elif change.kind == "stale":
                is_live = not follower.downlink.wants_sync
                talk(f"the connection broke ({change.new}); trying again")
            elif change.kind == "unlinked":
                raise _ended(target, str(change.new or ""))
            elif change.kind == "failed":
                talk(f"an event was left out: {change.new}")
            sys.stdout.flush()


def _say(text: str, is_json: bool) -> None:
    """Talk that only a person at a terminal wants."""
    if not is_json and sys.stderr.isatty():
        talk(text)


def _ended(target: Target, reason: str) -> ClientError:
    words = _REASON.get(reason, "").format(node=target.node, lane=target.lane)
    return ClientError(
        "NT-CLI-013",
        f"the host ended the link to {target} of {target.address.host_uri}: {words or reason or 'no reason given'}",
        reason=reason,
    )
