"""``keepsake grant``: leave for others to ask."""

from __future__ import annotations

import time

import click

from keepsake.agent.value import Give, Granted, GrantState
from keepsake.cli import option
from keepsake.cli.moment import moment
from keepsake.cli.option import Reach
from keepsake.cli.show import day, put, put_json, put_table, talk

__all__ = ["cli"]


@click.group("grant")
def cli() -> None:
    """Give others leave to ask, list what was given, take it back."""


@cli.command(
    "give",
    epilog=option.examples(
        'keepsake grant give ada ben --until 30d --area work --without Gaspar --purpose "the floor"'
    ),
)
@click.argument("person")
@click.argument("to")
@click.option("--until", default="30d", show_default=True, metavar="TIME", help="A day, or 30d, 2w, 1y from now.")
@click.option("--area", multiple=True, help="Only memories of this area of life or category. May be repeated.")
@click.option("--name", multiple=True, help="Only memories that name this. May be repeated.")
@click.option("--without", multiple=True, help="No memory that names this. May be repeated.")
@click.option("--stream", multiple=True, help="Only memories of this stream. May be repeated.")
@click.option("--since", metavar="TIME", help="Only what was said from then on.")
@click.option("--before", metavar="TIME", help="Only what was said before.")
@click.option("--purpose", default="", help="What it is for, in words.")
@option.reach
@option.as_json
def give(
    *,
    person: str,
    to: str,
    until: str,
    area: tuple[str, ...],
    name: tuple[str, ...],
    without: tuple[str, ...],
    stream: tuple[str, ...],
    since: str | None,
    before: str | None,
    purpose: str,
    reach: Reach,
    is_json: bool,
) -> None:
    """Let TO ask PERSON's memories, within bounds and until a time.

    What is printed is for TO: a signed token, which is worth nothing in anybody else's hand.
    """
    now = time.time()
    what = Give(
        to,
        moment(until, now),
        areas=list(area),
        names=list(name),
        streams=list(stream),
        without=list(without),
        said_since=moment(since, now) if since else None,
        said_until=moment(before, now) if before else None,
        purpose=purpose,
    )
    with reach.connect(person) as client:
        given = client.ask(f"/person/{person}", "give", what, of=Granted)
    if is_json:
        put_json(given)
    else:
        put(given.token)
        talk(
            f"{to} may ask until {day(given.state.until)}: keepsake ask {to} QUESTION --about {person} --grant TOKEN\n"
            f"to take it back: keepsake grant revoke {person} {given.id}"
        )


@cli.command("ls")
@click.argument("person")
@option.reach
@option.as_json
def ls(*, person: str, reach: Reach, is_json: bool) -> None:
    """List the grants that PERSON has given."""
    with reach.connect(person) as client:
        found = client.map(f"/person/{person}", "grants", str, GrantState).synced().snapshot()
    if is_json:
        for grant, state in found:
            put_json({"id": grant, "state": state})
        return
    put_table(
        ["id", "to", "until", "revoked", "purpose"],
        [(grant, s.to, day(s.until), day(s.revoked) if s.revoked else "-", s.purpose or "-") for grant, s in found],
    )


@cli.command("revoke")
@click.argument("person")
@click.argument("grant")
@option.reach
def revoke(*, person: str, grant: str, reach: Reach) -> None:
    """Take a grant back, from now on."""
    with reach.connect(person) as client:
        client.ask(f"/person/{person}", "revoke", grant)
    talk("taken back")
