"""Introspection as SwimOS tools expect it: nodes under ``swim:meta:`` and ``swimos:meta:`` whose lanes show the plane at work."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from natant.observe.meta.agent import META_AGENTS, log_lanes
from natant.observe.meta.log import LaneHandler

if TYPE_CHECKING:
    from natant.host import Host

__all__ = ["META_AGENTS", "attach"]


def attach(host: Host) -> None:
    """Serve the meta nodes beside the agents of a plane, unless it was made with ``meta=False``; call it before the host starts."""
    if not host.plane.meta:
        return
    for kind in META_AGENTS:
        route = kind._schema.route
        assert route is not None
        host.router.add(route, kind)
    handler = LaneHandler(log_lanes(), host.env.call_threadsafe)
    logger = logging.getLogger("natant")
    logger.addHandler(handler)
    host.closers.append(lambda: logger.removeHandler(handler))
