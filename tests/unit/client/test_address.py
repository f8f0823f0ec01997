"""Where a host is."""

from __future__ import annotations

import pytest

from natant.client.address import parse
from natant.errors import ClientError


@pytest.mark.parametrize(
    ("url", "websocket", "http", "is_secure"),
    [
        ("warp://127.0.0.1:9001", "ws://127.0.0.1:9001/", "http://127.0.0.1:9001", False),
        ("swim://host:1/path?q=1", "ws://host:1/path?q=1", "http://host:1", False),
        ("ws://host", "ws://host/", "http://host", False),
        ("http://[::1]:9001", "ws://[::1]:9001/", "http://[::1]:9001", False),
        ("warps://host:9001", "wss://host:9001/", "https://host:9001", True),
        ("swims://host", "wss://host/", "https://host", True),
        ("wss://host#part", "wss://host/", "https://host", True),
        ("https://host", "wss://host/", "https://host", True),
    ],
)
def test_all_schemes_of_swimos_clients_are_known(url: str, websocket: str, http: str, is_secure: bool) -> None:
    assert parse(url) == (url, websocket, http, is_secure)


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:9001", "ftp://host", "warp://", "warp:///x", "warp://host:port", "warp://h:0"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ClientError, match="NT-CLIENT-002"):
        parse(url)
