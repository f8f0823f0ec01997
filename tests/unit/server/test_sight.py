"""Who may know of a node: the policy is asked for the node itself, however it is spelled."""

from __future__ import annotations

import pytest

from natant import Identity, Plane
from natant.errors import LinkError
from natant.server.sight import check_seen

ASKED: list[str] = []


def may(identity: Identity, verb: str, node: str, lane: str) -> bool:
    """Everybody may see what is below their own name."""
    ASKED.append(node)
    return verb == "describe" and node.startswith(f"/box/{identity.name}/")


@pytest.mark.parametrize(
    "spelling", ["/box/bob/x", "/box/ann/../bob/x", "/box/ann/%2e%2e/bob/x", "/box/%62ob/x", "/box/ann/./../bob/x?a#b"]
)
def test_no_spelling_leads_to_anothers_node(spelling: str) -> None:
    ASKED.clear()
    with pytest.raises(LinkError, match="NT-LINK-008"):
        check_seen(Plane("test", [], policy=may), Identity("ann"), spelling)
    assert ASKED == ["/box/bob/x"]


def test_ones_own_node_is_seen() -> None:
    check_seen(Plane("test", [], policy=may), Identity("ann"), "/box/bob/../ann/x")
    check_seen(Plane("test", []), Identity(), "/box/bob")
