"""What commands ask of a host by HTTP, without an event loop: reads, acknowledged commands, lists.

A host that cannot be reached is told at once.  Where the connection breaks in the middle of an acknowledged command it is
sent again with the same id a few times, so that its effect happens once.
"""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Final, NamedTuple, Self
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from natant.cli.target import token
from natant.cli.value import JSON_TYPE, RECON_TYPE, Sent
from natant.client.address import Address
from natant.errors import ClientError, NatantError

__all__ = ["WAIT_S", "Answer", "Remote", "unreachable"]

#: how long one request may take
WAIT_S: Final = 30.0
#: how often a request is sent whose connection broke
TRIES: Final = 5
#: first wait before it is sent again; doubled each time
AGAIN_S: Final = 0.2
#: nodes that are asked for at a time
PAGE: Final = 1000

_REACH: Final = "Is a server running there? natant run FILE starts one; --at URL or $NATANT_URL names another."


class Answer(NamedTuple):
    """The answer to a request."""

    status: int
    media: str
    body: bytes
    is_duplicate: bool = False

    def json(self) -> Any:
        """The body, which must be JSON."""
        return msgspec.json.decode(self.body) if self.body else None


class Remote:
    """One host."""

    def __init__(self, address: Address, *, wait_s: float = WAIT_S) -> None:
        self.address = address
        known = token()
        self._headers = {} if known is None else {"Authorization": f"Bearer {known}"}
        self._wait_s = wait_s
        self._connection: http.client.HTTPConnection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._drop()

    # --- what commands ask ----------------------------------------------------------------------------------------

    def read(self, node: str, lane: str, *, key: str | None = None, media: str = JSON_TYPE) -> Answer:
        """The committed state of a lane, or one entry of it."""
        query = {"lane": lane} | ({"key": key} if key is not None else {})
        return self._request("GET", node, query, {"Accept": media})

    def command(self, node: str, lane: str, value: Sent, command_id: str) -> Answer:
        """Send a command, wait until it is committed."""
        headers = {"Accept": JSON_TYPE, "Content-Type": value.media, "Idempotency-Key": command_id}
        return self._request("POST", node, {"lane": lane}, headers, value.body)

    def describe(self, node: str) -> dict[str, Any]:
        """What a node is."""
        return dict(self._request("GET", node, {}, {"Accept": JSON_TYPE}).json())

    def nodes(self, prefix: str, limit: int | None = None) -> Iterator[dict[str, Any]]:
        """The agents whose URI starts so, page after page."""
        after: str | None = None
        count = 0
        while True:
            size = PAGE if limit is None else min(PAGE, limit - count)
            query = {"prefix": prefix, "limit": str(size)} | ({"after": after} if after is not None else {})
            page = self._request("GET", "/-/nodes", query, {"Accept": JSON_TYPE}).json()
            yield from page["nodes"]
            count += len(page["nodes"])
            after = page["next"]
            if after is None or (limit is not None and count >= limit):
                return

    def health(self) -> dict[str, Any]:
        """How the host is; also where it is not well."""
        return dict(self._send("GET", "/-/health", {"Accept": JSON_TYPE}, b"").json())

    # --- inside ---------------------------------------------------------------------------------------------------

    def _request(
        self, method: str, node: str, query: dict[str, str], headers: dict[str, str], body: bytes = b""
    ) -> Answer:
        path = quote(node.partition("#")[0].partition("?")[0], safe="/:@!$&'()*+,;=%-._~")
        target = f"{path}?{urlencode(query, quote_via=quote)}" if query else path
        answer = self._send(method, target, headers, body)
        if 200 <= answer.status < 300 and answer.media in (JSON_TYPE, RECON_TYPE):
            return answer
        raise self._refused(method, path, answer)

    def _send(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        trouble: Exception | None = None
        for number in range(TRIES):
            if number:
                time.sleep(AGAIN_S * 2 ** (number - 1))
            try:
                connection = self._connect()
            except OSError as error:
                self._drop()
                if trouble is None:
                    raise unreachable(self.address, error) from error
                trouble = error
                continue
            try:
                connection.request(method, target, body or None, headers | self._headers)
                response = connection.getresponse()
                data = response.read()
            except (OSError, http.client.HTTPException) as error:
                self._drop()
                trouble = error
                if isinstance(error, TimeoutError):
                    break
                continue
            media = (response.getheader("content-type") or "").partition(";")[0].strip().lower()
            return Answer(response.status, media, data, response.getheader("natant-duplicate") == "true")
        assert trouble is not None
        name = headers.get("Idempotency-Key")
        unknown = (
            f" Whether the command took effect is not known: send it again with --id {name}, that is safe."
            if name
            else ""
        )
        raise ClientError(
            "NT-CLI-005",
            f"{self.address.http} gave no answer to {method} {target.partition('?')[0]} ({_words(trouble)}).{unknown}",
        ) from trouble

    def _connect(self) -> http.client.HTTPConnection:
        if self._connection is None:
            parts = urlsplit(self.address.http)
            assert parts.hostname is not None
            if self.address.is_secure:
                context = ssl.create_default_context()
                self._connection = http.client.HTTPSConnection(
                    parts.hostname, parts.port, timeout=self._wait_s, context=context
                )
            else:
                self._connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=self._wait_s)
            self._connection.connect()
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _refused(self, method: str, path: str, answer: Answer) -> NatantError:
        """The host's own error where it gave one."""
        try:
            facts = msgspec.json.decode(answer.body) if answer.media == JSON_TYPE else None
        except msgspec.DecodeError:
            facts = None
        if isinstance(facts, dict) and isinstance(facts.get("code"), str):
            return NatantError(facts["code"], str(facts.get("message", "")), http_status=answer.status)
        return ClientError(
            "NT-CLI-006",
            f"{self.address.http} answered {method} {path} with {answer.status} {answer.media or 'and no type'}, not as natant does. "
            "For other servers that speak WARP use: natant link --once NODE LANE, and natant command --no-wait",
        )


def unreachable(address: Address, error: Exception) -> ClientError:
    """The error for a host that nobody answers at."""
    return ClientError("NT-CLI-004", f"no connection to {address.http}: {_words(error)}. {_REACH}")


def _words(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
