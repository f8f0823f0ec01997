"""``keepsake import``: files and folders become memories."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from keepsake.cli import option
from keepsake.cli.option import Reach
from keepsake.cli.show import Progress, put_json, put_table, talk
from keepsake.source import IMPORTERS, Choice, Part, Recording, Remark, open_source

__all__ = ["cli"]

#: without any progress of the workers an import stops waiting
QUIET_S: Final = 120.0
#: bad lines that are told one by one, for each file; of the others their number is told
SHOWN_FAULTS: Final = 20


def _notes() -> Path:
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "keepsake" / "import"


@click.command(
    "import",
    epilog=option.examples(
        "keepsake import ada diary/ --zone Europe/Lisbon",
        'keepsake import ada "WhatsApp Chat with Ben.txt" --me Ada',
        "keepsake import ada slack.zip --me ada@example.org",
        "keepsake import --list",
    ),
)
@click.argument("person", required=False)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--list", "is_list", is_flag=True, help="List what can be read.")
@click.option("--as", "app", default="", metavar="APP", help="What the files are, where that is not seen; see --list.")
@click.option("--me", multiple=True, metavar="NAME", help="How the person is called in the files. May be repeated.")
@click.option(
    "--zone", metavar="ZONE", envvar="TZ", default="UTC", show_default=True, help="The time zone of times without one."
)
@click.option(
    "--day-first/--month-first", default=None, help="Whether 4/5 is the fourth of May. [default: what the file shows]"
)
@click.option("--notes", metavar="DIR", type=click.Path(path_type=Path), help="Where to note how far imports are.")
@click.option("--dry-run", is_flag=True, help="Read the files and tell what is in them; send nothing.")
@click.option("--wait", is_flag=True, help="Wait until all of it is in the person's memory.")
@option.reach
@option.as_json
def cli(
    *,
    person: str | None,
    files: Sequence[Path],
    is_list: bool,
    app: str,
    me: tuple[str, ...],
    zone: str,
    day_first: bool | None,
    notes: Path | None,
    dry_run: bool,
    wait: bool,
    reach: Reach,
    is_json: bool,
) -> int:
    """Import chats, mail, diaries and recordings.

    FILES are files or folders. What was imported before is not imported twice; an import that was stopped goes on when it is
    given again. Lines that cannot be read are told with their numbers and end nothing.
    """
    if is_list:
        return _list(is_json=is_json)
    if person is None or not files:
        raise click.UsageError("it takes PERSON and FILES")
    choice = Choice(me=me, zone=zone, is_day_first=day_first, app=app)
    if dry_run:
        return _dry(files, choice, is_json=is_json)
    run = _Run(person, choice, reach, notes or _notes() / person, is_json=is_json)
    asyncio.run(run.all(files))
    if wait:
        from keepsake.cli.stored import wait_stored

        wait_stored(reach, person, run.streams, QUIET_S)
    if not is_json:
        run.tell()
    return 0


def _list(*, is_json: bool) -> int:
    rows = [(importer.app, importer.what) for importer in IMPORTERS]
    if is_json:
        for app, what in rows:
            put_json({"as": app, "what": what})
    else:
        put_table(["as", "what"], rows)
    return 0


def _dry(files: Sequence[Path], choice: Choice, *, is_json: bool) -> int:
    rows: list[tuple[str, str, int, int]] = []
    for path in files:
        for part in open_source(path, choice):
            if isinstance(part, Remark):
                _complain(path.name, [part])
            elif isinstance(part, Recording):
                rows.append((part.app, part.name, 1, part.size))
            else:
                remarks: list[Remark] = []
                count = 0
                for unit in part.read():
                    if isinstance(unit, Remark):
                        remarks.append(unit)
                    else:
                        count += 1
                _complain(part.name, remarks)
                rows.append((part.app, part.name, count, part.size))
    if is_json:
        for app, name, messages, size in rows:
            put_json({"as": app, "name": name, "messages": messages, "bytes": size})
    else:
        put_table(["as", "name", "messages", "bytes"], rows)
    return 0


def _complain(name: str, remarks: Sequence[Remark]) -> int:
    """Tell of what could not be read, and of how much was left out; gives the number of faults."""
    faults = [remark for remark in remarks if remark.is_fault]
    for remark in faults[:SHOWN_FAULTS]:
        where = f"{remark.file or name}:{remark.line}" if remark.line else remark.file or name
        talk(f"{where}: {remark.what}")
    if len(faults) > SHOWN_FAULTS:
        talk(f"{name}: {len(faults) - SHOWN_FAULTS} more lines like these")
    left = Counter(remark.what.partition(":")[0] for remark in remarks if not remark.is_fault)
    for what, count in left.most_common():
        talk(f"{name}: left out {count} × {what}")  # noqa: RUF001
    return len(faults)


class _Run:
    def __init__(self, person: str, choice: Choice, reach: Reach, notes: Path, *, is_json: bool) -> None:
        self.person, self.choice, self.reach, self.notes, self.is_json = person, choice, reach, notes, is_json
        self.sent = self.passed = self.faults = self.done = 0
        self.streams: list[str] = []

    async def all(self, files: Sequence[Path]) -> None:
        from keepsake.cli.capture import Capture
        from keepsake.cli.intake import Intake
        from keepsake.source.stream import Ledger

        parts: list[Part | Recording] = []
        for path in files:
            for part in open_source(path, self.choice):
                if isinstance(part, Remark):
                    self.faults += _complain(path.name, [part])
                else:
                    parts.append(part)
        with Progress("messages", sum(part.size for part in parts)) as progress:
            for part in parts:
                intake = Intake(
                    lambda stream, options: Capture(self.reach, self.person, stream, options),
                    Ledger(self.notes),
                    self.choice.zone,
                    lambda at, count, part=part: progress.show(self.done + at, self.sent + count, part.name),  # type: ignore[misc]
                )
                report = await (intake.recording(part) if isinstance(part, Recording) else intake.part(part))
                self.done += part.size
                self.streams += [report.stream] if report.stream else []
                self.sent += report.sent
                self.passed += report.passed
                self.faults += _complain(part.name, report.remarks)
                if self.is_json:
                    put_json(
                        {"name": part.name, "stream": report.stream, "sent": report.sent, "there": report.passed,
                         "faults": sum(remark.is_fault for remark in report.remarks)}
                    )  # fmt: skip

    def tell(self) -> None:
        """What it came to."""
        talk(f"{self.sent} sent and durable, {self.passed} were there already, {self.faults} could not be read")
        talk(f"keepsake timeline {self.person} shows what they become")
