"""The plane of the tutorial in a real server: its page in a browser, and its driver through a restart."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from examples.transit.drive import drive
from tests.integration.flights.browser import chromium, open_page
from tests.support.process import ROOT, ServerProcess

PLANE = ROOT / "examples" / "transit" / "plane.py"


def test_the_driver_moves_three_vehicles(tmp_path: Path) -> None:
    from natant.client import blocking

    with ServerProcess(PLANE, data=tmp_path / "data") as server:
        drive(server.uri, steps=2, pause_s=0.0)
        server.restart()
        with blocking.connect(server.uri) as host:
            fleet = host.map("/depot/north", "fleet").synced()
            assert sorted(fleet) == ["0", "1", "2"]


async def test_the_page_follows_the_depot_through_a_kill(tmp_path: Path) -> None:
    browser = chromium()
    if browser is None:
        pytest.skip("no Chromium here: the page cannot be opened")
    with ServerProcess(PLANE, data=tmp_path / "data") as server:
        async with open_page(browser, server.http + "/") as page:
            await page.until("document.getElementById('state')?.textContent === 'live'")
            await asyncio.to_thread(drive, server.uri, 1, 0.0)
            await page.until("document.querySelectorAll('#fleet tr').length === 3")
            await page.until("document.getElementById('fleet').textContent.includes('at 30 km/h')")
            await asyncio.to_thread(server.kill)
            await page.until("document.getElementById('state').textContent.startsWith('no connection')")
            await asyncio.to_thread(server.start)
            await page.until("document.getElementById('state').textContent === 'live'")
            assert await page.ask("document.querySelectorAll('#fleet tr').length") == 3
            await asyncio.to_thread(drive, server.uri, 1, 0.0)
            await page.until("document.querySelectorAll('#fleet tr').length === 3")
