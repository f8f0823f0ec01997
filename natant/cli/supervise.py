"""The parent of ``natant dev``: watches the files, and replaces the process that serves them.

A version that cannot be loaded replaces nothing: the one before goes on.  One that can is started in these steps, the
slow ones before the fast ones: a process waits warm (natant imported); it loads the file; the version before stops gracefully; the
new one opens the data folder and the port.  Clients find the port closed for the last two steps only, and link again by themselves.

Invariant: at most one process has the data folder open.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from natant.cli.fault import EXIT_OK, tell
from natant.cli.lanes import compare
from natant.cli.show import paint, talk
from natant.cli.watch import Watch
from natant.errors import NatantError

__all__ = ["Plan", "Supervisor"]

#: how often the files are looked at
LOOK_S: Final = 0.1
#: a file may change again within this time: editors write in several steps
SETTLE_S: Final = 0.05
SETTLE_LIMIT: Final = 20
#: how long natant itself may take to be imported, a file to load, a plane to open its data and port
WARM_WAIT_S: Final = 60.0
LOAD_WAIT_S: Final = 120.0
READY_WAIT_S: Final = 120.0
#: how long a version may take to stop before it is killed; what it acknowledged is safe
STOP_WAIT_S: Final = 5.0
#: time for connections to end, within that
GRACE_S: Final = 0.3
#: names of changed files that are shown
SHOWN_FILES: Final = 3

#: a child finds modules where its parent does
_PROGRAM: Final = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[3]); "
    "from natant.cli.child import main; main(int(sys.argv[1]), int(sys.argv[2]))"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is served and how; ``fresh`` is given the data folder of the first version before it is opened."""

    path: Path
    name: str
    host: str
    port: int
    data: str | None
    is_volatile: bool
    allow_origins: tuple[str, ...] = ()
    log_format: str = "text"
    log_level: str = "info"
    fresh: Callable[[Path], None] | None = None
    on_ready: Callable[[dict[str, Any]], None] = field(default=lambda facts: None)


class _Gone(Exception):
    """A child ended, gave no answer in time, or is not wanted any more."""


class _NotServed(Exception):
    """The first version could be loaded, but not served: no change of a file will mend that."""

    def __init__(self, error: NatantError) -> None:
        self.error = error


