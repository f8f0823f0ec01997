"""``keepsake doctor``: what of this machine and installation is worth knowing before trouble comes."""

from __future__ import annotations

import importlib.util
import os
import platform
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal, NamedTuple

import click

from keepsake.cli import option
from keepsake.cli.option import DEFAULT_PORT
from keepsake.cli.show import paint, put, put_json
from keepsake.errors import KeepsakeError

__all__ = ["cli"]

#: optional modules, the extra that brings them, and what is missing without
OPTIONAL: Final = (
    ("faster_whisper", "speech", "recordings and microphones are not understood"),
    ("spacy", "names", "names are found by rules only"),
    ("psycopg", "postgres", "no stores in PostgreSQL"),
    ("pymongo", "mongo", "no stores in MongoDB"),
    ("opensearchpy", "search", "no stores in OpenSearch"),
    ("minio", "s3", "no recordings in S3"),
    ("web3", "evm", "no anchors on a chain"),
)
#: models that a default installation loads
MODELS: Final = (("minilm", "memories are found by words only"), ("whisper-base", "nothing is heard"))
#: rights that others must not have on keys
OTHERS: Final = 0o077
FREE_MIB: Final = 1024

_COLOUR: Final = {"ok": "green", "note": "yellow", "bad": "red"}


class Finding(NamedTuple):
    """One thing that was looked at."""

    level: Literal["ok", "note", "bad"]
    what: str
    fact: str
    cure: str = ""


@click.command("doctor", epilog=option.examples("keepsake doctor", "keepsake doctor --data .keepsake --json"))
@click.option(
    "--port", default=DEFAULT_PORT, show_default=True, type=click.IntRange(1, 65535), help="The port that is wanted."
)
@option.data
@option.as_json
def cli(*, port: int, data: Path, is_json: bool) -> int:
    """Check this machine and installation.

    Exit code 1 where something is bad; what is only worth knowing is a note.
    """
    is_bad = False
    for finding in _findings(data, port):
        is_bad = is_bad or finding.level == "bad"
        if is_json:
            put_json(finding._asdict())
            continue
        put(f"{paint(finding.level.ljust(4), _COLOUR[finding.level])}  {finding.what:9}  {finding.fact}")
        if finding.cure:
            put(f"{'':17}{finding.cure}")
    return 1 if is_bad else 0


def _findings(data: Path, port: int) -> Iterator[Finding]:
    from importlib.metadata import version

    yield Finding(
        "ok", "keepsake", f"{version('keepsake')}, natant {version('natant')}, Python {platform.python_version()}"
    )
    yield from _parts()
    yield from _models()
    yield from _data(data)
    yield _port(port)


def _parts() -> Iterator[Finding]:
    for module, extra, without in OPTIONAL:
        if importlib.util.find_spec(module) is None:
            yield Finding("note", extra, without, f"pip install 'keepsake[{extra}]'")
        else:
            yield Finding("ok", extra, "installed")


def _models() -> Iterator[Finding]:
    from keepsake.asset import find

    for name, without in MODELS:
        try:
            yield Finding("ok", "model", f"{name}: {find(name).name}, its hashes are right")
        except KeepsakeError as error:
            yield Finding("note", "model", f"{name}: {without}", error.message)


def _data(data: Path) -> Iterator[Finding]:
    from keepsake.key import Ring
    from keepsake.pipeline.setting import read_setting

    folder = data if data.is_dir() else next(parent for parent in data.absolute().parents if parent.is_dir())
    if not os.access(folder, os.W_OK):
        yield Finding("bad", "data", f"{folder} cannot be written", "choose another --data, or mend its rights")
        return
    status = os.statvfs(folder)
    free = status.f_bavail * status.f_frsize >> 20
    yield Finding(
        "ok" if free >= FREE_MIB else "bad",
        "space",
        f"{free} MiB free",
        "" if free >= FREE_MIB else "a full disk stops captures",
    )
    keys = data / "keys"
    if not (keys / "master.key").exists():
        yield Finding("note", "data", f"{data} is empty", "keepsake person add NAME begins it")
        return
    mode = (keys / "master.key").stat().st_mode
    if mode & OTHERS and sys.platform != "win32":
        yield Finding("bad", "keys", f"others may read {keys / 'master.key'}", f"chmod -R go= {keys}")
    try:
        people = Ring(keys).people()
        setting = read_setting(data)
    except KeepsakeError as error:
        yield Finding("bad", "data", str(error))
        return
    yield Finding(
        "ok",
        "data",
        f"{data}: {len(people)} people, store {setting.store.partition(':')[0]}, recogniser {setting.recogniser}",
    )
    yield Finding("note", "keys", f"{keys} opens everything here", "keep a copy of it, apart from copies of the data")


def _port(port: int) -> Finding:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return Finding(
                "note",
                "port",
                f"{port} of 127.0.0.1 is not free: {error.strerror}",
                "keepsake serve --port, or stop what is there",
            )
    return Finding("ok", "port", f"{port} of 127.0.0.1 is free")
