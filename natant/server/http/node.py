"""Nodes and lanes: describe, read, command.

=====================================  =========================================================================
request                                answer
=====================================  =========================================================================
``GET /vehicle/7``                     what the node is and which lanes it has
``GET /vehicle/7?lane=position``       the lane's committed state, JSON or Recon by ``Accept``
``GET ...?lane=speeds&key=5``          one entry of a map, 404 where there is none
``GET ...?lane=speeds&limit=9&after=5``  a page of a map; ``Link: <...>; rel="next"`` where more follows (RFC 8288)
``GET ...`` ``Accept: text/event-stream``  the state, then every change (``stream.py``)
``POST /vehicle/7?lane=report``        a command; answered after its commit
=====================================  =========================================================================

A POST with an ``Idempotency-Key`` is done once however often it is sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from natant.codec import recon
from natant.codec.recon.value import Absent, Extant, Record
from natant.codec.warp import operation
from natant.errors import ServerError
from natant.lane.base import to_value
from natant.server.http.body import read_body
from natant.server.http.identity import identify
from natant.server.http.lanejson import LaneJson, is_keyed
from natant.server.http.negotiate import JSON_TYPE, RECON_TYPE, is_json, is_recon, media_type, wants_recon, wants_stream
from natant.server.http.stream import stream_lane
from natant.server.sight import check_seen

if TYPE_CHECKING:
    from natant.server.service import Service

__all__ = ["NodePage", "node_uri", "whole_parameter"]

#: an ``Idempotency-Key`` is a text of at most so many characters
ID_SIZE: Final = 200
#: lanes that only speak: what is sent to them would be ignored
_SPEAKING: Final = frozenset({"demand", "demandMap", "supply"})
ALLOW: Final = "GET, HEAD, POST, OPTIONS"


def node_uri(request: Request) -> str:
    """The node's URI as the client spelled it: the undecoded path of the request."""
    raw = request.scope.get("raw_path") or request.scope["path"].encode()
    return str(raw.decode("ascii", "replace"))


def whole_parameter(request: Request, name: str, default: int, highest: int) -> int:
    """A whole number from the query.

    :raises ServerError: ``NT-SERVER-016``.
    """
    text = request.query_params.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= highest:
        raise ServerError(
            "NT-SERVER-016", f"parameter {name}={text[:40]!r}; it takes a number from 1 to {highest}", http_status=400
        )
    return int(text)


