"""The rules of a session: stale and repeated messages tell nothing twice, sentences are joined, errors are told apart."""

from __future__ import annotations

from typing import Any

import pytest

from keepsake.sound.contract import RATE, Heard
from keepsake.sound.session import Refused, Session


def session(first: int = 0, sent: float = 60.0) -> Session:
    found = Session(first, language="en", names=["Ana", " "])
    found.take({"message": "RecognitionStarted", "id": "x"})
    found.sent(round(sent * RATE))
    return found


def word(text: str, start: float, **more: Any) -> dict[str, Any]:
    alternatives = [{"content": text, "confidence": 0.9, "language": "en"}]
    return {"type": "word", "start_time": start, "end_time": start + 0.3, "alternatives": alternatives, **more}


def told(start: float, end: float, *words: dict[str, Any], kind: str = "AddTranscript") -> dict[str, Any]:
    text = "".join(" " * (found["type"] == "word") + found["alternatives"][0]["content"] for found in words).strip()
    metadata = {"start_time": start, "end_time": end, "transcript": text + " "}
    return {"message": kind, "metadata": metadata, "results": list(words)}


FULL_STOP = {**word(".", 1.9), "type": "punctuation", "is_eos": True}


def texts(pieces: list[Heard]) -> list[tuple[str, bool]]:
    return [(piece.text, piece.is_final) for piece in pieces]


def test_it_begins_with_what_the_service_has_to_know() -> None:
    start = Session(0, language="de", names=["Ana", " "]).start()

    assert start["message"] == "StartRecognition"
    assert start["audio_format"] == {"type": "raw", "encoding": "pcm_s16le", "sample_rate": 16_000}
    assert start["transcription_config"]["language"] == "de"
    assert start["transcription_config"]["additional_vocab"] == [{"content": "Ana"}]


def test_finals_are_joined_into_a_sentence() -> None:
    live = session(first=10 * RATE)

    assert not live.take(told(0.0, 1.0, word("Good", 0.6)))
    partial = live.take(told(1.0, 1.5, word("more", 1.1), kind="AddPartialTranscript"))
    (final,) = live.take(told(1.0, 2.0, word("morning", 1.1), FULL_STOP))

    assert texts(partial) == [("Good more", False)]
    assert texts([final]) == [("Good morning.", True)]
    assert (final.start, final.end) == (10.6, 12.0)
    assert [(found.text, found.start) for found in final.words] == [("Good", 10.6), ("morning.", 11.1)]


def test_the_end_of_an_utterance_ends_a_sentence() -> None:
    live = session()
    live.take(told(0.0, 1.0, word("hello", 0.6)))

    assert texts(live.take({"message": "EndOfUtterance"})) == [("hello", True)]
    assert not live.take({"message": "EndOfUtterance"})


def test_what_is_stale_or_comes_twice_tells_nothing() -> None:
    live = session()
    final = told(0.0, 2.0, word("hello", 0.6), FULL_STOP)
    assert live.take(final)

    assert not live.take(final)
    assert not live.take(told(0.0, 1.5, word("hell", 0.6), kind="AddPartialTranscript"))


def test_a_final_that_overlaps_gives_its_new_words() -> None:
    live = session()
    live.take(told(0.0, 2.0, word("hello", 0.6), FULL_STOP))

    live.take(told(0.5, 3.0, word("hello", 0.6), word("Ana", 2.4)))

    assert texts(live.take({"message": "EndOfUtterance"})) == [("Ana", True)]


def test_silence_is_told_now_and_then() -> None:
    live = session()

    pieces = [piece for second in range(12) for piece in live.take(told(second, second + 1))]

    assert texts(pieces) == [("", True), ("", True)]
    assert pieces[0].end == pieces[1].start == 6.0


def test_the_end_covers_all_that_was_sent() -> None:
    live = session(sent=3.0)
    live.take(told(0.0, 1.0, word("hello", 0.6)))
    assert live.end() == {"message": "EndOfStream", "last_seq_no": 1}

    (final,) = live.take({"message": "EndOfTranscript"})

    assert (final.text, final.end) == ("hello", 3.0)
    assert live.is_over


def test_confirmations_may_come_in_any_order() -> None:
    live = session()
    for _ in range(4):
        live.sent(1600)

    for number in (1, 4, 2, 3):
        live.take({"message": "AudioAdded", "seq_no": number})

    assert live.unconfirmed == 1


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ({"message": "Error", "type": "not_authorised", "reason": "bad key"}, Refused),
        ({"message": "Error", "type": "job_error", "reason": "a worker died"}, ConnectionError),
        ({"message": "EndOfTranscript"}, ConnectionError),
        ({"message": "AddTranscript"}, Refused),
        ({"message": "AddTranscript", "metadata": {"start_time": "soon", "end_time": 1}}, Refused),
    ],
)
def test_errors_that_may_pass_are_told_from_those_that_will_not(message: dict[str, Any], error: type) -> None:
    with pytest.raises(error):
        session().take(message)


def test_what_is_not_known_is_passed_over() -> None:
    assert session().take({"message": "Info", "type": "recognition_quality"}) == []
    assert session().take({}) == []
