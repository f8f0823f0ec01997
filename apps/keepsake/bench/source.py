"""How fast importers read: messages and bytes a second of a processor, and what they take in memory, of files that are made up on the spot.

python bench/source.py [--messages 100000] [--json]
"""

from __future__ import annotations

import argparse
import json
import mailbox
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from keepsake.source import Choice, Part, Post, open_source

TEXT = "we walked along the river and talked about the bridge which nobody has crossed before the summer"
WORDS = TEXT.split()


def text(number: int) -> str:
    """A sentence that is not the one before."""
    return " ".join(WORDS[(number * 7 + place) % len(WORDS)] for place in range(12)) + f" {number}."


def moment(number: int) -> datetime:
    """A minute after the one before."""
    return datetime.fromtimestamp(1_600_000_000 + number * 60, UTC)


def whatsapp(folder: Path, count: int) -> Path:
    path = folder / "chat.txt"
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            file.write(f"[{moment(number):%d/%m/%Y, %H:%M:%S}] {('Ana', 'Ben')[number % 2]}: {text(number)}\n")
    return path


def slack(folder: Path, count: int) -> Path:
    path = folder / "slack"
    (path / "general").mkdir(parents=True)
    (path / "users.json").write_text(json.dumps([{"id": "U1", "real_name": "Ana"}]))
    for first in range(0, count, 1000):
        day = [
            {"type": "message", "user": "U1", "ts": str(moment(number).timestamp()), "text": text(number)}
            for number in range(first, min(first + 1000, count))
        ]
        (
            path
            / "general"
            / f"{2000 + first // 336_000:04d}-{first // 28_000 % 12 + 1:02d}-{first // 1000 % 28 + 1:02d}.json"
        ).write_text(json.dumps(day))
    return path


def chatgpt(folder: Path, count: int) -> Path:
    path = folder / "conversations.json"

    def node(number: int) -> dict[str, Any]:
        author = {"role": ("user", "assistant")[number % 2]}
        content = {"content_type": "text", "parts": [text(number)]}
        return {"message": {"author": author, "content": content, "create_time": moment(number).timestamp()}}

    found = [
        {"title": "t", "create_time": 1.6e9, "mapping": {str(n): node(n) for n in range(first, min(first + 20, count))}}
        for first in range(0, count, 20)
    ]
    path.write_text(json.dumps(found))
    return path


def mail(folder: Path, count: int) -> Path:
    path = folder / "Inbox"
    box = mailbox.mbox(path)
    for number in range(count):
        message = EmailMessage()
        message["From"] = "Ana <ana@example.org>"
        message["Subject"] = f"Number {number}"
        message["Date"] = moment(number)
        message.set_content(text(number) + "\n\n> quoted\n")
        message.set_unixfrom(f"From ana@example.org {moment(number):%a %b %d %H:%M:%S %Y}")
        box.add(message)
    box.flush()
    return path


def markdown(folder: Path, count: int) -> Path:
    path = folder / "diary.md"
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            day = datetime.fromtimestamp(number * 86_400 % 3_000_000_000, UTC)
            file.write(f"## {day:%Y-%m-%d}\n\n{text(number)}\n\n")
    return path


def measure(make: Callable[[Path, int], Path], count: int) -> dict[str, Any]:
    """Figures of one importer."""
    with tempfile.TemporaryDirectory() as name:
        path = make(Path(name), count)
        parts = [part for part in open_source(path, Choice()) if isinstance(part, Part)]
        begun = time.process_time()
        found = sum(isinstance(unit, Post) for part in parts for unit in part.read())
        took = time.process_time() - begun
        size = sum(part.size for part in parts)
        tracemalloc.start()
        for part in parts:
            for _, _ in zip(part.read(), range(10_000), strict=False):
                pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert found == count, (make.__name__, found)
    return {
        "messages": count,
        "per_s": round(count / took),
        "mb_per_s": round(size / took / 1e6, 1),
        "peak_mb": round(peak / 1e6, 1),
    }


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = {
        make.__name__: measure(make, options.messages if make is not mail else options.messages // 10)
        for make in (whatsapp, slack, chatgpt, mail, markdown)
    }
    if options.json:
        print(json.dumps(found))
    else:
        for name, figures in found.items():
            print(
                f"{name:10} {figures['per_s']:>9,} messages/s {figures['mb_per_s']:>7} MB/s  peak {figures['peak_mb']} MB"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
