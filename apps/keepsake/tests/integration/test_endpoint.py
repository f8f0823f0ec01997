"""The adapters for OpenAI's interface against a real server of it, by the models of this machine; and what goes wrong with one."""

from __future__ import annotations

import email.policy
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from keepsake.asset import is_there
from keepsake.asset.remote import Remote
from keepsake.errors import KeepsakeError
from keepsake.sound.contract import RATE
from keepsake.sound.decode import blocks
from keepsake.sound.endpoint import TranscriptionEndpoint
from keepsake.sound.whisper import Whisper
from keepsake.vector.contract import Embedder
from keepsake.vector.endpoint import EndpointEmbedder
from keepsake.vector.minilm import MiniLM

SPOKEN = Path("/usr/share/pocketsphinx/test/data/librivox/sense_and_sensibility_01_austen_64kb-0930.wav")


class Server:
    """What a test's server does: each route's answers, one after another; the last one again and again."""

    def __init__(self) -> None:
        self.answers: list[Callable[[Request], Any]] = []
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str] = []

    async def handle(self, request: Request) -> Response:
        self.keys.append(request.headers.get("authorization", ""))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        found: Response = await answer(request)
        return found

    def json(self, content: object, status: int = 200, **headers: str) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            return JSONResponse(content, status, headers)

        return answer

    @property
    def app(self) -> Starlette:
        paths = ("/v1/embeddings", "/v1/audio/transcriptions")
        return Starlette(routes=[Route(path, self.handle, methods=["POST"]) for path in paths])


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def url(server: Server) -> Iterator[str]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        running = uvicorn.Server(uvicorn.Config(server.app, log_level="error", lifespan="off"))
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]})
        listening.listen()
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        running.should_exit = True
        thread.join()


def embeddings(server: Server, embed: Callable[[list[str]], np.ndarray[Any, Any]]) -> Callable[[Request], Any]:
    async def answer(request: Request) -> Response:
        asked = await request.json()
        server.asked.append(asked)
        rows = [{"index": index, "embedding": row.tolist()} for index, row in enumerate(embed(asked["input"]))]
        return JSONResponse({"object": "list", "data": rows[::-1]})  # the index counts, not the order

    return answer


def lengths(texts: list[str]) -> np.ndarray[Any, Any]:
    return np.array([[len(text), 1.0] for text in texts])


@pytest.mark.slow
def test_vectors_of_a_service_over_minilm_are_those_of_minilm(server: Server, url: str) -> None:
    if not is_there("minilm"):
        pytest.skip("needs keepsake[models]")
    minilm = MiniLM(threads=1)
    server.answers = [embeddings(server, minilm.embed)]
    embedder: Embedder = EndpointEmbedder(url, "minilm", "secret")
    texts = [f"memory number {number}" for number in range(70)]

    found = embedder.embed(texts)

    assert (embedder.model, embedder.dimension) == ("minilm/384", 384)
    assert np.allclose(found, minilm.embed(texts), atol=1e-3)
    assert [len(asked["input"]) for asked in server.asked] == [1, 64, 6]
    assert set(server.keys) == {"Bearer secret"}


def test_questions_and_passages_have_their_prefixes_and_nothing_is_sent_empty(server: Server, url: str) -> None:
    server.answers = [embeddings(server, lengths)]
    embedder = EndpointEmbedder(url, "e5", prefixes=("query: ", "passage: "))
    embedder.embed(["who"], "question")
    embedder.embed(["", "me"])

    assert [asked["input"] for asked in server.asked[1:]] == [["query: who"], ["passage: ", "passage: me"]]
    assert server.keys[0] == ""
    assert EndpointEmbedder(url, "plain").embed([""]).shape == (1, 2)
    assert server.asked[-1]["input"] == [" "]


def test_what_may_pass_is_tried_again_as_the_service_asks(server: Server, url: str) -> None:
    waits: list[float] = []
    busy = server.json({"error": "busy"}, 429, **{"Retry-After": "3"})
    server.answers = [
        busy,
        server.json({}, 503),
        server.json({}, 500, **{"Retry-After": "999"}),
        embeddings(server, lengths),
    ]

    EndpointEmbedder(url, "m", wait=waits.append)

    assert waits == [3.0, 1.0, 10.0]


