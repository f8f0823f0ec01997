"""What a client asks by HTTP: acknowledged commands, and reads of what is committed.

A command carries an ``Idempotency-Key``.  A host that has already committed a command of this key answers as it did then, so the
same command is sent again, a bounded number of times, whenever it is not known whether it arrived.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from natant.client.address import Address
from natant.client.backoff import Backoff
from natant.client.timing import ASK_WAIT_S, BACKOFF_CAP_S, MAX_ASK_TRIES, Timing
from natant.codec import recon
from natant.codec.recon.value import Record, Slot, Value
from natant.errors import ClientError, CodecError

if TYPE_CHECKING:
    import httpx

__all__ = ["HttpSide"]

RECON: Final = "application/recon"
JSON: Final = "application/json"
#: answers after which the same request may do better a little later
_AGAIN: Final = frozenset(
    {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}
)
#: nodes that are asked for at a time
_PAGE: Final = 1000


def _bearer(token: str | Callable[[], str | None]) -> Callable[[httpx.Request], httpx.Request]:
    def show(request: httpx.Request) -> httpx.Request:
        shown = token() if callable(token) else token
        if shown is not None:
            request.headers["Authorization"] = f"Bearer {shown}"
        return request

    return show


class HttpSide:
    """The HTTP requests of one client; connections are kept and shared.

    :param token: goes with each request as a bearer token (RFC 6750, 2.1); a function is asked for it each time.
    """

    def __init__(
        self,
        address: Address,
        timing: Timing,
        tls: ssl.SSLContext | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        *,
        token: str | Callable[[], str | None] | None = None,
    ) -> None:
        import httpx  # a fifth of a server's start, which needs it only to reach others

        self._host_uri = address.host_uri
        self._timing = timing
        self._client = httpx.AsyncClient(
            base_url=address.http,
            verify=True if tls is None else tls,
            timeout=ASK_WAIT_S,
            transport=transport,
            trust_env=False,
            auth=None if token is None else _bearer(token),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def ask(self, node: str, lane: str, value: Any, command_id: str | None) -> Value:
        """Send a command until it is known to be committed; the value that its handler returned."""
        key = command_id or f"{self._timing.random.getrandbits(128):032x}"
        response = await self._request(
            "POST",
            _path(node),
            params={"lane": lane},
            content=recon.encode_body(value).encode(),
            headers={"Content-Type": RECON, "Accept": RECON, "Idempotency-Key": key},
        )
        return _decode(response)

    async def get(self, node: str, lane: str) -> Value:
        """The committed state of a lane."""
        response = await self._request("GET", _path(node), params={"lane": lane}, headers={"Accept": RECON})
        return _decode(response)

    async def describe(self, node: str) -> dict[str, Any]:
        """What a node is."""
        response = await self._request("GET", _path(node), headers={"Accept": JSON})
        return dict(response.json())

    async def nodes(self, prefix: str) -> list[dict[str, Any]]:
        """The agents whose URIs start so, page after page."""
        found: list[dict[str, Any]] = []
        after: str | None = None
        while True:
            params = {"prefix": prefix, "limit": str(_PAGE)} | ({"after": after} if after is not None else {})
            response = await self._request("GET", "/-/nodes", params=params, headers={"Accept": JSON})
            page = response.json()
            found += page["nodes"]
            after = page["next"]
            if after is None:
                return found

    async def _request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request, tried again while its fate is unknown or the host says to come back."""
        import httpx

        backoff = Backoff(self._timing.random)
        trouble = ""
        for number in range(MAX_ASK_TRIES):
            wait_s = 0.0
            try:
                response = await self._client.request(method, path, **options)
            except httpx.TransportError as error:
                trouble = f"{type(error).__name__}: {error}".rstrip(": ")
            else:
                if response.status_code not in _AGAIN:
                    if response.is_success:
                        return response
                    raise self._refused(method, path, options, response)
                trouble = f"{response.status_code} {_words(response)}"
                wait_s = _retry_after(response)
            if number + 1 < MAX_ASK_TRIES:
                await self._timing.sleep(max(wait_s, backoff.next()))
        raise ClientError(
            "NT-CLIENT-007",
            f"{method} {path} got no answer from {self._host_uri} in {MAX_ASK_TRIES} tries ({trouble}). "
            "Whether a command took effect is not known: send it again with the same id, that is safe.",
            host=self._host_uri,
            path=path,
        )

    def _refused(self, method: str, path: str, options: dict[str, Any], response: httpx.Response) -> ClientError:
        lane = options.get("params", {}).get("lane")
        where = f"{path} {lane}" if lane else path
        facts = _facts(response)
        return ClientError(
            "NT-CLIENT-005",
            f"{self._host_uri} refused {'the command' if method == 'POST' else 'the request'} to {where}: "
            f"{response.status_code} {_words(response)}",
            host=self._host_uri,
            path=path,
            lane=lane,
            http_status=response.status_code,
            code_of_host=facts.get("code"),
        )


def _decode(response: httpx.Response) -> Value:
    value: Value = recon.decode(response.content)
    return value


def _path(node: str) -> str:
    path = node.partition("#")[0].partition("?")[0]
    return quote(path if path.startswith("/") else f"/{path}", safe="/:@!$&'()*+,;=%-._~")


def _facts(response: httpx.Response) -> dict[str, Any]:
    """What the host says of an error, in JSON or in Recon."""
    try:
        if JSON in response.headers.get("content-type", ""):
            body = response.json()
            return body if isinstance(body, dict) else {}
        value = _decode(response)
    except (ValueError, CodecError):
        return {}
    return {item.key: item.value for item in value if isinstance(item, Slot)} if isinstance(value, Record) else {}


def _words(response: httpx.Response) -> str:
    """What the host says is wrong."""
    facts = _facts(response)
    if facts.get("message"):
        return f"{facts.get('code', '')}  {facts['message']}".strip()
    return response.text[:200] or response.reason_phrase


def _retry_after(response: httpx.Response) -> float:
    try:
        return min(float(response.headers.get("retry-after", "0")), BACKOFF_CAP_S)
    except ValueError:
        return 0.0
