"""``natant doctor``: what of this machine and installation is worth knowing before trouble comes."""

from __future__ import annotations

import itertools
import os
import platform
import socket
import statistics
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import click

from natant.cli import option
from natant.cli.fault import EXIT_FAILED, EXIT_OK
from natant.cli.finding import Finding, folder_findings, nats_findings
from natant.cli.serving import DEFAULT_PORT
from natant.cli.show import paint, put, put_json

__all__ = ["cli"]

PACKAGES: Final = ("click", "httpx", "msgspec", "picows", "rocksdict", "starlette", "uvicorn", "uvloop")
#: open files that a server with many links wants
WANTED_FILES: Final = 4096
#: commits to the data folder that are timed
SYNCS: Final = 20
#: a commit that takes longer limits how many acknowledged commands one client gets through
SLOW_SYNC_MS: Final = 20.0
#: one faster than this is none: the disk, or what stands for it, does not wait
FAKE_SYNC_MS: Final = 0.02
FREE_MIB: Final = 512

_COLOUR: Final = {"ok": "green", "note": "yellow", "bad": "red"}


@click.command(
    "doctor",
    epilog=option.examples(
        "natant doctor",
        "natant doctor --data .natant/transit --json",
        "natant doctor --nats nats://sys:PASSWORD@db1:4222",
    ),
)
@click.option(
    "--data", metavar="DIR", default=".", show_default=True, help="Where data is or will be; the disk is tried there."
)
@click.option(
    "--port", default=DEFAULT_PORT, show_default=True, type=click.IntRange(1, 65535), help="The port that is wanted."
)
@click.option(
    "--nats", metavar="URL", help="NATS servers that are to carry a plane; the system account's user sees most."
)
@click.option(
    "--monitor", "monitors", multiple=True, metavar="URL", help="Their monitoring, http://host:8222; one each."
)
@click.option(
    "--creds",
    "credentials",
    type=click.Path(exists=True, dir_okay=False),
    help="Credentials for --nats, a .creds file.",
)
@option.as_json
def cli(
    *, data: str, port: int, nats: str | None, monitors: tuple[str, ...], credentials: str | None, is_json: bool
) -> int:
    """Check this machine and installation.

    Versions, compiled modules, limits, the disk's fsync, the port; with --nats version, topology and durability of NATS servers, with
    --data those of the embedded one where the folder has one. Exit code 1 where something is bad; what is only worth knowing is a note.
    """
    if nats is None and (monitors or credentials):
        raise click.UsageError("--monitor and --creds go with --nats URL")
    is_bad = False
    found = [_findings(Path(data), port)]
    if nats is not None:
        found.append(nats_findings(nats, monitors, Path(credentials) if credentials else None))
    else:
        found.append(folder_findings(Path(data)))
    for finding in itertools.chain.from_iterable(found):
        is_bad = is_bad or finding.level == "bad"
        if is_json:
            put_json(finding._asdict())
            continue
        put(
            f"{paint(finding.level.ljust(4), _COLOUR[finding.level], is_stderr=False)}  {finding.what:9}  {finding.fact}"
        )
        if finding.cure:
            put(f"{'':17}{finding.cure}")
    return EXIT_FAILED if is_bad else EXIT_OK


def _findings(data: Path, port: int) -> Iterator[Finding]:
    from natant import __version__, build

    yield Finding("ok", "natant", f"{__version__}, Python {platform.python_version()} on {platform.platform()}")
    state = build.summary()
    yield Finding(
        "ok" if state == "compiled" else "note",
        "speed",
        f"hot modules: {state}",
        "" if state == "compiled" else "several times slower than compiled: install with a C compiler present",
    )
    if stale := build.stale():
        yield Finding("bad", "speed", f"older than their sources: {', '.join(stale)}", "run scripts/compile")
    yield _packages()
    yield from _files()
    yield from _disk(data)
    yield _port(port)


def _packages() -> Finding:
    found, missing = [], []
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        return Finding("bad", "packages", f"missing: {', '.join(missing)}", f"pip install {' '.join(missing)}")
    return Finding("ok", "packages", ", ".join(found))


def _files() -> Iterator[Finding]:
    try:
        import resource
    except ImportError:  # Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    is_enough = soft >= WANTED_FILES or soft == resource.RLIM_INFINITY
    yield Finding(
        "ok" if is_enough else "note",
        "files",
        f"{soft} may be open at a time (at most {hard}); each connection takes one",
        "" if is_enough else f"ulimit -n {WANTED_FILES}, or LimitNOFILE= in the service",
    )


def _disk(data: Path) -> Iterator[Finding]:
    folder = data if data.is_dir() else next(parent for parent in data.absolute().parents if parent.is_dir())
    try:
        took_ms = _sync_ms(folder)
    except OSError as error:
        yield Finding(
            "bad", "disk", f"{folder} cannot be written: {error.strerror}", "choose another --data, or mend its rights"
        )
        return
    level, cure = "ok", ""
    if took_ms > SLOW_SYNC_MS:
        level, cure = "note", "each acknowledged command waits for one fsync; many in flight share it"
    elif took_ms < FAKE_SYNC_MS:
        level, cure = (
            "note",
            "too fast for a disk: this is memory, or fsync is ignored, and a power cut may lose what was acknowledged",
        )
    yield Finding(level, "disk", f"{folder}: fsync takes {took_ms:.2f} ms (median of {SYNCS})", cure)
    status = os.statvfs(folder)
    free_mib = status.f_bavail * status.f_frsize // (1024 * 1024)
    is_enough = free_mib >= FREE_MIB
    yield Finding(
        "ok" if is_enough else "bad",
        "space",
        f"{free_mib} MiB free",
        "" if is_enough else "a full disk stops commits (NT-STORE-005)",
    )


def _sync_ms(folder: Path) -> float:
    times = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(SYNCS):
            begun = time.perf_counter()
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
            times.append((time.perf_counter() - begun) * 1000)
    return statistics.median(times)


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
                "natant run --port, or stop what is there",
            )
    return Finding("ok", "port", f"{port} of 127.0.0.1 is free")