class NodePage:
    """Answers all requests that address a node."""

    def __init__(self, service: Service) -> None:
        self.service = service

    async def answer(self, request: Request) -> Response:
        """Answer one request."""
        lane = request.query_params.get("lane")
        method = request.method
        if method == "POST":
            return await self._command(request, lane)
        if method not in ("GET", "HEAD"):
            raise ServerError(
                "NT-SERVER-008",
                f"{method} is not for nodes; read with GET, command with POST",
                http_status=405,
                allow=ALLOW,
            )
        if lane is None:
            node = node_uri(request)
            check_seen(self.service.host.plane, identify(self.service, request), node)
            facts = await self.service.host.describe(node)
            if wants_recon(request.headers.get("accept")):
                return Response(recon.encode(to_value(facts)), media_type=RECON_TYPE, headers={"vary": "accept"})
            return Response(msgspec.json.encode(facts), media_type=JSON_TYPE, headers={"vary": "accept"})
        if wants_stream(request.headers.get("accept")) and method == "GET":
            return stream_lane(self.service, request, node_uri(request), lane, self._json(request, lane))
        return await self._read(request, lane)

    def _json(self, request: Request, lane: str) -> LaneJson:
        info = self.service.host.lane(node_uri(request), lane)
        return LaneJson(info.kind, info.types())

    # --- reading --------------------------------------------------------------------------------------------------

    async def _read(self, request: Request, lane: str) -> Response:
        node = node_uri(request)
        lane_json = self._json(request, lane)
        identity = identify(self.service, request)
        fresh = request.query_params.get("fresh", "0") not in ("0", "false")
        value = await self.service.host.read(node, lane, identity=identity, fresh=fresh)
        headers = {"vary": "accept", "cache-control": "no-cache"}
        is_map = is_keyed(lane_json.kind)
        key = request.query_params.get("key")
        if (key is not None or "limit" in request.query_params or "after" in request.query_params) and not is_map:
            raise ServerError(
                "NT-SERVER-016",
                f'lane "{lane}" is a {lane_json.kind} lane; key, limit and after are for maps',
                http_status=400,
            )
        if is_map:
            entries = list(value.items) if isinstance(value, Record) else []
            if key is not None:
                at = lane_json.find(entries, key)
                if at is None:
                    raise ServerError(
                        "NT-SERVER-011", f'lane "{lane}" of {node} has no key {key[:100]!r}', http_status=404
                    )
                found = entries[at].value
                if wants_recon(request.headers.get("accept")):
                    return _recon(found, headers)
                return Response(lane_json.item(found), media_type=JSON_TYPE, headers=headers)
            value = Record(self._page(request, lane, lane_json, entries, headers))
        if wants_recon(request.headers.get("accept")):
            return _recon(value, headers)
        return Response(lane_json.state(value), media_type=JSON_TYPE, headers=headers)

    def _page(
        self, request: Request, lane: str, lane_json: LaneJson, entries: list[Any], headers: dict[str, str]
    ) -> list[Any]:
        """The part of a map that was asked for; whole where no ``limit`` was given."""
        after = request.query_params.get("after")
        if "limit" not in request.query_params:
            return lane_json.page(entries, after, None)[0]
        size = whole_parameter(request, "limit", 100, self.service.limit.page_entries)
        page, last = lane_json.page(entries, after, size)
        if last is not None:
            target = f"{node_uri(request)}?lane={quote(lane, safe='')}&limit={size}&after={quote(last, safe='')}"
            headers["link"] = f'<{target}>; rel="next"'
        return page

    # --- commands -------------------------------------------------------------------------------------------------

    async def _command(self, request: Request, lane: str | None) -> Response:
        node = node_uri(request)
        if lane is None:
            raise ServerError(
                "NT-SERVER-016", f"which lane of {node}? say it in the query: ?lane=NAME", http_status=400
            )
        command_id = request.headers.get("idempotency-key")
        if command_id is not None and not 1 <= len(command_id) <= ID_SIZE:
            raise ServerError(
                "NT-SERVER-016",
                f"the Idempotency-Key has {len(command_id)} characters; it takes 1 to {ID_SIZE}",
                http_status=400,
            )
        identity = identify(self.service, request)
        lane_json = self._json(request, lane)
        if lane_json.kind in _SPEAKING:
            raise ServerError(
                "NT-SERVER-016",
                f'lane "{lane}" of {node} is a {lane_json.kind} lane, which takes no commands',
                http_status=400,
            )
        data = await read_body(request, self.service.limit)
        media = media_type(request.headers.get("content-type"))
        if is_recon(media):
            value = recon.decode_body(_text(data)) if data.strip() else Absent
            if (is_keyed(lane_json.kind) or lane_json.kind == "list") and operation.read(value) is None:
                sample = "@update(index:0) 1" if lane_json.kind == "list" else "@update(key:a) 1"
                raise ServerError(
                    "NT-SERVER-016",
                    f"a {lane_json.kind} lane takes an operation such as {sample}, or @clear",
                    http_status=400,
                )
        elif is_json(media) or (not media and not data):
            value = lane_json.command(data)
        else:
            raise ServerError(
                "NT-SERVER-010",
                f"a body of type {media or 'unknown'!r} is not understood; send {JSON_TYPE} or {RECON_TYPE}, "
                "for example with curl -H 'content-type: application/json'",
                http_status=415,
            )
        outcome = await self.service.host.command(node, lane, value, command_id=command_id, identity=identity)
        headers = {"natant-sequence": str(outcome.sequence), "cache-control": "no-store"}
        if getattr(outcome, "is_duplicate", False):
            headers["natant-duplicate"] = "true"
        result = to_value(outcome.value)
        if wants_recon(request.headers.get("accept")):
            return _recon(result, headers)
        body = b'{"value":' + lane_json.result(result) + b',"sequence":%d}' % outcome.sequence
        return Response(body, media_type=JSON_TYPE, headers=headers)


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ServerError("NT-SERVER-004", f"the body is not valid UTF-8: {error}", http_status=400) from None


def _recon(value: Any, headers: dict[str, str]) -> Response:
    text = "" if value is Absent or value is Extant else recon.encode(value)
    return Response(text.encode(), media_type=RECON_TYPE, headers=headers)
