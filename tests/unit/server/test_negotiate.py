"""Which notation is meant by ``Accept`` and ``Content-Type``."""

from __future__ import annotations

import pytest

from natant.server.http.negotiate import is_json, is_recon, media_type, wants_recon, wants_stream


@pytest.mark.parametrize(
    ("accept", "is_wanted"),
    [
        (None, False),
        ("*/*", False),
        ("application/json", False),
        ("application/recon", True),
        ("application/x-recon", True),
        ("Text/Recon;q=0.3", True),
        ("application/json, application/recon", True),
        ("application/json, application/recon;q=0.9", False),
        ("application/recon;q=0", False),
        ("application/recon;q=x", False),
        ("text/html, application/recon;q=0.1, */*", True),
        (",;,", False),
    ],
)
def test_who_wants_recon(accept: str | None, is_wanted: bool) -> None:
    assert wants_recon(accept) is is_wanted


def test_who_wants_a_stream() -> None:
    assert wants_stream("text/event-stream")
    assert wants_stream("text/html, text/event-stream;q=0.1")
    assert not wants_stream("text/event-stream;q=0")
    assert not wants_stream("*/*")
    assert not wants_stream(None)


def test_types_of_bodies() -> None:
    assert media_type("Application/JSON; charset=utf-8") == "application/json"
    assert media_type(None) == ""
    assert is_json("application/problem+json")
    assert not is_json("application/jsonx")
    assert is_recon("text/x-recon")
    assert not is_recon("application/json")
