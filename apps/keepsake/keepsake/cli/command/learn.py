"""``keepsake learn``: the person's model."""

from __future__ import annotations

import click

from keepsake.agent.value import Learned
from keepsake.cli import option
from keepsake.cli.job import wait_for
from keepsake.cli.option import Reach
from keepsake.cli.show import day, put_json, put_table, talk
from keepsake.model.state import ModelState

__all__ = ["cli"]


@click.command(
    "learn", epilog=option.examples("keepsake learn ada", "keepsake learn ada --whole", "keepsake learn ada --show")
)
@click.argument("person")
@click.option("--whole", is_flag=True, help="Make everything that is derived anew from the messages first.")
@click.option("--show", is_flag=True, help="Learn nothing; tell how good the model is.")
@option.reach
@option.as_json
def cli(*, person: str, whole: bool, show: bool, reach: Reach, is_json: bool) -> None:
    """Have a person's model learn, and tell how good it is.

    A part of it goes live only where it does better than the one before on what was held out.
    """
    node = f"/person/{person}"
    with reach.connect(person) as client:
        if not show:
            name = client.ask(node, "learn", whole, of=str)
            done = wait_for(client, node, "learning", name, of=Learned, what="messages")
            talk(f"learnt in {done.model.took_s:.1f} s; live now: {', '.join(done.changed) or 'what was live before'}")
        state = client.get(node, "model", ModelState) or ModelState()
    if is_json:
        put_json(state)
        return
    put_table(
        ["part", "version", "learnt from", "loss", "of the new one", "why"],
        [
            (name, part.version, part.learnt_from, f"{part.champion:.3f}", f"{part.challenger:.3f}", part.reason)
            for name, part in state.parts.items()
        ],
    )
    when = f", {day(state.learnt_at)}" if state.learnt_at else ""
    talk(f"version {state.version}, up to message {state.built_to}{when}")
