"""``natant describe``: what a node is."""

from __future__ import annotations

from typing import Any

import click

from natant.cli import option
from natant.cli.remote import Remote
from natant.cli.show import paint, put, put_json, put_table
from natant.cli.target import take_node, words_only

__all__ = ["cli"]


@click.command("describe")
@click.argument("words", metavar="NODE | URL", nargs=-1, required=True)
@option.at
@option.as_json
def cli(words: tuple[str, ...], at: str | None, is_json: bool) -> None:
    """Tell what a node is: its agent, lanes and timers.

    It does not bring the agent to life.
    """
    target, rest = take_node(words, at)
    words_only(rest, 0)
    with Remote(target.address) as remote:
        facts = remote.describe(target.node)
    if is_json:
        put_json(facts)
        return
    state = "in memory" if facts["resident"] else "in the store" if facts["known"] else "never touched"
    put(
        f"{paint(facts['node'], 'cyan', is_stderr=False)}  {facts['agent']}  {facts['route']}  {state}, {facts['links']} links"
    )
    if facts["doc"]:
        put(f"\n{facts['doc']}")
    put("")
    put_table(["lane", "kind", "type", "durable", "about"], [_lane(lane) for lane in facts["lanes"]])
    if facts["timers"]:
        put("")
        put_table(["timer", "due (epoch s)"], [[timer.get("name"), timer.get("due")] for timer in facts["timers"]])


def _lane(lane: dict[str, Any]) -> list[Any]:
    parts = [lane[role] for role in ("key", "value", "input") if role in lane]
    about = (lane.get("doc") or "").split("\n")[0]
    return [lane["name"], lane["kind"], " -> ".join(parts), "no" if lane["volatile"] else "yes", about]
