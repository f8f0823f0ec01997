"""Kill any process at any moment while messages are imported, again and again, and compare what is there in the end.

    python tests/chaos/kill_import.py --kills 100

Chats are written, imported by ``keepsake import`` one after the other, and read by workers, while the plane, its NATS server, the workers and the
importer are killed (SIGKILL) at random and started again. Then everything is compared: every message once, in the store, among the memories,
in the log of custody, and in the figures of the person's agent.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2]))
from support.running import Running

from keepsake.store.sqlite import SqliteStores

PERSON = "ann"
WORKERS = 2
#: messages in one chat file
CHAT = 2000
WORDS = [
    "tea",
    "boat",
    "garden",
    "letter",
    "winter",
    "walk",
    "bread",
    "Lisbon",
    "train",
    "song",
    "rain",
    "paint",
    "Oskar",
    "hill",
    "lamp",
    "market",
    "Anna",
]


def chat(number: int, random_: random.Random) -> str:
    """A chat as WhatsApp exports it; no line is like another."""
    lines = []
    for line in range(CHAT):
        minute, hour, day = line % 60, (line // 60) % 24, 1 + (line // 1440) % 27
        name = ("Ann", "Ben")[line % 2]
        text = " ".join(random_.choices(WORDS, k=8))
        lines.append(f"{day:02d}/03/2024, {hour:02d}:{minute:02d} - {name}: chat {number} line {line} {text}")
    return "\n".join(lines) + "\n"


class Importer:
    """``keepsake import``, started again until it ends well, and then for the next chat."""

    def __init__(self, running: Running, folder: Path, random_: random.Random) -> None:
        self.running = running
        self.folder = folder
        self.random = random_
        self.number = -1
        self.done = 0
        self.process: subprocess.Popen[bytes] | None = None
        self.is_last = False

    def look(self) -> None:
        """Go on."""
        if self.process is not None and self.process.poll() is None:
            return
        if self.process is not None and self.process.returncode == 0:
            self.done += 1
            self.process = None
            if self.is_last:
                return
        if self.process is None:
            self.number += 1
            (self.folder / f"chat {self.number}.txt").write_text(chat(self.number, self.random), "utf-8")
        log = (self.running.data / "import.log").open("ab")
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "keepsake.cli", "import", PERSON),
                *(str(self.folder / f"chat {self.number}.txt"), "--as", "whatsapp", "--me", "Ann"),
                *("--at", self.running.url, "--day-first", "--notes", str(self.folder / "notes")),
            ],
            env=self.running.environment | {"KEEPSAKE_TOKEN": self.running.token(PERSON)},
            stdout=log,
            stderr=log,
        )


def nats_of(plane: int) -> int | None:
    """The process of the NATS server that a plane has started."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)
                if "nats-server" in fields[0] and int(fields[1].split()[1]) == plane:
                    return int(entry.name)
            except (OSError, ValueError):
                continue
    return None


def audit(running: Running, importer: Importer) -> tuple[int, int]:
    """Wait until all is read, then compare; gives messages and differences."""
    wanted = Counter(
        line.split(": ", 1)[1]
        for path in sorted(importer.folder.glob("*.txt"))
        for line in path.read_text("utf-8").splitlines()
    )
    limit = time.monotonic() + 600
    while (figures := _figures(running)).get("messages", 0) < len(wanted) and time.monotonic() < limit:
        time.sleep(1)
    store = SqliteStores(running.data / "people", running.ring).open(PERSON)
    bodies: Counter[str] = Counter()
    memories: Counter[str] = Counter()
    after = 0
    while messages := store.messages(after=after):
        bodies.update(message.body for message in messages)
        after = messages[-1].seq
    after = 0
    while found := store.memories(after=after):
        memories.update(memory.message for memory in found)
        after = found[-1].seq
    records = Counter(
        record["about"]
        for start in range(0, store.record_count(), 1000)
        for record in map(json.loads, store.records(start, 1000))
        if record["action"] == "stored"
    )
    differences = {
        "missing": sum((wanted - bodies).values()),
        "twice or foreign": sum((bodies - wanted).values()),
        "not remembered": len(wanted) - len(memories),
        "not in the log once": sum(count != 1 for count in records.values()) + abs(len(records) - len(wanted)),
        "figures of the agent": abs(int(figures.get("messages", 0)) - len(wanted)),
    }
    print(f"{len(wanted)} messages compared: " + ", ".join(f"{count} {name}" for name, count in differences.items()))
    return len(wanted), sum(differences.values())


def _figures(running: Running) -> dict[str, Any]:
    try:
        figures: dict[str, Any] = running.get(PERSON, "figures")
    except Exception:  # the plane may be on its way up
        return {}
    return figures


def run(options: argparse.Namespace, running: Running, folder: Path) -> int:
    """Kill and go on."""
    random_ = random.Random(options.seed)
    importer = Importer(running, folder, random_)
    running.token(PERSON)
    running.start_plane()
    for number in range(WORKERS):
        running.start_worker("read", number)
    killed: Counter[str] = Counter()
    begin = time.monotonic()
    while sum(killed.values()) < options.kills:
        importer.look()
        time.sleep(random_.uniform(0.2, options.pause))
        names = [*(name for name in running.processes), "import", "nats"]
        name = random_.choice(names)
        if name == "import":
            if importer.process is None or importer.process.poll() is not None:
                continue
            importer.process.kill()
            importer.process.wait()
        elif name == "nats":
            server = nats_of(running.processes["plane"].pid)
            if server is None:
                continue
            os.kill(server, signal.SIGKILL)
        else:
            running.kill(name)
            if name == "plane":
                running.start_plane()
            else:
                queue, _, which = name.partition("-")
                running.start_worker(queue, int(which))
        killed[name.partition("-")[0]] += 1
    importer.is_last = True
    limit = time.monotonic() + 600
    while (importer.process is not None) and time.monotonic() < limit:
        importer.look()
        time.sleep(0.5)
    took = time.monotonic() - begin
    told = ", ".join(f"{name} {count}" for name, count in sorted(killed.items()))
    print(f"{sum(killed.values())} kills in {took:.0f} s ({told}); {importer.done} chats imported")
    _, wrong = audit(running, importer)
    return min(wrong, 1)


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--pause", type=float, default=2.0, help="seconds between kills, at most")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="keepsake-"))
    (folder / "chats").mkdir()
    (folder / "data").mkdir()
    with Running(folder / "data", recogniser="none", embedder="none", names="0") as running:
        code = run(options, running, folder / "chats")
    print(folder if options.keep or code else "nothing was lost and nothing is there twice")
    return code


if __name__ == "__main__":
    sys.exit(main())
