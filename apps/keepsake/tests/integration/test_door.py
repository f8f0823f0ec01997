"""The doors of a plane as it runs: capture with its order and its bounds, uploads that are cut short, export, questions; and who gets in."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets
from support.running import Running
from websockets.asyncio.client import ClientConnection, connect

from keepsake.sound.contract import RATE

TUS = {"tus-resumable": "1.0.0"}
PART = TUS | {"content-type": "application/offset+octet-stream"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    data = tmp_path_factory.mktemp("doors")
    with Running(data, embedder="none", recogniser="none", names="0") as running:
        running.token("ada")
        running.start_plane()
        running.start_worker("read")
        yield running


def door(running: Running, path: str, person: str = "ada", role: str = "owner") -> connect:
    """A connection to the capture door."""
    return connect(
        f"ws://127.0.0.1:{running.port}/capture/{path}",
        additional_headers={"authorization": f"Bearer {running.token(person, role)}"},
    )


async def hear(socket: ClientConnection) -> dict[str, Any]:
    """The next message of the service."""
    found: dict[str, Any] = json.loads(await asyncio.wait_for(socket.recv(), 20))
    return found


def text(number: int, words: str = "I met Ilse at the harbour.", **more: Any) -> str:
    """A piece of text."""
    return json.dumps({"n": number, "text": words, "at": 1_700_000_000 + number, **more})


def until(condition: Any, wait_s: float = 30.0) -> Any:
    """What a condition gives once it is true."""
    limit = time.monotonic() + wait_s
    while not (found := condition()):
        assert time.monotonic() < limit, "it did not come"
        time.sleep(0.05)
    return found


async def test_text_is_acknowledged_when_it_is_durable_and_goes_on_after_a_break(running: Running) -> None:
    async with door(running, "ada/diary?kind=text", role="device") as socket:
        assert await hear(socket) == {"next": 0}
        for number in range(50):
            await socket.send(text(number, f"Day {number}: I met Ilse at the harbour."))
        last = -1
        while last < 49:
            last = (await hear(socket))["ack"]
    running.kill("plane")
    running.start_plane()
    async with door(running, "ada/diary?kind=text") as socket:
        assert await hear(socket) == {"next": 50}
        await socket.send(text(48))  # it was there already
        await socket.send(text(50))
        assert await hear(socket) == {"ack": 50}
    until(lambda: running.get("ada", "stored", "/stream/diary") == 51)
    assert running.get("ada", "figures")["messages"] == 51


async def test_sound_is_kept_with_its_times(running: Running) -> None:
    second = bytes(2 * RATE)
    async with door(running, "ada/phone?kind=audio&at=1700000000") as socket:
        assert (await hear(socket))["next"] == 0
        for number in range(3):
            await socket.send(number.to_bytes(4, "big") + second)
        while (await hear(socket)).get("ack") != 2:
            pass
    async with door(running, "ada/phone?kind=audio&at=1700000000") as socket:
        assert (await hear(socket))["next"] == 3
        await socket.send((3).to_bytes(4, "big") + second)
        assert await hear(socket) == {"ack": 3}
    state = running.get("ada", "state", "/stream/phone")
    assert (state["received"], state["seconds"], state["kind"]) == (4, 4.0, "audio")


@pytest.mark.parametrize(
    ("path", "message", "code"),
    [
        ("ada/one?kind=song", None, "KS-DOOR-003"),
        ("ada/one?kind=audio&rate=many", None, "KS-DOOR-003"),
        ("ada/one?at=99999999999", None, "KS-DOOR-003"),
        ("ada/one?kind=audio&codec=mp3", None, "KS-SOUND-002"),
        ("ada/-one", None, "KS-DOOR-002"),
        ("bob/one", None, "KS-DOOR-001"),
        ("ada/two", text(3), "KS-DOOR-004"),
        ("ada/two", "not JSON", "KS-DOOR-005"),
        ("ada/two", '{"n": 0}', "KS-DOOR-005"),
        ("ada/two", text(0, at=99999999999), "KS-DOOR-005"),
        ("ada/two", text(0, zone="Mars/Olympus"), "KS-DOOR-005"),
        ("ada/two", text(0, "x" * 60_001), "KS-DOOR-006"),
        ("ada/two?kind=audio", b"\0\0", "KS-DOOR-005"),
        ("ada/diary?kind=audio", (51).to_bytes(4, "big") + bytes(640), "KS-AGENT-001"),
    ],
)
async def test_what_cannot_be_taken_is_told_and_ends_the_connection(
    running: Running, path: str, message: str | bytes | None, code: str
) -> None:
    async with door(running, path) as socket:
        found = await hear(socket)
        if message is not None:
            assert "next" in found
            await socket.send(message)
            found = await hear(socket)
        assert found["error"] == code
        assert found["message"]
        with pytest.raises(websockets.ConnectionClosed) as caught:
            await hear(socket)
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1008
    assert running.get("ada", "received", "/stream/two") == 0


async def test_nobody_without_a_token_gets_in(running: Running) -> None:
    for path in ("capture/ada/diary", "capture/ada/diary?token=ks1.e30.AAAA"):
        with pytest.raises(websockets.InvalidStatus) as caught:
            await connect(f"ws://127.0.0.1:{running.port}/{path}").__aenter__()
        assert caught.value.response.status_code == 401
    async with httpx.AsyncClient(base_url=running.url) as client:
        for path in ("/export/ada", "/service", "/upload/ada/" + 32 * "0"):
            assert (await client.get(path)).status_code == 401
        foreign = {"authorization": f"Bearer {running.token('eve')}"}
        device = {"authorization": f"Bearer {running.token('ada', 'device')}"}
        for headers in (foreign, device):
            assert (await client.get("/export/ada", headers=headers)).json()["code"] == "KS-DOOR-001"
        assert (await client.post("/upload/ada", headers=foreign | TUS)).json()["code"] == "KS-DOOR-001"
        assert (await client.post("/ask", headers=device, json={"text": "x"})).json()["code"] == "KS-DOOR-001"


class Client:
    """Of the HTTP doors, for one person."""

    def __init__(self, running: Running, person: str = "ada") -> None:
        headers = {"authorization": f"Bearer {running.token(person)}"}
        self.http = httpx.Client(base_url=running.url, headers=headers, timeout=60)
        self.person = person

    def begin(self, name: str, length: int, **more: str) -> httpx.Response:
        """A new upload."""
        metadata = ",".join(
            f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in {"filename": name, **more}.items()
        )
        headers = TUS | {"upload-length": str(length), "upload-metadata": metadata}
        return self.http.post(f"/upload/{self.person}", headers=headers)

    def add(self, path: str, offset: int, content: bytes) -> httpx.Response:
        """A part of it."""
        return self.http.patch(path, headers=PART | {"upload-offset": str(offset)}, content=content)


def test_an_upload_goes_on_where_it_stopped_and_is_read_once(running: Running) -> None:
    client = Client(running, "bob")
    diary = "\n\n".join(f"# 2024-03-{day:02d}\n\nI walked with Oisin to the mill." for day in range(1, 29)).encode()
    for round_ in range(2):  # the same file twice is one
        found = client.begin("diary.md", len(diary))
        assert found.status_code == 201, found.text
        path = found.headers["location"]
        assert client.add(path, 0, diary[:100]).headers["upload-offset"] == "100"
        assert client.add(path, 50, diary[50:]).json()["code"] == "KS-DOOR-011"
        if not round_:
            running.kill("plane")
            running.start_plane()
        assert client.http.head(path, headers=TUS).headers["upload-offset"] == "100"
        assert b"Oisin" not in b"".join(file.read_bytes() for file in (running.data / "uploads").rglob("*.*"))
        assert client.add(path, 100, diary[100:]).headers["upload-offset"] == str(len(diary))
        about = until(lambda path=path: (found := client.http.get(path).json())["state"] != "waiting" and found)
        assert about["state"] == "done", about
    until(lambda: running.get("bob", "figures")["messages"] > 0)
    streams = running.get("bob", "streams")
    assert len(streams) == 1
    messages = running.get("bob", "figures")["messages"]
    assert messages == 28 or until(lambda: running.get("bob", "figures")["messages"] == 28)


def test_uploads_have_bounds(running: Running) -> None:
    client = Client(running)
    assert client.begin("big.txt", 1 << 40).json()["code"] == "KS-DOOR-012"
    assert client.http.post("/upload/ada").json()["code"] == "KS-DOOR-015"
    assert client.http.post("/upload/ada", headers=TUS | {"upload-length": "-1"}).json()["code"] == "KS-DOOR-015"
    path = client.begin("note.bin", 4).headers["location"]
    assert client.add(path, 0, b"12345").json()["code"] == "KS-DOOR-012"
    assert client.http.patch(path, headers=TUS).json()["code"] == "KS-DOOR-015"
    assert client.add(path, 0, b"\0\1\2\3").status_code == 204
    about = until(lambda: (found := client.http.get(path).json())["state"] != "waiting" and found)
    assert about["state"] == "failed"
    assert "KS-SOURCE-001" in about["note"]
    assert client.http.delete(path, headers=TUS).status_code == 204
    assert client.http.head(path, headers=TUS).status_code == 404
    assert client.http.get("/upload/ada/../../keys").status_code in (400, 401, 403, 404)
    options = client.http.options("/upload/ada")
    assert options.headers["tus-extension"] == "creation,termination"


def test_everything_can_be_taken_away(running: Running) -> None:
    until(lambda: running.get("ada", "stored", "/stream/diary") == 51)
    content = Client(running).http.get("/export/ada").content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        lines = archive.read("message.jsonl").splitlines()
    assert len(lines) >= 51
    assert Client(running).http.get("/export/eve").json()["code"] == "KS-DOOR-001"


def test_a_question_in_one_request(running: Running) -> None:
    until(lambda: running.get("ada", "stored", "/stream/diary") == 51)
    client = Client(running)
    found = client.http.post("/ask", json={"text": "Where did I meet Ilse?"})
    assert found.status_code == 200, found.text
    assert found.json()["state"] == "answered"
    assert found.json()["question"].startswith("/person/ada/question/")
    assert client.http.post("/ask", content=b"{").json()["code"] == "KS-DOOR-005"
    assert client.http.post("/ask", content=b" " * 70_000).json()["code"] == "KS-DOOR-012"
    refused = client.http.post("/ask", json={"text": " "})
    assert refused.json()["code"] == "KS-AGENT-012"


def test_the_service_tells_of_its_queues(running: Running) -> None:
    found = Client(running).http.get("/service").json()
    assert found["person"] == "ada"
    assert set(found["queues"]) >= {"read", "hear", "learn", "forget"}
    assert httpx.get(running.url + "/").text.startswith("<!doctype html>")


def test_the_page_is_whole() -> None:
    page = Path(__file__).parents[2] / "keepsake" / "door" / "page"
    assert (page / "index.html").is_file()
