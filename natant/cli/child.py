"""The process that ``natant dev`` runs a plane in: one for each version of the files.

Its parent speaks to it through a pair of pipes, one JSON object a line.  It loads everything of natant first, so that it waits
warm; then it is told to load the file, and serves it when it is told so, after the version before has gone::

    parent                      child
                                {"warm": true}
    {"load": FILE, ...}         {"loaded": {...}}   or   {"failed": {...}}
    {"serve": {...}}            {"ready": {...}}    or   {"failed": {...}}
    (closes the pipe)           (stops gracefully)

Invariant: a child ends when its parent does, because the pipe is closed then.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

from natant.errors import NatantError

if TYPE_CHECKING:
    from natant.server.server import Server

__all__ = ["main"]


class _Parent:
    """The two pipes."""

    def __init__(self, receives: int, sends: int) -> None:
        self._receives: BinaryIO = os.fdopen(receives, "rb", buffering=0)
        self._sends: BinaryIO = os.fdopen(sends, "wb", buffering=0)

    def tell(self, **facts: Any) -> None:
        self._sends.write(json.dumps(facts).encode() + b"\n")

    def hear(self) -> dict[str, Any]:
        """The next order; ends the process where there is no parent any more."""
        line = self._receives.readline()
        if not line:
            os._exit(0)
        order: dict[str, Any] = json.loads(line)
        return order

    def stop_when_gone(self) -> None:
        """Stop gracefully once the parent closes the pipe."""

        def wait() -> None:
            while self._receives.readline():
                pass
            os.kill(os.getpid(), signal.SIGTERM)

        threading.Thread(target=wait, name="natant dev", daemon=True).start()


def main(receives: int, sends: int) -> NoReturn:
    """Run one version."""
    # Ctrl-C reaches the whole group of processes; the parent decides what becomes of us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = _Parent(receives, sends)
    _warm()
    parent.tell(warm=True)
    order = parent.hear()
    try:
        code = _run(parent, order)
    except NatantError as error:
        parent.tell(failed={"code": error.code, "message": error.message, "trace": getattr(error, "trace", "")})
        code = 1
    sys.stdout.flush()
    os._exit(code)  # threads of the author's shall not hold up the next version


def _warm() -> None:
    """Import what serving needs."""
    import natant.client.reach
    import natant.server.run
    import natant.store.rocks
    import natant.testing  # noqa: F401  # authors' files import it at times


def _run(parent: _Parent, order: dict[str, Any]) -> int:
    from natant.cli.lanes import lanes_of
    from natant.cli.load import load_plane
    from natant.cli.serving import Serving, announce, data_folder, facts_of, serve, set_up_log

    found = load_plane(Path(order["load"]), order["name"])
    data = data_folder(found, order["data"], order["volatile"])
    parent.tell(loaded={"lanes": lanes_of(found.plane), "data": None if data is None else str(data)})
    facts = parent.hear()["serve"]
    set_up_log(facts["log_format"], facts["log_level"])
    serving = Serving(
        host=facts["host"],
        port=facts["port"],
        data=data,
        allow_origins=tuple(facts["allow_origins"]),
        grace_s=facts["grace_s"],
    )

    def on_ready(server: Server) -> None:
        import asyncio

        asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        parent.stop_when_gone()
        if facts["is_first"]:
            announce(found, serving, server)
        parent.tell(ready=facts_of(found, serving, server))

    return serve(found.plane, serving, on_ready)
