"""The errors natant raises: each has a stable code, says what was wrong, where, and what was expected.

A code is ``NT-<AREA>-<NNN>``.  Every code has a page in ``natant/catalogue/<code>.md``; a test checks that the
two sets are equal.  ``natant errors CODE`` prints the page.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "ClientError",
    "CodecError",
    "EdgeError",
    "FabricError",
    "FormError",
    "LaneError",
    "LinkError",
    "NatantError",
    "PlaneError",
    "QueueError",
    "Refused",
    "ServerError",
    "SourceError",
    "StoreError",
    "TenantError",
    "TurnError",
    "WarpError",
]


class NatantError(Exception):
    """Base of all errors that natant raises.

    :param code: stable code, for example ``NT-LANE-012``.
    :param message: what was wrong, where, what was expected and what to do, in one or two sentences.
    :param context: further facts for logs and for the JSON form; plain values only.
    """

    def __init__(self, code: str, message: str, **context: Any) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.context = context

    def __str__(self) -> str:
        return f"{self.code}  {self.message}"


class CodecError(NatantError):
    """Text or bytes that cannot be read, or a value that cannot be written (``NT-RECON``)."""


class WarpError(NatantError):
    """A message that is not a valid WARP envelope (``NT-WARP``).  Ends the connection that sent it."""


class FormError(NatantError):
    """A value that does not fit a declared type (``NT-FORM``); the message names the field."""


class LaneError(NatantError):
    """A lane that was declared or used wrongly (``NT-LANE``)."""


class LinkError(NatantError):
    """A link or downlink that cannot do what was asked (``NT-LINK``)."""


class TurnError(NatantError):
    """A turn that could not run or did not finish (``NT-TURN``)."""


class Refused(TurnError):
    """Raised by a handler that refuses a command on purpose (``NT-TURN-010``).

    The turn is rolled back, the asker is told the message, and nothing is parked.
    """

    def __init__(self, message: str, **context: Any) -> None:
        super().__init__("NT-TURN-010", message, **{"http_status": 409, **context})


class StoreError(NatantError):
    """A store that cannot be opened, read or written (``NT-STORE``)."""


class PlaneError(NatantError):
    """A plane or agent class that is declared wrongly (``NT-PLANE``)."""


class SourceError(NatantError):
    """An ingress source that cannot go on (``NT-SOURCE``)."""


class ServerError(NatantError):
    """A request or connection that the server refuses (``NT-SERVER``)."""


class ClientError(NatantError):
    """What a client or the command line met (``NT-CLIENT``)."""


class FabricError(NatantError):
    """The cluster, its journal or the NATS server under it (``NT-FABRIC``)."""


class TenantError(NatantError):
    """A tenant, a user or a token that is refused (``NT-TENANT``)."""


class QueueError(NatantError):
    """A work queue, a job or its worker (``NT-QUEUE``)."""


class EdgeError(NatantError):
    """An edge that cannot keep or forward (``NT-EDGE``)."""
