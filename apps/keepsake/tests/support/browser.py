"""A headless Chromium, driven over its DevTools protocol: open a page, ask its JavaScript, let it hear a file, take a picture."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import shutil
import tempfile
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect

__all__ = ["Page", "chromium", "open_page"]

FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
    "--remote-allow-origins=*",
)
MICROPHONE: Final = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
START_S: Final = 30.0


def chromium() -> str | None:
    """The path of the browser, None where there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Page:
    """One tab.

    :ivar trouble: errors of the page: exceptions and messages of the console at error level.
    """

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.trouble: list[str] = []

    async def listen(self) -> None:
        """Take what the browser says, until it goes."""
        async for message in self._socket:
            said = json.loads(message)
            if "id" in said:
                self._answers.pop(said["id"]).set_result(said)
            elif said["method"] == "Runtime.exceptionThrown":
                self.trouble.append(json.dumps(said["params"]["exceptionDetails"])[:500])
            elif said["method"] == "Log.entryAdded" and said["params"]["entry"]["level"] == "error":
                self.trouble.append(said["params"]["entry"]["text"])

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """One command of the DevTools protocol."""
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        said = await answer
        assert "error" not in said, said
        result: dict[str, Any] = said["result"]
        return result

    async def ask(self, script: str) -> Any:
        """The value of a JavaScript expression, or of its promise."""
        result = await self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    async def until(self, script: str, *, timeout_s: float = 60.0) -> None:
        """Wait until a JavaScript expression is true; one that raises is not, yet."""
        async with asyncio.timeout(timeout_s):
            while not await self.ask(f"(() => {{ try {{ return Boolean({script}) }} catch {{ return false }} }})()"):
                await asyncio.sleep(0.1)

    async def picture(self, path: Path, *, width: int, height: int) -> None:
        """What the page looks like in a window of this size, as a PNG file."""
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        await asyncio.sleep(0.5)
        shot = await self.call("Page.captureScreenshot")
        path.write_bytes(base64.b64decode(shot["data"]))


@contextlib.asynccontextmanager
async def open_page(browser: str, url: str, *, sound: Path | None = None) -> AsyncIterator[Page]:
    """Start ``browser`` and open ``url``; its microphone hears the WAV file ``sound``."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            browser,
            *FLAGS,
            *(() if sound is None else (*MICROPHONE, f"--use-file-for-fake-audio-capture={sound}%noloop")),
            f"--user-data-dir={profile}",
            "about:blank",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            port = await _port(Path(profile) / "DevToolsActivePort")
            async with connect(await _address(port), max_size=None) as socket:
                page = Page(socket)
                listener = asyncio.create_task(page.listen())
                try:
                    for domain in ("Page", "Runtime", "Log"):
                        await page.call(f"{domain}.enable")
                    await page.call("Page.navigate", url=url)
                    yield page
                finally:
                    listener.cancel()
        finally:
            process.terminate()
            await process.wait()


async def _port(file: Path) -> int:
    async with asyncio.timeout(START_S):
        while not file.exists() or not file.read_text():
            await asyncio.sleep(0.05)
    return int(file.read_text().split()[0])


async def _address(port: int) -> str:
    import httpx

    async with httpx.AsyncClient(trust_env=False) as client:
        while True:
            for tab in (await client.get(f"http://127.0.0.1:{port}/json")).json():
                if tab["type"] == "page":
                    address: str = tab["webSocketDebuggerUrl"]
                    return address
            await asyncio.sleep(0.05)
