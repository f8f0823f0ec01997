"""Copies of lanes of the hub, kept in the edge's own store, so that they can be read while the hub is away; their age is known.

The edge asks for all of them together; the hub tells those that have changed.  A copy is state of an agent of the edge like any other:
durable, linkable, and joined by whoever wants to.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any, Final

from natant.codec import recon
from natant.edge.agent import NODE, Copy, HubAgent
from natant.edge.question import ask_hub
from natant.errors import EdgeError, NatantError
from natant.kernel.turn import Work

if TYPE_CHECKING:
    from natant.edge.name import EdgeNames
    from natant.edge.status import EdgeStatus
    from natant.fabric.nats.wire import Wire
    from natant.kernel.kernel import Kernel

__all__ = ["Copier"]

#: between two questions
COPY_EVERY_S: Final = 1.0
#: between two tries while the hub is away
RETRY_S: Final = 0.5
#: lanes in one question
QUESTION_LANES: Final = 200

_log = logging.getLogger("natant.edge")


class Copier:
    """Keeps the copies of one edge up to date.

    :param kernel: of the host where the agent of the hub lives.
    """

    def __init__(self, wire: Wire, kernel: Kernel, names: EdgeNames, edge: str, status: EdgeStatus) -> None:
        self._wire = wire
        self._kernel = kernel
        self._subject = names.questions(edge)
        self._status = status
        self._job: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._job = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Copy no more; what has been copied stays."""
        job, self._job = self._job, None
        if job is not None:
            job.cancel()
            await asyncio.gather(job, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                await self._copy_all()
                await asyncio.sleep(COPY_EVERY_S)
            except NatantError as error:
                self._status.count("copy_failures")
                _log.debug("the lanes of the hub cannot be copied at present: %s", error)
                await asyncio.sleep(RETRY_S)

    async def _copy_all(self) -> None:
        agent: Any = self._kernel.require(NODE)
        wanted = dict(agent.copies)
        if not wanted:
            return
        at = time.time()
        names = list(wanted)
        while names:
            part = names[:QUESTION_LANES]
            lanes = [[wanted[name].node, wanted[name].lane, wanted[name].digest or None] for name in part]
            answer = await ask_hub(self._wire, self._subject, {"verb": "copy", "lanes": lanes})
            states = answer.get("lanes")
            if not isinstance(states, list) or not 0 < len(states) <= len(part):
                raise EdgeError(
                    "NT-EDGE-005",
                    "the hub's answer with copies does not fit the question; both sides need the same natant",
                )
            changed = {}
            for name, state in zip(part, states, strict=False):
                copy = _newer(wanted[name], state, at)
                if copy is not wanted[name]:
                    changed[name] = copy
            self._store(changed)
            del names[: len(states)]
        self._store({}, at)

    def _store(self, changed: dict[str, Copy], seen_s: float = 0.0) -> None:
        """Write copies, or the time of the newest complete round, in a turn of the agent."""
        if not changed and not seen_s:
            return
        self._status.count("copied", len(changed))

        def write(agent: HubAgent, _: Any) -> None:
            for name, copy in changed.items():
                if name in agent.copies:
                    agent.copies[name] = copy
            if seen_s:
                agent.seen = seen_s

        self._kernel.deliver(self._kernel.require(NODE), Work(write, None, "copy"))


def _newer(copy: Copy, state: Any, at: float) -> Copy:
    """What the hub's word for one lane makes of its copy."""
    if state is None:
        return copy if not copy.error else Copy(copy.node, copy.lane, copy.value, copy.digest, copy.changed)
    if isinstance(state, dict):
        error = f"{state.get('code')}  {state.get('message')}"
        return copy if copy.error == error else Copy(copy.node, copy.lane, copy.value, copy.digest, copy.changed, error)
    digest, text = state
    return Copy(copy.node, copy.lane, recon.decode(text), digest, at)
