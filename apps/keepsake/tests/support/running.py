"""Keepsake as it runs: a plane and workers as processes of their own, which can be killed and started again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from keepsake.key import Ring, Tokens

APP = Path(__file__).parents[2] / "keepsake" / "agent" / "app.py"
#: for a plane to answer
START_S = 60.0


def free_port() -> int:
    """A port that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Running:
    """An installation in a folder, with a plane and workers.

    :ivar processes: by name: ``plane``, ``read-0``, ``hear-0``...
    """

    def __init__(self, data: Path, **setting: str) -> None:
        self.data = data
        self.port = free_port()
        self.ring = Ring(data / "keys")
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.environment = dict(os.environ) | {
            "KEEPSAKE_DATA": str(data),
            "KEEPSAKE_AT": f"warp://127.0.0.1:{self.port}",
            "OMP_NUM_THREADS": "1",
            **{f"KEEPSAKE_{name.upper()}": value for name, value in setting.items()},
        }

    @property
    def url(self) -> str:
        """Where the plane is."""
        return f"http://127.0.0.1:{self.port}"

    def token(self, person: str, role: Any = "owner") -> str:
        """A token of a person, who is made where there is none."""
        self.ring.make(person)
        return Tokens(self.ring).make(person, role, until=time.time() + 86_400)

    def _start(self, name: str, arguments: Sequence[str]) -> None:
        log = (self.data / f"{name}.log").open("ab")
        self.processes[name] = subprocess.Popen(
            [sys.executable, "-m", "natant.cli", *arguments], env=self.environment, stdout=log, stderr=log
        )

    def start_plane(self) -> None:
        """Start the plane, and wait until it answers."""
        self._start("plane", ["run", str(APP), "--data", str(self.data / "plane"), "--port", str(self.port)])
        limit = time.monotonic() + START_S
        while time.monotonic() < limit:
            if self.processes["plane"].poll() is not None:
                raise AssertionError(self.log("plane"))
            try:
                if httpx.get(f"{self.url}/-/health", timeout=2).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        raise AssertionError(f"the plane does not answer: {self.log('plane')}")

    def start_worker(self, queue: str, number: int = 0, slots: int = 1) -> str:
        """Start a worker of a queue; gives its name."""
        name = f"{queue}-{number}"
        plane = str(self.data / "plane")
        self._start(name, ["worker", f"{APP}:{queue}", "--data", plane, "--slots", str(slots), "--log-level", "info"])
        return name

    def kill(self, name: str, sign: int = signal.SIGKILL) -> None:
        """End a process at once."""
        process = self.processes.pop(name)
        process.send_signal(sign)
        process.wait(30)

    def log(self, name: str) -> str:
        """The last of what a process wrote."""
        return (self.data / f"{name}.log").read_text("utf-8", errors="replace")[-4000:]

    def get(self, person: str, lane: str, node: str = "") -> Any:
        """A lane of a person's agent, or of one below it."""
        answer = httpx.get(
            f"{self.url}/person/{person}{node}",
            params={"lane": lane},
            headers={"authorization": f"Bearer {self.token(person)}"},
            timeout=30,
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, person: str, node: str, lane: str, value: Any) -> Any:
        """A command to an agent of a person; gives what it answered."""
        answer = httpx.post(
            f"{self.url}/person/{person}{node}",
            params={"lane": lane},
            json=value,
            headers={"authorization": f"Bearer {self.token(person)}"},
            timeout=60,
        )
        assert answer.status_code == 200, answer.text
        return answer.json()["value"]

    def close(self) -> None:
        """End all."""
        for name in [*(name for name in self.processes if name != "plane"), *({"plane"} & set(self.processes))]:
            process = self.processes.pop(name)
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(15)

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
