"""The meta nodes of work queues: ``swim:meta:queue/NAME``, whose lane ``figures`` shows how the queue is doing."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from natant.agent import Agent
from natant.observe.meta.lane import PulseLane
from natant.queue.figure import Figures
from natant.queue.policy import QueueSpec

__all__ = ["queue_agents"]


@lru_cache(maxsize=1024)
def queue_agents(spec: QueueSpec) -> tuple[type[Agent], ...]:
    """The agent classes that tell of one queue."""

    def measure(_agent: Any) -> dict[str, Any]:
        known: Figures = spec.figures or Figures(spec.name)
        return known.as_dict()

    def make(scheme: str) -> type[Agent]:
        class QueueMeta(Agent, route=f"{scheme}:meta:queue/{spec.name}"):
            """How a work queue is doing; told every second while somebody is linked."""

            figures = PulseLane(measure)

        return QueueMeta

    return make("swim"), make("swimos")
