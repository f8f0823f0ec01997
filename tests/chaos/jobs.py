"""Work queues whose workers, and if so wished whose plane, are killed while they work: each job is done, its outcome applied once, keys stay in order.

    python -m tests.chaos.jobs --jobs 10000 --kill-every 2
    python -m tests.chaos.jobs --jobs 10000 --kill-every 2 --kill-plane-every 10
    python -m tests.chaos.jobs --jobs 10000 --kill-every 2 --partitioned 2

``natant run`` with its embedded server, or two workers of a partitioned plane, and some ``natant worker``. Jobs are submitted at a steady rate, half of them by agents that
want order by key. Every two seconds a worker dies by SIGKILL and another one is started. The workers' function writes down when it begins and ends.

The *hand-out* is the time from a job's submission (its turn; the commit, the way into the queue and out of it come after that) to the call of the function, for jobs without a key
at their first attempt. Beside it stands what a bare publication needs to reach a bare consumer, measured during the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import random
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.chaos.jobs_plane import KEYS
from tests.chaos.nest import Nest
from tests.chaos.writer import Connection, Unanswered, request
from tests.support.process import free_port

ROOT: Final = Path(__file__).resolve().parents[2]
PLANE: Final = Path(__file__).with_name("jobs_plane.py")
ASKERS: Final = 20
START_WAIT_S: Final = 60.0
DONE_WAIT_S: Final = 400.0
RETRY_S: Final = 0.05


@dataclass
class Report:
    """What came of it; times in seconds.

    :ivar bare_s: what a bare publication to a stream took to reach a bare consumer at the same time.
    :ivar again_s: from a kill to the next beginning of a job that the killed worker had.
    """

    jobs: int = 0
    kills: int = 0
    plane_kills: int = 0
    begun: int = 0
    hand_out_s: list[float] = field(default_factory=list)
    again_s: list[float] = field(default_factory=list)
    bare_s: list[float] = field(default_factory=list)
    took_s: float = 0.0
    complaints: list[str] = field(default_factory=list)


class Process:
    """``natant`` with some words, started again whenever it was killed."""

    def __init__(self, words: list[str], log: Path) -> None:
        self._words = words
        self._environment = os.environ | {"NATANT_CHAOS_LOG": str(log)}
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as this object
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it, and wait until it says that it works."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "natant.cli",
            *self._words,
            "--json",
            cwd=ROOT,
            env=self._environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=self._errors,
        )
        assert self._process.stdout is not None
        async with asyncio.timeout(START_WAIT_S):
            line = await self._process.stdout.readline()
        if not line:
            raise AssertionError(f"{self._words} ended with {await self._process.wait()}:\n{self.log()}")
        self._reading = asyncio.create_task(_forget(self._process.stdout))

    def log(self) -> str:
        """What it said on standard error."""
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace")

    async def end(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Send it a signal and wait for its end."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.send_signal(number)
            await process.wait()


async def _probe(data: Path, times: list[float]) -> None:
    """What the machine and JetStream take by themselves: from a bare publication to its delivery to a bare consumer, in this process."""
    from natant.cli.queue import Reach, opened

    async with opened(Reach(data=data).spec()) as engine:
        await engine.js.add_stream(name="probe", subjects=["probe.>"])
        arrived: asyncio.Event = asyncio.Event()

        async def take(message: Any) -> None:
            await message.ack()
            arrived.set()

        await engine.js.subscribe("probe.x", cb=take, manual_ack=True)
        while True:
            arrived.clear()
            begun_s = time.time()
            await engine.js.publish("probe.x", b"x" * 200)
            await arrived.wait()
            times.append(time.time() - begun_s)
            await asyncio.sleep(0.02)


async def _forget(stream: asyncio.StreamReader) -> None:
    while await stream.read(65536):
        pass


class Site:
    """The plane and its workers.

    :param partitioned: processes that share the plane; 0: one plane with its own store.
    """

    def __init__(self, folder: Path, *, workers: int, slots: int, partitioned: int) -> None:
        self.port = free_port()
        self.log = folder / "work.log"
        self.data = data = folder / "data"
        words = ["run", str(PLANE), "--port", str(self.port), "--data", str(data)]
        if partitioned:
            words += ["--workers", str(partitioned)]
        self.plane = Process(words, self.log)
        self.workers = workers
        one = [f"{PLANE}:work", "--data", str(data), "--slots", str(slots)]
        self.nest = Nest(one, os.environ | {"NATANT_CHAOS_LOG": str(self.log)})

    async def start(self) -> None:
        """Start all."""
        await asyncio.gather(self.plane.start(), self.nest.start())
        for _ in range(self.workers):
            await self.nest.hatch()

    async def end(self) -> None:
        """End all."""
        await self.nest.end()
        await self.plane.end(signal.SIGTERM)


async def _submit(site: Site, asker: int, count: int, rate: float) -> None:
    """Submit the jobs of one asker at a steady rate, one or more a command."""
    connection = Connection(site.port)
    batch = max(1, round(rate * 0.05))
    await asyncio.sleep(asker * batch / rate / ASKERS)  # not all at the same moment
    begun_s = time.monotonic()
    for first in range(0, count, batch):
        body = json.dumps({"first": first, "count": min(batch, count - first), "is_ordered": asker % 2 == 1}).encode()
        headers = f"content-type: application/json\r\nidempotency-key: {asker}-{first}\r\n"
        while True:
            try:
                status, answer = await connection.request("POST", f"/asker/{asker}?lane=ask", body, headers)
            except Unanswered:
                await asyncio.sleep(RETRY_S)
                continue
            if status == 200:
                break
            if status not in (429, 503):
                raise AssertionError(f"{status} {answer.decode()}")
            await asyncio.sleep(RETRY_S)
        await asyncio.sleep(max(0.0, begun_s + (first + batch) / rate - time.monotonic()))
    connection.close()


async def _read(site: Site, asker: int, lane: str) -> Any:
    while True:
        try:
            return await request(site.port, f"/asker/{asker}?lane={lane}")
        except Unanswered:
            await asyncio.sleep(RETRY_S)


async def _kill_workers(site: Site, every_s: float, kills: list[float]) -> None:
    while True:
        await asyncio.sleep(every_s)
        kills.append(time.time())
        site.nest.kill(random.choice(site.nest.alive))
        await site.nest.hatch()


async def _kill_plane(site: Site, every_s: float, report: Report) -> None:
    while every_s:
        await asyncio.sleep(every_s)
        await site.plane.end()
        report.plane_kills += 1
        await site.plane.start()


async def run(
    jobs: int,
    *,
    rate: float = 200.0,
    workers: int = 4,
    slots: int = 8,
    kill_every_s: float = 2.0,
    kill_plane_every_s: float = 0.0,
    partitioned: int = 0,
) -> Report:
    """Do it once."""
    share = jobs // ASKERS
    report = Report(share * ASKERS)
    kills: list[float] = []
    with tempfile.TemporaryDirectory(prefix="natant-queue-") as folder:
        site = Site(Path(folder), workers=workers, slots=slots, partitioned=partitioned)
        try:
            await site.start()
            begun_s = time.monotonic()
            killing = [
                asyncio.create_task(_kill_workers(site, kill_every_s, kills)),
                asyncio.create_task(_kill_plane(site, kill_plane_every_s, report)),
            ]
            if not kill_plane_every_s:
                killing.append(asyncio.create_task(_probe(site.data, report.bare_s)))
            await asyncio.gather(*(_submit(site, asker, share, rate / ASKERS) for asker in range(ASKERS)))
            await _wait(site, share, report)
            report.took_s = time.monotonic() - begun_s
            for task in killing:
                task.cancel()
            for fault in await asyncio.gather(*killing, return_exceptions=True):
                if isinstance(fault, Exception):
                    report.complaints.append(f"killing: {fault}")
            await asyncio.sleep(1.0)  # what is applied twice would come now
            await _audit_agents(site, share, report)
        except BaseException:
            print(site.plane.log()[-4000:], file=sys.stderr)
            raise
        finally:
            await site.end()
        report.kills = len(kills)
        _audit_log(site.log, kills, report)
    return report


async def _wait(site: Site, share: int, report: Report) -> None:
    """Wait until all results have come."""
    try:
        async with asyncio.timeout(DONE_WAIT_S):
            for asker in range(ASKERS):
                while len(await _read(site, asker, "applied")) < share:
                    await asyncio.sleep(0.1)
    except TimeoutError:
        report.complaints.append(f"not all results came within {DONE_WAIT_S:g} s")


async def _audit_agents(site: Site, share: int, report: Report) -> None:
    for asker in range(ASKERS):
        applied = await _read(site, asker, "applied")
        wrong = await _read(site, asker, "wrong")
        submitted = await _read(site, asker, "submitted")
        counts = {int(number): count for number, count in applied.items()}
        if submitted != share or counts != dict.fromkeys(range(share), 1):
            lost = [number for number in range(share) if number not in counts]
            twice = [number for number, count in counts.items() if count != 1]
            report.complaints.append(f"/asker/{asker}: {submitted} submitted, lost {lost[:9]}, not once {twice[:9]}")
        if wrong:
            report.complaints.append(f"/asker/{asker}: {wrong} out of order or failed")


def _audit_log(log: Path, kills: list[float], report: Report) -> None:
    """What the workers wrote down: hand-out, and that nothing of a key began before the one before it had ended."""
    begins: dict[tuple[str, int], list[float]] = {}
    ends: dict[tuple[str, int], float] = {}
    for line in log.read_text("ascii").splitlines():
        what, node, number_text, is_ordered, submitted, at = line.split()
        job = node, int(number_text)
        if what == "end":
            ends[job] = min(ends.get(job, float(at)), float(at))
            continue
        report.begun += 1
        before = begins.setdefault(job, [])
        if not before and is_ordered == "0":
            report.hand_out_s.append(float(at) - float(submitted))
        if before:
            report.again_s += [float(at) - kill for kill in kills if before[-1] <= kill <= float(at)][-1:]
        before.append(float(at))
    for (node, number), times in begins.items():
        if int(node.rpartition("/")[2]) % 2 and number >= KEYS:
            ended_s = ends.get((node, number - KEYS))
            if ended_s is None or ended_s > min(times):
                report.complaints.append(f"{node}: {number} began before {number - KEYS} of its key had ended")


def _share(times: list[float], share: float) -> str:
    return "-" if not times else f"{1000 * sorted(times)[min(len(times) - 1, int(len(times) * share))]:.1f}"


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=200.0, help="jobs submitted a second")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--slots", type=int, default=8)
    parser.add_argument("--kill-every", type=float, default=2.0, metavar="SECONDS")
    parser.add_argument("--kill-plane-every", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--partitioned", type=int, default=0, metavar="N", help="processes that share the plane")
    words = parser.parse_args()
    report = asyncio.run(
        run(
            words.jobs,
            rate=words.rate,
            workers=words.workers,
            slots=words.slots,
            kill_every_s=words.kill_every,
            kill_plane_every_s=words.kill_plane_every,
            partitioned=words.partitioned,
        )
    )
    print(
        f"jobs {report.jobs}, begun {report.begun} times, {report.kills} workers killed, plane {report.plane_kills} times"
    )
    print(f"took {report.took_s:.1f} s")
    print(
        f"hand-out ms: p50 {_share(report.hand_out_s, 0.5)}, p99 {_share(report.hand_out_s, 0.99)}, max {_share(report.hand_out_s, 1)}"
    )
    print(f"bare publication to delivery ms: p50 {_share(report.bare_s, 0.5)}, p99 {_share(report.bare_s, 0.99)}")
    print(
        f"again after a kill ms: p50 {_share(report.again_s, 0.5)}, max {_share(report.again_s, 1)} ({len(report.again_s)} jobs)"
    )
    for complaint in itertools.islice(report.complaints, 20):
        print(f"WRONG  {complaint}")
    print("audit: " + ("each job applied exactly once, keys in order" if not report.complaints else "FAILED"))
    return 1 if report.complaints else 0


if __name__ == "__main__":
    sys.exit(main())
