"""The plane as an OpenAPI 3.1 document: one path for each agent class, with the schemas of its lanes.

OpenAPI cannot tell apart what ``?lane=`` selects, so a path lists its lanes as an ``enum`` and its bodies as ``anyOf``;
``x-natant-lanes`` has the facts lane by lane.  Source: OpenAPI Specification 3.1.1.
"""

from __future__ import annotations

import re
from typing import Any, Final

from natant.server.http.lanejson import is_keyed

__all__ = ["openapi"]

_REF: Final = "#/components/schemas/{name}"
_FAULT: Final = {"$ref": "#/components/responses/Fault"}
_TAKES_COMMANDS: Final = frozenset({"command", "value", "map", "list"})


def openapi(plane: Any) -> dict[str, Any]:
    """The document of a plane; plain JSON values."""
    parts: dict[str, Any] = {
        "Fault": {
            "type": "object",
            "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
            "required": ["code", "message"],
        }
    }
    paths = {
        re.sub(r":([A-Za-z_]\w*)(?=/|$)", r"{\1}", kind._schema.route.pattern): _path(kind._schema, parts)
        for kind in plane.agents
        if kind._schema.route is not None
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": plane.name, "version": "1"},
        "paths": paths,
        "components": {
            "schemas": parts,
            "responses": {
                "Fault": {
                    "description": "what was wrong, with a stable code",
                    "content": {"application/json": {"schema": {"$ref": _REF.format(name="Fault")}}},
                }
            },
        },
    }


def _path(schema: Any, parts: dict[str, Any]) -> dict[str, Any]:
    lanes = [lane for lane in schema.ordered if not lane.name.startswith("parked")]
    taking = [lane for lane in lanes if lane.kind in _TAKES_COMMANDS]
    item: dict[str, Any] = {
        "summary": schema.name,
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in schema.route.names
        ],
        "get": {
            "operationId": f"read{schema.name}",
            "summary": "read a lane; without ?lane= what the node is",
            "parameters": [
                _lane_parameter(lanes, is_required=False),
                _parameter("key", "one entry of a map lane"),
                _parameter("limit", "entries of a page of a map lane"),
                _parameter("after", "the key before the page"),
            ],
            "responses": {"200": _content("the state", [_state(lane, parts) for lane in lanes]), "default": _FAULT},
        },
        "x-natant-lanes": [lane.describe() for lane in lanes],
    }
    if schema.doc:
        item["description"] = schema.doc
    if taking:
        answer = {
            "type": "object",
            "properties": {"value": {}, "sequence": {"type": "integer"}},
            "required": ["value", "sequence"],
        }
        item["post"] = {
            "operationId": f"command{schema.name}",
            "summary": "command a lane; answered after the commit",
            "parameters": [
                _lane_parameter(taking, is_required=True),
                {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "maxLength": 200}},
            ],
            "requestBody": _content("the command", [_taken(lane, parts) for lane in taking]),
            "responses": {"200": _content("what the handler returned", [answer]), "default": _FAULT},
        }
    return item


def _parameter(name: str, text: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": text, "schema": {"type": "string"}}


def _lane_parameter(lanes: list[Any], *, is_required: bool) -> dict[str, Any]:
    names = [lane.name for lane in lanes]
    return {"name": "lane", "in": "query", "required": is_required, "schema": {"type": "string", "enum": names}}


def _content(text: str, schemas: list[Any]) -> dict[str, Any]:
    schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
    return {
        "description": text,
        "content": {"application/json": {"schema": schema}, "application/recon": {"schema": {"type": "string"}}},
    }


def _schema(form: Any, parts: dict[str, Any]) -> dict[str, Any]:
    if form is None or form.is_any:
        return {}
    schema = dict(form.schema(_REF))
    parts.update(schema.pop("$defs", {}))
    return schema


def _state(lane: Any, parts: dict[str, Any]) -> dict[str, Any]:
    value = _schema(lane.types().get("value"), parts)
    if is_keyed(lane.kind):
        return {"title": lane.name, "type": "object", "additionalProperties": value}
    if lane.kind == "list":
        return {"title": lane.name, "type": "array", "items": value}
    if lane.kind in ("command", "supply"):
        return {"title": lane.name, "type": "null"}
    return {"title": lane.name, "anyOf": [value, {"type": "null"}]}


def _taken(lane: Any, parts: dict[str, Any]) -> dict[str, Any]:
    types = lane.types()
    if is_keyed(lane.kind) or lane.kind == "list":
        place = {"index": {"type": "integer"}} if lane.kind == "list" else {"key": _schema(types.get("key"), parts)}
        operations = ["update", "remove", "clear", "take", "drop"] + (["move"] if lane.kind == "list" else [])
        return {
            "title": lane.name,
            "type": "object",
            "properties": {"op": {"enum": operations}, **place, "value": _schema(types.get("value"), parts)},
            "required": ["op"],
        }
    return {"title": lane.name, **_schema(types.get("input", types.get("value")), parts)}
