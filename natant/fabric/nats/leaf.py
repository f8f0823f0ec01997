"""What the configuration of a server says about edges: who may come in at a hub, and what crosses the cable.

The plane's own subjects never cross it, in neither direction: edge and hub may run the same plane with the same names.  An edge may
send its parcels and questions and hear its answers, nothing else, whatever its server says.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import secrets
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, quote, urlsplit

from natant.errors import EdgeError, NatantError

__all__ = ["DENIED", "Edges", "edge_of", "edge_user", "leaf_remote", "leaf_url"]

#: subjects of a plane and of its buckets; those between edges and hubs are others
DENIED: Final = ("natant.>", "$KV.>", "$O.>", "$MQTT.>")
#: so often it is looked whether edges were added or removed
LOOK_EVERY_S: Final = 1.0
#: edges that one hub knows by password
EDGE_LIMIT: Final = 10_000

#: when the list of edges was changed last, and who is on it
Look = tuple[int, dict[str, str]]

_LOG = logging.getLogger("natant.fabric.nats")


def leaf_remote(leaf: str, credentials: Path | None) -> dict[str, Any]:
    """The hub, as an edge's server is told of it.

    :param leaf: its URL, or several with commas.
    :raises EdgeError: ``NT-EDGE-007`` where one is no URL of a hub.
    """
    urls = [part.strip() for part in leaf.split(",")]
    for url in urls:
        _split(url)
    return {
        "urls": urls,
        "account": "APP",
        "credentials": credentials,
        "compression": "s2_auto",
        # behind NAT or a proxy the hub's own addresses are of no use
        "ignore_discovered_servers": True,
        "deny_imports": list(DENIED),
        "deny_exports": list(DENIED),
    }


def edge_of(leaf: str) -> str:
    """The name of the edge in the URL of its hub; empty where it has none."""
    return _split(leaf.split(",", maxsplit=1)[0].strip()).username or ""


def edge_user(root: str, edge: str, password: str) -> dict[str, Any]:
    """The user of an edge, in the account of the plane.

    :param root: of the subjects between the plane's edges and hub.
    """
    return {
        "user": edge,
        "password": password,
        "allowed_connection_types": ["LEAFNODE"],
        "permissions": {
            "publish": [f"{root}.{verb}.{edge}" for verb in ("in", "new", "ask")],
            "subscribe": [f"{root}.ack.{edge}.>"],
        },
    }


class Edges:
    """The edges that may come to a hub with an embedded server: a file beside its store, for its owner's eyes only.

    :param folder: of the embedded server.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "edges.json"

    def all(self) -> dict[str, str]:
        """Passwords by name.

        :raises EdgeError: ``NT-EDGE-011`` where the file is not what natant wrote.
        """
        try:
            found = json.loads(self.path.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError:
            found = None
        if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
            raise EdgeError(
                "NT-EDGE-011", f"{self.path} is not what natant wrote; restore it, or remove it and add the edges anew"
            )
        return found

    def add(self, edge: str) -> str:
        """The password of an edge, made where it is new.

        :raises EdgeError: ``NT-EDGE-011`` where there are too many.
        """
        found = self.all()
        if edge not in found:
            if len(found) >= EDGE_LIMIT:
                raise EdgeError("NT-EDGE-011", f"this hub knows {EDGE_LIMIT} edges, its bound; remove one first")
            found[edge] = secrets.token_urlsafe(24)
            self._write(found)
        return found[edge]

    def remove(self, edge: str) -> bool:
        """Let an edge in no more; False where it was not known."""
        found = self.all()
        is_known = found.pop(edge, None) is not None
        if is_known:
            self._write(found)
        return is_known

    def look(self) -> Look:
        """What the file is like now, for :meth:`watch`; a file that cannot be read holds nobody."""
        try:
            version = self.path.stat().st_mtime_ns
        except FileNotFoundError:
            return 0, {}
        try:
            return version, self.all()
        except EdgeError:
            return version, {}

    async def watch(self, changed: Callable[[bool], Awaitable[None]], known: Look) -> None:
        """Call ``changed(is_removed)`` whenever the file is other than ``known``; does not end.

        ``is_removed`` says that somebody is let in no more, or by another password.
        """
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            now = self.look()
            if now[0] == known[0]:
                continue
            try:
                await changed(any(now[1].get(edge) != password for edge, password in known[1].items()))
            except (NatantError, OSError) as error:
                _LOG.error("the list of edges has changed and cannot be used yet: %s", error)
            else:
                _LOG.info("the list of edges has changed: %d are let in", len(now[1]))
                known = now

    def _write(self, edges: Mapping[str, str]) -> None:
        draft = self.path.with_suffix(".new")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(edges, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path)


def leaf_url(edge: str, password: str, place: str) -> str:
    """What an edge gets to come in: ``nats-leaf://EDGE:PASSWORD@HOST:PORT``."""
    return f"nats-leaf://{edge}:{quote(password, safe='')}@{place}"


def _split(url: str) -> SplitResult:
    with contextlib.suppress(ValueError):
        found = urlsplit(url)
        if found.scheme in {"nats-leaf", "nats", "tls", "ws", "wss"} and found.hostname and found.port != 0:
            return found
    place = url.rpartition("@")[2][:80]
    raise EdgeError(
        "NT-EDGE-007",
        f"{place!r} is no URL of a hub; write nats-leaf://EDGE:PASSWORD@HOST:PORT, as natant edge add prints it",
    )
