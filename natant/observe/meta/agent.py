"""The meta nodes.

===================================  ==========================================================
node                                 lanes
===================================  ==========================================================
``swim:meta:edge``                   ``meshes``, ``pulse``, logs
``swim:meta:mesh``                   ``parts``, ``nodes``, ``pulse``, logs
``swim:meta:part``                   ``hosts``, ``nodes``, ``pulse``, logs
``swim:meta:host``                   ``nodes``, ``pulse``, logs
``swim:meta:node/NODE``              ``lanes``, ``pulse``, logs
``swim:meta:node/NODE/lane/LANE``    ``uplinks``, logs
``swim:meta:queue/NAME``              ``figures`` of a work queue (``queue.py``)
===================================  ==========================================================

``NODE`` and ``LANE`` are percent-encoded.  ``nodes#/prefix/`` lists the children of a prefix.  The same nodes answer under
``swimos:meta:``, as the Rust server has them.  A node that is not resident has no meta node: looking does not bring it to life.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from natant.agent import Agent
from natant.codec.recon.value import Extant
from natant.kernel.kernel import Kernel
from natant.observe.meta.lane import LogLane, PulseLane, TableLane
from natant.observe.meta.log import LEVELS

__all__ = ["META_AGENTS", "log_lanes"]

_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def _visible(kernel: Kernel) -> list[str]:
    return [node for node in kernel.agents if node.startswith("/")]


def _created_ms(kernel: Kernel) -> int:
    return int(kernel.started_s * 1000)


def nodes(agent: Any, fragment: str) -> Iterator[tuple[Any, Any]]:
    """All resident nodes, or the children of the prefix in the fragment."""
    kernel: Kernel = agent._host
    if not fragment:
        for node in _visible(kernel):
            row = _node_row(kernel, node)
            if row is not None:
                yield node, row
        return
    if not fragment.endswith("/"):
        return
    children: dict[str, int] = {}
    for node in _visible(kernel):
        if node.startswith(fragment):
            rest = node[len(fragment) :]
            child = fragment + rest.partition("/")[0]
            children[child] = children.get(child, 0) + ("/" in rest)
    for child, count in children.items():
        if count:
            yield child, {"nodeUri": child, "created": 0, "childCount": count}
        else:
            row = _node_row(kernel, child)
            if row is not None:
                yield child, row


def _node_row(kernel: Kernel, node: str) -> dict[str, Any] | None:
    """None where the agent has been stopped since the table was begun."""
    cell = kernel.agents.get(node)
    if cell is None:
        return None
    return {"nodeUri": node, "created": _created_ms(kernel), "agents": [cell._schema.name]}


def parts(_agent: Any, _fragment: str) -> Iterator[tuple[Any, Any]]:
    """The one part of this host."""
    yield Extant, {"partKey": Extant, "predicate": Extant, "hostCount": 1}


def meshes(_agent: Any, _fragment: str) -> Iterator[tuple[Any, Any]]:
    """The one mesh of this host."""
    yield "", {"meshUri": "", "gatewayPartKey": Extant, "ourselfPartKey": Extant, "partCount": 1}


def hosts(agent: Any, _fragment: str) -> Iterator[tuple[Any, Any]]:
    """This host."""
    count = len(_visible(agent._host))
    yield "", {"hostUri": "", "connected": True, "primary": True, "master": True, "nodeCount": count}


def lanes(agent: Any, _fragment: str) -> Iterator[tuple[Any, Any]]:
    """The lanes of a node; the built-in ones are natant's own matter."""
    cell = agent._host.agents.get(agent.about)
    for lane in () if cell is None else cell._schema.ordered:
        if lane.name.partition(".")[0] != "parked":
            yield lane.name, {"laneUri": lane.name, "laneType": lane.kind}


def uplinks(agent: Any, _fragment: str) -> Iterator[tuple[Any, Any]]:
    """The links of one lane of a node."""
    cell = agent._host.agents.get(agent.about)
    lane = None if cell is None else cell._lane(agent.lane_uri)
    if cell is not None and lane is not None and cell._links:
        for number, uplink in enumerate(list(cell._links.get(lane.index, ()))):
            yield number, {"linkKey": number, "remote": uplink.session.remote, "connected": True, "secure": False}


def _links(kernel: Kernel) -> dict[str, int]:
    count = sum(len(cell_links) for cell in kernel.agents.values() for cell_links in (cell._links or {}).values())
    return {"linkCount": count, "eventCount": kernel.counter.frames_out, "commandCount": kernel.counter.commands}


