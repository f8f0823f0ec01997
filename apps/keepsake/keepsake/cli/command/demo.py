"""``keepsake demo``: the whole service with two people in it, by one command."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from keepsake.cli import option
from keepsake.cli.capture import Capture
from keepsake.cli.command.person import DAY_S
from keepsake.cli.crew import QUEUES, Crew, plane_options
from keepsake.cli.intake import Intake
from keepsake.cli.option import DEFAULT_PORT, Reach, address
from keepsake.cli.show import Progress, day, paint, put, talk
from keepsake.cli.stored import wait_stored
from keepsake.demo import PEOPLE, QUESTIONS, Character, diary
from keepsake.demo.voice import find_voice, speak
from keepsake.errors import KeepsakeError
from keepsake.key import Ring, Tokens
from keepsake.record import Answer
from keepsake.source import Choice, Part, Recording, open_source
from keepsake.source.stream import Ledger

__all__ = ["cli"]

#: for all that was imported to be read, and to be heard
READ_S: Final = 300.0
HEAR_S: Final = 300.0


@click.command(
    "demo", epilog=option.examples("keepsake demo", "keepsake demo --once --no-sound", "keepsake demo --data demo")
)
@click.option(
    "--port", default=DEFAULT_PORT, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one."
)
@click.option(
    "--data",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Keep the demo's data here. [default: removed at the end]",
)
@click.option("--sound/--no-sound", default=True, show_default=True, help="Speak memos and have them heard.")
@click.option("--once", is_flag=True, help="Stop after the questions.")
def cli(*, port: int, data: Path | None, sound: bool, once: bool) -> int:
    """Show Keepsake at work: two people, their diaries and voices.

    Starts a service with workers, adds Ada and Ben, who are made up, imports a year of each one's diary, has memos spoken and heard,
    asks a few questions, and leaves the page open for more.
    """
    with _folder(data) as folder:
        crew = Crew(folder, folder / "logs")
        try:
            url = crew.start_plane(*plane_options("127.0.0.1", port, (), (), None))
            for queue in QUEUES:
                if sound or queue != "hear":
                    crew.start_worker(queue, QUEUES[queue])
            tokens = _fill(folder, url, is_sound=sound)
            _questions(folder, url)
            _invite(url, tokens)
            if once:
                return crew.stop()
            talk("stop with Ctrl-C")
            return crew.watch()
        except BaseException:
            crew.stop()
            raise


@contextmanager
def _folder(data: Path | None) -> Iterator[Path]:
    if data is not None:
        data.mkdir(parents=True, exist_ok=True)
        yield data
        return
    made = Path(tempfile.mkdtemp(prefix="keepsake-demo-"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _fill(folder: Path, url: str, *, is_sound: bool) -> dict[str, str]:
    """Add the people and what they wrote and said; their tokens."""
    ring = Ring(folder / "keys")
    tokens = {}
    reach = Reach(address(url), "", folder)
    for person in PEOPLE:
        ring.make(person.id)
        tokens[person.id] = Tokens(ring).make(person.id, "owner", until=time.time() + DAY_S)
        begun = time.monotonic()
        streams = [asyncio.run(_bring(reach, person.id, diary(person.id), person.zone, folder))]
        wait_stored(reach, person.id, streams, READ_S)
        talk(f"{person.name}: a year of diary read in {time.monotonic() - begun:.1f} s")
    if is_sound:
        _speak(reach, folder)
    return tokens


def _speak(reach: Reach, folder: Path) -> None:
    if find_voice() is None:
        talk("no voice here (apt-get install flite, or espeak-ng): the memos are left out")
        return
    said: dict[str, list[str]] = {}
    begun = time.monotonic()
    for person in PEOPLE:
        said[person.id] = [
            asyncio.run(_bring(reach, person.id, path, person.zone, folder)) for path in _memos(person, folder)
        ]
    try:
        for name, streams in said.items():
            wait_stored(reach, name, streams, HEAR_S)
        talk(f"{sum(map(len, said.values()))} memos spoken and heard in {time.monotonic() - begun:.1f} s")
    except KeepsakeError as error:
        talk(f"the memos are not heard yet: {error.message}; see {folder / 'logs'}")


def _memos(person: Character, folder: Path) -> Iterator[Path]:
    sounds = folder / "memos" / person.id
    sounds.mkdir(parents=True, exist_ok=True)
    for memo in person.memos:
        path = sounds / f"{memo.at}.wav"
        speak(memo.text, person.voice, path)
        yield path


async def _bring(reach: Reach, person: str, path: Path, zone: str, folder: Path) -> str:
    """Import one file; the name of its stream."""
    (part,) = open_source(path, Choice(zone=zone))
    assert isinstance(part, Part | Recording)
    with Progress("messages", part.size) as progress:
        intake = Intake(
            lambda stream, options: Capture(reach, person, stream, options),
            Ledger(folder / "import" / person),
            zone,
            lambda at, count: progress.show(at, count, f"{person}: {part.name}"),
        )
        report = await (intake.recording(part) if isinstance(part, Recording) else intake.part(part))
    return report.stream


def _questions(folder: Path, url: str) -> None:
    """Ask what the demo asks."""
    import secrets

    from keepsake.agent.value import Ask

    reach = Reach(address(url), "", folder)
    for person in PEOPLE:
        with reach.connect(person.id) as client:
            for name, question, _ in QUESTIONS:
                if name != person.id:
                    continue
                node = f"/person/{name}/question/{secrets.token_hex(8)}"
                begun = time.perf_counter()
                answer = client.ask(node, "ask", Ask(question, zone=person.zone, limit=1), of=Answer)
                took = (time.perf_counter() - begun) * 1000
                put(paint(f"\n{person.name}: {question}", "cyan"))
                put(f"  {answer.text}")
                for citation in answer.citations[:1] if answer.is_known else ():
                    put(f"  {day(citation.said_at)[:10]}: {citation.text}")
                put(paint(f"  {took:.0f} ms, sure {answer.confidence:.0%}", "green"))


def _invite(url: str, tokens: dict[str, str]) -> None:
    talk()
    for person in PEOPLE:
        talk(f"{person.name:12}{url}/#token={tokens[person.id]}")
    talk(f"ask on       keepsake ask ada QUESTION --at {url}   (with KEEPSAKE_TOKEN set, or --data)")
