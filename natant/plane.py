"""A plane: the agent classes, sources and files that make up one service."""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from natant.agent import Agent
from natant.errors import PlaneError
from natant.kernel.cell import Cell
from natant.kernel.config import Config
from natant.kernel.route import Router
from natant.link.hub import Authenticator, Policy
from natant.link.identity import ANONYMOUS, Identity
from natant.queue.policy import QueuePolicy, QueueSpec

__all__ = ["Item", "Mount", "Plane", "SourceSpec", "StaticFiles"]

F = TypeVar("F", bound=Callable[..., Any])

#: bytes of one WebSocket message to a mounted application
FRAME_BYTES: Final = 1024 * 1024


@dataclass(slots=True)
class Item:
    """One thing that a source brings: a command to an agent.

    :ivar position: where to go on *after* this item; an int or a str.
    :ivar node: URI of the agent.
    :ivar lane: one of its lanes, most often a command.
    :ivar value: anything that can be mapped.
    :ivar at: when it happened, in epoch seconds; needed only where the source is replayed at a speed.
    """

    position: int | str
    node: str
    lane: str
    value: Any = None
    at: float | None = None


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """A source as it was declared."""

    name: str
    open: Callable[[Any], Iterable[Item] | AsyncIterable[Item]]
    start: int | str = 0
    speed: float | Callable[[], float] = 0.0
    #: told that the source has come to its end
    ended: Callable[[], object] | None = None


@dataclass(frozen=True, slots=True)
class StaticFiles:
    """A folder that is served under a path."""

    prefix: str
    directory: Path


@dataclass(frozen=True, slots=True)
class Mount:
    """An application under a path.

    :ivar app: an ASGI 3 application.
    :ivar frame_bytes: of the longest WebSocket message that it takes.
    """

    prefix: str
    app: Callable[..., Awaitable[None]]
    frame_bytes: int = FRAME_BYTES


