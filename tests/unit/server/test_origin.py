"""Which hosts and origins get in."""

from __future__ import annotations

import pytest

from natant.errors import ServerError
from natant.server.origin import Gate, host_name, is_loopback


@pytest.mark.parametrize(
    ("authority", "name"),
    [
        ("localhost:9001", "localhost"),
        ("EXAMPLE.org.", "example.org"),
        ("[::1]:80", "::1"),
        ("127.0.0.1", "127.0.0.1"),
        ("", ""),
        ("[broken", ""),
    ],
)
def test_the_name_in_a_host_header(authority: str, name: str) -> None:
    assert host_name(authority) == name


@pytest.mark.parametrize(
    ("name", "is_ours"),
    [
        ("localhost", True),
        ("a.localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("", False),
    ],
)
def test_names_of_this_machine(name: str, is_ours: bool) -> None:
    assert is_loopback(name) is is_ours


def refused(gate: Gate, origin: str | None, host: str | None) -> str | None:
    try:
        gate.check_host(host)
        gate.check_origin(origin, host)
    except ServerError as error:
        return error.code
    return None


@pytest.mark.parametrize(
    ("origin", "host", "code"),
    [
        (None, None, None),
        (None, "localhost", None),
        ("http://localhost:9001", "localhost:9001", None),
        ("http://localhost:5173", "127.0.0.1:9001", None),
        ("http://[::1]", "[::1]:9001", None),
        (None, "evil.example", "NT-SERVER-005"),
        ("http://evil.example", "evil.example", "NT-SERVER-005"),
        ("http://evil.example", "localhost", "NT-SERVER-006"),
        ("http://localhost.evil.example", "localhost", "NT-SERVER-006"),
        ("null", "localhost", "NT-SERVER-006"),
        ("", "localhost", "NT-SERVER-006"),
        ("http://[", "localhost", "NT-SERVER-006"),
        ("chrome-extension://abcdef", "localhost", "NT-SERVER-006"),
    ],
)
def test_a_loopback_server(origin: str | None, host: str | None, code: str | None) -> None:
    assert refused(Gate(is_loopback_only=True), origin, host) == code


@pytest.mark.parametrize(
    ("origin", "host", "code"),
    [
        (None, "any.example", None),
        ("https://any.example", "any.example", None),
        ("https://any.example:8443", "any.example:8443", None),
        ("https://any.example:8443", "any.example", "NT-SERVER-006"),
        ("https://other.example", "any.example", "NT-SERVER-006"),
    ],
)
def test_a_public_server(origin: str | None, host: str, code: str | None) -> None:
    assert refused(Gate(is_loopback_only=False), origin, host) == code


def test_what_was_allowed_by_name() -> None:
    gate = Gate(is_loopback_only=True, allow_origins=["https://App.example/", "null"], allow_hosts=["Box.example:80"])
    assert refused(gate, "https://app.example", "box.example") is None
    assert refused(gate, "null", "box.example:9") is None
    assert refused(gate, "https://b.example", "box.example") == "NT-SERVER-006"
    every = Gate(is_loopback_only=True, allow_origins=["*"], allow_hosts=["*"])
    assert refused(every, "https://b.example", "c.example") is None
