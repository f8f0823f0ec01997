"""The page of the flights in a real browser: it shows moving data, and goes on after the server was killed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.integration.flights.browser import Page, chromium, open_page
from tests.support.process import ROOT, ServerProcess

BROWSER = chromium()

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine: apt-get install chromium")


async def number(page: Page, name: str) -> float:
    text = await page.ask(f"document.getElementById({name!r}).textContent")
    return float("".join(character for character in text if character in "0123456789.-"))


async def test_the_page_shows_the_flights_and_follows_them(tmp_path: Path) -> None:
    assert BROWSER is not None
    server = ServerProcess(
        ROOT / "examples/flights/plane.py", data=tmp_path / "data", environment={"FLIGHTS_SPEED": "600"}
    )
    with server:
        async with open_page(BROWSER, f"{server.http}/?theme=dark") as page:
            await page.until("natant.map.flying().length > 50 && natant.map.at.size > 900")
            await page.until("document.querySelectorAll('#board .rows .row').length > 5")
            await page.until("document.querySelectorAll('#loop li').length > 2")
            await page.until("document.querySelectorAll('#carriers tbody tr').length === 16")
            assert await page.ask("document.getElementById('status').textContent") == "live"
            flights, clock = await number(page, "flights"), await page.ask("natant.replay.latest")
            await page.until(f"natant.replay.latest >= {clock} + 3600")
            await page.until(f"Number(document.getElementById('flights').textContent.replace(/,/g, '')) > {flights}")
            assert await _painted(page) > 1000

            await asyncio.to_thread(server.kill)
            await page.until("document.getElementById('state').className !== 'connected'")
            await asyncio.to_thread(server.start)
            await page.until("natant.host.status === 'connected'")
            clock = await page.ask("natant.replay.latest")
            await page.until(f"natant.replay.latest > {clock} + 3600")
            trouble = [line for line in page.trouble if "WebSocket" not in line]
            assert not trouble

            await page.picture(tmp_path / "page.png", width=1280, height=800)
            assert (tmp_path / "page.png").stat().st_size > 20_000
            assert not await page.ask("document.documentElement.scrollWidth > innerWidth"), "the page is too wide"
            await page.picture(tmp_path / "phone.png", width=390, height=844)
            assert not await page.ask("document.documentElement.scrollWidth > innerWidth"), "too wide for a phone"


async def _painted(page: Page) -> int:
    """How many pixels the flights cover."""
    covered = await page.ask(
        "(() => { const c = natant.map.sky; let n = 0;"
        " const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        " for (let i = 3; i < d.length; i += 4) if (d[i]) n++; return n; })()"
    )
    return int(covered)


async def test_the_map_reader_and_writer_of_recon_agree_with_the_server(tmp_path: Path) -> None:
    assert BROWSER is not None
    with ServerProcess(ROOT / "examples/flights/plane.py", environment={"FLIGHTS_SPEED": "600"}) as server:
        async with open_page(BROWSER, server.http) as page:
            await page.until("natant.host.status === 'connected'")
            await page.ask(
                "natant.host.sync('/carrier/XY', 'name', { set: (v) => (window.heard = v) }),"
                "natant.host.command('/carrier/XY', 'name', 'A \"quoted\" name, true: 9%\\n\\u00e9')"
            )
            await page.until("window.heard && window.heard !== 'XY'")
            assert await page.ask("window.heard") == 'A "quoted" name, true: 9%\né'
