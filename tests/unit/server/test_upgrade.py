"""Reading the head of a WebSocket request."""

from __future__ import annotations

import pytest

from natant.errors import ServerError
from natant.server.upgrade import read_upgrade, wants_websocket

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
GOOD = [
    (b"host", b"a.example"),
    (b"upgrade", b"websocket"),
    (b"connection", b"Upgrade"),
    (b"sec-websocket-key", KEY),
    (b"sec-websocket-version", b"13"),
]


@pytest.mark.parametrize(
    ("headers", "is_wanted"),
    [
        (GOOD, True),
        ([(b"upgrade", b"WebSocket"), (b"connection", b"keep-alive, Upgrade")], True),
        ([(b"upgrade", b"h2c, websocket"), (b"connection", b"x"), (b"connection", b"UPGRADE")], True),
        ([(b"upgrade", b"websocket"), (b"sec-websocket-key", KEY)], True),
        ([(b"upgrade", b"websocket")], False),
        ([(b"upgrade", b"h2c"), (b"connection", b"upgrade")], False),
        ([(b"connection", b"upgrade")], False),
        ([], False),
    ],
)
def test_who_wants_a_websocket(headers: list[tuple[bytes, bytes]], is_wanted: bool) -> None:
    assert wants_websocket(headers) is is_wanted


def test_what_is_read() -> None:
    headers = [
        *GOOD,
        (b"origin", b"https://b.example"),
        (b"sec-websocket-protocol", b"chat"),
        (b"sec-websocket-protocol", b"x, warp0"),
    ]
    upgrade = read_upgrade("GET", b"/a?b=1", iter(headers))
    assert (upgrade.target, upgrade.host, upgrade.origin) == ("/a?b=1", "a.example", "https://b.example")
    assert upgrade.subprotocol == "warp0"
    assert upgrade.head.startswith(b"GET /a?b=1 HTTP/1.1\r\n")
    assert upgrade.head.endswith(b"\r\n\r\n")
    assert b"Sec-WebSocket-Key: " + KEY + b"\r\n" in upgrade.head


@pytest.mark.parametrize("offered", [b"", b"WARP0", b"warp", b"warp00"])
def test_other_subprotocols_are_not_taken(offered: bytes) -> None:
    assert read_upgrade("GET", b"/", [*GOOD, (b"sec-websocket-protocol", offered)]).subprotocol is None


@pytest.mark.parametrize(
    ("method", "change", "status"),
    [
        ("POST", {}, 405),
        ("GET", {b"sec-websocket-version": b"12"}, 426),
        ("GET", {b"sec-websocket-version": None}, 426),
        ("GET", {b"sec-websocket-key": None}, 400),
        ("GET", {b"sec-websocket-key": b"####"}, 400),
        ("GET", {b"sec-websocket-key": b"AAAA"}, 400),
        ("GET", {b"content-length": b"1"}, 400),
    ],
)
def test_what_is_refused(method: str, change: dict[bytes, bytes | None], status: int) -> None:
    headers = {name: value for name, value in {**dict(GOOD), **change}.items() if value is not None}
    with pytest.raises(ServerError) as caught:
        read_upgrade(method, b"/", headers.items())
    assert caught.value.code == "NT-SERVER-007"
    assert caught.value.context["http_status"] == status
