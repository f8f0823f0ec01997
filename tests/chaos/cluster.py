"""Kill, hold up and replace the workers of a real cluster under load, then audit what it kept.

    python -m tests.chaos.cluster --kills 200 --record

Three workers share ``plane.py`` over one embedded NATS server while writers send acknowledged commands to any of them.  One worker
after the other is killed (SIGKILL), held up for so long that the others take it for dead (SIGSTOP, SIGCONT), or asked to stop
(SIGTERM), and started again.  In the end the state is read and audited (``audit.py``): nothing acknowledged may be lost, nothing done
twice.  How long each ledger went without an acknowledgement is told for each kind of harm.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from random import Random, SystemRandom
from typing import BinaryIO, Final

from natant.fabric.nats.engine import Engine, EngineSpec
from tests.chaos.audit import History, Sent, State, audit
from tests.chaos.kill import LEDGERS, PLANE, ROOT, Result, _settled
from tests.chaos.kill import record as record_in
from tests.chaos.writer import Unanswered, Writer
from tests.support.process import free_port

WORKERS: Final = 3
WRITERS: Final = 8
ROUND_HARMS: Final = 25
READY_WAIT_S: Final = 60.0
STOP_WAIT_S: Final = 60.0
#: how long a worker is left alone between two harms
LIFE_S: Final = (0.3, 1.5)
#: how long one is held up: the others take it for dead after about three seconds
PAUSE_S: Final = (4.0, 8.0)
#: shares of the harms
PAUSED: Final = 0.1
STOPPED: Final = 0.2
MARK: Final = "<!-- results of tests/chaos/cluster.py: the newest first -->"


@dataclass
class Gaps:
    """For one kind of harm: the longest time each time that some ledger was not answered."""

    killed: list[float] = field(default_factory=list)
    paused: list[float] = field(default_factory=list)
    stopped: list[float] = field(default_factory=list)

    def lines(self) -> list[str]:
        """For people."""
        found = []
        for name in ("killed", "paused", "stopped"):
            values = sorted(getattr(self, name))
            if values:
                late = values[min(len(values) - 1, int(len(values) * 0.99))]
                found.append(
                    f"{name:9} {len(values)} times; not answered for {statistics.median(values):.2f} s (median), {late:.2f} s (p99), "
                    f"{values[-1]:.2f} s (longest)"
                )
        return found


class Worker:
    """One worker process on a port of its own."""

    def __init__(self, url: str, monitors: str, log: BinaryIO) -> None:
        self.port = free_port()
        self._environment = os.environ | {"NATANT_CLUSTER": url, "NATANT_MONITORS": monitors}
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, *, is_quiet: bool = False) -> None:
        """Start it and wait until it is ready."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "natant.cli", "run", str(PLANE), "--port", str(self.port), "--json", "--log-format", "json"),
            cwd=ROOT,
            env=self._environment | {"CHAOS_QUIET": "1" if is_quiet else ""},
            stdout=asyncio.subprocess.PIPE,
            stderr=self._log,
        )
        assert self._process.stdout is not None
        async with asyncio.timeout(READY_WAIT_S):
            line = await self._process.stdout.readline()
        assert line, f"a worker ended with {await self._process.wait()} when it was started"

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)

    async def end(self, number: signal.Signals) -> int:
        """Send it a signal and wait for its end."""
        assert self._process is not None
        self.send(number)
        async with asyncio.timeout(STOP_WAIT_S):
            return await self._process.wait()


class Clock(Writer):
    """A writer that notes when which ledger answered, and goes to another worker when one does not answer."""

    answered: dict[int, list[float]]
    ports: list[int]

    async def _send(self, sent: Sent) -> int:
        try:
            answer = await super()._send(sent)
        except BaseException:
            self._connection.close()
            self._connection._port = self._random.choice(self.ports)
            raise
        self.answered.setdefault(sent.ledger, []).append(time.monotonic())
        return answer


async def _state(port: int) -> State:
    """The state at last; partitions that are still coming are waited for."""
    for _ in range(10):
        with contextlib.suppress(Unanswered):
            return await _settled(port)
    return await _settled(port)


def longest(answered: dict[int, list[float]], since_s: float, until_s: float) -> float:
    """The longest time after ``since_s`` that one ledger was without an answer."""
    worst = 0.0
    for times in answered.values():
        inside = [since_s, *(each for each in times if since_s < each < until_s), until_s]
        worst = max(worst, *(after - before for before, after in pairwise(inside)))
    return worst


