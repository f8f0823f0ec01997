"""Introspection as SwimOS tools expect it: nodes under ``swim:meta:`` and ``swimos:meta:`` whose lanes show the plane at work."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from natant.observe.meta.agent import META_AGENTS, log_lanes
from natant.observe.meta.log import LaneHandler
from natant.observe.meta.queue import queue_agents

if TYPE_CHECKING:
    from natant.host import Host
    from natant.kernel.cell import Cell
    from natant.kernel.env import Env
    from natant.kernel.route import Router
    from natant.queue.policy import QueueSpec

__all__ = ["META_AGENTS", "add_routes", "attach", "follow_log"]


def attach(host: Host) -> None:
    """Serve the meta nodes beside the agents of a plane, unless it was made with ``meta=False``; call it before the host starts."""
    if host.plane.meta:
        add_routes(host.router, host.plane.queues)
        host.closers.append(follow_log(host.env))


def add_routes(router: Router[type[Cell]], queues: Iterable[QueueSpec] = ()) -> None:
    """Let the meta nodes be found, with those of a plane's work queues."""
    for kind in (*META_AGENTS, *(kind for spec in queues for kind in queue_agents(spec))):
        route = kind._schema.route
        assert route is not None
        router.add(route, kind)


def follow_log(env: Env) -> Callable[[], None]:
    """Show the log in the log lanes of this process; returns what ends that."""
    handler = LaneHandler(log_lanes(), env.call_threadsafe)
    logger = logging.getLogger("natant")
    logger.addHandler(handler)
    return lambda: logger.removeHandler(handler)
