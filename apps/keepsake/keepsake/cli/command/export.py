"""``keepsake export``: everything of a person, for them to take away."""

from __future__ import annotations

import os
import time
from pathlib import Path

import click

from keepsake.cli import option
from keepsake.cli.local import open_house
from keepsake.cli.show import Progress, size, talk

__all__ = ["cli"]


@click.command("export", epilog=option.examples("keepsake export ada", "keepsake export ada --out ada.zip"))
@click.argument("person")
@click.option("--out", metavar="FILE", type=click.Path(path_type=Path), help="Where it goes. [default: PERSON.zip]")
@click.option("--messages-only", is_flag=True, help="Leave out what is derived and can be made again.")
@option.data
def cli(*, person: str, out: Path | None, messages_only: bool, data: Path) -> None:
    """Export everything of a person in open formats.

    One ZIP file: messages and memories as JSON lines and CSV, recordings as WAV, the custody log with its verifier. It lies in the clear, so keep
    it well. keepsake restore reads it again, here or elsewhere. A person without access to the data folder downloads it from the page.
    """
    from keepsake.custody import Log
    from keepsake.custody.archive import Archive
    from keepsake.custody.record import Action

    house = open_house(data)
    key = house.ring.key(person)
    path = out or Path(f"{person}.zip")
    store = house.stores.open(person)
    draft = path.with_name(f"{path.name}.draft")
    try:
        log = Log(store, key, time.time)
        with store.write() as writer:
            log.append(writer, Action.EXPORTED, "all", by="service/command")
        with Progress("messages", 1.0) as progress, os.fdopen(_private(draft), "wb") as file:
            archive = Archive(
                store, house.blobs, key, log, progress=lambda done, total: progress.show(done / max(total, 1), done)
            )
            counts = archive.write(file, time.time(), has_derived=not messages_only)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        store.close()
        draft.unlink(missing_ok=True)
    talk(f"{path}: {size(path.stat().st_size)}, {', '.join(f'{count} {name}' for name, count in counts.items())}")


def _private(path: Path) -> int:
    """A new file that nobody else may read."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
