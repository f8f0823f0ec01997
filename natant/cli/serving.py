"""Serving a plane from the command line: where its data is, what it says when it is up.  For ``run``, ``dev`` and ``hello``."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from natant.cli.fault import EXIT_INTERRUPTED
from natant.cli.nats import nats_facts
from natant.cli.show import paint, talk

if TYPE_CHECKING:
    import socket

    from natant.cli.load import Found
    from natant.fabric.nats.config import EngineSpec
    from natant.plane import Plane
    from natant.server.server import Server

__all__ = ["Serving", "announce", "data_folder", "facts_of", "folder_of", "serve", "set_up_log", "shown_path"]

DEFAULT_PORT: Final = 9001
#: lanes that one line of the announcement names
SHOWN_LANES: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """How a plane is served.

    :ivar data: the data folder; None keeps nothing.
    :ivar tls: paths of the certificate chain and its key.
    :ivar engine: the plane's connection to NATS; None: none.
    :ivar tenant: whose plane it is; None: nobody's in particular.
    :ivar grace_s: time for a graceful stop; None for the server's own.
    :ivar features: makers of what is added over NATS.
    :ivar is_shared: this process is one worker of several, whose state is in that NATS.
    :ivar partitions: into how many parts a shared plane is divided when it is made; None: 64, or as it is.
    :ivar listener: a listening socket that is shared with other processes.
    """

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    data: Path | None = None
    allow_origins: tuple[str, ...] = ()
    allow_hosts: tuple[str, ...] = ()
    tls: tuple[str, str] | None = None
    engine: EngineSpec | None = None
    tenant: str | None = None
    grace_s: float | None = None
    features: Sequence[Callable[..., Any]] = ()
    is_shared: bool = False
    partitions: int | None = None
    listener: socket.socket | None = None


def data_folder(found: Found, data: str | None, is_volatile: bool) -> Path | None:
    """The data folder: as given, else ``.natant/<name of the plane>`` beside the file; None where nothing is kept."""
    if is_volatile:
        return None
    if data is not None:
        return Path(data).absolute()
    return folder_of(found.plane.name, found.path)


def folder_of(plane: str, path: Path) -> Path:
    """Where the data of a plane is kept whose file is ``path``."""
    name = re.sub(r"[^\w.-]+", "_", plane).strip(".") or "plane"
    return path.parent / ".natant" / name


def set_up_log(form: str, level: str) -> None:
    """Send the log to stderr, for people (``text``) or as JSON lines (``json``)."""
    from natant.observe.log import set_up

    set_up(form="json" if form == "json" else "human", level=level)


def serve(plane: Plane, serving: Serving, on_ready: Callable[[Server], None]) -> int:
    """Serve until a signal comes; the exit code.

    :raises NatantError: where the store or the port cannot be opened.
    """
    from natant.client.reach import reach
    from natant.server.run import CUT_SHORT, Option, run
    from natant.server.server import GRACE_S

    def make_store() -> Any:
        if serving.data is None:
            from natant.store.memory import MemoryStore

            return MemoryStore()
        from natant.store.rocks import RocksStore

        return RocksStore(serving.data)

    option = Option(
        make_store=make_store,
        address=serving.host,
        port=serving.port,
        ssl=_tls(serving.tls),
        allow_origins=serving.allow_origins,
        allow_hosts=serving.allow_hosts,
        is_volatile=serving.data is None and not serving.is_shared,
        connect=reach,
        tenant=serving.tenant,
        is_shared=serving.is_shared,
        partitions=serving.partitions,
        listener=serving.listener,
        engine=serving.engine or _engine_for_queues(plane, serving),
        blob_folder=None if serving.data is None else serving.data / "blobs",
        grace_s=GRACE_S if serving.grace_s is None else serving.grace_s,
        features=serving.features,
    )
    code = run(plane, option, on_ready=on_ready)
    return EXIT_INTERRUPTED if code == CUT_SHORT else code


def _engine_for_queues(plane: Plane, serving: Serving) -> EngineSpec | None:
    """Work queues are kept by NATS: the embedded server, where no other was named."""
    if not plane.queues:
        return None
    from natant.cli.nats import NatsChoice

    return NatsChoice(url=None).engine(plane.name, serving.data)


def _tls(paths: tuple[str, str] | None) -> Any:
    if paths is None:
        return None
    import ssl

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*paths)
    return context


def facts_of(found: Found, serving: Serving, server: Server) -> dict[str, Any]:
    """What is being served, for programs."""
    return {
        "plane": found.plane.name,
        "file": str(found.path),
        "url": server.url,
        "warp": warp_url(server.url),
        "port": server.port,
        "data": None if serving.data is None else str(serving.data),
        "pid": os.getpid(),
        "nats": None if server.service.engine is None else nats_facts(server.service.engine),
        "agents": [
            {
                "agent": kind._schema.name,
                "route": kind._schema.route.pattern if kind._schema.route else "",
                "lanes": [lane.describe() for lane in kind._schema.ordered if not lane.name.startswith("parked")],
            }
            for kind in found.plane.agents
        ],
        "sources": [source.name for source in found.plane.sources],
    }


def warp_url(url: str) -> str:
    """The address for links: ``warp://127.0.0.1:9001`` for ``http://127.0.0.1:9001``."""
    return url.replace("http", "warp", 1)


