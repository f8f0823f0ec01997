"""VALUEs of the command line: JSON where it looks like JSON, else Recon."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natant.cli.value import JSON_TYPE, RECON_TYPE, STDIN_LIMIT_BYTES, Sent, read_value
from natant.codec import recon
from natant.codec.recon.value import Absent, Record, Slot
from natant.errors import ClientError

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(JSON)
def test_all_json_is_taken_as_json(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False)

    assert read_value(text) == Sent(text.strip().encode(), JSON_TYPE)


@pytest.mark.parametrize(
    ("text", "media"),
    [
        ("5", JSON_TYPE),
        ("-5", JSON_TYPE),
        ("-0.5e-3", JSON_TYPE),
        ("true", JSON_TYPE),
        ("null", JSON_TYPE),
        ('"two words"', JSON_TYPE),
        ("[1,2]", JSON_TYPE),
        (' {"a":1} ', JSON_TYPE),
        ("{a:1}", RECON_TYPE),
        ("{1,2}", RECON_TYPE),
        ("word", RECON_TYPE),
        ("@update(key:a) 5", RECON_TYPE),
        ("0x1f", RECON_TYPE),
        ("%aGk=", RECON_TYPE),
    ],
)
def test_what_a_value_looks_like_decides(text: str, media: str) -> None:
    assert read_value(text).media == media


@pytest.mark.parametrize(
    ("text", "notation", "value"),
    [
        ("true", "recon", True),
        ('"a"', "recon", "a"),
        ('{"a":1}', "json", Record([Slot("a", 1)])),
        ("[1,2]", None, Record([1, 2])),
        ("{a:1}", None, Record([Slot("a", 1)])),
        (None, None, Absent),
    ],
)
def test_a_value_has_a_recon_form_for_warp(text: str | None, notation: str | None, value: Any) -> None:
    assert read_value(text, notation).as_recon() == value


@pytest.mark.parametrize(
    ("text", "notation", "words"),
    [
        ("two words", None, "as Recon: "),
        ("{a:1}", "json", "as JSON: "),
        ("{,", None, "as JSON: "),
        ("\udcff", None, "as Recon: "),
    ],
)
def test_what_is_neither_is_refused_with_reasons(text: str, notation: str | None, words: str) -> None:
    with pytest.raises(ClientError, match=words) as caught:
        read_value(text, notation)

    assert caught.value.code == "NT-CLI-007"


class Stdin:
    def __init__(self, data: bytes) -> None:
        self.buffer = self
        self._data = data

    def read(self, size: int) -> bytes:
        return self._data[:size]


def test_stdin_is_bounded_and_utf8(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Stdin(b"{a:1}\n"))
    assert recon.decode_body(read_value("-").body.decode().strip()) == Record([Slot("a", 1)])

    for data in (b"\xff", b"1" * (STDIN_LIMIT_BYTES + 1)):
        monkeypatch.setattr("sys.stdin", Stdin(data))
        with pytest.raises(ClientError) as caught:
            read_value("-")
        assert caught.value.code == "NT-CLI-007"
