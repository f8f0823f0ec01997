"""Recordings: WAV by itself, all else that the `speech` extra's decoder reads (Ogg, Opus, MP3, M4A, FLAC...)."""

from __future__ import annotations

import hashlib
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from keepsake.errors import KeepsakeError
from keepsake.record import Source
from keepsake.sound.contract import RATE
from keepsake.sound.decode import blocks
from keepsake.source.contract import Choice, Part, Recording, Remark
from keepsake.source.dated import file_time

__all__ = ["Sound"]

SUFFIXES: Final = frozenset({".aac", ".flac", ".m4a", ".mp3", ".mp4", ".oga", ".ogg", ".opus", ".wav", ".webm", ".wma"})
#: samples of one piece; a second of most sound
PIECE_SAMPLES: Final = 48_000
#: samples a second that are taken as they are
RATES: Final = range(8_000, 192_001)


class Sound:
    """The importer."""

    app = "recording"
    what = "a recording (WAV; Ogg, Opus, MP3, M4A, FLAC with the `speech` extra)"

    def fits(self, path: Path, head: str) -> bool:
        return path.is_file() and path.suffix.lower() in SUFFIXES

    def open(self, path: Path, choice: Choice) -> Iterator[Part | Recording | Remark]:
        said_at, _ = file_time(path, choice.zone)
        source = Source(app=self.app, channel=path.parent.name, title=path.stem, file=path.name)
        size, digest = path.stat().st_size, _digest(path)
        rate = _plain_rate(path)
        if rate is not None:
            yield Recording(self.app, path.name, size, said_at, rate, digest, source, lambda: _wav(path, rate))
            return
        yield Recording(self.app, path.name, size, said_at, RATE, digest, source, lambda: _decoded(path, size))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _plain_rate(path: Path) -> int | None:
    """Samples a second of a WAV of 16 bit; None for all else."""
    try:
        with wave.open(str(path), "rb") as file:
            is_plain = file.getsampwidth() == 2 and file.getframerate() in RATES and file.getnchannels() in (1, 2)
            return file.getframerate() if is_plain else None
    except (wave.Error, EOFError, OSError):
        return None


def _wav(path: Path, rate: int) -> Iterator[tuple[bytes, int]]:
    """:raises KeepsakeError: ``KS-SOURCE-003`` where the file is damaged."""
    try:
        with wave.open(str(path), "rb") as file:
            channels = file.getnchannels()
            at = 0
            while samples := file.readframes(min(rate, PIECE_SAMPLES)):
                at += len(samples)
                if channels == 2:
                    both = np.frombuffer(samples, "<i2").reshape(-1, 2)
                    samples = both.mean(axis=1).astype("<i2").tobytes()
                yield samples, at
    except (wave.Error, EOFError, ValueError) as error:
        raise KeepsakeError("KS-SOURCE-003", f"{path.name} is damaged: {error}") from None


def _decoded(path: Path, size: int) -> Iterator[tuple[bytes, int]]:
    """:raises KeepsakeError: ``KS-SOUND-001`` where it is no sound, ``KS-SOUND-003`` where the extra is not installed."""
    samples = bytearray()
    for block in blocks(path):
        samples += block
        while len(samples) >= 2 * RATE:
            yield bytes(samples[: 2 * RATE]), size
            del samples[: 2 * RATE]
    if samples:
        yield bytes(samples), size
