"""Prose by an endpoint: a real HTTP server that speaks chat completions."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from keepsake.answer.generate import ATTEMPTS, ChatEndpoint
from keepsake.errors import KeepsakeError
from keepsake.record import Answer, Citation, Question

QUESTION = Question("What did Ann adopt?", 1_700_000_000.0)
CITED = Citation("s:1#0", "We adopted Rex, a brown dog, in Lisbon.", "Ann", 1_685_000_000.0, 1.0)
GIVEN = Answer("quoted", True, 0.8, (CITED,))


#: in place of a content: none comes
WAIT: list[Any] = []


@dataclass
class Script:
    """What the server answers, one after another, and what it was asked."""

    answers: list[tuple[int, Any]]
    asked: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)


@contextmanager
def served(*answers: tuple[int, Any]) -> Iterator[tuple[str, Script]]:
    script = Script(list(answers))
    ended = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            script.asked.append((self.path, self.headers.get("Authorization", ""), body))
            status, content = script.answers.pop(0)
            if content is WAIT:
                ended.wait()
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", script
    finally:
        ended.set()
        server.shutdown()
        thread.join()
        server.server_close()


def chat(text: Any) -> tuple[int, Any]:
    return 200, {"choices": [{"message": {"role": "assistant", "content": text}}]}


def test_prose_comes_from_the_citations_and_what_they_do_not_bear_out_is_marked() -> None:
    with served(chat("Ann adopted a brown dog [1]. She also bought a castle in 1999.")) as (url, script):
        given = ChatEndpoint(url, "small", "secret").rewrite(QUESTION, GIVEN)

    assert given.text.startswith("Ann adopted")
    assert given.unsupported == ("She also bought a castle in 1999.",)
    assert given.citations == GIVEN.citations
    assert given.label == "written by an AI (small) from the memories that are quoted"
    path, token, body = script.asked[0]
    assert (path, token, body["model"], body["temperature"]) == ("/v1/chat/completions", "Bearer secret", "small", 0)
    told = body["messages"][1]["content"]
    assert "[1] Ann, 25 May 2023: We adopted Rex, a brown dog, in Lisbon." in told
    assert told.endswith("Question: What did Ann adopt?")


def test_nothing_is_sent_where_nothing_is_known() -> None:
    with served() as (url, script):
        unknown = Answer("I do not know", False, 0.1)
        assert ChatEndpoint(url).rewrite(QUESTION, unknown) is unknown
        assert script.asked == []


def test_an_empty_text_leaves_the_quotation() -> None:
    with served(chat("  ")) as (url, _):
        assert ChatEndpoint(url).rewrite(QUESTION, GIVEN) is GIVEN


def test_a_text_of_which_nothing_is_borne_out_leaves_the_quotation() -> None:
    with served(chat("The king of Norway came by. He sang of 1814.")) as (url, _):
        assert ChatEndpoint(url).rewrite(QUESTION, GIVEN) is GIVEN


def test_a_failure_that_may_pass_is_tried_again() -> None:
    with served((503, {}), chat("Ann adopted a dog.")) as (url, script):
        assert ChatEndpoint(url).rewrite(QUESTION, GIVEN).text == "Ann adopted a dog."
        assert len(script.asked) == 2


def test_a_refusal_is_told_and_not_tried_again() -> None:
    with served((401, {"error": "no key"})) as (url, script):
        with pytest.raises(KeepsakeError, match=r"KS-ANSWER-001.*401.*no key"):
            ChatEndpoint(url).rewrite(QUESTION, GIVEN)
        assert len(script.asked) == 1


def test_an_endpoint_that_is_not_there_is_told() -> None:
    with served() as (url, _):
        pass  # it has ended: nobody listens at its port
    with pytest.raises(KeepsakeError, match=r"KS-ANSWER-001.*Connect"):
        ChatEndpoint(url).rewrite(QUESTION, GIVEN)


def test_one_that_is_slow_is_not_asked_again() -> None:
    with served((200, WAIT), (200, WAIT)) as (url, script):
        with pytest.raises(KeepsakeError, match=r"KS-ANSWER-001.*ReadTimeout"):
            ChatEndpoint(url, timeout=0.05).rewrite(QUESTION, GIVEN)
        assert len(script.asked) == 1


@pytest.mark.parametrize("content", [b"<html>", {"choices": []}, {"choices": [{"message": {"content": 3}}]}, b"[1]"])
def test_what_is_no_completion_is_told(content: Any) -> None:
    with served((200, content)) as (url, _), pytest.raises(KeepsakeError, match="KS-ANSWER-002"):
        ChatEndpoint(url).rewrite(QUESTION, GIVEN)


def test_attempts_have_a_bound() -> None:
    with served(*[(500, {})] * 9) as (url, script):
        with pytest.raises(KeepsakeError, match="KS-ANSWER-001"):
            ChatEndpoint(url).rewrite(QUESTION, GIVEN)
        assert len(script.asked) == ATTEMPTS
