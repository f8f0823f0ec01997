"""The parent of ``natant run --workers N``: starts the embedded NATS server and the workers, and keeps so many of them running.

All workers accept on one socket, which the parent keeps open, so no connection is refused while one of them is replaced.  A worker
that dies is started again; its partitions have long been taken up by the others then.

==========  =====================================================================================================
signal      what follows
==========  =====================================================================================================
SIGTERM     every worker stops gracefully, then the server
SIGINT      the same; once more: at once
SIGHUP      the workers are replaced one after the other by new processes, which load the files anew
==========  =====================================================================================================
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from natant.cli.fault import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK
from natant.errors import NatantError, ServerError

if TYPE_CHECKING:
    from natant.fabric.nats.config import EngineSpec
    from natant.fabric.nats.engine import Engine

__all__ = ["Crew", "CrewPlan"]

#: environment of a worker: where its NATS is, credentials included, and the socket it accepts on
URL_VARIABLE: Final = "NATANT_CLUSTER"
SOCKET_VARIABLE: Final = "NATANT_LISTENER"
#: and where its server tells whether it is safe
MONITOR_VARIABLE: Final = "NATANT_MONITORS"
#: how long a worker may take to come up, and to stop before it is killed; what it acknowledged is safe
READY_S: Final = 60.0
STOP_S: Final = 40.0
#: how long a worker that died is waited for before the next start; doubled while it dies young, up to the longest
AGAIN_FIRST_S: Final = 0.1
AGAIN_LONGEST_S: Final = 10.0
#: a worker that lived so long did not die young
YOUNG_S: Final = 5.0
BACKLOG: Final = 1024

_LOG = logging.getLogger("natant.cli")


@dataclass(frozen=True, slots=True, kw_only=True)
class CrewPlan:
    """What a crew runs.

    :ivar arguments: of ``natant run`` for each worker, but for where its NATS is and what it listens on.
    :ivar spec: of the NATS for all; embedded where it names no URL.
    :ivar partitions: into how many parts the plane is divided when it is made; None: 64, or as it is.
    :ivar on_ready: told once all workers are up, with what each said.
    :ivar on_engine: told of the parent's engine once it has started, and None when it is about to close.
    """

    workers: int
    arguments: Sequence[str]
    host: str
    port: int
    spec: EngineSpec
    partitions: int | None
    on_ready: Callable[[list[dict[str, Any]]], None]
    on_engine: Callable[[Engine | None], None] = lambda _: None


class _Worker:
    """One place in the crew, and the process that fills it at present."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.process: asyncio.subprocess.Process | None = None
        self.facts: dict[str, Any] = {}
        self.is_replaced = False


