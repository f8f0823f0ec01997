"""The page in a browser: a note is kept, shown and found again; a microphone is captured; a wrong token is told."""

from __future__ import annotations

import asyncio
import json
import math
import struct
import wave
from pathlib import Path

import pytest
from support.browser import Page, chromium, open_page
from support.running import Running

BROWSER = chromium()

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine: apt-get install chromium")

NOTE = "I met Ilse and Oisin at the harbour of Bergen."


def tone(path: Path, seconds: int = 4) -> Path:
    """A file for the microphone."""
    samples = [round(9000 * math.sin(2 * math.pi * 440 * at / 16000)) for at in range(16000 * seconds)]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return path


async def press(page: Page, text: str) -> None:
    """Press a button by its text."""
    await page.until(f"[...document.querySelectorAll('button')].some(b => b.textContent === {json.dumps(text)})")
    await page.ask(f"[...document.querySelectorAll('button')].find(b => b.textContent === {json.dumps(text)}).click()")


async def write(page: Page, where: str, text: str) -> None:
    """Type into a field."""
    await page.ask(
        f"(() => {{ const field = document.querySelector({json.dumps(where)}); field.value = {json.dumps(text)};"
        " field.dispatchEvent(new Event('input')); field.form.requestSubmit(); })()"
    )


async def test_the_page_keeps_shows_asks_and_hears(tmp_path: Path) -> None:
    assert BROWSER is not None
    with Running(tmp_path, embedder="none", recogniser="none", names="0") as running:
        token = running.token("ada")
        await asyncio.to_thread(running.start_plane)
        running.start_worker("read")
        sound = tone(tmp_path / "tone.wav")
        async with open_page(BROWSER, f"{running.url}/#token={token}", sound=sound) as page:
            await page.until("document.querySelector('header [role=status]').textContent === 'ada'")
            assert "token" not in await page.ask("location.href")

            await write(page, "textarea", NOTE)
            await page.until("document.body.textContent.includes('kept, ')")
            await press(page, "Timeline")
            await page.until(f"document.querySelector('.line p').textContent === {json.dumps(NOTE)}")

            await press(page, "Ask")
            await write(page, "input[aria-label=Question]", "Who was at the harbour of Bergen?")
            await page.until(f"document.querySelector('blockquote').textContent.includes({json.dumps(NOTE)})")

            await press(page, "Capture")
            await press(page, "Record")
            await page.until("/[1-9]\\d+ pieces are durable/.test(document.body.textContent)")
            await press(page, "Stop")
            await press(page, "Streams")
            await page.until("[...document.querySelectorAll('td')].some(cell => cell.textContent === 'audio')")
            await page.until("[...document.querySelectorAll('td')].some(cell => cell.textContent === 'read')")

            await press(page, "Leave")
            await page.until("document.body.textContent.includes('Whose memories?')")
            assert page.trouble == []
            await write(page, "input[aria-label=Token]", "ks1.eyJwZXJzb24iOiJhZGEifQ.AAAA")
            await page.until("document.body.textContent.includes('refuses this token')")
        states = running.get("ada", "streams").values()
        assert {state["kind"] for state in states} == {"text", "audio"}
