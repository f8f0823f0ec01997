"""Workers of a queue killed while they work, and the plane as well: each job applied once, keys in order.

``python -m tests.chaos.jobs`` does the same with 10,000 jobs.
"""

from __future__ import annotations

import asyncio

import pytest

from tests.chaos import jobs


@pytest.mark.timeout(240)
def test_each_job_is_applied_once_and_keys_stay_in_order() -> None:
    report = asyncio.run(jobs.run(600, rate=100.0, workers=2, slots=4, kill_every_s=1.5, kill_plane_every_s=4.0))

    assert report.complaints == []
    assert report.kills > 0
    assert report.plane_kills > 0
