"""``keepsake edge``: a laptop or phone that captures, hears and answers without the service, and brings it what it captured."""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import click

from keepsake.cli import option
from keepsake.cli.crew import Crew
from keepsake.cli.show import paint, put_json, talk
from keepsake.errors import KeepsakeError
from keepsake.key import Ring

__all__ = ["cli"]

#: what an edge may be called: it becomes part of subjects, and of the names of its streams
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")


@click.group("edge")
def cli() -> None:
    """Capture, hear and answer without the service; bring it what was captured.

    At the service: keepsake serve --edges 7422, then keepsake edge add. At the edge: keepsake edge run with the ticket that add has written.
    """


@cli.command("add", epilog=option.examples("keepsake edge add phone ada --at hub.example:7422 --out phone.ticket"))
@click.argument("name")
@click.argument("people", nargs=-1, required=True, metavar="PERSON...")
@click.option("--at", metavar="HOST:PORT", help="Where edges reach the service. [default: as it listens]")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The ticket; whoever has it is the edge.")
@option.data
def add(name: str, people: tuple[str, ...], at: str | None, out: Path, data: Path) -> int:
    """Write a ticket for an edge: its way in, and the keys of the people it is for.

    Whoever has the ticket can read all memories of these people and send to the service as its edge. Carry it by hand, and remove it then.
    """
    if not _NAME.fullmatch(name):
        raise KeepsakeError(
            "KS-CLI-021", f"{name[:60]!r} cannot be an edge's name; it takes 1 to 31 of a-z, 0-9 and -, no - first"
        )
    ring = Ring(data / "keys")
    keys = [ring.lend(person) for person in people]
    url = _natant(data, "edge", "add", name, *(["--at", at] if at else []))
    ticket = base64.b64encode(json.dumps({"name": name, "url": url, "keys": keys}).encode())
    handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(ticket + b"\n")
    talk(f"ticket   {out}; at the edge: keepsake edge run {out.name}")
    return 0


@cli.command("rm")
@click.argument("name")
@option.data
def remove(name: str, data: Path) -> int:
    """Let an edge in no more."""
    _natant(data, "edge", "rm", name)
    talk(f"gone     {name}")
    return 0


@cli.command("run", epilog=option.examples("keepsake edge run phone.ticket", "keepsake edge run phone.ticket --words"))
@click.argument("ticket", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--words", is_flag=True, help="Hear nothing: text and questions only, in less memory.")
@click.option("--meaning", is_flag=True, help="Load MiniLM: answers are better, and it takes 150 MB more.")
@click.option("--port", default=9001, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@option.data
@option.as_json
def run(ticket: Path, words: bool, meaning: bool, port: int, data: Path, is_json: bool) -> int:
    """Run the edge: one process, with workers inside, and its NATS server.

    It needs no way to the service. What it captures is durable here when it is acknowledged, is understood here, and reaches the service once, in order,
    whenever there is a way.
    """
    found = _read(ticket)
    ring = Ring(data / "keys")
    people = [ring.adopt(key) for key in found.keys]
    os.environ |= {
        "KEEPSAKE_EDGE": found.name,
        "KEEPSAKE_RECOGNISER": "none" if words else os.environ.get("KEEPSAKE_RECOGNISER", "tiny.en"),
        "KEEPSAKE_EMBEDDER": "minilm" if meaning else "none",
        "KEEPSAKE_NAMES": "0",
        "NATANT_LEAF": found.url,
        "OMP_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "1",  # a fifth less memory
    }
    queues = "read,learn,forget" if words else "read,hear,learn,forget"
    crew = Crew(data)
    try:
        url = crew.start_plane("--port", str(port), "--work", queues, "--edge", found.name)
        if is_json:
            put_json({"url": url, "edge": found.name, "people": people})
        else:
            talk(f"open     {paint(url, 'green', is_stderr=True)}  for {', '.join(people)}")
            talk("hub      what is captured reaches it whenever there is a way")
        return crew.watch()
    except BaseException:
        crew.stop()
        raise


@dataclass(frozen=True, slots=True)
class Ticket:
    """What an edge needs: its name, its way in, and the keys of the people it is for."""

    name: str
    url: str
    keys: list[str]


def _read(ticket: Path) -> Ticket:
    """What a ticket says.

    :raises KeepsakeError: ``KS-CLI-022`` where it is none.
    """
    try:
        found = json.loads(base64.b64decode(ticket.read_bytes().strip(), validate=True))
        return Ticket(str(found["name"]), str(found["url"]), [str(key) for key in found["keys"]])
    except (ValueError, binascii.Error, KeyError, TypeError):
        raise KeepsakeError("KS-CLI-022", f"{ticket} is no ticket of an edge; keepsake edge add writes one") from None


def _natant(data: Path, *words: str) -> str:
    """What a command of natant prints, about the plane of this data folder.

    :raises KeepsakeError: ``KS-CLI-023`` with what it complains of.
    """
    done = subprocess.run(  # noqa: S603  our own command
        [sys.executable, "-m", "natant.cli", *words, "--data", str(data.absolute() / "plane")],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise KeepsakeError("KS-CLI-023", f"natant {' '.join(words)}: {done.stderr.strip()[:500]}")
    return done.stdout.strip()