def _where(serving: Serving) -> str:
    """Where the state is kept."""
    if serving.is_shared:
        return "in JetStream, shared with the other workers"
    return "nothing is kept" if serving.data is None else shown_path(serving.data)


def announce(found: Found, serving: Serving, server: Server) -> None:
    """Say what was found, where it is served and how to stop it."""
    facts = facts_of(found, serving, server)
    width = max((len(agent["route"]) for agent in facts["agents"]), default=0)
    kind_width = max((len(agent["agent"]) for agent in facts["agents"]), default=0)
    talk(f"{_label('plane')}{paint(found.plane.name, 'cyan')}  {shown_path(found.path)}")
    for agent in facts["agents"]:
        names = [lane["name"] for lane in agent["lanes"]]
        more = f", and {len(names) - SHOWN_LANES} more" if len(names) > SHOWN_LANES else ""
        lanes = f"{len(names)} {'lane' if len(names) == 1 else 'lanes'}: {', '.join(names[:SHOWN_LANES])}{more}"
        talk(
            f"{_label('')}{agent['route'].ljust(width)}  {agent['agent'].ljust(kind_width)}  {lanes if names else 'no lanes'}"
        )
    if facts["sources"]:
        talk(f"{_label('source')}{', '.join(facts['sources'])}")
    talk(f"{_label('data')}{_where(serving)}")
    talk(
        f"{_label('open')}{paint(server.url, 'green')}  ({'this machine only' if server.is_loopback_only else 'OTHERS CAN REACH IT'})"
    )
    if facts["nats"] is not None:
        where = [text for name, text in facts["nats"].items() if name not in ("root", "secrets", "edges", "hub")]
        secrets = facts["nats"].get("secrets")
        whose = f"  (users and passwords: {shown_path(Path(secrets))})" if secrets else ""
        talk(f"{_label('nats')}{', '.join(where)}  {facts['nats']['root']}.in.>{whose}")
        for name in ("edges", "hub"):
            if name in facts["nats"]:
                talk(f"{_label(name)}{facts['nats'][name]}")
    at = "" if serving.port == DEFAULT_PORT and server.is_loopback_only else f" --at {warp_url(server.url)}"
    talk(f"{_label('look')}natant ls{at}")
    talk(f"{_label('stop')}Ctrl-C, or SIGTERM: finishes what runs; what was acknowledged is safe either way")


def _label(text: str) -> str:
    return f"{text:8}"


def shown_path(path: Path) -> str:
    """A path as people like it: relative where it is below the working folder."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