class _Child:
    """One process, and the pipes to it."""

    def __init__(self, is_wanted: Callable[[], bool]) -> None:
        self._is_wanted = is_wanted
        there_in, out = os.pipe()
        back, there_out = os.pipe()
        self._out = os.fdopen(out, "wb", buffering=0)
        self._back = os.fdopen(back, "rb", buffering=0)
        self._rest = b""
        try:
            self._process = subprocess.Popen(  # noqa: S603  # ourselves
                [sys.executable, "-c", _PROGRAM, str(there_in), str(there_out), json.dumps(sys.path)],
                pass_fds=(there_in, there_out),
            )
        finally:
            os.close(there_in)
            os.close(there_out)

    def tell(self, **facts: Any) -> None:
        try:
            self._out.write(json.dumps(facts).encode() + b"\n")
        except OSError:
            raise _Gone(self._how()) from None

    def hear(self, wait_s: float) -> dict[str, Any]:
        """Its next words.

        :raises _Gone: where it has ended or says nothing for so long.
        """
        deadline_s = time.monotonic() + wait_s
        while b"\n" not in self._rest:
            ready, _, _ = select.select([self._back], [], [], LOOK_S)
            if not ready:
                if not self._is_wanted():
                    raise _Gone("is not wanted any more")
                if time.monotonic() > deadline_s:
                    raise _Gone(f"gave no answer within {wait_s:g} s")
                continue
            data = self._back.read(65536)
            if not data:
                raise _Gone(self._how())
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        facts: dict[str, Any] = json.loads(line)
        return facts

    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def stop(self) -> None:
        """Stop gracefully, and wait for that."""
        with contextlib.suppress(OSError):
            self._out.close()
        try:
            self._process.wait(STOP_WAIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._back.close()

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self.stop()

    def _how(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = self._process.wait(1.0)
            return f"ended with {code}" if code >= 0 else f"was ended by {signal.Signals(-code).name}"
        return "closed its pipe"


class Supervisor:
    """Serves a plan, version after version, until told to stop."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._port = plan.port
        self._watch = Watch(_folder(plan.path))
        self._warm: _Child | None = None
        self._serving: _Child | None = None
        self._lanes: dict[str, str] | None = None
        self._signal: signal.Signals | None = None

    def run(self) -> int:
        """Serve until Ctrl-C or SIGTERM; the exit code."""
        with self._signals():
            try:
                self._load([])
                while self._signal is None:
                    time.sleep(LOOK_S)
                    changed = self._settled()
                    if changed:
                        self._load(changed)
                    elif self._serving is not None and self._serving.has_ended():
                        self._serving.stop()
                        self._serving = None
                        talk(f"{paint('the plane ended by itself', 'red')}; it is loaded again when a file is saved")
            except _NotServed as failure:
                raise failure.error from None
            finally:
                for child in (self._serving, self._warm):
                    if child is not None:
                        child.stop()
        return EXIT_OK

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        def on_signal(number: int, _frame: object) -> None:
            if self._signal is not None and self._serving is not None:
                self._serving.kill()
            self._signal = signal.Signals(number)

        before: dict[signal.Signals, Any] = {
            number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _is_wanted(self) -> bool:
        return self._signal is None

    def _settled(self) -> list[str]:
        """What has changed, once it changes no more."""
        changed = self._watch.changed()
        for _ in range(SETTLE_LIMIT if changed else 0):
            time.sleep(SETTLE_S)
            more = self._watch.changed()
            if not more:
                break
            changed = sorted({*changed, *more})
        return changed

    def _load(self, changed: list[str]) -> None:
        """Put the files as they are now in the place of the version that is served."""
        begun_s = time.monotonic()
        if changed:
            names = ", ".join(changed[:SHOWN_FILES]) + (", ..." if len(changed) > SHOWN_FILES else "")
            talk(f"{paint('changed', 'cyan')}  {names}")
        child, self._warm = self._warm or _Child(self._is_wanted), None
        try:
            facts = self._replace(child)
        except _NotServed:
            child.kill()
            raise
        except (_Gone, NatantError) as error:
            child.kill()
            if self._is_wanted():
                self._tell_failure(error)
                self._warm = _Child(self._is_wanted)
            return
        lanes, before = facts["lanes"], self._lanes
        if before is not None:
            talk(f"{paint('reloaded', 'green')} in {time.monotonic() - begun_s:.2f} s")
            for line in compare(before, lanes).lines():
                talk(f"          {line}")
        else:
            talk("reload  when a .py file below " + str(self._watch.folder) + " is saved; the state is kept")
        self._lanes = lanes
        self._serving = child
        self._warm = _Child(self._is_wanted)

    def _replace(self, child: _Child) -> dict[str, Any]:
        """Let ``child`` load the file and take over; what it says of itself.

        :raises NatantError: where it cannot; what was served until now is still served if loading was what failed.
        """
        plan = self._plan
        child.hear(WARM_WAIT_S)
        child.tell(load=str(plan.path), name=plan.name, data=plan.data, volatile=plan.is_volatile)
        loaded = _good(child.hear(LOAD_WAIT_S))["loaded"]
        if self._serving is not None:
            self._serving.stop()
            self._serving = None
        try:
            ready = self._take_over(child, loaded["data"])
        except NatantError as error:
            if self._lanes is None:
                raise _NotServed(error) from None
            raise
        return {"lanes": loaded["lanes"], **ready}

    def _take_over(self, child: _Child, data: str | None) -> dict[str, Any]:
        """Let ``child`` open the data and the port."""
        plan = self._plan
        if plan.fresh is not None and self._lanes is None and data is not None:
            plan.fresh(Path(data))
        child.tell(
            serve={
                "host": plan.host,
                "port": self._port,
                "allow_origins": plan.allow_origins,
                "log_format": plan.log_format,
                "log_level": plan.log_level,
                "grace_s": GRACE_S,
                "is_first": self._lanes is None,
            }
        )
        ready: dict[str, Any] = _good(child.hear(READY_WAIT_S))["ready"]
        self._port = ready["port"]
        plan.on_ready(ready)
        return ready

    def _tell_failure(self, error: Exception) -> None:
        if isinstance(error, NatantError):
            trace = error.context.get("trace")
            if trace:
                talk(str(trace).rstrip())
            tell(error)
        else:
            talk(f"{paint('the new version', 'red')} {error}")
        if self._serving is not None:
            talk("the version before is still served; save the file again")
        else:
            talk("nothing is served; mend this and save the file again")


def _good(facts: dict[str, Any]) -> dict[str, Any]:
    failed = facts.get("failed")
    if failed is None:
        return facts
    raise NatantError(failed["code"], failed["message"], trace=failed["trace"])


def _folder(path: Path) -> Path:
    """What is watched: the folder of the file, or of the outermost package it is in."""
    folder = path.parent
    while (folder / "__init__.py").is_file() and folder.parent != folder:
        folder = folder.parent
    return folder
