"""The folder of an embedded NATS server.

Mode 0700:

================  =====================================================================================
``natant.json``   mark: standalone; name, domain, size.  Written once
``secrets.json``  the passwords of the users, 0600, made at the first start
``ports.json``    the ports chosen at the first start; they stay
``server.conf``   made anew at each start, 0600
``server.log``    the server's log
``lock``          held by the plane's process and by the server, so a new plane waits until the old server has ended
``run/``          the server's ports file
``store/``        JetStream's
================  =====================================================================================
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from natant.errors import FabricError
from natant.fabric.nats.config import EngineSpec, Identity, Ports
from natant.fabric.nats.subject import Subjects

__all__ = [
    "USERS",
    "divide",
    "free_port",
    "identity_of",
    "make_folder",
    "ports_of",
    "read",
    "refuse_left_behind",
    "secrets_of",
    "write",
]

#: how much streams may take in all unless said otherwise
MAX_FILE_STORE: Final = 20 * 1024**3
#: of the disk's free room at the first start they get no more than this
FREE_SHARE: Final = 0.8
FORMAT: Final = 1
#: where ports are chosen
LOW_PORTS: Final = range(20_000, 32_000)
#: how often one is tried there before the system is asked for any
TRIES: Final = 100
#: the system account's user, then those of the plane's
USERS: Final = ("sys", "engine", "client", "device", "leaf")


def make_folder(folder: Path) -> None:
    """Make what is missing of the folder, for its owner alone."""
    for path in (folder, folder / "run", folder / "store"):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)


def write(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    draft = path.with_suffix(".new")
    with contextlib.suppress(FileNotFoundError):
        draft.unlink()
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def read(path: Path) -> dict[str, Any] | None:
    """What a file of the folder holds; None where there is none.

    :raises FabricError: ``NT-FABRIC-007`` where it is damaged.
    """
    try:
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise FabricError(
            "NT-FABRIC-007", f"{path} is not what natant wrote; restore it, or name another folder for the NATS server."
        )
    return found


def identity_of(folder: Path, spec: EngineSpec) -> Identity:
    """What the folder was made for; made now where it is new.

    :raises FabricError: ``NT-FABRIC-007``.
    """
    path = folder / "natant.json"
    found = read(path)
    if found is None:
        if any((folder / "store").iterdir()):
            raise FabricError(
                "NT-FABRIC-007",
                f"{folder / 'store'} holds a store of a NATS server that natant did not make; name another folder.",
            )
        disk_bytes = spec.disk_bytes or min(MAX_FILE_STORE, int(shutil.disk_usage(folder).free * FREE_SHARE))
        name = f"node-{secrets.token_hex(4)}"
        found = {
            "format": FORMAT,
            "mode": "standalone",
            "plane": spec.plane,
            "partitions": spec.partitions,
            "name": name,
            "domain": spec.domain or name,
            "disk_bytes": disk_bytes,
        }
        write(path, json.dumps(found, indent=1) + "\n")
    if found.get("mode") == "moved":
        raise FabricError(
            "NT-FABRIC-007",
            f"the store in {folder} was moved to {found.get('to')}; run the plane there. To go back, which forgets what happened "
            'since, set "mode" to "standalone" in natant.json.',
        )
    wanted = {"format": FORMAT, "mode": "standalone", "plane": spec.plane}
    if spec.domain:
        wanted["domain"] = spec.domain
    for key, value in wanted.items():
        if found.get(key) != value:
            raise FabricError(
                "NT-FABRIC-007",
                f"{folder} was made with {key} {found.get(key)!r}, and {value!r} is asked for; name another folder, or ask for "
                "what it was made with.",
                key=key,
            )
    return Identity(
        name=str(found["name"]),
        domain=str(found["domain"]),
        disk_bytes=spec.disk_bytes or int(found["disk_bytes"]),
        partitions=int(found["partitions"]),
    )


def divide(folder: Path, partitions: int) -> bool:
    """Have the next configuration map to so many partitions; False where it does already."""
    path = folder / "natant.json"
    mark = read(path) or {}
    if mark.get("partitions") == partitions:
        return False
    write(path, json.dumps({**mark, "partitions": partitions}, indent=1) + "\n")
    return True


def refuse_left_behind(folder: Path) -> None:
    """Refuse to run a plane on other servers while its journals lie here: it would begin anew without a word.

    :raises FabricError: ``NT-FABRIC-007``.
    """
    mark = read(folder / "natant.json")
    if mark is None or mark.get("mode") != "standalone":
        return
    if any((folder / "store").glob(f"jetstream/*/streams/{Subjects(str(mark.get('plane'))).name}-J*")):
        raise FabricError(
            "NT-FABRIC-007",
            f"the plane's state lies in {folder}, where other servers know nothing of it; bring it over with natant grow, or name "
            "another data folder with --data to begin anew.",
        )


def secrets_of(folder: Path) -> dict[str, str]:
    """The password of each user, made now where it is missing."""
    path = folder / "secrets.json"
    found = read(path) or {}
    missing = {user: secrets.token_urlsafe(24) for user in USERS if not isinstance(found.get(user), str)}
    if missing:
        found |= missing
        write(path, json.dumps(found, indent=1) + "\n")
    return found


def ports_of(folder: Path, spec: EngineSpec) -> Ports:
    """The ports of the last start, those asked for, and free ones for what is new."""
    path = folder / "ports.json"
    before = read(path) or {}
    wanted: dict[str, bool | int] = {
        "nats": spec.port or True,
        "http": True,
        "websocket": spec.websocket,
        "mqtt": spec.mqtt,
        "leafs": spec.leafs,
    }
    ports = Ports()
    for name, want in wanted.items():
        if want is True:
            host = "127.0.0.1" if name == "http" else spec.host
            ports = replace(ports, **{name: _still_free(host, before.get(name)) or free_port(host)})
        elif want:
            ports = replace(ports, **{name: int(want)})
    # What is not wanted this time keeps its port for the next.
    write(path, json.dumps({**before, **{name: port for name, port in asdict(ports).items() if port}}) + "\n")
    return ports


def _still_free(host: str, port: object) -> int:
    if not isinstance(port, int):
        return 0
    return port if _bind(host, port) else 0


def _bind(host: str, port: int) -> int:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return 0
        return int(probe.getsockname()[1])


def free_port(host: str) -> int:
    """A port that nothing listens on, below those that the system gives to outgoing connections.

    One of those could be taken while a server that died is started again: by a client that tries to reach it, for one.

    :raises FabricError: ``NT-FABRIC-002`` where no port of ``host`` can be bound.
    """
    for _ in range(TRIES):
        if port := _bind(host, LOW_PORTS.start + secrets.randbelow(len(LOW_PORTS))):
            return port
    if port := _bind(host, 0):
        return port
    raise FabricError("NT-FABRIC-002", f"no port of {host} can be bound; is that an address of this machine?")
