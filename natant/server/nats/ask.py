"""One request as it came over NATS, and the answers to it.

=========================  ==================================================================================
header of a request        meaning
=========================  ==================================================================================
``Natant-Command-Id``      a command that comes again with this id is not done again
``Natant-Lease``           seconds for which a lane is to be followed
``Authorization``          ``Bearer TOKEN``, asked of the plane's authenticator as over HTTP
=========================  ==================================================================================

=========================  ==================================================================================
header of an answer        meaning
=========================  ==================================================================================
``Natant-Sequence``        of a command: number of the commit; of a lane that is followed: number of the last event in the state
``Natant-Life``            the numbers of events belong to this life of the following; another life counts anew
``Natant-Duplicate``       ``true``: the command had been done before
``Natant-Next``            more entries follow after this key
``Natant-Error``           the code of the error; the body is ``{"code":...,"message":...}``
``Nats-Service-Error``     the same, in the words of NATS' own services, with ``Nats-Service-Error-Code``: the status as in HTTP
=========================  ==================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from natant.errors import NatantError, ServerError
from natant.server.http.fault import status_of
from natant.server.nats.limit import NatsLimit

__all__ = ["Answer", "Ask", "fault_answer"]

COMMAND_ID: Final = "natant-command-id"
LEASE: Final = "natant-lease"


@dataclass(slots=True)
class Answer:
    """What is sent back."""

    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Ask:
    """A request.

    :ivar lane: empty where the verb takes none.
    :ivar node: URI of the agent; empty where the verb takes none.
    :ivar reply: subject for the answer; empty where nobody waits for one.
    :ivar headers: by their names in lower case.
    """

    subject: str
    verb: str
    lane: str
    node: str
    data: bytes
    reply: str
    headers: dict[str, str]

    def command_id(self, limit: NatsLimit) -> str | None:
        """The id of a command, None where it has none.

        :raises ServerError: ``NT-SERVER-031``.
        """
        found = self.headers.get(COMMAND_ID)
        if found is not None and (not 1 <= len(found) <= limit.id_size or not found.isprintable()):
            raise ServerError(
                "NT-SERVER-031",
                f"header Natant-Command-Id has {len(found)} characters; it takes 1 to {limit.id_size} that can be printed",
                http_status=400,
            )
        return found

    def lease_s(self, limit: NatsLimit) -> float:
        """For how long a lane is to be followed.

        :raises ServerError: ``NT-SERVER-031``.
        """
        text = self.headers.get(LEASE)
        if text is None:
            return limit.lease_s
        if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= limit.longest_lease_s):
            raise ServerError(
                "NT-SERVER-031",
                f"header Natant-Lease is {text[:40]!r}; it takes whole seconds from 1 to {limit.longest_lease_s:g}",
                http_status=400,
            )
        return float(text)

    def parameters(self) -> dict[str, Any]:
        """The body as an object; empty where there is none.

        :raises ServerError: ``NT-SERVER-016`` where it is something else.
        """
        if not self.data.strip():
            return {}
        try:
            return msgspec.json.decode(self.data, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise ServerError(
                "NT-SERVER-016",
                f'"{self.verb}" takes no body, or a JSON object such as {{"limit":100}}; {error}',
                http_status=400,
            ) from None

    def text(self, parameters: dict[str, Any], name: str) -> str | None:
        """A text among the parameters, None where it is not there.

        :raises ServerError: ``NT-SERVER-016``.
        """
        found = parameters.get(name)
        if found is None or isinstance(found, str):
            return found
        raise ServerError("NT-SERVER-016", f"parameter {name} is {str(found)[:40]!r}; it takes a text", http_status=400)

    def whole(self, parameters: dict[str, Any], name: str, highest: int) -> int | None:
        """A count among the parameters, None where it is not there.

        :raises ServerError: ``NT-SERVER-016``.
        """
        found = parameters.get(name)
        if found is None or (type(found) is int and 1 <= found <= highest):
            return found
        raise ServerError(
            "NT-SERVER-016",
            f"parameter {name} is {str(found)[:40]!r}; it takes a number from 1 to {highest}",
            http_status=400,
        )


def fault_answer(error: NatantError) -> Answer:
    """The answer to a request that failed."""
    facts = {
        name: fact
        for name, fact in error.context.items()
        if name != "http_status" and isinstance(fact, str | int | float | bool)
    }
    status = str(status_of(error))
    return Answer(
        msgspec.json.encode({"code": error.code, "message": error.message, **facts}),
        {"Natant-Error": error.code, "Nats-Service-Error": error.code, "Nats-Service-Error-Code": status},
    )
