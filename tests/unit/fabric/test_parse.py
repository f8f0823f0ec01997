"""The protocol of NATS: the same calls however the bytes are cut, and what is not NATS is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natant.fabric.nats.parse import BadProtocol, Parser, head_of, request

HEAD = head_of({"Nats-Msg-Id": "7"})
STREAM = (
    b'INFO {"max_payload":2097152}\r\n+OK\r\nPING\r\n'
    b"MSG a.b 2 5\r\nhe\r\no\r\nMSG a.b 2 _INBOX.x 0\r\n\r\n"
    + b"HMSG a 1 %d %d\r\n" % (len(HEAD), len(HEAD) + 3)
    + HEAD
    + b"abc\r\nHMSG a 1 r %d %d\r\n" % (len(HEAD), len(HEAD))
    + HEAD
    + b"\r\npong\r\n-ERR 'Permissions Violation for Publish to \"x\"'\r\n"
)
CALLS: list[tuple[Any, ...]] = [
    ("info", {"max_payload": 2097152}),
    ("ping",),
    ("message", 2, b"a.b", b"", b"", b"he\r\no"),
    ("message", 2, b"a.b", b"_INBOX.x", b"", b""),
    ("message", 1, b"a", b"", HEAD, b"abc"),
    ("message", 1, b"a", b"r", HEAD, b""),
    ("pong",),
    ("refusal", 'Permissions Violation for Publish to "x"'),
]


class Heard:
    """Keeps what is called."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def on_message(self, *values: Any) -> None:
        self.calls.append(("message", *values))

    def on_info(self, info: dict[str, Any]) -> None:
        self.calls.append(("info", info))

    def on_ping(self) -> None:
        self.calls.append(("ping",))

    def on_pong(self) -> None:
        self.calls.append(("pong",))

    def on_refusal(self, text: str) -> None:
        self.calls.append(("refusal", text))


@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_however_it_is_cut_the_calls_are_the_same(cuts: list[int]) -> None:
    heard = Heard()
    parser = Parser(heard)
    for begin, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(STREAM)], strict=True):
        parser.feed(STREAM[begin:end])

    assert heard.calls == CALLS


@pytest.mark.parametrize(
    "content",
    [
        b"HTTP/1.1 400 Bad Request\r\n",
        b"MSG a 1 -5\r\n",
        b"MSG a x 5\r\nhello\r\n",
        b"MSG a 1 99999999999\r\n",
        b"INFO nonsense\r\n",
        b"\r\n",
        b"I" * 300_000,
    ],
)
def test_what_is_not_nats_is_refused(content: bytes) -> None:
    with pytest.raises(BadProtocol):
        Parser(Heard()).feed(content)


def test_what_is_sent_has_its_sizes() -> None:
    assert b"".join(request("a.b", "r", b"hello", b"")) == b"PUB a.b r 5\r\nhello\r\n"
    assert b"".join(request("a", "", b"", HEAD)) == b"HPUB a %d %d\r\n" % (len(HEAD), len(HEAD)) + HEAD + b"\r\n"
    assert HEAD == b"NATS/1.0\r\nNats-Msg-Id: 7\r\n\r\n"