class Crew:
    """Workers of one machine."""

    def __init__(self, plan: CrewPlan) -> None:
        self._plan = plan
        self._workers = [_Worker(number) for number in range(plan.workers)]
        self._stopping = asyncio.Event()
        self._is_cut = False
        self._url = ""
        self._monitors = ""
        self._listener: socket.socket | None = None
        self._rolling: asyncio.Task[None] | None = None
        #: workers that were started again because they died
        self.restarts = 0

    async def run(self) -> int:
        """Run until a signal comes; the exit code.

        :raises NatantError: where the port, the server or a worker cannot be started.
        """
        from natant.fabric.nats.division import settle_partitions
        from natant.fabric.nats.engine import Engine

        self._listener = _listen(self._plan.host, self._plan.port)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_stop)
        loop.add_signal_handler(signal.SIGHUP, self._on_hangup)
        engine = await Engine.start(self._plan.spec)
        self._url = engine.url
        if engine.server is not None:
            self._monitors = f"http://{engine.spec.host}:{engine.server.ports.http}"
        else:
            self._monitors = ",".join(engine.spec.monitors)
        jobs: list[asyncio.Task[None]] = []
        try:
            self._plan.on_engine(engine)
            partitions = await settle_partitions(engine, self._plan.partitions)
            if engine.server is not None:
                engine.server.divide(partitions)
            await asyncio.gather(*(self._start(worker) for worker in self._workers))
            self._plan.on_ready([worker.facts for worker in self._workers])
            jobs = [asyncio.create_task(self._keep(worker)) for worker in self._workers]
            await self._stopping.wait()
        finally:
            if self._rolling is not None:
                self._rolling.cancel()
            for job in jobs:
                job.cancel()
            await asyncio.gather(*(self._stop(worker) for worker in self._workers))
            self._plan.on_engine(None)
            await engine.close()
            self._listener.close()
        return EXIT_INTERRUPTED if self._is_cut else EXIT_OK

    # --- signals --------------------------------------------------------------------------------------------------

    def _on_stop(self) -> None:
        if self._stopping.is_set():
            self._is_cut = True
            for worker in self._workers:
                if worker.process is not None and worker.process.returncode is None:
                    worker.process.kill()
        self._stopping.set()

    def _on_hangup(self) -> None:
        if self._rolling is None or self._rolling.done():
            self._rolling = asyncio.create_task(self._roll())

    async def _roll(self) -> None:
        """Replace the workers, one after the other; the first that does not come up ends it."""
        for worker in self._workers:
            worker.is_replaced = True
            try:
                await self._stop(worker)
                await self._start(worker)
            except NatantError as error:
                _LOG.error("the workers are replaced no further: %s", error)
                return
            finally:
                worker.is_replaced = False

    # --- processes ------------------------------------------------------------------------------------------------

    async def _start(self, worker: _Worker) -> None:
        from natant.fabric.nats.embedded import die_with_parent

        assert self._listener is not None
        options: dict[str, Any] = {"preexec_fn": die_with_parent()} if sys.platform == "linux" else {}
        descriptor = self._listener.fileno()
        environment = dict(os.environ)
        environment[URL_VARIABLE] = self._url
        environment[MONITOR_VARIABLE] = self._monitors
        environment[SOCKET_VARIABLE] = str(descriptor)
        worker.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "natant.cli",
            "run",
            *self._plan.arguments,
            "--json",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            env=environment,
            pass_fds=(descriptor,),
            start_new_session=True,
            **options,
        )
        try:
            async with asyncio.timeout(READY_S):
                assert worker.process.stdout is not None
                line = await worker.process.stdout.readline()
                if not line:
                    await worker.process.wait()
        except TimeoutError:
            worker.process.kill()
            line = b""
        if not line:
            raise ServerError(
                "NT-SERVER-040",
                f"worker {worker.number} did not come up within {READY_S:g} s or ended with exit code "
                f"{worker.process.returncode}; what it printed says why",
            )
        worker.facts = json.loads(line)

    async def _keep(self, worker: _Worker) -> None:
        """Start a worker again whenever it has died."""
        wait_s = AGAIN_FIRST_S
        loop = asyncio.get_running_loop()
        while True:
            process = worker.process
            assert process is not None
            began_s = loop.time()
            await process.wait()
            if self._stopping.is_set():
                return
            if worker.is_replaced or worker.process is not process:
                await asyncio.sleep(AGAIN_FIRST_S)
                continue
            wait_s = AGAIN_FIRST_S if loop.time() - began_s > YOUNG_S else min(wait_s * 2, AGAIN_LONGEST_S)
            _LOG.warning("worker %d ended with exit code %s; it is started again", worker.number, process.returncode)
            await asyncio.sleep(wait_s)
            self.restarts += 1
            try:
                await self._start(worker)
            except NatantError as error:
                _LOG.error("%s", error)

    async def _stop(self, worker: _Worker) -> None:
        process = worker.process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(STOP_S):
                await process.wait()
        except TimeoutError:
            _LOG.error("worker %d did not stop within %g s and is killed", worker.number, STOP_S)
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def _listen(host: str, port: int) -> socket.socket:
    """The socket of all workers."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise ServerError(
            "NT-SERVER-001",
            f"cannot listen on {host}:{port}: {error.strerror or error}; is another server running there? choose another port "
            "or 0 for a free one",
        ) from error
    listener.setblocking(False)
    return listener


def run_crew(plan: CrewPlan) -> int:
    """Run a crew; blocks."""

    async def work() -> int:
        return await Crew(plan).run()

    try:
        return asyncio.run(work())
    except KeyboardInterrupt:
        return EXIT_FAILED
