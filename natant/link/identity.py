"""Who is at the other end of a connection, and what an authenticator may say about credentials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from natant.codec.recon.value import Absent
from natant.errors import NatantError

__all__ = ["ANONYMOUS", "INTERNAL", "Identity", "Refusal"]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is at the other end.

    :ivar name: the subject; empty for somebody unknown.
    :ivar is_internal: True for the plane's own agents.
    :ivar claims: what the authenticator found out; told to the peer in ``@authed`` only where ``shown`` is set.
    """

    name: str = ""
    claims: Any = None
    shown: Any = Absent
    is_internal: bool = False


ANONYMOUS: Final = Identity()
#: the plane's own agents; no policy applies to them
INTERNAL: Final = Identity("natant:internal", is_internal=True)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What an authenticator returns for credentials that it refuses.

    :ivar is_forbidden: the peer is barred, whatever it shows.
    :ivar error: what the peer is told, where it may know more than that it was refused.
    """

    is_forbidden: bool = False
    error: NatantError | None = None
