"""Subjects of requests: what is asked of which lane of which agent.

======================================  ====================================================================
subject                                 asks
======================================  ====================================================================
``R.in.command.<lane>.<node>``          run a command
``R.in.get.<lane>.<node>``              the committed state of a lane
``R.in.follow.<lane>.<node>``           the state and, from then on, events at ``R.ev.<lane>.<node>``
``R.in.describe.-.<node>``              what lives there
``R.in.list``                           the agents below a prefix
``R.in.health``                         how the host is
======================================  ====================================================================

``R`` is ``natant.<plane>``; ``<node>`` are the segments of the node's URI, one token each.  A mapping of the account may turn
``R.in.<what>`` into ``R.at.<partition>.<what>``; both are read here.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from natant.codec import uri
from natant.errors import NatantError, ServerError
from natant.fabric.nats.subject import node_of, text_of

__all__ = ["LANE_VERBS", "VERBS", "parse"]

#: subjects whose meaning is remembered, about 400 B each
REMEMBERED_SUBJECTS: Final = 65_536
#: verbs that address a lane of an agent
LANE_VERBS: Final = frozenset({"command", "get", "follow"})
VERBS: Final = LANE_VERBS | {"describe", "list", "health"}


@lru_cache(maxsize=REMEMBERED_SUBJECTS)
def parse(subject: str, root: str) -> tuple[str, str, str]:
    """Verb, lane and node of a subject; lane and node are empty where the verb takes none.

    :param root: what all subjects of the plane begin with.
    :raises ServerError: ``NT-SERVER-030``.
    """
    tokens = subject.removeprefix(root + ".").split(".")
    rest = tokens[2:] if tokens[0] == "at" else tokens[1:]
    verb = rest[0] if rest else ""
    if verb not in VERBS:
        raise _strange(subject, f"there is no verb {verb[:40]!r}; it is one of {', '.join(sorted(VERBS))}")
    if verb in ("list", "health"):
        if len(rest) != 1:
            raise _strange(subject, f'"{verb}" stands alone: {root}.in.{verb}')
        return verb, "", ""
    if len(rest) < 3:
        raise _strange(subject, f"it is {root}.in.{verb}.<lane>.<node>, one token for each segment of the node")
    try:
        lane = text_of(rest[1]) if verb != "describe" else ""
        return verb, lane, uri.resolve(node_of(rest[2:]))[0]
    except NatantError as error:
        raise _strange(subject, error.message) from None


def _strange(subject: str, expected: str) -> ServerError:
    return ServerError("NT-SERVER-030", f"subject {subject[:120]!r} asks for nothing: {expected}", http_status=400)
