"""The options of ``natant run`` that share a plane between several workers."""

from __future__ import annotations

import functools
import os
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from natant.cli.crew import MONITOR_VARIABLE, SOCKET_VARIABLE, URL_VARIABLE, CrewPlan, run_crew

if TYPE_CHECKING:
    from natant.cli.edge import EdgeChoice
    from natant.cli.load import Found
    from natant.cli.nats import NatsChoice
    from natant.fabric.nats.config import EngineSpec

__all__ = ["ClusterChoice", "cluster_options", "run_workers", "worker_arguments"]

F = TypeVar("F", bound=Callable[..., Any])

#: the embedded server's folder within the data folder
NATS_FOLDER: Final = "nats"
#: workers that one command starts
WORKER_LIMIT: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterChoice:
    """What was chosen.

    :ivar url: NATS servers over which the plane is shared; None where this process has it alone, or starts one for its workers.
    :ivar workers: processes to start; 0: this one is a worker itself.
    :ivar partitions: into how many parts the plane is divided when it is made.
    """

    url: str | None = None
    credentials: Path | None = None
    workers: int = 0
    partitions: int | None = None

    def check(self, *, is_volatile: bool, edge: EdgeChoice) -> None:
        """See that the options fit each other.

        :raises click.UsageError: where they do not.
        """
        is_wanted = self.url is not None or self.workers > 0
        if not is_wanted and self.partitions is not None:
            raise click.UsageError("--partitions goes with --cluster or --workers")
        if self.url is None and self.credentials is not None:
            raise click.UsageError("--cluster-creds goes with --cluster")
        if is_wanted and is_volatile:
            raise click.UsageError("workers share what is kept; leave --volatile out")
        if is_wanted and edge.leaf is not None:
            raise click.UsageError("an edge is one process; leave --workers and --cluster out")
        if self.url is not None and not self.is_of_crew and edge.listen not in (None, "external"):
            raise click.UsageError("the servers of --cluster let edges in themselves; say --edges external")

    def divided(self, partitions: int | None) -> ClusterChoice:
        """The same with a tenant's number of partitions, where no other was asked for."""
        return self if partitions is None or self.partitions is not None else replace(self, partitions=partitions)

    def servers(self, nats: str | None, tenant: str | None) -> str | None:
        """What ``--nats`` is: a worker of a tenant's plane finds its servers by ``--cluster``."""
        return self.url if nats is None and tenant is not None else nats

    @property
    def is_shared(self) -> bool:
        """True where this process is one worker of several."""
        return self.url is not None and not self.workers

    @property
    def is_of_crew(self) -> bool:
        """True where this process was started by ``--workers``."""
        return self.is_shared and SOCKET_VARIABLE in os.environ

    def take_listener(self) -> socket.socket | None:
        """The socket that the parent of this worker gave it; to be called once, since whoever has it closes it in the end."""
        return socket.socket(fileno=int(os.environ[SOCKET_VARIABLE])) if self.is_of_crew else None

    def engine(self, plane: str, spec: EngineSpec | None, data: Path | None) -> EngineSpec | None:
        """What the engine is started with; None where none is needed.

        :param spec: what it is started with for other reasons.
        :param data: the plane's data folder.
        """
        from natant.fabric.nats.config import EngineSpec

        if self.url is None and not self.workers:
            return spec
        if spec is None:
            spec = EngineSpec(plane=plane, folder=None if data is None else data / NATS_FOLDER)
        if self.url is not None:
            if data is not None and not self.is_of_crew:
                from natant.fabric.nats.folder import refuse_left_behind

                refuse_left_behind(data / NATS_FOLDER)
            monitors = tuple(filter(None, os.environ.get(MONITOR_VARIABLE, "").split(",")))
            spec = replace(spec, url=self.url, credentials=self.credentials or spec.credentials, folder=None)
            spec = replace(spec, monitors=monitors or spec.monitors)
        if self.partitions is not None:
            spec = replace(spec, partitions=self.partitions)
        return spec


