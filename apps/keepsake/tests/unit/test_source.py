"""Importers: chats, exports, mailboxes, diaries and recordings become posts, and bad lines become remarks."""

from __future__ import annotations

import json
import wave
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepsake.errors import KeepsakeError
from keepsake.source import IMPORTERS, Choice, Part, Post, Recording, Remark, open_source
from keepsake.source.array import elements
from keepsake.source.dated import date_in, file_time, time_in
from keepsake.source.text import cut


def units(path: Path, **choice: Any) -> Iterator[Post | Remark]:
    for part in open_source(path, Choice(**choice)):
        if isinstance(part, Part):
            yield from part.read()
        else:
            assert isinstance(part, Remark)
            yield part


def posts(path: Path, **choice: Any) -> list[Post]:
    return [unit for unit in units(path, **choice) if isinstance(unit, Post)]


def faults(path: Path, **choice: Any) -> list[Remark]:
    return [unit for unit in units(path, **choice) if isinstance(unit, Remark) and unit.is_fault]


def at(*when: int, zone: str = "UTC") -> float:
    return datetime(*when, tzinfo=ZoneInfo(zone)).timestamp()  # type: ignore[arg-type,misc]


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def put(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return put


CHATS = {
    "android, UK": "31/12/2023, 23:59 - Ana: Hi\n",
    "android, US": "12/31/23, 11:59 PM - Ana: Hi\n",
    "android, DE": "31.12.23, 23:59 - Ana: Hi\n",
    "android, FR": "31/12/2023 à 23:59 - Ana: Hi\n",
    "android, BR": "31/12/2023 23:59 - Ana: Hi\n",
    "android, ES": "31/12/23, 11:59\u202fp.\u00a0m. - Ana: Hi\n",
    "android, SE": "2023-12-31 23:59 - Ana: Hi\n",
    "android, JP": "2023/12/31 23:59 - Ana: Hi\n",
    "android, NL": "31-12-2023 23:59 - Ana: Hi\n",
    "android, KR": "2023년 12월 31일 오후 11:59, Ana : Hi\n",
    "iOS, UK": "[31/12/2023, 23:59:00] Ana: Hi\n",
    "iOS, US": "\u200e[12/31/23, 11:59:00\u202fPM] Ana: Hi\n",
    "iOS, DE": "[31.12.23, 23:59:00] Ana: Hi\n",
    "iOS, FI": "[31.12.2023 klo 23.59.00] Ana: Hi\n",
    "iOS, CN": "[2023/12/31 下午11:59:00] Ana: Hi\n",
    "android, EG": "٣١/١٢/٢٠٢٣، ١١:٥٩ م - Ana: Hi\n",  # noqa: RUF001
    "android, IN": "31/12/23, 11:59 pm - Ana: Hi\n",
}


@pytest.mark.parametrize("phone", CHATS)
def test_whatsapp_of_many_phones(write: Any, phone: str) -> None:
    found = posts(write("WhatsApp Chat with Ana.txt", CHATS[phone]))

    assert [(post.speaker, post.text, post.said_at) for post in found] == [("Ana", "Hi", at(2023, 12, 31, 23, 59))]
    assert (found[0].source.app, found[0].source.channel) == ("whatsapp", "Ana")


def test_whatsapp_reads_lines_notices_media_and_oneself(write: Any) -> None:
    path = write(
        "chat.txt",
        "05/06/2023, 09:00 - Messages and calls are end-to-end encrypted.\n"
        "05/06/2023, 09:01 - Ana: Shopping:\n- milk\n- 12/3 eggs\n"
        "05/06/2023, 09:02 - Ben Ito: <Media omitted>\n"
        "05/06/2023, 09:03 - Ben Ito: IMG-1.jpg (file attached)\nat the lake <3 <really>\n"
        "31/02/2023, 09:04 - Ana: no such day\n"
        "06/06/2023, 09:05 - Ana: bye <This message was edited>\n",
    )

    found = posts(path, me=("ben ito",), zone="Europe/Lisbon")

    assert [(post.speaker, post.text) for post in found] == [
        ("Ana", "Shopping:\n- milk\n- 12/3 eggs"),
        ("", "at the lake <3 <really>"),
        ("Ana", "bye"),
    ]
    assert found[0].said_at == at(2023, 6, 5, 9, 1, zone="Europe/Lisbon")
    assert [(fault.line, "31/02" in fault.what) for fault in faults(path)] == [(8, True)]


def test_whatsapp_finds_which_number_is_the_day(write: Any) -> None:
    forward = write("a.txt", "1/2/23, 10:00 - A: x\n2/1/23, 10:00 - A: y\n")
    assert [post.said_at for post in posts(forward)] == [at(2023, 1, 2, 10), at(2023, 2, 1, 10)]

    backward = write("b.txt", "2/1/23, 10:00 - A: x\n1/2/23, 10:00 - A: y\n")
    assert [post.said_at for post in posts(backward)] == [at(2023, 1, 2, 10), at(2023, 2, 1, 10)]
    assert posts(backward, is_day_first=False)[0].said_at == at(2023, 2, 1, 10)


def test_slack(tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    users = [{"id": "U1", "name": "ana", "profile": {"real_name": "Ana Lund"}}, {"id": "U2", "name": "ben"}]
    day = [
        {"type": "message", "user": "U1", "ts": "1685955600.000100", "text": "Hi <@U2>, see <https://x.org|this> &amp; <#C1|general>"},
        {"type": "message", "subtype": "channel_join", "user": "U2", "ts": "1685955601.0", "text": "joined"},
        {"type": "message", "user": "U2", "text": "no time"},
        {"type": "message", "user": "U9", "ts": "1685955602", "text": "who am I"},
        7,
    ]  # fmt: skip
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("users.json", json.dumps(users))
        packed.writestr("general/2023-06-05.json", json.dumps(day))
        packed.writestr("general/2023-06-06.json", json.dumps(day[:1])[:-4])
        packed.writestr("random/2023-06-05.json", json.dumps(day[3:4]))

    found = posts(path, me=("ana",))

    assert [(post.speaker, post.text, post.source.channel) for post in found] == [
        ("", "Hi ben, see this (https://x.org) & #general", "general"),
        ("U9", "who am I", "general"),
        ("U9", "who am I", "random"),
    ]
    assert found[0].said_at == 1685955600.0001
    assert [(fault.line, fault.file) for fault in faults(path)] == [
        (3, "general/2023-06-05.json"),
        (5, "general/2023-06-05.json"),
        (1, "general/2023-06-06.json"),
    ]


def test_chatgpt(write: Any) -> None:
    def said(role: str, text: object, when: object) -> dict[str, Any]:
        return {
            "message": {
                "author": {"role": role},
                "content": {"content_type": "text", "parts": [text]},
                "create_time": when,
            }
        }

    conversation = {
        "title": "Trip",
        "create_time": 100.0,
        "mapping": {
            "root": {"message": None},
            "b": said("assistant", "To Lisbon", 102.0),
            "a": said("user", "Where to?", 101.0),
            "s": said("system", "hidden", 99.0),
            "p": said("user", {"picture": 1}, 103.0),
            "u": said("user", "untimed", None),
        },
    }
    path = write("conversations.json", json.dumps([conversation, {"mapping": 3}, conversation]))

    found = posts(path)

    assert [(post.speaker, post.text, post.said_at) for post in found[:3]] == [
        ("", "untimed", 100.0),
        ("", "Where to?", 101.0),
        ("ChatGPT", "To Lisbon", 102.0),
    ]
    assert len(found) == 6
    assert found[0].source.title == "Trip"
    assert [fault.line for fault in faults(path)] == [2]


MAILS = b"""From ana@x.org Mon Jun  5 09:00:00 2023
From: Ana Lund <ana@x.org>
Subject: =?utf-8?q?Caf=C3=A9?=
Date: Mon, 05 Jun 2023 09:00:00 +0200
Content-Type: text/plain; charset=utf-8

See you at nine.
>From me.
On Sun, 4 Jun 2023, Ben wrote:
> when?

--
Ana

From ben@x.org Mon Jun  5 10:00:00 2023
From: ben@x.org
Date: never
Content-Type: text/html

<p>Good <b>morning</b></p><blockquote>old</blockquote>

From ben@x.org Mon Jun  5 10:00:00 2023
From: ben@x.org
Date: Mon, 05 Jun 2023 10:00:00 +0000
Content-Type: text/html

<style>p {}</style><p>Good <b>morning</b></p><blockquote>old</blockquote>
"""


def test_mbox(write: Any) -> None:
    path = write("Inbox", MAILS)

    found = posts(path, me=("ANA@x.org",))

    assert [(post.speaker, post.text, post.said_at) for post in found] == [
        ("", "See you at nine.\nFrom me.", at(2023, 6, 5, 7)),
        ("ben@x.org", "Good morning", at(2023, 6, 5, 10)),
    ]
    assert found[0].source.title == "Café"
    assert [fault.line for fault in faults(path)] == [15]


def test_markdown_diary(write: Any) -> None:
    path = write(
        "diary.md",
        "---\ntitle: My year\ndate: 2022-12-31\n---\nBefore.\n\n# 2023\n\n## Sunday, 14 May 2023\n\nAt the *lake*.\n\nWith Ana.\n"
        "\n### 18:30\n\nBack home.\n\n## 2023-05-15: A long walk\n\n08:15 Up early.\n\n---\n\nLater.\n\n## Notes\n\nNo date.\n",
    )

    found = posts(path)

    assert [(post.text, post.said_at, post.source.title) for post in found] == [
        ("Before.", at(2022, 12, 31, 12), "My year"),
        ("At the *lake*.\n\nWith Ana.", at(2023, 5, 14, 12), "My year / 2023"),
        ("Back home.", at(2023, 5, 14, 18, 30), "My year / 2023"),
        ("Up early.", at(2023, 5, 15, 8, 15), "My year / 2023 / A long walk"),
        ("Later.", at(2023, 5, 15, 8, 15), "My year / 2023 / A long walk"),
        ("No date.", at(2023, 5, 15, 8, 15), "My year / 2023 / Notes"),
    ]


def test_plain_text_with_dates_and_bad_bytes(write: Any) -> None:
    path = write("letters 2021-03-02.txt", b"Caf\xe9 today.\r\n\r\nMay 3rd, 2021\r\nWe met on 4 May 2020.\r\n\x00\r\n")

    found = posts(path)

    assert [(post.text, post.said_at) for post in found] == [
        ("Café today.", at(2021, 3, 2, 12)),
        ("We met on 4 May 2020.", at(2021, 5, 3, 12)),
    ]
    assert [fault.line for fault in faults(path)] == [1, 5]


def test_a_file_in_utf16_is_read(write: Any) -> None:
    assert [post.text for post in posts(write("a.txt", "Grüße".encode("utf-16")))] == ["Grüße"]


def test_recordings_of_one_and_two_channels(tmp_path: Path) -> None:
    for channels in (1, 2):
        path = tmp_path / f"memo 2023-05-14 08-30-{channels:02d}.wav"
        with wave.open(str(path), "wb") as file:
            file.setnchannels(channels)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes(b"\x01\x00" * 12_000 * channels)

        (found,) = open_source(path, Choice())

        assert isinstance(found, Recording)
        assert (found.rate, found.said_at) == (8000, at(2023, 5, 14, 8, 30, channels))
        assert [samples for samples, _ in found.read()] == [b"\x01\x00" * 8000, b"\x01\x00" * 4000]


def test_a_recording_that_ends_too_soon_is_a_coded_error(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\0" * 8000)
    (found,) = open_source(path, Choice())
    assert isinstance(found, Recording)
    path.write_bytes(path.read_bytes()[:30])

    with pytest.raises(KeepsakeError, match="KS-SOURCE-003"):
        list(found.read())


def test_a_folder_gives_a_part_a_file_and_names_what_it_cannot_read(write: Any, tmp_path: Path) -> None:
    write("all/2023-05-14.md", "Hello")
    write("all/sub/chat.txt", CHATS["iOS, UK"])
    write("all/photo.jpg", b"\xff\xd8")
    write("all/.git/x.md", "hidden")

    found = list(open_source(tmp_path / "all", Choice()))

    assert [(part.app, part.name) for part in found if isinstance(part, Part)] == [
        ("markdown", "2023-05-14.md"),
        ("whatsapp", "chat.txt"),
    ]
    assert [remark.file for remark in found if isinstance(remark, Remark)] == ["photo.jpg"]


def test_what_nobody_knows_is_a_coded_error(write: Any, tmp_path: Path) -> None:
    for path, choice, code in (
        (write("x.bin", b"\0\1"), Choice(), "KS-SOURCE-001"),
        (write("x.md", "x"), Choice(app="icq"), "KS-SOURCE-001"),
        (write("bad.zip", b"PK\5\6" + bytes(18)), Choice(), "KS-SOURCE-001"),
        (write("x.md", "x"), Choice(zone="Mars/Base"), "KS-SOURCE-004"),
        (tmp_path / "missing.md", Choice(), "KS-SOURCE-005"),
    ):
        with pytest.raises(KeepsakeError, match=code):
            list(open_source(path, choice))


def test_a_damaged_zip_is_a_coded_error(write: Any) -> None:
    with pytest.raises(KeepsakeError, match="KS-SOURCE-002"):
        list(open_source(write("x.zip", b"nothing"), Choice(app="slack")))


@given(st.lists(st.recursive(st.none() | st.text() | st.integers(), st.lists), max_size=30), st.integers(0, 3))
def test_elements_of_an_array(values: list[Any], indent: int) -> None:
    import io

    file = io.StringIO(json.dumps(values, indent=indent or None, ensure_ascii=False))

    assert list(elements(file)) == list(enumerate(values, 1))


@given(st.text(max_size=400), st.integers(1, 60))
def test_cut_loses_nothing_but_spaces(text: str, limit: int) -> None:
    pieces = list(cut(text, limit))

    assert "".join("".join(pieces).split()) == "".join(text.split())
    assert all(0 < len(piece) <= limit for piece in pieces)


@settings(max_examples=60)
@given(st.sampled_from([importer.app for importer in IMPORTERS]), st.binary(max_size=600) | st.text(max_size=300))
def test_no_content_breaks_an_importer(tmp_path_factory: Any, app: str, content: bytes | str) -> None:
    path = tmp_path_factory.mktemp("any") / "file"
    start = {"mail": MAILS[:200], "whatsapp": CHATS["iOS, US"].encode(), "chatgpt": b'[{"mapping":'}.get(app, b"")
    path.write_bytes(start + (content if isinstance(content, bytes) else content.encode(errors="replace")))
    try:
        found = list(units(path, app=app) if app != "recording" else open_source(path, Choice(app=app)))
    except KeepsakeError:
        return
    assert all(isinstance(unit, Post | Remark | Recording) for unit in found)


def test_dates_and_times_that_are_written_out(tmp_path: Path) -> None:
    day = datetime(2023, 5, 14, tzinfo=UTC).date()
    for text in (
        "2023-05-14",
        "14. Mai 2023",
        "14 de mayo de 2023",
        "May 14th, 2023",
        "14.5.2023",
        "20230514",
        "2023/5/14",
    ):
        found = date_in(f"x {text} y")
        assert found is not None, text
        assert found == (day, "x  y"), text
    assert date_in("12 monkeys, 2023") is None
    assert date_in("31 February 2023") is None
    assert time_in("8:05 pm - tea") is not None
    assert time_in("12:00am x") is not None
    assert time_in("13:00 pm x") is None
    path = tmp_path / "PTT-20230514-WA0003.opus"
    path.touch()
    assert file_time(path, "UTC") == (at(2023, 5, 14, 12), True)
