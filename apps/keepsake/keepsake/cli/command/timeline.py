"""``keepsake timeline``: the newest memories."""

from __future__ import annotations

import click

from keepsake.agent.value import Figures, Line
from keepsake.cli import option
from keepsake.cli.option import Reach
from keepsake.cli.show import day, put_json, put_table, size, talk

__all__ = ["cli"]


@click.command("timeline", epilog=option.examples("keepsake timeline ada", "keepsake timeline ada --limit 5 --json"))
@click.argument("person")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 200), help="Memories to list.")
@option.reach
@option.as_json
def cli(*, person: str, limit: int, reach: Reach, is_json: bool) -> None:
    """List a person's memories, the newest first."""
    node = f"/person/{person}"
    with reach.connect(person) as client:
        lines = [line for _, line in client.map(node, "timeline", str, Line).synced().snapshot()]
        figures = client.get(node, "figures", Figures) or Figures()
    lines.sort(key=lambda line: (line.said_at, line.memory), reverse=True)
    if is_json:
        for line in lines[:limit]:
            put_json(line)
        return
    put_table(
        ["said", "who", "what", "names"],
        [
            (day(line.said_at), line.speaker or "-", line.text, ", ".join(name for _, name in line.names) or "-")
            for line in lines[:limit]
        ],
    )
    talk(
        f"{figures.messages} messages in {figures.streams} streams, {figures.memories} memories, {size(figures.bytes)} captured"
    )
