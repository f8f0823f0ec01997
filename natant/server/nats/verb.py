"""What each verb does: a request in, an answer out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

import msgspec

from natant.codec.recon.value import Record
from natant.errors import ServerError
from natant.lane.base import to_value
from natant.link.identity import Identity, Refusal
from natant.server.http.lanejson import LaneJson, is_keyed
from natant.server.nats.ask import Answer, Ask
from natant.server.nats.follow import Follows
from natant.server.nats.limit import NatsLimit
from natant.server.sight import check_seen, listed

if TYPE_CHECKING:
    from natant.server.port import HostPort

__all__ = ["Verbs"]

#: lanes of agents whose JSON side is remembered, about 300 B each
REMEMBERED_LANES: Final = 65_536
#: lanes that only speak: what is sent to them would be ignored
_SPEAKING: Final = frozenset({"demand", "demandMap", "supply"})


class Verbs:
    """Does what requests ask, at one host."""

    def __init__(self, host: HostPort, follows: Follows, limit: NatsLimit) -> None:
        self._host = host
        self._follows = follows
        self._limit = limit
        #: the JSON side of lanes that were asked for, which their declarations settle
        self._lanes: dict[tuple[str, str], LaneJson] = {}
        self._verbs: dict[str, Callable[[Ask], Awaitable[Answer]]] = {
            "command": self._command,
            "get": self._get,
            "follow": self._follow,
            "describe": self._describe,
            "list": self._list,
            "health": self._health,
        }

    async def answer(self, ask: Ask) -> Answer:
        """Answer one request.

        :raises NatantError: where it is refused or fails.
        """
        answer = await self._verbs[ask.verb](ask)
        if len(answer.body) > self._limit.reply_bytes:
            raise ServerError(
                "NT-SERVER-033",
                f"the answer has {len(answer.body)} bytes, more than the {self._limit.reply_bytes} that one message takes; ask for "
                'a map page by page, {"limit":100,"after":KEY}, or over HTTP',
                http_status=413,
            )
        return answer

    async def _command(self, ask: Ask) -> Answer:
        lane_json = self._json(ask)
        if lane_json.kind in _SPEAKING:
            raise ServerError(
                "NT-SERVER-016",
                f'lane "{ask.lane}" of {ask.node} is a {lane_json.kind} lane, which takes no commands',
                http_status=400,
            )
        outcome = await self._host.command(
            ask.node,
            ask.lane,
            lane_json.command(ask.data),
            command_id=ask.command_id(self._limit),
            identity=self._identity(ask),
        )
        if not ask.reply:
            return Answer(b"")
        headers = {"Natant-Sequence": str(outcome.sequence)}
        if getattr(outcome, "is_duplicate", False):
            headers["Natant-Duplicate"] = "true"
        result = lane_json.result(to_value(outcome.value))
        return Answer(b'{"value":' + result + b',"sequence":%d}' % outcome.sequence, headers)

    async def _get(self, ask: Ask) -> Answer:
        lane_json = self._json(ask)
        parameters = ask.parameters()
        key, after = ask.text(parameters, "key"), ask.text(parameters, "after")
        size = ask.whole(parameters, "limit", self._limit.page_entries)
        value = await self._host.read(ask.node, ask.lane, identity=self._identity(ask))
        if not is_keyed(lane_json.kind):
            if parameters:
                raise ServerError(
                    "NT-SERVER-016",
                    f'lane "{ask.lane}" is a {lane_json.kind} lane; key, limit and after are for maps',
                    http_status=400,
                )
            return Answer(lane_json.state(value))
        entries = list(value.items) if isinstance(value, Record) else []
        if key is None:
            page, last = lane_json.page(entries, after, size)
            return Answer(lane_json.entries(page), {} if last is None else {"Natant-Next": last})
        at = lane_json.find(entries, key)
        if at is None:
            raise ServerError(
                "NT-SERVER-011", f'lane "{ask.lane}" of {ask.node} has no key {key[:100]!r}', http_status=404
            )
        return Answer(lane_json.item(entries[at].value))

    async def _follow(self, ask: Ask) -> Answer:
        return await self._follows.follow(ask, self._identity(ask))

    async def _describe(self, ask: Ask) -> Answer:
        check_seen(self._host.plane, self._identity(ask), ask.node)
        return Answer(msgspec.json.encode(await self._host.describe(ask.node)))

    async def _list(self, ask: Ask) -> Answer:
        parameters = ask.parameters()
        size = ask.whole(parameters, "limit", self._limit.page_entries) or 100
        prefix, after = ask.text(parameters, "prefix") or "/", ask.text(parameters, "after")
        nodes, following = await listed(self._host, self._identity(ask), prefix, limit=size, after=after)
        return Answer(msgspec.json.encode({"nodes": nodes, "next": following}))

    async def _health(self, ask: Ask) -> Answer:
        return Answer(msgspec.json.encode(self._host.health()))

    def _json(self, ask: Ask) -> LaneJson:
        place = (ask.node, ask.lane)
        found = self._lanes.get(place)
        if found is None:
            lane = self._host.lane(ask.node, ask.lane)
            if len(self._lanes) >= REMEMBERED_LANES:
                self._lanes.clear()
            found = self._lanes[place] = LaneJson(lane.kind, lane.types())
        return found

    def _identity(self, ask: Ask) -> Identity:
        """Who asks; the plane's unnamed where no token came or the plane has no authenticator.

        :raises NatantError: ``NT-SERVER-019`` where the token is refused, or what the authenticator says of it.
        """
        authenticator: Any = self._host.plane.authenticator
        scheme, _, token = ask.headers.get("authorization", "").partition(" ")
        if authenticator is None or scheme.lower() != "bearer":
            return self._host.plane.unnamed  # type: ignore[no-any-return]
        verdict = authenticator(Record.of({"token": token.strip()}), ask.node or "/")
        if isinstance(verdict, Identity):
            return verdict
        if isinstance(verdict, Refusal) and verdict.error is not None:
            raise verdict.error
        is_forbidden = isinstance(verdict, Refusal) and verdict.is_forbidden
        raise ServerError(
            "NT-SERVER-019",
            "whoever holds this token is barred here" if is_forbidden else "the bearer token was refused",
            http_status=403 if is_forbidden else 401,
        )
