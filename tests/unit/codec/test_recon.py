"""Reading and writing Recon: round trips of every value, the grammar's corners, limits and errors."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natant.codec import recon
from natant.codec.recon import Absent, Attr, Extant, Limits, Record, Slot, UInt32, UInt64
from natant.codec.recon import limit as recon_limit
from natant.codec.recon import reader as reader_module
from natant.errors import CodecError
from tests.unit.codec.strategy import records, shape, values


@given(values)
def test_exact_text_reads_back_as_the_same_value(value: Any) -> None:
    assert shape(recon.decode(recon.encode(value, exact=True))) == shape(value)


@given(values)
def test_wire_text_is_settled_after_one_round(value: Any) -> None:
    once = recon.encode(recon.decode(recon.encode(value)))
    assert recon.encode(recon.decode(once)) == once


@given(records)
def test_a_block_reads_back(record: Record) -> None:
    if not any(isinstance(item, Attr) for item in record):
        assert shape(recon.decode_block(recon.encode_block(record, exact=True))) == shape(record)


@given(values)
def test_a_whole_body_reads_back_but_for_the_type_of_floats(value: Any) -> None:
    body = recon.decode_body(recon.encode_body(value, whole=True))
    expected = recon.decode_body(recon.encode_body(body, whole=True))
    assert shape(body) == shape(expected)
    if isinstance(value, Record):
        assert len(body) == len(value)


@given(values, st.booleans())
def test_a_pair_is_a_body_and_the_exact_text(value: Any, whole: bool) -> None:
    body, exact = recon.encode_pair(value, whole=whole)
    assert body == recon.encode_body(value, whole=whole)
    assert exact == recon.encode(value, exact=True)
    assert (body is exact) == (body == exact)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", Absent),
        (" \t\r\n", Absent),
        ("()", Extant),
        ("{}", Record()),
        ("{,}", Record([Extant])),
        ("{1,,2}", Record([1, Extant, 2])),
        ("{1,2,}", Record([1, 2])),
        ("{1,,}", Record([1, Extant])),
        ("{1\n,2}", Record([1, Extant, 2])),
        ("{1,\n2}", Record([1, 2])),
        ("{a:\n b:2;c:}", Record([Slot("a"), Slot("b", 2), Slot("c")])),
        ("{:1}", Record([Slot(Extant, 1)])),
        ("{true:1}", Record([Slot(True, 1)])),
        ("{ab c:1}", None),
        ("a:1", Record([Slot("a", 1)])),
        ("{a:1}:2", Record([Slot(Record([Slot("a", 1)]), 2)])),
        ("@a(,1)", Record([Attr("a", Record([Extant, 1]))])),
        ("@a(1,)", Record([Attr("a", 1)])),
        ("@a ({x:1})", Record([Attr("a"), Slot("x", 1)])),
        ("@a (1)", Record([Attr("a"), 1])),
        ("@a\n{x:1}", Record([Record([Attr("a")]), Record([Slot("x", 1)])])),
        ("@true", Record([Attr("true")])),
        ("@'a b'(1)", Record([Attr("a b", 1)])),
        ("(1)", 1),
        ("(a,b)", Record(["a", "b"])),
        ("(a:1)@b", Record([Record([Slot("a", 1)]), Attr("b")])),
        ("[a]", Record(["a"])),
        ("[]", Record()),
        ("[ a\\]\\n# ]", Record([" a]\n# "])),
        ("[a@b{1}[c]d]", Record(["a", Record([Attr("b"), 1]), "c", "d"])),
        ("[a@b [c]]", Record(["a", Record([Attr("b")]), " ", "c"])),
        ("`a\\n`", "a\\n"),
        ("`a\\``", "a`"),
        ("```a`b``c\n```", "a`b``c\n"),
        ("``", ""),
        ('"\\u00e9\\u00E9"', "éé"),
        ('"\\ud83d\\ude00"', "\U0001f600"),
        ('"\\ud83d"', "\ufffd"),
        ('"\\ude00\\ud83d"', "\ufffd\ufffd"),
        ('"\\ud83d\\u0041"', "\ufffdA"),
        ("'it''s'", None),
        ("日本", "日本"),
        ("a\u00b7b-\u0301\u203f1", "a\u00b7b-\u0301\u203f1"),
        ("\U00010000\U000effff", "\U00010000\U000effff"),
        ("\u00d7", None),
        ("\u00b7", None),
        ("\U000f0000", None),
        ("%", b""),
        ("%AA==", b"\0"),
        ("%AAA=", b"\0\0"),
        ("%AAAA%AAAA", None),
        ("%====", None),
        ("%AAAA==", None),
        ("-0", 0),
        ("-0.0", -0.0),
        ("-12", -12),
        ("123456789012345678", 123456789012345678),
        ("1234567890123456789012345678901234567890", 1234567890123456789012345678901234567890),
        ("99999999999999999999.5", 1e20),
        ("0.1", 0.1),
        ("-0.001", -0.001),
        ("123456789.0625", 123456789.0625),
        ("123456789012345.6", 123456789012345.6),
        ("1e5", 1e5),
        ("1E-5", 1e-5),
        ("1.5e+3", 1500.0),
        ("0x1f", UInt32(31)),
        ("0x100000000", UInt64(2**32)),
        ("0x00000000f", UInt64(15)),
        ("-0x1f", -31),
        ("0b101", 5),
        ("0x", None),
        ("0b2", None),
        ("0x11111111111111111", None),
        ("007", None),
        ("00", None),
        ("-", None),
        ("-a", None),
        ("+1", None),
        (".5", None),
        ("1.", None),
        ("1e", None),
        ("1e400", None),
        ("1a", None),
        ("1 2", None),
        ("a b", None),
        ("{a b}", None),
        ("1,,2", None),
        (",1", None),
        (":1", None),
        ("1\0", None),
        ("\0", None),
        ("{1\0}", None),
        ("}", None),
        (")", None),
        ("(", None),
        ("{a:", None),
        ("{a:1", None),
        ("[a", None),
        ("[a\\", None),
        ("[a\\u0041]", None),
        ("[a}]", None),
        ("@a(", None),
        ("@a(1", None),
        ("@a(1}", None),
        ("@1", None),
        ("@", None),
        ('"a', None),
        ('"a\\', None),
        ('"a\\x"', None),
        ('"a\nb"', None),
        ('"\\u00g0"', None),
        ('"\\u00', None),
        ("`a\nb`", None),
        ("```a``", None),
        ("$a.b", None),
        ("a/b", None),
        ("1 + 2", None),
        ("!a", None),
    ],
)
def test_grammar(text: str, value: Any) -> None:
    if value is None:
        with pytest.raises(CodecError) as caught:
            recon.decode(text)
        assert caught.value.code.startswith("NT-RECON-")
    else:
        assert shape(recon.decode(text)) == shape(value)


@pytest.mark.parametrize(
    ("value", "wire", "exact"),
    [
        (Absent, "", ""),
        (Extant, "", "()"),
        (None, "", "()"),
        (True, "true", "true"),
        ("true", '"true"', '"true"'),
        ("a-b", "a-b", "a-b"),
        ("-a", '"-a"', '"-a"'),
        ("a/é", '"a/é"', '"a/é"'),
        ("\x01\x1f\x7f", '"\\u0001\\u001F\x7f"', '"\\u0001\\u001F\x7f"'),
        (1.0, "1", "1.0"),
        (-0.0, "0", "-0.0"),
        (1.5, "1.5", "1.5"),
        (0.001, "0.001", "0.001"),
        (0.00099, "9.9E-4", "9.9E-4"),
        (1e-5, "1.0E-5", "1.0E-5"),
        (9999999.5, "9999999.5", "9999999.5"),
        (12345678.5, "1.23456785E7", "1.23456785E7"),
        (-12345678.5, "-1.23456785E7", "-1.23456785E7"),
        (2.0**53, "9007199254740992", "9007199254740992.0"),
        (1e16, "1.0E16", "1.0E16"),
        (6.02e23, "6.02E23", "6.02E23"),
        (-1e308, "-1.0E308", "-1.0E308"),
        (5e-324, "5.0E-324", "5.0E-324"),
        (2**70, str(2**70), str(2**70)),
        (UInt32(31), "0x0000001f", "0x0000001f"),
        (UInt64(31), "0x000000000000001f", "0x000000000000001f"),
        (b"", "%", "%"),
        (bytearray(b"\0\1"), "%AAE=", "%AAE="),
        ({"a": 1, 2: {"b c": None}}, '{a:1,2:{"b c":}}', '{a:1,2:{"b c":}}'),
        ([1, (2, 3)], "{1,{2,3}}", "{1,{2,3}}"),
        (Record([Attr("a", Record([1]))]), "@a(1)", "@a({1})"),
        (Record([Attr("a", Record([Record()]))]), "@a({})", "@a({{}})"),
        (Record([Attr("a", Record())]), "@a({})", "@a({})"),
        (Record([Attr("a", {"x": 1})]), "@a(x:1)", "@a(x:1)"),
        (Record([Attr("a", Record([Slot(Extant, 1)]))]), "@a({:1})", "@a({:1})"),
        (Record([Attr("true"), Attr("a b")]), '@"true"@"a b"', '@"true"@"a b"'),
        (Record([1, Attr("a"), "x", Attr("b"), b"x", Attr("c"), Record([2])]), "1@a x@b%eA==@c{{2}}", None),
        (Record([Attr("a"), Extant]), "@a{,}", "@a{,}"),
        (Record([Record([Attr("a"), 1]), 2]), "{@a 1,2}", "{@a 1,2}"),
        (Record([Slot(Record([Attr("id"), "foo"]), "bar")]), "{@id foo:bar}", "{@id foo:bar}"),
        (Slot("a", 1), "{a:1}", "{a:1}"),
        (Attr("a", 1), "@a(1)", "@a(1)"),
    ],
)
def test_print(value: Any, wire: str, exact: str | None) -> None:
    assert recon.encode(value) == wire
    assert recon.encode(value, exact=True) == (wire if exact is None else exact)


@pytest.mark.parametrize(
    ("value", "body", "whole"),
    [
        (Absent, "", ""),
        (Extant, "", ""),
        (42, "42", "42"),
        ("a b", '"a b"', '"a b"'),
        ({"x": 1}, "{x:1}", "{x:1}"),
        ([1, 2], "{1,2}", "{1,2}"),
        ([1], "1", "{{1}}"),
        ([], "", "{{}}"),
        ([[1, 2]], "{{1,2}}", "{{{1,2}}}"),
        (Record([Attr("a"), 1]), "@a 1", "@a 1"),
        (Record([1, Attr("a")]), "1@a", "1@a"),
        (Record([Record([Attr("a"), 1])]), "{@a 1}", "{{@a 1}}"),
    ],
)
def test_body(value: Any, body: str, whole: str) -> None:
    assert recon.encode_body(value) == body
    assert recon.encode_body(value, whole=True) == whole
    if not isinstance(value, (dict, list)) and value is not Extant:
        assert shape(recon.decode_body(whole)) == shape(value)


@pytest.mark.parametrize("text", ["1 2", "1a", "a b", " 1 # comment", " 1,", " 1\n", " 1;\n"])
def test_one_character_after_a_body_is_let_pass(text: str) -> None:
    assert recon.decode_body(text) in (1, "a")


@pytest.mark.parametrize("text", ["1 23", "a.b", "it's", "a:1", "@a,@b", "\n1", "1,2", "1;2", "{"])
def test_a_body_is_one_value(text: str) -> None:
    with pytest.raises(CodecError):
        recon.decode_body(text)


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, -math.inf, 10**5000, "\ud800", UInt32(-1), UInt32(2**32), object()],
    ids=["NaN", "inf", "-inf", "digits", "surrogate", "negative", "large", "object"],
)
def test_what_recon_cannot_hold(value: object) -> None:
    with pytest.raises(CodecError) as caught:
        recon.encode(value)
    assert caught.value.code == "NT-RECON-010"
    with pytest.raises(CodecError):
        recon.encode({"in": [value]}, exact=True)


@given(st.integers(-(10**15), 10**15), st.integers(0, 12))
def test_decimals_print_as_python_prints_them(digits: int, places: int) -> None:
    number = digits / 10**places
    if 1e-3 <= abs(number) < 1e7:
        assert recon.encode(number, exact=True) == repr(number)
        assert recon.encode(number) == repr(number).removesuffix(".0")


def _refusal(call: Any, value: object) -> tuple[str, str] | None:
    try:
        call(value)
    except CodecError as error:
        return error.code, error.message
    return None


_wrong = st.sampled_from([math.nan, -math.inf, 10**4096, "\ud800", "é\udfff", UInt32(-1), UInt64(2**64), object()])


def _plain(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    items = st.one_of(children, st.builds(Slot, children, children), st.builds(Attr, st.text(max_size=2), children))
    some = st.lists(items, max_size=3)
    texts = st.text(max_size=2)
    return st.one_of(some, some.map(tuple), some.map(Record), st.dictionaries(texts, children, max_size=2), items)


@given(st.recursive(st.one_of(values, st.none(), _wrong), _plain, max_leaves=6), st.integers(0, 60), st.booleans())
def test_a_check_refuses_what_cannot_be_written(value: Any, depth: int, is_list: bool) -> None:
    for _ in range(depth):
        value = [value] if is_list else Record([Attr("a", Record([1, value]))])
    refusal = _refusal(recon.check, value)
    assert refusal == _refusal(recon.encode, value)
    assert refusal == _refusal(lambda it: recon.encode(it, exact=True), value)
    assert refusal == _refusal(recon.encode_pair, value)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("NT-RECON-001", "1 2"),
        ("NT-RECON-002", "{1"),
        ("NT-RECON-003", "1."),
        ("NT-RECON-004", '"\\x"'),
        ("NT-RECON-005", "%A"),
        ("NT-RECON-006", "{" * 65),
        ("NT-RECON-007", "{" + "," * 1_000_001),
        ("NT-RECON-008", "$a"),
        ("NT-RECON-009", b"\xff"),
    ],
    ids=lambda part: str(part)[:12],
)
def test_error_codes(code: str, text: str | bytes) -> None:
    with pytest.raises(CodecError) as caught:
        recon.decode(text)
    assert caught.value.code == code


def test_an_error_names_line_and_column() -> None:
    with pytest.raises(CodecError, match=r"line 2, column 4: .*found '\)'"):
        recon.decode("{a:1\n  b)")


def test_limits() -> None:
    assert recon.decode("{" * 64 + "}" * 64) is not None
    for text in ("{" * 65 + "}" * 65, "@a(" * 65 + ")" * 65, "[" * 65 + "]" * 65, "(" * 65 + ")" * 65):
        with pytest.raises(CodecError, match="NT-RECON-006"):
            recon.decode(text)
    with pytest.raises(CodecError, match="NT-RECON-007"):
        recon.decode("12345", limits=Limits(size=4))
    with pytest.raises(CodecError, match="NT-RECON-007"):
        recon.decode("[{1}@a@b]", limits=Limits(items=2))
    with pytest.raises(CodecError, match="NT-RECON-003"):
        recon.decode("1" * 4097)
    assert recon.decode("1" * 4096) > 0


def test_what_is_written_can_be_read_inside_an_envelope_and_an_operation() -> None:
    value: Any = 1
    for _ in range(recon_limit.MAX_WRITE_DEPTH // 2):
        value = Record([Attr("a", Record([value]))])
        recon.decode(f"@event(@update(key:{recon.encode(value, exact=True)}))")
    with pytest.raises(CodecError, match="NT-RECON-006"):
        recon.encode(Record([value]))


def test_bytes_are_text() -> None:
    assert recon.decode('"é"'.encode()) == "é"
    assert recon.decode(bytearray(b"{1}")) == Record([1])


@given(st.integers(-(10**17), 10**17), st.integers(0, 15))
def test_numbers_read_the_same_compiled_and_not(number: int, places: int) -> None:
    digits = str(abs(number)).rjust(places + 1, "0")
    text = ("-" if number < 0 else "") + (f"{digits[:-places]}.{digits[-places:]}" if places else digits)
    if text.lstrip("-").startswith("0") and text.lstrip("-")[1:2].isdigit():
        return
    before = getattr(reader_module, "_IS_COMPILED", None)
    expected = float(text) if places else int(text)
    assert shape(recon.decode(text)) == shape(expected)
    if before is False:
        reader_module._IS_COMPILED = True  # type: ignore[misc]
        try:
            assert shape(recon.decode(text)) == shape(expected)
        finally:
            reader_module._IS_COMPILED = False  # type: ignore[misc]
