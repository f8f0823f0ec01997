"""Types the commands of the README and of the pages in docs/, and compares what they print.

In a block ``console`` a line after ``$`` is a command, the lines below are what it prints, and ``...`` stands for anything.  A command without such lines may
print what it likes. ``save=NAME`` at a block writes it to that file first.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from keepsake.cli.main import COMMANDS, run

ROOT = Path(__file__).resolve().parents[2]
#: pages, with the workers that they need
PAGES = {"README.md": "read", "docs/tutorial.md": "read,learn,forget", "docs/import.md": "none"}

_BLOCK = re.compile(r"^```(\w+)(?: save=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def steps(page: str) -> Iterator[tuple[str, str, str]]:
    """Files to write (``save``, name, content) and commands to type (``type``, command, output)."""
    for kind, name, content in _BLOCK.findall((ROOT / page).read_text("utf-8")):
        if name:
            yield "save", name, content
        if kind == "console":
            for piece in re.split(r"^\$ ", content, flags=re.MULTILINE)[1:]:
                command, _, output = piece.partition("\n")
                yield "type", command, output


def fits(printed: str, wanted: str) -> bool:
    """Whether what was printed is what the page shows."""
    pattern = ".*".join(map(re.escape, wanted.strip().split("...")))
    return not wanted.strip() or re.fullmatch(pattern, printed.strip(), re.DOTALL) is not None


class Service:
    """What the page's `keepsake serve` starts."""

    def __init__(self, workers: str) -> None:
        self.workers = workers
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, command: str) -> None:
        arguments = [
            *shlex.split(command)[1:],
            "--port",
            "0",
            "--json",
            "--workers",
            "read,learn,forget",
            "--logs",
            "logs",
        ]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "keepsake.cli", *arguments], stdout=subprocess.PIPE, env=environment
        )
        assert self.process.stdout is not None
        assert json.loads(self.process.stdout.readline())["url"]

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            assert self.process.wait(60) == 0


@pytest.mark.parametrize("page", PAGES)
def test_a_page_does_what_it_says(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("KEEPSAKE_DATA", "KEEPSAKE_AT", "KEEPSAKE_TOKEN", "TZ"):
        monkeypatch.delenv(name, raising=False)
    service = Service(PAGES[page])
    try:
        for kind, subject, content in steps(page):
            if kind == "save":
                Path(subject).write_text(content, "utf-8")
            elif subject.startswith("keepsake serve"):
                service.start(subject)
            else:
                code = run(shlex.split(subject)[1:])
                told = capsys.readouterr()
                assert code == 0, f"{subject}: {told.err}"
                assert fits(told.out, content), f"{subject} printed\n{told.out}"
    finally:
        service.stop()


def test_every_command_that_a_page_names_exists() -> None:
    for page in (ROOT / "docs").glob("*.md"):
        for name in re.findall(r"`keepsake ([a-z]+)", page.read_text("utf-8")):
            assert name in COMMANDS, f"{page.name}: keepsake {name}"
