"""The options of ``natant run`` that make a plane an edge or the hub of edges."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from natant.fabric.nats.config import EngineSpec
    from natant.fabric.nats.engine import Engine
    from natant.server.port import HostPort
    from natant.server.run import Feature

__all__ = ["EdgeChoice", "edge_options"]

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeChoice:
    """What was chosen.

    :ivar leaf: URL of the hub; None: this is no edge.
    :ivar credentials: a ``.creds`` file for the hub, where it takes tokens instead of passwords.
    :ivar name: of the edge; None: the user in that URL.
    :ivar copies: node and lane of what is copied from the hub.
    :ivar listen: ``PORT`` or ``HOST:PORT`` where edges come in, ``external`` where the NATS server in use lets them in; None: this is no hub.
    :ivar stream_bytes: what may wait at the edge, or at the hub; 0 for the default.
    """

    leaf: str | None = None
    credentials: Path | None = None
    name: str | None = None
    copies: tuple[tuple[str, str], ...] = ()
    listen: str | None = None
    stream_bytes: int = 0

    @property
    def is_wanted(self) -> bool:
        """Whether the plane is an edge or a hub."""
        return self.leaf is not None or self.listen is not None

    def engine(self, plane: str, data: Path | None, spec: EngineSpec | None = None) -> EngineSpec | None:
        """What the plane's NATS is started with.

        :param spec: what it is started with without edges; None where it needs none then.
        :raises EdgeError: ``NT-EDGE-007`` where the hub's URL is none.
        """
        if not self.is_wanted:
            return spec
        from natant.fabric.nats.config import EngineSpec
        from natant.fabric.nats.leaf import leaf_remote
        from natant.store.folder import NATS

        if spec is not None and spec.url is not None and (self.leaf is not None or self.listen != "external"):
            raise click.UsageError(
                "--leaf and --edges PORT configure the embedded server; with --nats=URL let edges in at that server, and say --edges external"
            )
        if spec is None:
            if data is None:
                raise click.UsageError(
                    "an edge, and a hub of edges, keep what is forwarded in the data folder; leave --volatile out"
                )
            spec = EngineSpec(plane=plane, folder=data / NATS)
        if self.leaf is not None:
            leaf_remote(self.leaf, None)
            spec = replace(spec, leaf=self.leaf, leaf_credentials=self.credentials)
        if self.listen is not None and self.listen != "external":
            host, _, port = self.listen.rpartition(":")
            spec = replace(spec, leafs=int(port) or True, leafs_host=host.strip("[]") or None)
        return spec

    def features(self) -> list[Callable[[Engine, HostPort], Feature]]:
        """What is added over that NATS."""
        found: list[Callable[[Engine, HostPort], Feature]] = []
        limit = {"stream_bytes": self.stream_bytes} if self.stream_bytes else {}
        if self.leaf is not None:
            from natant.edge.edge import EdgeSide
            from natant.fabric.nats.leaf import edge_of

            name = self.name or edge_of(self.leaf)
            if not name:
                raise click.UsageError("the URL of the hub names no edge: say --edge NAME")
            found.append(lambda engine, _: EdgeSide(engine, name, copies=self.copies, **limit))
        if self.listen is not None:
            from natant.edge.hub import HubSide

            found.append(lambda engine, port: HubSide(engine, port, **limit))
        return found


def _place(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is None or value == "external":
        return value
    port = value.rpartition(":")[2]
    if not port.isascii() or not port.isdecimal() or int(port) > 65535:
        raise click.BadParameter(f"{value!r}; it takes PORT, HOST:PORT or the word external")
    return value


def edge_options(function: F) -> F:
    """Add the options; the function gets ``edge``, an :class:`EdgeChoice`."""

    @functools.wraps(function)
    def call(
        *arguments: Any,
        leaf: str | None,
        leaf_creds: str | None,
        edge_name: str | None,
        copies: Any,
        edges: str | None,
        edge_store: int,
        **rest: Any,
    ) -> Any:
        if leaf is None and (edge_name is not None or copies or leaf_creds is not None):
            raise click.UsageError("--edge, --copy and --leaf-creds are for edges: name the hub with --leaf URL")
        choice = EdgeChoice(
            leaf=leaf,
            credentials=None if leaf_creds is None else Path(leaf_creds).absolute(),
            name=edge_name,
            copies=tuple(copies),
            listen=edges,
            stream_bytes=edge_store * 2**20,
        )
        return function(*arguments, edge=choice, **rest)

    for option in reversed(
        (
            click.option(
                "--leaf",
                metavar="URL",
                envvar="NATANT_LEAF",
                help="Be an edge of the hub at URL, as natant edge add prints it; or set $NATANT_LEAF, which keeps its password out of sight.",
            ),
            click.option(
                "--leaf-creds",
                metavar="FILE",
                type=click.Path(exists=True, dir_okay=False),
                help="Credentials for that hub, a .creds file, where it serves tenants.",
            ),
            click.option(
                "--edge", "edge_name", metavar="NAME", help="The name of this edge. [default: the user in URL]"
            ),
            click.option(
                "--copy",
                "copies",
                nargs=2,
                multiple=True,
                metavar="NODE LANE",
                help="Keep a copy of that lane of the hub. May be repeated.",
            ),
            click.option(
                "--edges",
                metavar="[HOST:]PORT",
                callback=_place,
                help="Be the hub of edges, which come in there; 0 takes a free port, the word external leaves that to the NATS server.",
            ),
            click.option(
                "--edge-store",
                type=click.IntRange(1, 1_000_000),
                default=1024,
                show_default=True,
                metavar="MIB",
                help="What may wait here on its way from an edge to its hub.",
            ),
        )
    ):
        call = option(call)
    return call  # type: ignore[return-value]
