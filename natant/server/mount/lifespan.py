"""The life of a mounted application: its startup before the port opens, its shutdown after the last connection.

Source: the ASGI specification, lifespan protocol 2.0.  An application that knows no lifespan raises, or returns, and is served all the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any, Final

from natant.errors import ServerError
from natant.server.mount.caller import SCOPE_KEY, Caller

if TYPE_CHECKING:
    from natant.plane import Mount

__all__ = ["Lifespan"]

#: time for an application to start, or to end
LIFESPAN_S: Final = 60.0

_LOG = logging.getLogger("natant.server")


class Lifespan:
    """The lifespan of one application.

    :ivar state: what the application has put there for its requests.
    """

    def __init__(self, mount: Mount, caller: Caller) -> None:
        self.state: dict[str, Any] = {}
        self._mount = mount
        self._caller = caller
        self._inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._job: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Let the application start.

        :raises ServerError: ``NT-SERVER-021`` where it says that it cannot, or takes longer than a minute.
        """
        self._job = asyncio.get_running_loop().create_task(self._run())
        answer = await self._ask("startup")
        if answer is not None and answer["type"] != "lifespan.startup.complete":
            await self.stop()
            raise ServerError(
                "NT-SERVER-021",
                f"the application mounted at {self._mount.prefix} did not start: {answer.get('message') or 'it gave no reason'}",
            )

    async def stop(self) -> None:
        """Let it end; what it does wrong now is logged."""
        job = self._job
        if job is None:
            return
        if not job.done():
            answer = await self._ask("shutdown")
            if answer is not None and answer["type"] != "lifespan.shutdown.complete":
                _LOG.error(
                    "the application mounted at %s did not end well: %s", self._mount.prefix, answer.get("message", "")
                )
        job.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await job
        self._job = None

    # --- inside ---------------------------------------------------------------------------------------------------

    async def _ask(self, what: str) -> dict[str, Any] | None:
        """Send an event and wait for its answer; None where the application knows no lifespan."""
        assert self._job is not None
        self._inbox.put_nowait({"type": f"lifespan.{what}"})
        answer = asyncio.ensure_future(self._answers.get())
        await asyncio.wait({answer, self._job}, timeout=LIFESPAN_S, return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            return answer.result()
        answer.cancel()
        if self._job.done():
            return None
        return {"type": f"lifespan.{what}.failed", "message": f"it took longer than {LIFESPAN_S:g} s"}

    async def _run(self) -> None:
        scope = {
            "type": "lifespan",
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "state": self.state,
            SCOPE_KEY: self._caller,
        }
        try:
            await self._mount.app(scope, self._inbox.get, self._send)
        except Exception as error:
            _LOG.debug("the application mounted at %s knows no lifespan: %r", self._mount.prefix, error)

    async def _send(self, message: dict[str, Any]) -> None:
        self._answers.put_nowait(message)
