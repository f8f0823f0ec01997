"""Who calls a mounted application, and what it may do to the plane in that name.

An application finds it with :func:`gate` in the scope of each request.  Everything asked here passes the plane's policy under the
caller's identity, as though the caller had asked itself; on a worker of a cluster it reaches agents wherever they live.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from natant.codec.form import form
from natant.codec.recon.value import Absent, Extant, Record, Slot
from natant.errors import ServerError
from natant.lane.base import to_value
from natant.link.identity import ANONYMOUS, Identity
from natant.server.http.lanejson import is_keyed

if TYPE_CHECKING:
    from natant.kernel.turn import Outcome
    from natant.server.port import HostPort

__all__ = ["SCOPE_KEY", "Caller", "gate"]

#: where a scope has the caller
SCOPE_KEY: Final = "natant"


class Caller:
    """One request's, or one WebSocket's, way to the agents of the plane.

    :ivar identity: whom the plane's authenticator has recognised; without a name where nobody was.
    """

    __slots__ = ("_host", "identity")

    def __init__(self, host: HostPort, identity: Identity = ANONYMOUS) -> None:
        self._host = host
        self.identity = identity

    def acting_for(self, identity: Identity) -> Caller:
        """The way of somebody else, for work that the application does in their name behind the request.

        Whom an application may act for is for the application to know; the policy is asked for this identity from then on.
        """
        return Caller(self._host, identity)

    async def command(
        self, node: str, lane: str, value: Any = None, kind: Any = Any, *, command_id: str | None = None
    ) -> Outcome:
        """Command a lane; returns once the effect is durable.

        :param value: anything that can be mapped.
        :param kind: the type of what the handler returns; without one a record stays a record.
        :param command_id: a command that comes again with the same id is not done again.
        :return: the outcome; its ``value`` is a ``kind``, or None.
        :raises NatantError: where it was refused or failed: nothing of it happened, but for ``NT-TURN-016`` and ``NT-TURN-018``.
        """
        outcome = await self._host.command(node, lane, to_value(value), command_id=command_id, identity=self.identity)
        found: Outcome = outcome._replace(value=_typed(form(kind), to_value(outcome.value)))
        return found

    async def read(self, node: str, lane: str, *, fresh: bool = False) -> Any:
        """The committed state of a lane in its declared types: a value or None, a dict of a map lane, a list of a list lane.

        :param fresh: as of a time after the call, whoever may have taken the agent over.
        :raises NatantError: where it was refused.
        """
        declared = self._host.lane(node, lane)
        value = await self._host.read(node, lane, identity=self.identity, fresh=fresh)
        types = declared.types()
        of = types.get("value", form(Any))
        items = value.items if isinstance(value, Record) else ()
        if is_keyed(declared.kind):
            key = types.get("key", form(Any))
            return {key.decode(slot.key): _typed(of, slot.value) for slot in items if isinstance(slot, Slot)}
        if declared.kind == "list":
            return [of.decode(item) for item in items]
        return _typed(of, value)


def _typed(of: Any, value: Any) -> Any:
    return None if value is Absent or value is Extant else of.decode(value)


def gate(scope: Mapping[str, Any]) -> Caller:
    """The way from a mounted application to the plane.

    :param scope: of the request, the WebSocket or the lifespan; in that of the lifespan nobody in particular calls.
    :raises ServerError: ``NT-SERVER-022`` where the application was not called through a plane.
    """
    found = scope.get(SCOPE_KEY)
    if not isinstance(found, Caller):
        raise ServerError(
            "NT-SERVER-022",
            "this application was called by another server than a plane's; mount it, plane.mount(prefix, app), and ask "
            "natant.server.gate(request.scope) in its handlers",
            http_status=500,
        )
    return found
