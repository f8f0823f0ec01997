"""Kill a real server again and again under load, then audit what it kept.

    python -m tests.chaos.kill --kills 1000 --record

``natant run`` serves ``plane.py`` on RocksDB while writers send acknowledged commands.  It is killed with SIGKILL at random
moments: under load, while it starts, while it stops.  In the end the state is read and audited (``audit.py``).  Long runs go in
rounds of ``ROUND_KILLS``, each with a data folder of its own.  ``--record`` adds a line to the table in RELIABILITY.md.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from random import Random, SystemRandom
from typing import Any, BinaryIO, Final

from tests.chaos.audit import History, State, audit
from tests.chaos.plane import ACCOUNTS, FEEDS
from tests.chaos.writer import Writer, request
from tests.support.process import free_port

ROOT: Final = Path(__file__).resolve().parents[2]
PLANE: Final = Path(__file__).with_name("plane.py")
TABLE: Final = ROOT / "RELIABILITY.md"
#: where in RELIABILITY.md a line is added
MARK: Final = "<!-- results of tests/chaos/kill.py: the newest first -->"

LEDGERS: Final = 4
WRITERS: Final = 8
ROUND_KILLS: Final = 50
#: how long a life lasts at most before it is killed
LIFE_S: Final = 0.8
#: the share of kills while the server starts, and of those that follow a SIGTERM
STARTING: Final = 0.15
STOPPING: Final = 0.1
START_WAIT_S: Final = 60.0
STOP_WAIT_S: Final = 60.0
SETTLE_WAIT_S: Final = 30.0
SETTLE_STEP_S: Final = 0.5


@dataclass
class Result:
    """What was done to the server, and what became of it; counts add up over rounds."""

    kills: int = 0
    while_starting: int = 0
    while_stopping: int = 0
    sent: int = 0
    acknowledged: int = 0
    retried: int = 0
    repeated: int = 0
    given_up: int = 0
    source_items: int = 0
    timers: int = 0
    seconds: float = 0.0
    complaints: list[str] = field(default_factory=list)

    def add(self, other: Result) -> None:
        """Take another round in."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


