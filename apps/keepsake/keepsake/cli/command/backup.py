"""``keepsake backup``: sealed copies of people's memories, and how they come back."""

from __future__ import annotations

import time
import zipfile
from pathlib import Path

import click

from keepsake.cli import option
from keepsake.cli.local import open_house
from keepsake.cli.show import Progress, put_table, size, talk
from keepsake.errors import KeepsakeError

__all__ = ["cli"]


@click.group("backup")
def cli() -> None:
    """Back people up, sealed, and bring them back; never what was deleted."""


@cli.command("write", epilog=option.examples("keepsake backup write backup/", "keepsake backup write backup/ ada"))
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("people", nargs=-1)
@option.data
def write(*, folder: Path, people: tuple[str, ...], data: Path) -> None:
    """Back up PEOPLE (all of them where none is named) into FOLDER.

    A backup is sealed with the person's key: keep the folder of keys elsewhere. Who is deleted, is deleted in all backups at once.
    """
    from keepsake.custody.backup import Backup

    house = open_house(data)
    backup = Backup(house.ring, house.stores, house.blobs, folder, time.time)
    rows = []
    for person in people or house.ring.people():
        with Progress("messages", 1.0) as progress:
            path = backup.write(person, progress=lambda done, total: progress.show(done / max(total, 1), done))
        rows.append((person, path.name, size(path.stat().st_size)))
    put_table(["person", "file", "size"], rows)


@cli.command(
    "restore", epilog=option.examples("keepsake backup restore backup/ ada", "keepsake backup restore ada.zip eve")
)
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.argument("person")
@option.data
def restore(*, source: Path, person: str, data: Path) -> None:
    """Bring PERSON back from a folder of backups, or from a file of keepsake export.

    What was deleted stays deleted. Memories are made anew from the messages: keepsake learn PERSON --whole.
    """
    from keepsake.custody.backup import Backup, merge
    from keepsake.custody.intake import Intake
    from keepsake.custody.ledger import Ledger

    house = open_house(data)
    with Progress("messages", 1.0) as progress:

        def told(done: int, total: int) -> None:
            progress.show(done / max(total, 1), done)

        if source.is_dir():
            found = Backup(house.ring, house.stores, house.blobs, source, time.time).restore(person, progress=told)
        elif zipfile.is_zipfile(source):
            key = house.ring.key(person)
            gone = frozenset(message for entry in Ledger(house.ring).entries(person) for message in entry.messages)
            store = house.stores.open(person)
            try:
                with source.open("rb") as file:
                    found = merge(store, house.blobs, key, Intake(file), gone, progress=told)
            finally:
                store.close()
        else:
            raise KeepsakeError("KS-CLI-012", f"{source} is neither a folder of backups nor a file of keepsake export")
    talk(
        f"{person}: {found.messages} messages are back, {found.passed} were there or were deleted; next: keepsake learn {person} --whole"
    )
