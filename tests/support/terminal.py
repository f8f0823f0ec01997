"""A terminal that types what a document shows, and looks whether it sees the same.

In a ```` ```console ```` block each line ``$ COMMAND`` is run by the shell in the folder of the session; what stands under it must be
what it prints, standard error included.  ``...`` stands for anything within a line, and alone on a line for any number of lines.

``natant run``, ``natant dev`` and ``natant tenant serve`` are left running as servers, on free ports in place of 9001 and of 9002 (``--port 9002``); the next one
for a port ends the one before.  A block without commands shows what the last server says next.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.support.document import Block
from tests.support.process import ROOT, free_port

__all__ = ["Terminal"]

#: how long a command may run, and a server may take to say what it should
COMMAND_WAIT_S: Final = 60.0
SAY_WAIT_S: Final = 30.0
#: what documents call the ports
_PORTS: Final = (9001, 9002)
_SERVING: Final = re.compile(r"natant (run|dev|tenant serve)\b")
_SHIMS: Final[dict[str, str]] = {
    "natant": 'exec {python} -c "from natant.cli.main import main; main()" "$@"',
    "python": 'exec {python} "$@"',
}
if shutil.which("curl") is None:
    _SHIMS["curl"] = 'exec {python} -m tests.support.curl "$@"'


class Terminal:
    """One reader's session: a folder, a server or two, commands one after the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "home"
        self.folder.mkdir()
        self.ports = {port: free_port() for port in _PORTS}
        self._logs = folder
        self._port = _PORTS[0]
        self._heard = 0
        self._servers: dict[int, subprocess.Popen[bytes]] = {}
        programs = folder / "bin"
        programs.mkdir()
        for name, line in _SHIMS.items():
            (programs / name).write_text(f"#!/bin/sh\n{line.format(python=shlex.quote(sys.executable))}\n")
            (programs / name).chmod(0o755)
        self._environment = os.environ | {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "NATANT_URL": f"warp://127.0.0.1:{self.ports[_PORTS[0]]}",
            "NO_COLOR": "1",
            "no_proxy": "*",
        }

    def save(self, name: str, text: str) -> None:
        """Write a file, as the reader does in an editor."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self._local(text), "utf-8")

    def enter(self, block: Block) -> None:
        """Run the commands of a block, or wait for what its server says."""
        commands = _commands(block.body)
        if not commands:
            self._wait_for(block.body, block.where)
        for command, expected in commands:
            if command.startswith("cd "):
                self.folder = self.folder / command.removeprefix("cd ")
            elif _SERVING.match(command):
                self._serve(command)
                self._wait_for(expected or "open ...\n...", block.where)
            else:
                self._run(command, expected, block.where)

    def _run(self, command: str, expected: str, where: str) -> None:
        done = subprocess.run(
            ["bash", "-c", self._local(command)],
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=COMMAND_WAIT_S,
            check=False,
        )
        seen = self._shown(done.stdout.decode())
        assert _pattern(expected).fullmatch(_trim(seen)), (
            f"{where}\n$ {command}\n--- expected\n{expected}\n--- seen\n{seen}"
        )

    def _serve(self, command: str) -> None:
        asked = re.search(r" --port (\d+)", command)
        self._port = int(asked[1]) if asked else _PORTS[0]
        self._end(self._port)
        if asked:
            command = command.replace(asked[0], "")
        with self._said.open("wb") as log:
            self._heard = 0
            self._servers[self._port] = subprocess.Popen(
                ["bash", "-c", f"exec {self._local(command)} --port {self.ports[self._port]}"],
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def _said(self) -> Path:
        """What the last server said."""
        return self._logs / f"{self._port}.log"

    def _wait_for(self, expected: str, where: str) -> None:
        """Wait until what the server has said since the last time fits."""
        pattern = _pattern("...\n" + expected)
        deadline_s = time.monotonic() + SAY_WAIT_S
        while True:
            said = self._said.read_text("utf-8", "replace")
            news = self._shown(said[self._heard :])
            if pattern.fullmatch(_trim(news)):
                self._heard = len(said)
                return
            assert time.monotonic() < deadline_s, f"{where}\n--- expected\n{expected}\n--- the server said\n{news}"
            time.sleep(0.05)

    def stop(self) -> None:
        """End the servers."""
        for port in list(self._servers):
            self._end(port)

    def _end(self, port: int) -> None:
        """End a server as Ctrl-C does."""
        server = self._servers.pop(port, None)
        if server is not None and server.poll() is None:
            server.send_signal(signal.SIGINT)
            try:
                server.wait(SAY_WAIT_S)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
                raise

    def _local(self, text: str) -> str:
        for port, local in self.ports.items():
            text = text.replace(f":{port}", f":{local}")
        return text

    def _shown(self, text: str) -> str:
        for port, local in self.ports.items():
            text = text.replace(f":{local}", f":{port}")
        return text.replace("\r\n", "\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _commands(body: str) -> list[tuple[str, str]]:
    """The commands of a block, each with what is shown under it."""
    found: list[tuple[str, list[str]]] = []
    for line in body.strip("\n").split("\n"):
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif line.startswith("> ") and found and not found[-1][1]:
            found[-1] = (f"{found[-1][0]}\n{line[2:]}", [])
        elif found:
            found[-1][1].append(line)
    return [(command, "\n".join(lines)) for command, lines in found]


def _trim(text: str) -> str:
    """The lines of a text, without blanks at their ends and empty lines around them."""
    return "".join(f"{line.rstrip()}\n" for line in text.strip("\n").split("\n"))


def _pattern(expected: str) -> re.Pattern[str]:
    """What ``expected`` fits."""
    parts = []
    for line in _trim(expected).splitlines():
        if line.strip() == "...":
            parts.append(r"(?:[^\n]*\n)*")
        else:
            parts.append(".*".join(map(re.escape, line.split("..."))) + "\n")
    return re.compile("".join(parts))
