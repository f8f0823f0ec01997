"""Sound of any kind becomes samples of one kind, of the right length and pitch, and what is no sound harms nothing."""

from __future__ import annotations

import os
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepsake.errors import KeepsakeError
from keepsake.sound.decode import blocks, decoder, duration, wav
from keepsake.sound.voice import Gate

av = pytest.importorskip("av", reason="PyAV is not installed: pip install 'keepsake[speech]'")


def tone(rate: int, seconds: float = 2.0, channels: int = 1) -> bytes:
    """440 Hz."""
    wave_ = np.sin(2 * np.pi * 440 * np.arange(int(rate * seconds)) / rate) * 12_000
    return np.repeat(wave_.astype("<i2")[:, None], channels, axis=1).tobytes()


def packets(content: bytes) -> list[bytes]:
    """Opus of 20 ms packets, of samples at 48 kHz."""
    encoder = av.CodecContext.create("libopus", "w")
    encoder.rate, encoder.layout, encoder.format = 48_000, "mono", "s16"
    encoder.open()
    found = []
    for start in range(0, len(content), 1920):
        frame = av.AudioFrame(format="s16", layout="mono", samples=960)
        frame.planes[0].update(content[start : start + 1920].ljust(frame.planes[0].buffer_size, b"\0"))
        frame.sample_rate, frame.pts = 48_000, start // 2
        found += [bytes(packet) for packet in encoder.encode(frame)]
    return found


def pitch(samples: bytes) -> float:
    middle = np.frombuffer(samples, "<i2")[8_000:24_000]
    return float(np.abs(np.fft.rfft(middle)).argmax())


@pytest.mark.parametrize(("rate", "channels"), [(16_000, 1), (48_000, 1), (44_100, 2), (8_000, 1), (22_050, 2)])
def test_plain_samples_of_any_rate(rate: int, channels: int) -> None:
    sound = tone(rate, channels=channels)
    stream = decoder("pcm", rate=rate, channels=channels)

    samples = b"".join(stream.feed(sound[start : start + 1001]) for start in range(0, len(sound), 1001)) + stream.end()

    assert duration(samples) == pytest.approx(2.0, abs=0.001)
    assert pitch(samples) == 440


def test_opus_packets() -> None:
    stream = decoder("opus")

    samples = b"".join(stream.feed(packet) for packet in packets(tone(48_000))) + stream.end()

    assert duration(samples) == pytest.approx(2.0, abs=0.01)
    assert pitch(samples) == 440
    assert stream.damaged == 0


def test_a_damaged_packet_is_silence_and_the_next_one_is_heard() -> None:
    stream = decoder("opus")
    sound = packets(tone(48_000))
    sound[40:43] = [b"", b"\xff" * 100, bytes(70_000)]

    samples = b"".join(stream.feed(packet) for packet in sound) + stream.end()

    assert stream.damaged == 3
    assert duration(samples) == pytest.approx(2.0, abs=0.01)
    assert np.abs(np.frombuffer(samples, "<i2")[-8_000:]).max() > 8_000


@settings(max_examples=30, deadline=None)
@given(st.lists(st.binary(max_size=200), max_size=10))
def test_noise_instead_of_packets_harms_nothing(noise: list[bytes]) -> None:
    stream = decoder("opus")

    samples = b"".join(stream.feed(packet) for packet in noise) + stream.end()

    assert len(samples) % 2 == 0


@pytest.mark.parametrize(
    ("codec", "rate", "channels"), [("mp3", 16_000, 1), ("pcm", 100, 1), ("pcm", 16_000, 0), ("pcm", 10**9, 1)]
)
def test_a_stream_of_another_form_is_refused(codec: str, rate: int, channels: int) -> None:
    with pytest.raises(KeepsakeError, match="KS-SOUND-002"):
        decoder(codec, rate=rate, channels=channels)


def test_a_file_of_another_rate(tmp_path: Path) -> None:
    path = tmp_path / "tone.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 44_100, 0, "NONE", ""))
        file.writeframes(tone(44_100, channels=2))

    samples = b"".join(blocks(path))

    assert duration(samples) == pytest.approx(2.0, abs=0.001)
    assert pitch(samples) == 440
    assert b"".join(blocks(wav(samples))) == samples


def test_what_is_no_sound_is_refused_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "letter.wav"
    path.write_text("Dear Ana")

    with pytest.raises(KeepsakeError, match=r"KS-SOUND-001  letter\.wav cannot be read as sound"):
        list(blocks(path))


@pytest.mark.parametrize("noise", [b"", b"RIFF\xff\xff\xff\xffWAVEfmt ", os.urandom(4096), b"OggS" + bytes(500)])
def test_noise_instead_of_a_file_is_refused(noise: bytes) -> None:
    with pytest.raises(KeepsakeError, match="KS-SOUND-001"):
        list(blocks(noise))


@pytest.mark.parametrize(
    "playlist",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{path}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile {path}\n",
    ],
)
def test_a_playlist_reads_no_other_file(playlist: str, tmp_path: Path) -> None:
    (tmp_path / "secret.wav").write_bytes(wav(tone(16_000)))

    with pytest.raises(KeepsakeError, match="KS-SOUND-001"):
        list(blocks(playlist.format(path=tmp_path / "secret.wav").encode()))


def test_a_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    monkeypatch.setitem(sys.modules, "webrtcvad", None)

    assert decoder("pcm").feed(b"\1\2") == b"\1\2"
    with pytest.raises(KeepsakeError, match=r"KS-SOUND-003 .* pip install 'keepsake\[speech\]'"):
        decoder("opus")
    with pytest.raises(KeepsakeError, match="KS-SOUND-003"):
        Gate(follower=None)  # type: ignore[arg-type]
