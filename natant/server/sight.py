"""Who may know that a node is there, and what it is: the policy's verb ``describe``, with an empty lane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from natant.codec import uri
from natant.errors import LinkError

if TYPE_CHECKING:
    from natant.link.hub import Identity
    from natant.plane import Plane
    from natant.server.port import HostPort

__all__ = ["check_seen", "listed"]


def _may_see(plane: Plane, identity: Identity, node: str) -> bool:
    policy = plane.policy
    if policy is None or identity.is_internal:
        return True
    try:
        return bool(policy(identity, "describe", node, ""))
    except Exception:  # a policy that raises says no; the host tells of it when a lane is asked for
        return False


def check_seen(plane: Plane, identity: Identity, node: str) -> None:
    """See that somebody may know what lives at a node.

    The policy is asked for the node itself, however the peer spelled it: dots and escapes lead nowhere else.

    :raises LinkError: ``NT-LINK-008`` where the policy says no.
    """
    if not _may_see(plane, identity, uri.resolve(node)[1]):
        raise LinkError(
            "NT-LINK-008", f"{identity.name or 'an unknown peer'} may not see what {node} is", http_status=403
        )


async def listed(
    host: HostPort, identity: Identity, prefix: str, *, limit: int, after: str | None
) -> tuple[Sequence[dict[str, Any]], str | None]:
    """A page of the agents below a prefix that somebody may know of, and where to go on.

    Where the policy does not let them see the prefix itself nothing is looked up: what others have costs nobody else time.
    """
    if not _may_see(host.plane, identity, prefix):
        return [], None
    while True:
        nodes = await host.nodes(prefix, limit=limit, after=after)
        seen = [facts for facts in nodes if _may_see(host.plane, identity, facts["node"])]
        if len(nodes) < limit:
            return seen, None
        if seen:
            return seen, seen[-1]["node"]
        after = nodes[-1]["node"]
