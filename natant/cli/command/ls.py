"""``natant ls``: the agents of a host."""

from __future__ import annotations

from typing import Any

import click

from natant.cli import option
from natant.cli.remote import Remote
from natant.cli.show import put_json, put_table, talk
from natant.cli.target import host_of, take_node, words_only

__all__ = ["cli"]


@click.command("ls")
@click.argument("words", metavar="[PREFIX | URL]", nargs=-1)
@click.option("--limit", type=click.IntRange(1), default=1000, show_default=True, help="List at most so many.")
@option.at
@option.as_json
def cli(words: tuple[str, ...], limit: int, at: str | None, is_json: bool) -> None:
    """List the agents of a host.

    Those in memory and those that are only in the store, in the order of their URIs; PREFIX is what these begin with.
    """
    prefix, address = "/", host_of(at) if not words else None
    if words:
        target, rest = take_node(words, at)
        words_only(rest, 0)
        prefix, address = target.node, target.address
    assert address is not None
    with Remote(address) as remote:
        # one more than is shown tells whether there are more
        found = remote.nodes(prefix, limit + 1)
        rows: list[dict[str, Any]] = []
        for node in found:
            if len(rows) == limit:
                talk(f"there are more; --limit {limit * 10} shows more of them, PREFIX fewer")
                break
            rows.append(node)
            if is_json:
                put_json(node)
    if not is_json:
        put_table(
            ["node", "agent", "in memory"],
            [[row["node"], row["agent"], "yes" if row["resident"] else "no"] for row in rows],
        )
    if not rows:
        talk(f"no agents below {prefix}: an agent comes to life when something first touches its URI")