def test_what_will_not_pass_is_told_at_once(server: Server, url: str) -> None:
    waits: list[float] = []
    server.answers = [server.json({"error": "no such model"}, 404)]

    with pytest.raises(KeepsakeError, match=r"KS-ASSET-004 .*it answered 404: .*no such model"):
        EndpointEmbedder(url, "m", wait=waits.append)

    assert waits == []


def test_a_service_that_is_not_there_is_named(url: str) -> None:
    with pytest.raises(KeepsakeError, match=r"KS-ASSET-004  http://127\.0\.0\.1:9/v1/embeddings gave no answer"):
        EndpointEmbedder("http://127.0.0.1:9/v1/", "m", wait=lambda seconds: None)


@pytest.mark.parametrize(
    "content",
    [
        [],
        {},
        {"data": [{"index": 0, "embedding": []}]},
        {"data": [{"index": 0, "embedding": [1.0, None]}]},
        {"data": [{"index": 0, "embedding": "AAAA"}]},
        {"data": [{"index": 0, "embedding": [1.0, 2.0, 3.0]}]},
        {"data": ["x"]},
    ],
)
def test_odd_vectors_are_not_taken(server: Server, url: str, content: object) -> None:
    server.answers = [embeddings(server, lengths), server.json(content)]
    embedder = EndpointEmbedder(url, "m")

    with pytest.raises(KeepsakeError, match="KS-ASSET-005"):
        embedder.embed(["one"])


def test_an_answer_without_end_and_one_that_leads_elsewhere_are_not_followed(server: Server, url: str) -> None:
    async def endless(request: Request) -> Response:
        return PlainTextResponse("x" * (65 << 20))

    async def elsewhere(request: Request) -> Response:
        return Response(status_code=307, headers={"Location": "http://127.0.0.1:9/"})

    server.answers = [endless]
    with pytest.raises(KeepsakeError, match=r"KS-ASSET-005 .* more than"):
        Remote(url, "/embeddings").post(json={})
    server.answers = [elsewhere]
    with pytest.raises(KeepsakeError, match=r"KS-ASSET-004 .*it answered 307"):
        Remote(url, "/embeddings").post(json={})


@pytest.mark.slow
def test_a_service_over_whisper_hears_what_whisper_hears(server: Server, url: str) -> None:
    if not SPOKEN.exists() or not is_there("whisper-tiny.en"):
        pytest.skip("needs pocketsphinx-testdata and keepsake[speech,models]")
    whisper = Whisper(name="whisper-tiny.en")

    async def answer(request: Request) -> Response:
        head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
        form = email.message_from_bytes(head + await request.body(), policy=email.policy.default)
        fields: dict[str, bytes] = {
            str(part.get_param("name", header="content-disposition")): part.get_payload(decode=True)  # type: ignore[misc]
            for part in form.iter_parts()
        }
        content = fields.pop("file")
        server.asked.append({name: field.decode() for name, field in fields.items()})
        samples = np.frombuffer(b"".join(blocks(content)), "<i2").astype(np.float32) / 32768.0
        heard = whisper.hear(samples)
        words = [{"word": f" {word.text}", "start": word.start, "end": word.end} for word in heard.words]
        return JSONResponse({"text": f" {heard.text}", "language": "English", "words": words})

    server.answers = [answer]
    sound = bytes(RATE) + b"".join(blocks(SPOKEN)) + bytes(2 * RATE)

    (heard, *_) = TranscriptionEndpoint(url, "whisper-1").transcribe(sound, names=["Ana", "Siobhan"])

    (expected, *_) = whisper.transcribe(sound)
    assert (heard.text, heard.start, heard.end) == (expected.text, expected.start, expected.end)
    assert heard.language == "en"
    assert [word.start for word in heard.words] == pytest.approx([word.start for word in expected.words], abs=0.011)
    assert server.asked[0]["prompt"] == "Ana, Siobhan"
    assert server.asked[0]["model"] == "whisper-1"
    assert server.asked[0]["response_format"] == "verbose_json"


@pytest.mark.parametrize("content", [{"words": []}, {"text": "hello", "words": [{"word": "hello"}]}, {"text": None}])
def test_odd_transcriptions_are_not_taken(server: Server, url: str, content: object) -> None:
    if not is_there("silero"):
        pytest.skip("needs keepsake[speech]")
    server.answers = [server.json(content)]

    with pytest.raises(KeepsakeError, match="KS-ASSET-005"):
        TranscriptionEndpoint(url, "m").hear(np.zeros(RATE, np.float32))
