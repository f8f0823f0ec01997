"""What a downlink tells those who follow it, as one plain tuple."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["Change"]


class Change(NamedTuple):
    """One thing that happened to a downlink.

    ============ ======================= ========= ======== ================================================
    kind         key                     new       old      when
    ============ ======================= ========= ======== ================================================
    ``linked``                                              the host has answered
    ``synced``                                              what is shown is the state of the lane
    ``stale``                            reason             the connection was lost
    ``unlinked``                         reason             the host refused or ended the link
    ``event``                            value              an event downlink got an event
    ``changed``                          value     value    a value downlink shows another value
    ``updated``  key or index            value     value    an entry was set; ``old`` is None for a new key
    ``inserted`` index                   value              an element came into a list
    ``moved``    (from, to)              value              an element of a list changed its place
    ``removed``  key or index                      value    an entry or element went
    ``cleared``                                    entries  all went at once; a list of what there was
    ``failed``                           error              something did not fit and was left out
    ``missed``                           count              a follower was slower than its bound: so many were left out
    ============ ======================= ========= ======== ================================================
    """

    kind: str
    key: Any = None
    new: Any = None
    old: Any = None
