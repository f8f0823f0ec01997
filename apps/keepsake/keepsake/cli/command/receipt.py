"""``keepsake receipt``: what proves a record of a person's log to anybody."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

from keepsake.cli import option
from keepsake.cli.local import open_house
from keepsake.cli.show import day, put, put_json, put_table

__all__ = ["cli"]


@click.command("receipt", epilog=option.examples("keepsake receipt ada", "keepsake receipt ada 12 --out receipt.json"))
@click.argument("person")
@click.argument("index", required=False, type=click.IntRange(min=0))
@click.option("--out", metavar="FILE", type=click.Path(path_type=Path), help="Where it goes. [default: stdout]")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), help="Records to list.")
@option.data
@option.as_json
def cli(*, person: str, index: int | None, out: Path | None, limit: int, data: Path, is_json: bool) -> None:
    """Prove a record of a person's log, or list the newest records.

    The receipt of record INDEX is checked by keepsake verify, or by keepsake/custody/verify.py alone. An answer names the record that
    was made of it.
    """
    from keepsake.custody import Log

    house = open_house(data)
    key = house.ring.key(person)
    store = house.stores.open(person)
    try:
        if index is not None:
            content = Log(store, key, time.time).receipt(index)
        else:
            count = store.record_count()
            first = max(0, count - limit)
            records = [json.loads(record) for record in store.records(first, limit)]
    finally:
        store.close()
    if index is not None:
        if out is not None:
            out.write_bytes(content)
        else:
            put(content.decode())
    elif is_json:
        for number, record in enumerate(records, first):
            put_json({"index": number, **record})
    else:
        rows = [(n, day(r["at"] / 1000), r["action"], r["about"], r["by"]) for n, r in enumerate(records, first)]
        put_table(["record", "at", "what", "about", "by"], rows)
