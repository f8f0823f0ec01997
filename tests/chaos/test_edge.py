"""An edge that is offline, killed, and whose hub is killed: nothing is lost, repeated or out of order.

``python -m tests.chaos.edge`` does the same with 50,000 captures.
"""

from __future__ import annotations

import asyncio

import pytest

from tests.chaos import edge

CAPTURES = 1600


@pytest.mark.timeout(200)
def test_all_that_an_edge_acknowledged_is_at_the_hub_once_and_in_order() -> None:
    report = asyncio.run(edge.run(CAPTURES, is_hub_killed=True))

    assert report.complaints == []
    assert report.retries > 0, "no kill met a capture on its way: this tests nothing"