@dataclass
class Plane:
    """The agent classes of a service, and what belongs to it.

    :param name: for people, logs and metrics.
    :param agents: classes with a route; no two routes may match the same nodes.
    :param config: limits and durations.
    :param authenticator: ``(credentials, request URI)`` -> ``Identity``, None or ``Refusal``; see :mod:`natant.link.hub`.
    :param policy: ``(identity, verb, node, lane)`` -> allowed?
    :param meta: serve ``swim:meta:`` and ``swimos:meta:`` nodes.
    :param is_private: nobody without credentials is told anything over HTTP but files and whether the server is well: no descriptions,
        lists, counters, metrics. Links, reads and commands are up to the policy.
    :param unnamed: who asks over NATS and shows no token.
    :raises PlaneError: ``NT-PLANE-002`` for ambiguous routes, ``NT-PLANE-008`` for a class without one.
    """

    name: str
    agents: Sequence[type[Agent]]
    config: Config = field(default_factory=Config)
    authenticator: Authenticator | None = None
    policy: Policy | None = None
    meta: bool = True
    is_private: bool = False
    unnamed: Identity = ANONYMOUS
    sources: list[SourceSpec] = field(default_factory=list, init=False)
    files: list[StaticFiles] = field(default_factory=list, init=False)
    mounts: list[Mount] = field(default_factory=list, init=False)
    queues: list[QueueSpec] = field(default_factory=list, init=False)
    router: Router[type[Cell]] = field(default_factory=Router, init=False, repr=False)

    def __post_init__(self) -> None:
        for kind in self.agents:
            schema = getattr(kind, "_schema", None)  # Agent itself has none
            route = None if schema is None else schema.route
            if route is None:
                raise PlaneError(
                    "NT-PLANE-008",
                    f'agent class {kind.__name__} has no route; write class {kind.__name__}(Agent, route="/...")',
                )
            self.router.add(route, kind)

    def source(
        self,
        name: str,
        *,
        start: int | str = 0,
        speed: float | Callable[[], float] = 0.0,
        ended: Callable[[], object] | None = None,
    ) -> Callable[[F], F]:
        """Decorator: ``function(position)`` yields the :class:`Item` s that come after ``position``.

        The position is journaled in the same commit as the effects of the items up to it, so after a crash the source goes on exactly
        where the state is.

        :param start: the position before the first item.
        :param speed: how many seconds of the items' own time (:attr:`Item.at`) pass in one second; 0: as fast as it goes.
            A function is asked when the source starts.
        :param ended: called once when the function has no more items.
        """

        def register(function: F) -> F:
            if any(other.name == name for other in self.sources):
                raise PlaneError("NT-PLANE-009", f"plane {self.name!r} has a source {name!r} already")
            self.sources.append(SourceSpec(name, function, start, speed, ended))
            return function

        return register

    def queue(
        self,
        name: str,
        *,
        attempts: int = 5,
        backoff: tuple[float, float] = (1.0, 60.0),
        timeout_s: float = 0.0,
        limit: int = 1_000_000,
        lost_s: float = 10.0,
        target_s: float = 60.0,
        workers: tuple[int, int] = (0, 100),
    ) -> QueueSpec:
        """A work queue; as a decorator it marks the function that does its jobs, which ``natant worker FILE:FUNCTION`` runs::

            @plane.queue("asr", attempts=3)
            async def asr(job: Job[Clip]) -> Transcript: ...

        Agents submit jobs through ``lane.jobs("asr", Clip, Transcript)``; :mod:`natant.queue` tells what holds.

        :param attempts: how often a job is tried before it is parked with its cause.
        :param backoff: seconds until the second attempt, and the longest; in between it doubles.
        :param timeout_s: an attempt that takes longer has failed; 0: no limit.
        :param limit: jobs that the queue holds; more are refused to whoever submits them (``NT-QUEUE-003``).
        :param lost_s: a job whose worker was not heard of for so long is given to another one.
        :param target_s: what waits should be done within this time; the suggested number of workers follows from it.
        :param workers: the fewest and the most that are suggested.
        :raises QueueError: ``NT-QUEUE-006`` for figures that make no sense.
        :raises PlaneError: ``NT-PLANE-009`` for a name that is taken.
        """
        if any(other.name == name for other in self.queues):
            raise PlaneError("NT-PLANE-009", f"plane {self.name!r} has a queue {name!r} already")
        policy = QueuePolicy(attempts, backoff, timeout_s, limit, lost_s, target_s, *workers)
        spec = QueueSpec(name, self.name, policy)
        self.queues.append(spec)
        return spec

    def static(self, prefix: str, directory: str | Path) -> None:
        """Serve the files of ``directory`` under the path ``prefix``.

        :raises PlaneError: ``NT-PLANE-010`` where it is no folder.
        """
        path = Path(directory)
        if not path.is_dir():
            raise PlaneError("NT-PLANE-010", f"{path} is not a folder, so its files cannot be served under {prefix}")
        self.files.append(StaticFiles("/" + prefix.strip("/"), path))

    def mount(self, prefix: str, app: Callable[..., Awaitable[None]], *, frame_bytes: int = FRAME_BYTES) -> None:
        """Give all paths from ``prefix`` on to an ASGI 3 application, such as one of Starlette or FastAPI: HTTP and WebSocket.

        The authenticator is asked before the application, and the policy for the verb ``open`` with the path as node.  What the
        application may do to agents it asks of ``natant.server.gate(scope)``.

        :param frame_bytes: a WebSocket that sends a longer message is closed with 1009.
        :raises PlaneError: ``NT-PLANE-009`` for a prefix that is taken, ``NT-PLANE-011`` for one that cannot be had.
        """
        path = "/" + prefix.strip("/")
        if path == "/" or path == "/metrics" or (path + "/").startswith("/-/") or not path.isascii() or "%" in path:
            raise PlaneError(
                "NT-PLANE-011",
                f"an application cannot be mounted at {prefix!r}: / is the plane's, /-/ and /metrics are the server's own; "
                "take a prefix such as /api, in ASCII and without percent signs",
            )
        if any(other.prefix == path for other in self.mounts):
            raise PlaneError("NT-PLANE-009", f"plane {self.name!r} has an application at {path} already")
        self.mounts.append(Mount(path, app, frame_bytes))