def host_pulse(agent: Any) -> dict[str, Any]:
    """Figures of the whole host."""
    kernel: Kernel = agent._host
    count = len(_visible(kernel))
    figures: dict[str, Any] = {
        "nodeCount": count,
        "agents": {
            "agentCount": count,
            "execTime": time.process_time_ns(),
            "timerEventCount": kernel.counter.timers_fired,
        },
        "uplinks": _links(kernel),
    }
    if type(agent).__name__.startswith("Host"):
        figures["system"] = _system(kernel)
    return figures


def _system(kernel: Kernel) -> dict[str, int]:
    disk = shutil.disk_usage(".")
    return {
        "cpuTotal": 100 * (os.cpu_count() or 1),
        "memTotal": _PAGE * os.sysconf("SC_PHYS_PAGES"),
        "memUsage": _PAGE * (os.sysconf("SC_PHYS_PAGES") - os.sysconf("SC_AVPHYS_PAGES")),
        "diskTotal": disk.total,
        "diskUsage": disk.used,
        "startTime": _created_ms(kernel),
    }


def node_pulse(agent: Any) -> dict[str, Any]:
    """Figures of one node."""
    cell = agent._host.agents.get(agent.about)
    count = 0 if cell is None or not cell._links else sum(map(len, cell._links.values()))
    return {"agents": {"agentCount": int(cell is not None)}, "uplinks": {"linkCount": count}}


class _Meta(Agent):
    """What all meta nodes have."""

    about: str | None = None
    for _name, (_level, _) in LEVELS.items():
        locals()[_name] = LogLane(_level, _name)
    del _name, _level, _


def _exists(kernel: Kernel, node: str) -> bool:
    about, _, rest = node.partition("/")[2].partition("/")
    cell = kernel.agents.get(unquote(about))
    if cell is None or cell._schema.guard is not None:
        return False
    return not rest or cell._lane(unquote(rest.partition("/")[2])) is not None


def _make(scheme: str) -> list[type[Agent]]:
    class EdgeMeta(_Meta, route=f"{scheme}:meta:edge"):
        """The edge: all meshes that this process knows."""

        meshes = TableLane(meshes)
        pulse = PulseLane(host_pulse)

    class MeshMeta(_Meta, route=f"{scheme}:meta:mesh"):
        """The mesh."""

        parts = TableLane(parts)
        nodes = TableLane(nodes)
        pulse = PulseLane(host_pulse)

    class PartMeta(_Meta, route=f"{scheme}:meta:part"):
        """The part."""

        hosts = TableLane(hosts)
        nodes = TableLane(nodes)
        pulse = PulseLane(host_pulse)

    class HostMeta(_Meta, route=f"{scheme}:meta:host"):
        """The host."""

        nodes = TableLane(nodes)
        pulse = PulseLane(host_pulse)

    class NodeMeta(_Meta, route=scheme + ":meta:node/{node_uri}"):
        """One node."""

        lanes = TableLane(lanes)
        pulse = PulseLane(node_pulse)

        @property
        def about(self) -> str:  # type: ignore[override]
            """The node that is shown."""
            return self.node_uri  # type: ignore[attr-defined, no-any-return]

    class LaneMeta(_Meta, route=scheme + ":meta:node/{node_uri}/lane/{lane_uri}"):
        """One lane of a node."""

        uplinks = TableLane(uplinks, is_fleeting=True)

        @property
        def about(self) -> str:  # type: ignore[override]
            """The node that is shown."""
            return self.node_uri  # type: ignore[attr-defined, no-any-return]

    class RustLaneMeta(LaneMeta, route=scheme + ":meta:node/{node_uri}/lane/{lane_uri}"):
        """One lane of a node, with the figures that the Rust server gives."""

        pulse = PulseLane(node_pulse)

    NodeMeta._schema.guard = LaneMeta._schema.guard = RustLaneMeta._schema.guard = _exists
    last = LaneMeta if scheme == "swim" else RustLaneMeta
    return [EdgeMeta, MeshMeta, PartMeta, HostMeta, NodeMeta, last]


#: what a plane serves beside its own agents
META_AGENTS: tuple[type[Agent], ...] = (*_make("swim"), *_make("swimos"))


def log_lanes() -> dict[str, list[LogLane]]:
    """All log lanes by name."""
    found: dict[str, list[LogLane]] = {name: [] for name in LEVELS}
    for kind in META_AGENTS:
        for lane in kind._schema.ordered:
            if isinstance(lane, LogLane) and lane not in found[lane.name]:
                found[lane.name].append(lane)
    return found