async def run_round(harms: int, random: Random, gaps: Gaps, count: int = WORKERS) -> Result:
    """Harm the workers so often, audit the state in the end."""
    begun_s = time.monotonic()
    result, history = Result(), History()
    answered: dict[int, list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="natant-chaos-") as folder, tempfile.TemporaryFile() as log:
        engine = await Engine.start(EngineSpec(plane="chaos", folder=Path(folder) / "nats"))
        assert engine.server is not None
        monitors = f"http://127.0.0.1:{engine.server.ports.http}"
        workers = [Worker(engine.url, monitors, log) for _ in range(count)]
        tasks: list[asyncio.Task[None]] = []
        try:
            await asyncio.gather(*(worker.start() for worker in workers))
            ports = [worker.port for worker in workers]
            writers = [
                Clock(f"w{number}", random.choice(ports), LEDGERS, history, Random(random.random()))
                for number in range(WRITERS)
            ]
            for writer in writers:
                writer.answered, writer.ports = answered, ports
            tasks = [asyncio.create_task(writer.run()) for writer in writers]
            for _ in range(harms):
                await _harm(workers, random, result, gaps, answered)
            for writer in writers:
                writer.is_stopping = True
            await asyncio.gather(*tasks)
            for worker in workers:
                assert await worker.end(signal.SIGTERM) == 0
            await asyncio.gather(*(worker.start(is_quiet=True) for worker in workers))
            state = await _state(workers[0].port)
            for worker in workers:
                await worker.end(signal.SIGTERM)
        except BaseException:
            log.seek(0)
            sys.stderr.write(log.read().decode(errors="replace")[-8000:])
            raise
        finally:
            for task in tasks:
                task.cancel()
            for worker in workers:
                with contextlib.suppress(AssertionError):
                    await worker.end(signal.SIGKILL)
            await engine.close()
    result.sent, result.acknowledged = len(history.sent), history.acknowledged
    result.retried = sum(writer.retries for writer in writers)
    result.repeated = sum(writer.repeats for writer in writers)
    result.given_up = sum(writer.given_up for writer in writers)
    result.source_items = max(feed["last"] for feed in state.feeds.values())
    result.timers = sum(len(ledger["armed"]) for ledger in state.ledgers.values())
    result.complaints = audit(history, state, may_come_late=True)
    result.seconds = time.monotonic() - begun_s
    return result


async def _harm(
    workers: list[Worker], random: Random, result: Result, gaps: Gaps, answered: dict[int, list[float]]
) -> None:
    """One harm to one worker, which works again afterwards."""
    await asyncio.sleep(random.uniform(*LIFE_S))
    worker = random.choice(workers)
    begun_s = time.monotonic()
    choice = random.random()
    if choice < PAUSED:
        worker.send(signal.SIGSTOP)
        await asyncio.sleep(random.uniform(*PAUSE_S))
        worker.send(signal.SIGCONT)
        kind = gaps.paused
    elif choice < PAUSED + STOPPED:
        assert await worker.end(signal.SIGTERM) == 0
        result.while_stopping += 1
        kind = gaps.stopped
        await worker.start()
    else:
        await worker.end(signal.SIGKILL)
        result.kills += 1
        kind = gaps.killed
        await worker.start()
    await asyncio.sleep(0.5)
    kind.append(longest(answered, begun_s, time.monotonic()))
    answered.clear()


async def run(kills: int, random: Random, workers: int = WORKERS) -> tuple[Result, Gaps]:
    """Kill so often, in rounds; stops at the first round with complaints."""
    result, gaps = Result(), Gaps()
    while result.kills < kills and not result.complaints:
        result.add(await run_round(ROUND_HARMS, random, gaps, workers))
        print(f"{result.kills} kills, {result.acknowledged} commands, {result.seconds:.0f} s", file=sys.stderr)
        print("\n".join(gaps.lines()), file=sys.stderr)
    return result, gaps


def report(kills: int, seed: int, *, workers: int = WORKERS, is_recorded: bool = False) -> int:
    """Harm, audit and print; the exit code."""
    print(f"seed {seed}", file=sys.stderr)
    result, gaps = asyncio.run(run(kills, Random(seed), workers))
    print(
        f"{result.kills} killed, {result.while_stopping} stopped; {result.sent} sent, {result.acknowledged} acknowledged, "
        f"{result.retried} tries without an answer, {result.given_up} given up; {result.source_items} items, {result.timers} timers; "
        f"{result.seconds:.0f} s"
    )
    print("\n".join(gaps.lines()))
    print("\n".join(result.complaints) or "nothing lost, nothing doubled")
    if is_recorded:
        record_in(result, MARK)
    return 1 if result.complaints else 0


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Harm the workers of a cluster under load, then audit what it kept.")
    parser.add_argument("--kills", type=int, default=20, help="how often (default 20)")
    parser.add_argument("--seed", type=int, help="of the moments")
    parser.add_argument("--record", action="store_true", help="add the result to RELIABILITY.md")
    asked = parser.parse_args()
    seed = SystemRandom().randrange(2**32) if asked.seed is None else asked.seed
    return report(asked.kills, seed, is_recorded=asked.record)


if __name__ == "__main__":
    sys.exit(main())
