"""``keepsake capsule``: messages to a later day."""

from __future__ import annotations

import secrets
import sys
import time

import click

from keepsake.agent.capsule import CapsuleState, Fill
from keepsake.cli import option
from keepsake.cli.moment import moment
from keepsake.cli.option import Reach
from keepsake.cli.show import day, put, put_json, put_table, talk

__all__ = ["cli"]


@click.group("capsule")
def cli() -> None:
    """Seal a message until a day or an event."""


@cli.command(
    "fill",
    epilog=option.examples(
        'keepsake capsule fill ada "Dear me" --until 2030-01-01',
        "keepsake capsule fill ada - --event graduation < letter.txt",
    ),
)
@click.argument("person")
@click.argument("text")
@click.option("--until", metavar="TIME", help="When it opens by itself: a day, or 30d, 2w, 1y from now.")
@click.option("--event", default="", metavar="WORD", help="An event that opens it.")
@option.reach
def fill(*, person: str, text: str, until: str | None, event: str, reach: Reach) -> None:
    """Seal TEXT (-: what stdin has).

    Until then nobody can read it, PERSON included.
    """
    content = sys.stdin.read() if text == "-" else text
    capsule = secrets.token_hex(6)
    what = Fill(content, moment(until, time.time()) if until else None, event)
    with reach.connect(person) as client:
        client.ask(f"/person/{person}/capsule/{capsule}", "fill", what, of=CapsuleState)
    put(capsule)


@cli.command("ls")
@click.argument("person")
@option.reach
@option.as_json
def ls(*, person: str, reach: Reach, is_json: bool) -> None:
    """List the capsules of PERSON."""
    with reach.connect(person) as client:
        found = client.map(f"/person/{person}", "capsules", str, CapsuleState).synced().snapshot()
    if is_json:
        for capsule, state in found:
            put_json({"id": capsule, "state": state})
        return
    put_table(
        ["id", "sealed", "opens", "event", "opened"],
        [
            (capsule, day(s.sealed_at), day(s.opens_at) if s.opens_at else "-", "yes" if s.has_event else "no",
             day(s.opened_at) if s.opened_at else "-")
            for capsule, s in found
        ],
    )  # fmt: skip


@cli.command("open")
@click.argument("person")
@click.argument("capsule")
@click.option("--event", default="", metavar="WORD", help="Say that this event has come.")
@option.reach
def show(*, person: str, capsule: str, event: str, reach: Reach) -> int:
    """Print what a capsule holds, once it is open."""
    node = f"/person/{person}/capsule/{capsule}"
    with reach.connect(person) as client:
        if event:
            client.ask(node, "event", event)
        with client.value(node, "content", str | None).synced() as content:
            text = content.get()
            if text is None and event:
                change = next(content.changes(wait_s=5.0), None)
                text = change.new if change is not None else None
        if text is None:
            state = client.get(node, "state", CapsuleState) or CapsuleState()
            when = f"opens {day(state.opens_at)}" if state.opens_at else "waits for its event"
            talk(f"it is closed: it {when}")
            return 1
    put(text)
    return 0


@cli.command("destroy")
@click.argument("person")
@click.argument("capsule")
@option.yes
@option.reach
def destroy(*, person: str, capsule: str, is_yes: bool, reach: Reach) -> None:
    """Destroy a capsule with its key, unread."""
    if not is_yes:
        click.confirm(f"Destroy the capsule {capsule}? Nobody will ever read it.", abort=True, err=True)
    with reach.connect(person) as client:
        client.ask(f"/person/{person}/capsule/{capsule}", "destroy")
    talk("destroyed")
