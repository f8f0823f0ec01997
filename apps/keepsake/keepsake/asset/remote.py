"""Models behind an address: requests to an interface like OpenAI's, with bounds on everything.

What may pass (a broken connection, 408, 429, 5xx) is tried again after a wait that grows; all else is told at once.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx

from keepsake.errors import KeepsakeError

__all__ = ["Remote", "odd"]

#: seconds to reach a service, and for its answer
_CONNECT_S: Final = 5.0
_ANSWER_S: Final = 120.0
#: attempts at one request, the first wait between them and the longest one that a service may ask for
_ATTEMPTS: Final = 4
_FIRST_WAIT_S: Final = 0.5
_LONGEST_WAIT_S: Final = 10.0
#: bytes of an answer
_MAX_ANSWER: Final = 64 << 20
#: statuses that may pass
_PASSING: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504})


class Remote:
    """One method of an interface, by POST.  Safe for several threads.

    :param url: of the interface, ``http://127.0.0.1:8080/v1``; with or without the method's path.
    :param path: of the method, ``/embeddings``.
    :param key: sent as a bearer token; empty: none is sent.
    :param wait: waits so many seconds.
    """

    def __init__(self, url: str, path: str, key: str = "", *, wait: Callable[[float], None] = time.sleep) -> None:
        base = url.rstrip("/")
        self.url = base if base.endswith(path) else f"{base}{path}"
        self._wait = wait
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        # No redirects: a key goes to the address that it was given for.
        self._client = httpx.Client(headers=headers, timeout=httpx.Timeout(_ANSWER_S, connect=_CONNECT_S))

    def post(self, **content: Any) -> Mapping[str, Any]:
        """Ask; ``content`` as httpx takes it (``json``, or ``data`` and ``files``).  Blocks.

        :raises KeepsakeError: ``KS-ASSET-004`` where the service cannot be reached or refuses; ``KS-ASSET-005`` where it answers
            something else than a JSON object.
        """
        problem, wait = "", _FIRST_WAIT_S
        for attempt in range(_ATTEMPTS):
            if attempt:
                self._wait(min(wait, _LONGEST_WAIT_S))
                wait = _FIRST_WAIT_S * 2**attempt
            try:
                with self._client.stream("POST", self.url, **content) as answer:
                    body = self._read(answer)
            except httpx.HTTPError as failure:
                problem = f"{type(failure).__name__}: {failure}"
                continue
            if answer.is_success:
                return self._object(body)
            problem = f"it answered {answer.status_code}: {body[:200].decode(errors='replace')!r}"
            if answer.status_code not in _PASSING:
                break
            wait = _asked_wait(answer, wait)
        raise KeepsakeError(
            "KS-ASSET-004", f"{self.url} gave no answer: {problem}; check its url, model and key in keepsake.toml"
        )

    def _read(self, answer: httpx.Response) -> bytes:
        body = bytearray()
        for block in answer.iter_bytes():
            body += block
            if len(body) > _MAX_ANSWER:
                raise odd(self.url, f"it answers more than {_MAX_ANSWER:,} bytes")
        return bytes(body)

    def _object(self, body: bytes) -> Mapping[str, Any]:
        try:
            found = json.loads(body)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise odd(self.url, f"{body[:100]!r} is no JSON object")
        return found

    def close(self) -> None:
        """Let go of its connections."""
        self._client.close()


def odd(url: str, what: str) -> KeepsakeError:
    """An answer is not what the interface promises."""
    return KeepsakeError(
        "KS-ASSET-005", f"{url} does not answer as such an interface does: {what}; check that the url is the right one"
    )


def _asked_wait(answer: httpx.Response, otherwise: float) -> float:
    """The seconds that a service asks for (RFC 9110, section 10.2.3), where it does."""
    try:
        return max(0.0, float(answer.headers.get("Retry-After", "")))
    except ValueError:
        return otherwise
