"""Prose by an endpoint that speaks the chat completions of OpenAI's interface: vLLM, llama.cpp, Ollama and others.

It is given the question and the citations, nothing else of the person, and told to use only those.  What it writes is checked
sentence by sentence (`keepsake.answer.support`); sentences without support are marked, never shown as if they were the person's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import httpx

from keepsake.answer.support import unsupported
from keepsake.errors import KeepsakeError
from keepsake.record import Answer, Citation, Question
from keepsake.words.date import tell_day
from keepsake.words.passage import sentences

__all__ = ["ChatEndpoint", "prompt"]

#: seconds that an endpoint has for an answer; a model on a plain processor takes its time
TIMEOUT_S: Final = 120.0

#: seconds to reach it
CONNECT_S: Final = 5.0

#: attempts at one answer: the first, and another one after a failure that may pass
ATTEMPTS: Final = 2

#: tokens of an answer
TOKENS: Final = 300

#: bytes of an endpoint's answer that are read
ANSWER_BYTES: Final = 1_000_000

#: letters of one citation that are sent
CITED_LETTERS: Final = 2_000

LABEL: Final = "written by an AI ({model}) from the memories that are quoted"

_TASK: Final = (
    "You answer a question about a person from that person's own memories, which are numbered below. Use nothing but these memories. "
    "Answer in one to three plain sentences and put the number of the memory that each sentence comes from behind it, like [1]. "
    "Give dates as they are written there. If the memories do not answer the question, say: I do not know."
)


class ChatEndpoint:
    """Writes prose (`keepsake.answer.contract.Generator`).

    :param url: of the interface, ``http://127.0.0.1:8080/v1``; with or without ``/chat/completions``.
    :param model: as the endpoint calls it.
    :param key: sent as a bearer token; empty: none is sent.
    :param timeout: seconds that it has for an answer.
    :param tokens: of an answer, at most.
    """

    def __init__(
        self, url: str, model: str = "", key: str = "", *, timeout: float = TIMEOUT_S, tokens: int = TOKENS
    ) -> None:
        base = url.rstrip("/")
        self._url = base if base.endswith("/chat/completions") else f"{base}/chat/completions"
        self._model = model
        self._tokens = tokens
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = httpx.Client(headers=headers, timeout=httpx.Timeout(timeout, connect=CONNECT_S))

    def rewrite(self, question: Question, given: Answer) -> Answer:
        """The answer in prose; the one that quotes where nothing is known or the endpoint says nothing that is borne out.

        :raises KeepsakeError: ``KS-ANSWER-001`` where the endpoint cannot be reached or refuses, ``KS-ANSWER-002`` where what it
            says is no chat completion.
        """
        if not given.is_known or not given.citations:
            return given
        text = self.complete(_TASK, prompt(question, given.citations)).strip()
        if not text:
            return given
        without = unsupported(text, given.citations, question.text)
        if without and len(without) == sum(1 for _ in sentences(text)):
            return given  # nothing of it is borne out: the quotation says more
        return replace(given, text=text, unsupported=without, label=LABEL.format(model=self._model or "an endpoint"))

    def complete(self, task: str, words: str) -> str:
        """What the endpoint says to a task and words.  Blocks."""
        body = {
            "model": self._model,
            "messages": [{"role": "system", "content": task}, {"role": "user", "content": words}],
            "temperature": 0,
            "max_tokens": self._tokens,
        }
        return _said(self._post(body), self._url)

    def _post(self, body: dict[str, Any]) -> httpx.Response:
        """One attempt, and another where the failure may pass (a broken connection, 429, 5xx)."""
        problem = ""
        for _ in range(ATTEMPTS):
            try:
                answer = self._client.post(self._url, json=body)
            except httpx.HTTPError as failure:
                problem = f"{type(failure).__name__}: {failure}"
                if isinstance(failure, httpx.ReadTimeout):
                    break  # it is at work on the first one still
                continue
            if answer.is_success:
                return answer
            problem = f"it answered {answer.status_code}: {answer.text[:200]!r}"
            if answer.status_code != 429 and answer.status_code < 500:
                break
        raise KeepsakeError(
            "KS-ANSWER-001",
            f"the endpoint at {self._url} gave no answer: {problem}. Check url, model and key under [chat] in keepsake.toml; "
            "without them answers are quotations.",
        )

    def close(self) -> None:
        """Let go of its connections."""
        self._client.close()


def prompt(question: Question, citations: tuple[Citation, ...]) -> str:
    """What an endpoint is asked: the citations with who and when, then the question."""
    lines = [
        f"[{number}] {citation.speaker or 'the person'}, {tell_day(citation.said_at, question.zone)}"
        f"{f' (about {citation.date})' if citation.when is not None else ''}: {citation.text[:CITED_LETTERS]}"
        for number, citation in enumerate(citations, 1)
    ]
    return "Memories:\n" + "\n".join(lines) + f"\n\nQuestion: {question.text}"


def _said(answer: httpx.Response, url: str) -> str:
    """The text of a chat completion."""
    try:
        if len(answer.content) > ANSWER_BYTES:
            raise ValueError(f"{len(answer.content):,} bytes")
        content = answer.json()["choices"][0]["message"]["content"]
        if not isinstance(content, str):
            raise TypeError(f"content is {type(content).__name__}")
    except (ValueError, KeyError, IndexError, TypeError) as failure:
        raise KeepsakeError(
            "KS-ANSWER-002",
            f"what {url} answered is no chat completion ({failure!r}): {answer.text[:200]!r}; expected choices[0].message.content. "
            "Check that url is that of an interface like OpenAI's, with its version, as in http://127.0.0.1:8080/v1.",
        ) from None
    return content