#: options of ``natant run`` that belong to the parent of workers
_PARENTS: Final = frozenset(
    {"workers", "cluster", "port", "data", "file", "is_json", "nats", "nats_port", "nats_websocket", "nats_mqtt"}
)


def worker_arguments(context: click.Context, file: str) -> list[str]:
    """The arguments of each worker: those of its parent, without what is the parent's own matter."""
    arguments = [file]
    for parameter in context.command.params:
        name = parameter.name or ""
        value = context.params.get(name)
        if name in _PARENTS or not isinstance(parameter, click.Option):
            continue
        if context.get_parameter_source(name) is click.core.ParameterSource.DEFAULT or value in (None, (), False):
            continue
        flag = parameter.opts[0]
        if parameter.is_flag:
            arguments.append(flag)
            continue
        for each in value if parameter.multiple else (value,):
            arguments.append(flag)
            arguments.extend(map(str, each if parameter.nargs > 1 else (each,)))
    return arguments


def crew_ready(found: Found, facts: list[dict[str, Any]], *, is_json: bool, is_loud: bool) -> None:
    """Say that all workers are up."""
    from natant.cli.show import paint, put_json, talk

    first = facts[0]
    if is_json:
        put_json({**first, "pid": os.getpid(), "workers": [each["pid"] for each in facts]})
        sys.stdout.flush()
    if is_loud:
        talk(
            f"{'plane':8}{paint(found.plane.name, 'cyan')}  on {len(facts)} workers: {', '.join(str(each['pid']) for each in facts)}"
        )
        talk(f"{'data':8}in JetStream, shared by the workers")
        talk(f"{'open':8}{paint(first['url'], 'green')}")
        talk(f"{'stop':8}Ctrl-C, or SIGTERM; SIGHUP replaces the workers one after the other")


def run_workers(
    context: click.Context, found: Found, cluster: ClusterChoice, spec: EngineSpec, nats: NatsChoice | None
) -> int:
    """Be the parent of workers; the exit code."""
    from natant.egress.model import bucket_lanes

    asked = context.params
    plan = CrewPlan(
        workers=cluster.workers,
        arguments=worker_arguments(context, f"{found.path}:{found.name}"),
        host=asked["host"],
        port=asked["port"],
        spec=replace(spec, buckets=tuple(bucket_lanes(found.plane))),
        partitions=cluster.partitions,
        on_engine=nats.note if nats is not None else lambda _: None,
        on_ready=lambda facts: crew_ready(
            found, facts, is_json=asked["is_json"], is_loud=asked["log_format"] == "text"
        ),
    )
    return run_crew(plan)


def cluster_options(function: F) -> F:
    """Add the options; the function gets ``cluster``, a :class:`ClusterChoice`."""
    from natant.fabric.partition import MAX_PARTITIONS

    @functools.wraps(function)
    def call(
        *arguments: Any,
        workers: int | None,
        cluster: str | None,
        cluster_creds: str | None,
        partitions: int | None,
        **rest: Any,
    ) -> Any:
        choice = ClusterChoice(
            url=cluster,
            credentials=None if cluster_creds is None else Path(cluster_creds),
            workers=workers or 0,
            partitions=partitions,
        )
        return function(*arguments, cluster=choice, **rest)

    for option in (
        click.option(
            "--partitions",
            type=click.IntRange(1, MAX_PARTITIONS),
            metavar="N",
            help="Into how many parts the plane is divided when it is made; for good. [default: 64]",
        ),
        click.option(
            "--cluster-creds",
            metavar="FILE",
            type=click.Path(exists=True, dir_okay=False),
            help="Credentials for --cluster, a .creds file.",
        ),
        click.option(
            "--cluster",
            metavar="URL",
            envvar=URL_VARIABLE,
            help="Be one worker of the plane that is shared over the NATS servers at URL; the state is there.",
        ),
        click.option(
            "--workers",
            metavar="N",
            type=click.IntRange(1, WORKER_LIMIT),
            help="Run the plane on N processes of this machine, with an embedded NATS server or over --cluster.",
        ),
    ):
        call = option(call)
    return call  # type: ignore[return-value]