class Server:
    """``natant run`` on one data folder and port."""

    def __init__(self, data: Path, log: BinaryIO, bug: str = "") -> None:
        self.port = free_port()
        self._data = data
        self._log = log
        self._environment = os.environ | {"CHAOS_BUG": bug}
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, *, is_quiet: bool = False) -> None:
        """Start it; it is not ready yet."""
        arguments = ["run", str(PLANE), "--port", str(self.port), "--data", str(self._data), "--json"]
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "natant.cli", *arguments),
            cwd=ROOT,
            env=self._environment | {"CHAOS_QUIET": "1" if is_quiet else ""},
            stdout=asyncio.subprocess.PIPE,
            stderr=self._log,
        )

    async def ready(self) -> None:
        """Wait until it is."""
        assert self._process is not None
        assert self._process.stdout is not None
        async with asyncio.timeout(START_WAIT_S):
            line = await self._process.stdout.readline()
        assert line, f"the server ended with {await self._process.wait()} when it was started:\n{self.log()}"

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, where it still runs."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(number)

    async def end(self, number: signal.Signals) -> int:
        """Send it a signal and wait for its end."""
        assert self._process is not None
        self.send(number)
        async with asyncio.timeout(STOP_WAIT_S):
            return await self._process.wait()

    def log(self) -> str:
        """What it said."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")


async def run_round(kills: int, random: Random, *, bug: str = "") -> Result:
    """Kill a server so often, audit it in the end."""
    begun_s = time.monotonic()
    result, history = Result(), History()
    with tempfile.TemporaryDirectory(prefix="natant-chaos-") as folder, tempfile.TemporaryFile() as log:
        server = Server(Path(folder) / "data", log, bug)
        writers = [
            Writer(f"w{number}", server.port, LEDGERS, history, Random(random.random())) for number in range(WRITERS)
        ]
        tasks = [asyncio.create_task(writer.run()) for writer in writers]
        try:
            for _ in range(kills):
                await _live_and_die(server, random, result)
            await server.start()
            await server.ready()
            for writer in writers:
                writer.is_stopping = True
            await asyncio.gather(*tasks)
            code = await server.end(signal.SIGTERM)
            assert code == 0, f"the server ended with {code} when it was asked to:\n{server.log()}"
            # Once more, without the source: the state stands still, and is what is on the disk.
            await server.start(is_quiet=True)
            await server.ready()
            state = await _settled(server.port)
            await server.end(signal.SIGTERM)
        finally:
            for task in tasks:
                task.cancel()
            await server.end(signal.SIGKILL)
    result.sent, result.acknowledged = len(history.sent), history.acknowledged
    result.retried = sum(writer.retries for writer in writers)
    result.repeated = sum(writer.repeats for writer in writers)
    result.given_up = sum(writer.given_up for writer in writers)
    result.source_items = max(feed["last"] for feed in state.feeds.values())
    result.timers = sum(len(ledger["armed"]) for ledger in state.ledgers.values())
    result.complaints = audit(history, state)
    result.seconds = time.monotonic() - begun_s
    return result


async def _live_and_die(server: Server, random: Random, result: Result) -> None:
    """One life of the server: started, perhaps asked to stop, killed."""
    result.kills += 1
    await server.start()
    if random.random() < STARTING:
        result.while_starting += 1
        await asyncio.sleep(random.uniform(0, LIFE_S))
    else:
        await server.ready()
        await asyncio.sleep(random.uniform(0, LIFE_S))
        if random.random() < STOPPING:
            result.while_stopping += 1
            server.send(signal.SIGTERM)
            await asyncio.sleep(random.uniform(0, 0.1))
    await server.end(signal.SIGKILL)


async def _settled(port: int) -> State:
    """The state once it stands still: what was in the outbox has arrived, the timers have rung."""
    before = await _read(port)
    deadline_s = time.monotonic() + SETTLE_WAIT_S
    while True:
        await asyncio.sleep(SETTLE_STEP_S)
        state = await _read(port)
        if state == before:
            return state
        assert time.monotonic() < deadline_s, f"the state does not stand still after {SETTLE_WAIT_S} s"
        before = state


async def _read(port: int) -> State:
    async def lanes(node: str, *names: str) -> dict[str, Any]:
        return {name: await request(port, f"{node}?lane={name}") for name in names}

    return State(
        {n: await lanes(f"/ledger/{n}", "count", "sum", "entries", "armed", "ripe") for n in range(LEDGERS)},
        {n: await lanes(f"/account/{n}", "balance", "credits") for n in range(ACCOUNTS)},
        {n: await lanes(f"/feed/{n}", "count", "sum", "last", "back") for n in range(FEEDS)},
        await lanes("/total", "count", "sum"),
    )


def table(result: Result) -> str:
    """The result for people."""
    rows = [
        (
            "kills",
            f"{result.kills}, of these {result.while_starting} while starting, {result.while_stopping} while stopping",
        ),
        ("commands", f"{result.sent} sent, {result.acknowledged} acknowledged"),
        (
            "",
            f"{result.retried} tries without an answer, {result.given_up} given up, {result.repeated} sent again after their answer",
        ),
        ("beside", f"{result.source_items} items of the source, {result.timers} timers"),
        ("time", f"{result.seconds:.0f} s"),
        ("audit", "nothing lost, nothing doubled" if not result.complaints else f"{len(result.complaints)} complaints"),
    ]
    return "\n".join(f"{name:9} {text}" for name, text in rows) + "".join(f"\n  {line}" for line in result.complaints)


def line(result: Result) -> str:
    """The result as a line of the table in RELIABILITY.md."""
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    verdict = "0 lost, 0 doubled" if not result.complaints else f"**{len(result.complaints)} complaints**"
    return (
        f"| {datetime.now(UTC):%Y-%m-%d} | {machine} | {result.kills} | {result.acknowledged} | {result.retried} | "
        f"{result.given_up} | {verdict} | {result.seconds:.0f} s |"
    )


def record(result: Result, place: str = MARK) -> None:
    """Add the line to RELIABILITY.md, in the table behind the line ``place``."""
    before, mark, after = TABLE.read_text("utf-8").partition(place)
    assert mark, f"{TABLE} has no line {place}"
    head, rows = after.lstrip("\n").split("\n|---", 1)
    rule, _, rest = rows.partition("\n")
    TABLE.write_text(f"{before}{mark}\n\n{head}\n|---{rule}\n{line(result)}\n{rest}", "utf-8")


async def run(kills: int, random: Random, *, bug: str = "", is_loud: bool = False) -> Result:
    """Kill so often, in rounds; stops at the first round with complaints."""
    result = Result()
    while result.kills < kills and not result.complaints:
        result.add(await run_round(min(ROUND_KILLS, kills - result.kills), random, bug=bug))
        if is_loud:
            print(f"{result.kills} kills, {result.acknowledged} commands, {result.seconds:.0f} s", file=sys.stderr)
    return result


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Kill a server under load, then audit what it kept.")
    parser.add_argument("--kills", type=int, default=50, help="how often (default 50)")
    parser.add_argument("--seed", type=int, help="of the moments (the machine's speed plays a part too)")
    parser.add_argument("--bug", default="", help="plant a bug of bug.py, which the audit must find")
    parser.add_argument("--record", action="store_true", help="add the result to RELIABILITY.md")
    arguments = parser.parse_args()
    seed = SystemRandom().randrange(2**32) if arguments.seed is None else arguments.seed
    print(f"seed {seed}", file=sys.stderr)
    result = asyncio.run(run(arguments.kills, Random(seed), bug=arguments.bug, is_loud=True))
    print(table(result))
    if arguments.record:
        record(result)
    return 1 if result.complaints else 0


if __name__ == "__main__":
    sys.exit(main())
