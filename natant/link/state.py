"""The states of a downlink, as a table one can read in a minute.

============ =================================================================================================
state        meaning
============ =================================================================================================
``opening``  asked for, nothing heard yet: not connected, or the host has not answered
``linked``   the host has answered; events arrive, no state was asked for
``syncing``  linked, and the host is sending the state of the lane
``synced``   what the downlink shows is the state of the lane, kept up to date
``stale``    the connection is lost: what the downlink shows was true once; it links again with the next one
``unlinked`` the host refused or ended the link (no such node, no such lane, not allowed); it stays so until opened again
``closed``   not open, or closed by its owner
============ =================================================================================================

Used by :mod:`natant.link.downlink`; the calls that cause the signals are in :mod:`natant.link.channel`.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

__all__ = ["TRANSITION", "Signal", "State"]


class State(Enum):
    """Where a downlink stands; the module's table says what each means."""

    CLOSED = "closed"
    OPENING = "opening"
    LINKED = "linked"
    SYNCING = "syncing"
    SYNCED = "synced"
    STALE = "stale"
    UNLINKED = "unlinked"


class Signal(Enum):
    """What may happen to a downlink."""

    OPEN = "open"  # its owner opens it
    LINK = "link"  # ``@linked`` came
    SYNC = "sync"  # linked, and the state has been asked for
    SYNCED = "synced"  # ``@synced`` came
    LOSE = "lose"  # the connection is gone
    UNLINK = "unlink"  # ``@unlinked`` came
    CLOSE = "close"  # its owner closes it


_C, _O, _L, _S, _D, _T, _U = (
    State.CLOSED,
    State.OPENING,
    State.LINKED,
    State.SYNCING,
    State.SYNCED,
    State.STALE,
    State.UNLINKED,
)

#: ``TRANSITION[signal][state]`` is the next state; a pair that is missing cannot happen.  ``@linked`` on a link that is up
#: is the answer to asking again, and changes nothing.
TRANSITION: Final[dict[Signal, dict[State, State]]] = {
    Signal.OPEN: {_C: _O, _U: _O},
    Signal.LINK: {_O: _L, _T: _L, _L: _L, _S: _S, _D: _D},
    Signal.SYNC: {_L: _S, _D: _S, _S: _S},
    Signal.SYNCED: {_S: _D},
    Signal.LOSE: {_O: _O, _L: _T, _S: _T, _D: _T, _T: _T},
    Signal.UNLINK: {_O: _U, _L: _U, _S: _U, _D: _U, _T: _U},
    Signal.CLOSE: {_O: _C, _L: _C, _S: _C, _D: _C, _T: _C, _U: _C, _C: _C},
}
