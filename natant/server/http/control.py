"""Pages about the server itself: health, counters, metrics, the list of nodes, OpenAPI, the index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from natant.observe.metric import exposition
from natant.server.http.identity import identify, is_known
from natant.server.http.negotiate import JSON_TYPE
from natant.server.http.node import whole_parameter
from natant.server.http.openapi import openapi
from natant.server.sight import listed

if TYPE_CHECKING:
    from natant.server.service import Service

__all__ = ["ControlPage"]

#: facts of a host's health that are metrics as well
GAUGES: Final = ("agents", "members", "partitions", "partitions_without_owner", "sequence", "sessions", "uptime_s")


class ControlPage:
    """Answers what is asked below ``/-/``, and ``/metrics``."""

    def __init__(self, service: Service) -> None:
        self.service = service

    async def index(self, request: Request) -> Response:
        """What is here, for who asks for ``/`` of a plane without files."""
        plane = self.service.host.plane
        return _json(
            {
                "plane": plane.name,
                "agents": [
                    {"agent": kind._schema.name, "route": kind._schema.route.pattern}
                    for kind in plane.agents
                    if kind._schema.route is not None
                ],
                "see": {
                    "nodes": "/-/nodes",
                    "health": "/-/health",
                    "counters": "/-/counters",
                    "metrics": "/metrics",
                    "openapi": "/-/openapi.json",
                },
            }
        )

    async def health(self, request: Request) -> Response:
        """200 while the server and its store can work, else 503; of a private plane strangers see nothing else."""
        facts: dict[str, Any] = dict(self.service.host.health())
        is_ready = bool(facts.get("ready")) and not self.service.is_stopping
        facts["ready"] = is_ready
        facts["stopping"] = bool(facts.get("stopping")) or self.service.is_stopping
        facts["connections"] = len(self.service.table)
        if self.service.host.plane.is_private and not is_known(self.service, request):
            facts = {name: facts[name] for name in ("ready", "stopping")}
        return _json(facts, 200 if is_ready else 503)

    async def counters(self, request: Request) -> Response:
        """All counts since the start."""
        return _json(self._counts())

    async def metrics(self, request: Request) -> Response:
        """The same in the text format of Prometheus 0.0.4."""
        counts = self._counts()
        health = self.service.host.health()
        gauges: dict[str, float] = {
            "connections": len(self.service.table),
            "ready": float(bool(health.get("ready")) and not self.service.is_stopping),
        }
        if self.service.engine is not None:
            gauges["nats_up"] = float(self.service.engine.is_connected)
        gauges.update({name: health[name] for name in GAUGES if name in health})
        plane = self.service.host.plane
        known = [spec.figures for spec in getattr(plane, "queues", ()) if spec.figures is not None]
        queues = {figures.queue: figures.numbers() for figures in known}
        text = exposition(plane.name, counts, gauges, queues)
        return Response(text.encode(), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def nodes(self, request: Request) -> Response:
        """The agents below a prefix, a page at a time; ``next`` names where to go on, null at the end."""
        size = whole_parameter(request, "limit", 100, self.service.limit.page_entries)
        prefix = request.query_params.get("prefix", "/")
        after = request.query_params.get("after")
        identity = identify(self.service, request)
        nodes, following = await listed(self.service.host, identity, prefix, limit=size, after=after)
        return _json({"nodes": nodes, "next": following})

    async def openapi(self, request: Request) -> Response:
        """The plane as OpenAPI 3.1."""
        return _json(openapi(self.service.host.plane))

    def _counts(self) -> dict[str, int]:
        server = {f"server_{name}": count for name, count in self.service.counter.as_dict().items()}
        for feature in (self.service.host, *self.service.features):
            if hasattr(feature, "counts"):
                server |= feature.counts()
        if self.service.engine is not None:
            server |= self.service.engine.counts()
        return dict(self.service.host.counters.as_dict()) | server


def _json(facts: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(facts), status, {"cache-control": "no-store"}, JSON_TYPE)
