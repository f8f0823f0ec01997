"""A browser asks and follows a plane through the NATS server's own WebSocket listener, with the client of NATS' makers."""

from __future__ import annotations

import asyncio
import json
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.integration.flights.browser import chromium, open_page
from tests.integration.nats.plane import stand
from tests.support.process import ROOT

JS = ROOT / "tests" / "js"
BROWSER = chromium()

FOLLOW = """
(async () => {
  const nc = await nats.wsconnect({ servers: URL, user: "client", pass: PASSWORD });
  const events = nc.subscribe("natant.transit.ev.count.vehicle.7", { max: 2 });
  const state = await nc.request("natant.transit.in.follow.count.vehicle.7");
  const seen = [state.json(), state.headers.get("Natant-Sequence")];
  for (const body of ["3", "4"]) {
    const answer = await nc.request("natant.transit.in.command.count.vehicle.7", body);
    seen.push(answer.json().sequence > 0);
  }
  for await (const event of events) seen.push(event.json().value, event.headers.get("Natant-Sequence"));
  const refused = await nc.request("natant.transit.in.get.nothing.vehicle.7");
  seen.push(refused.headers.get("Natant-Error"));
  await nc.close();
  return seen;
})()
"""


class Quiet(SimpleHTTPRequestHandler):
    """The files of the folder, without a line for each."""

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


@pytest.mark.skipif(BROWSER is None, reason="no Chromium here")
@pytest.mark.skipif(
    not (JS / "node_modules" / "@nats-io").is_dir(), reason="tests/js/node_modules is missing: npm ci in tests/js"
)
async def test_a_browser_commands_and_follows() -> None:
    assert BROWSER is not None
    files = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(JS)))
    thread = threading.Thread(target=files.serve_forever, daemon=True)
    thread.start()
    try:
        async with (
            stand(websocket=True) as at,
            open_page(BROWSER, f"http://127.0.0.1:{files.server_port}/nats.html") as page,
        ):
            server = at.engine.server
            assert server is not None
            password = server.url("client").split("client:")[1].split("@")[0]
            await page.until("nats.wsconnect", timeout_s=30)
            assert not page.trouble
            script = FOLLOW.replace("URL", json.dumps(f"ws://127.0.0.1:{server.ports.websocket}"))
            async with asyncio.timeout(60):
                seen = await page.ask(script.replace("PASSWORD", json.dumps(password)))
    finally:
        files.shutdown()
        files.server_close()
        thread.join()

    assert seen == [0, "0", True, True, 3, "1", 4, "2", "NT-LINK-001"]
