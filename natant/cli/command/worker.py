"""``natant worker``: do the jobs of a work queue."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from natant.cli import option
from natant.cli.fault import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK
from natant.cli.load import find_file, load_module
from natant.cli.queue import Reach, opened, reach_options
from natant.cli.serving import set_up_log
from natant.cli.show import paint, put_json, talk
from natant.errors import ClientError

if TYPE_CHECKING:
    from natant.fabric.nats.config import EngineSpec
    from natant.queue.delivery import Delivery
    from natant.queue.nats.worker import Worker

__all__ = ["cli"]

#: functions that are shown where it is not known which is meant
SHOWN: Final = 12

_LOG = logging.getLogger("natant.queue")


@click.command(
    "worker",
    epilog=option.examples(
        "natant worker app.py:asr", "natant worker gpu.py:asr --nats nats://db1 --plane calls --slots 4"
    ),
)
@click.argument("file", metavar="FILE[:FUNCTION]")
@click.option("--queue", metavar="NAME", help="The queue. [default: that of the function's plane, else its name]")
@click.option(
    "--slots",
    "--concurrency",
    "slots",
    default=1,
    show_default=True,
    type=click.IntRange(1, 10_000),
    help="Jobs it does at a time.",
)
@click.option(
    "--grace",
    "grace_s",
    default=30.0,
    show_default=True,
    type=click.FloatRange(0),
    metavar="SECONDS",
    help="Time for what runs when it is stopped; the rest goes back into the queue.",
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="warning",
    show_default=True,
    help="What is logged.",
)
@reach_options
@click.option("--json", "is_json", is_flag=True, help="Print one JSON line when it works, and one for each job.")
def cli(
    *, file: str, queue: str | None, slots: int, grace_s: float, log_level: str, reach: Reach, is_json: bool
) -> int:
    """Do the jobs of a work queue.

    FUNCTION takes one job: async def asr(job: Job[Clip]) -> Transcript. A plain function runs in a thread. Any number of workers
    may run, on any machine that reaches the NATS servers. Without --nats, the plane that declares the queue is taken to run here.

    The first Ctrl-C or SIGTERM takes no more jobs, lets those that run end within --grace, and gives the others back; the second
    stops at once (exit code 130). A job is never lost: one whose worker dies is done by another.
    """
    from natant.loop import new_loop

    set_up_log("text", log_level)
    path, name = find_file(file)
    function, spec = _function(path, name)
    plane = None if spec is None else spec.plane
    engine = reach.spec(plane, path if spec is not None else None)
    chosen = queue or (spec.name if spec is not None else function.__name__)
    work = _Work(engine, chosen, function, slots, grace_s, is_json)
    with asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(work.run())


def _function(path: Path, name: str) -> tuple[Callable[..., Any], Any]:
    """The function, and the queue that it was declared for.

    :raises ClientError: ``NT-CLI-015`` where there is none.
    """
    from natant.queue.policy import MARK

    module = load_module(path)
    marked = {key: thing for key, thing in vars(module).items() if callable(thing) and hasattr(thing, MARK)}
    if not name and len(marked) == 1:
        name = next(iter(marked))
    function = vars(module).get(name)
    if not callable(function) or isinstance(function, type):
        known = ", ".join(list(marked)[:SHOWN]) or "none, so name one: FILE:FUNCTION"
        what = f"{name!r} of {path.name} is no function" if name else f"which function of {path.name}?"
        raise ClientError("NT-CLI-015", f"{what}; those declared for a queue: {known}")
    return function, getattr(function, MARK, None)


class _Work:
    """One run of the command."""

    def __init__(
        self, spec: EngineSpec, queue: str, function: Callable[..., Any], slots: int, grace_s: float, is_json: bool
    ) -> None:
        self._spec = spec
        self._queue = queue
        self._function = function
        self._slots = slots
        self._grace_s = grace_s
        self._is_json = is_json
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._is_cut = False

    async def run(self) -> int:
        """Work until a signal; the exit code."""
        from natant.queue.nats.worker import Worker

        async with opened(self._spec) as engine:
            worker = Worker(
                engine,
                self._queue,
                self._function,
                slots=self._slots,
                grace_s=self._grace_s,
                on_change=self._told if self._is_json else None,
            )
            engine.lost.add_done_callback(lambda _: self._stop.set())
            self._listen()
            self._announce(worker)
            self._task = asyncio.ensure_future(worker.run(self._stop))
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            if engine.lost.done():
                _LOG.error("the NATS server ended the connection: %s", engine.lost.result())
                return EXIT_FAILED
        if not self._is_json:
            talk(f"done    {worker.done} jobs, {worker.failed} attempts failed")
        return EXIT_INTERRUPTED if self._is_cut else EXIT_OK

    def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            with contextlib.suppress(NotImplementedError, RuntimeError):
                loop.add_signal_handler(number, self._on_signal)

    def _on_signal(self) -> None:
        if not self._stop.is_set():
            self._stop.set()
        elif self._task is not None:
            self._is_cut = True
            self._task.cancel()

    def _announce(self, worker: Worker) -> None:
        from natant.fabric.nats.connect import safe_url

        where = safe_url(str(self._spec.url))
        if self._is_json:
            put_json(
                {
                    "worker": worker.name,
                    "queue": self._queue,
                    "plane": self._spec.plane,
                    "slots": self._slots,
                    "nats": where,
                }
            )
            return
        talk(f"queue   {paint(self._queue, 'cyan')} of {self._spec.plane}  {where}")
        talk(f"worker  {worker.name}, {self._slots} {'job' if self._slots == 1 else 'jobs'} at a time")
        talk("stop    Ctrl-C, or SIGTERM: lets what runs end")

    def _told(self, verdict: str, delivery: Delivery) -> None:
        put_json(
            {
                "job": delivery.envelope.id,
                "node": delivery.envelope.node,
                "attempt": delivery.attempt,
                "verdict": verdict,
            }
        )
