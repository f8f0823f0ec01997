"""From what devices and files hold to the samples that recognisers hear: 16 kHz, mono, 16 bit, little endian.

`decoder` follows a live stream of plain samples or Opus packets (RFC 6716); `blocks` reads a whole file of any kind that PyAV knows
by its content.  Only containers of sound are opened, and nothing that they refer to: a playlist cannot make this machine read a file
or an address.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Final, Protocol

from keepsake.errors import KeepsakeError
from keepsake.sound.contract import RATE

__all__ = ["CODECS", "RATE", "Decoder", "blocks", "decode_file", "decoder", "duration", "wav"]

#: what a live stream may be in
CODECS: Final = ("pcm", "opus")
#: samples a second that make sense for speech
_RATES: Final = range(4_000, 192_001)
#: bytes of an Opus packet at most (RFC 6716, section 3.4: 1275 a frame, 48 frames)
_MAX_PACKET: Final = 61_298
#: what a damaged packet is taken for: 20 ms of silence, the usual length of a packet
_SILENCE: Final = bytes(RATE // 50 * 2)
#: containers of sound, by FFmpeg's names
_CONTAINERS: Final = "wav,w64,aiff,au,caf,ogg,flac,mp3,aac,amr,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2"


class Decoder(Protocol):
    """Follows one stream.

    :ivar damaged: packets that could not be read; silence stands for them.
    """

    damaged: int

    def feed(self, content: bytes) -> bytes:
        """Samples of a chunk: of any length where it is PCM, of one packet where it is Opus."""
        ...

    def end(self) -> bytes:
        """What is left at the stream's end."""
        ...


def decoder(codec: str, *, rate: int = RATE, channels: int = 1) -> Decoder:
    """Begin with a stream.

    :param codec: ``pcm`` (16 bit, little endian, channels interleaved) or ``opus`` (packets without a container).
    :param rate: samples a second of each channel, for PCM.
    :raises KeepsakeError: ``KS-SOUND-002`` for another codec, rate or number of channels; ``KS-SOUND-003`` where PyAV is needed and
        not installed.
    """
    if codec not in CODECS or rate not in _RATES or channels not in (1, 2):
        raise KeepsakeError(
            "KS-SOUND-002",
            f"a stream is {', '.join(CODECS)} of {_RATES.start} to {_RATES.stop - 1} samples a second and 1 or 2 channels,"
            f" not {codec!r} of {rate} and {channels}",
        )
    if codec == "opus":
        return _Opus()
    return _Plain() if (rate, channels) == (RATE, 1) else _Pcm(rate, channels)


def blocks(content: Path | bytes) -> Iterator[bytes]:
    """The samples of a file, in blocks of about a second.

    :raises KeepsakeError: ``KS-SOUND-001`` where it is no sound or is damaged, after the blocks before the damage.
    """
    for samples, _ in _decoded(content):
        yield samples


def decode_file(path: Path) -> Iterator[tuple[bytes, int]]:
    """The same, each with the bytes of the file that were read by then.

    :raises KeepsakeError: as `blocks`.
    """
    yield from _decoded(path)


def _decoded(content: Path | bytes) -> Iterator[tuple[bytes, int]]:
    av = _av()
    name = content.name if isinstance(content, Path) else "the recording"
    options = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "file"}
    # A file object, never a path: FFmpeg takes some paths for addresses.
    with content.open("rb") if isinstance(content, Path) else io.BytesIO(content) as file:
        waiting = bytearray()
        failure = ""
        try:
            with av.open(file, mode="r", options=options) as container:
                for samples in _resampled(av, container):
                    waiting += samples
                    if len(waiting) >= 2 * RATE:
                        yield bytes(waiting), file.tell()
                        waiting.clear()
        except (av.FFmpegError, ValueError) as error:
            failure = str(error).split("] ")[-1].removesuffix(": '<none>'")
        if waiting:
            yield bytes(waiting), file.tell()
        if failure:
            raise KeepsakeError("KS-SOUND-001", f"{name} cannot be read as sound: {failure}")


def _resampled(av: ModuleType, container: Any) -> Iterator[bytes]:
    if not container.streams.audio:
        raise ValueError("there is none in it")
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    for frame in container.decode(container.streams.audio[0]):
        frame.pts = None  # gaps in a file's own times are not filled
        yield from _samples(resampler.resample(frame))
    yield from _samples(resampler.resample(None))


def duration(samples: bytes) -> float:
    """Seconds."""
    return len(samples) / 2 / RATE


def wav(samples: bytes) -> bytes:
    """A WAV file of samples."""
    import wave

    file = io.BytesIO()
    with wave.open(file, "wb") as target:
        target.setnchannels(1)
        target.setsampwidth(2)
        target.setframerate(RATE)
        target.writeframes(samples[: len(samples) // 2 * 2])
    return file.getvalue()


class _Plain:
    """Samples that are as they should be."""

    damaged = 0

    def feed(self, content: bytes) -> bytes:
        return content

    def end(self) -> bytes:
        return b""


class _Pcm:
    """Samples of another rate, or of two channels."""

    def __init__(self, rate: int, channels: int) -> None:
        self._av = _av()
        self._rate = rate
        self._layout = "mono" if channels == 1 else "stereo"
        self._size = 2 * channels
        self._resampler = self._av.AudioResampler(format="s16", layout="mono", rate=RATE)
        self._rest = b""
        self.damaged = 0

    def feed(self, content: bytes) -> bytes:
        content = self._rest + content
        whole = len(content) // self._size * self._size
        self._rest = content[whole:]
        if not whole:
            return b""
        frame = self._av.AudioFrame(format="s16", layout=self._layout, samples=whole // self._size)
        frame.planes[0].update(_filled(content[:whole], frame.planes[0].buffer_size))
        frame.sample_rate = self._rate
        return b"".join(_samples(self._resampler.resample(frame)))

    def end(self) -> bytes:
        return b"".join(_samples(self._resampler.resample(None)))


class _Opus:
    """Packets."""

    def __init__(self) -> None:
        self._av = _av()
        self._codec = self._av.CodecContext.create("libopus", "r")
        self._resampler = self._av.AudioResampler(format="s16", layout="mono", rate=RATE)
        self.damaged = 0

    def feed(self, content: bytes) -> bytes:
        if not 0 < len(content) <= _MAX_PACKET:
            self.damaged += 1
            return _SILENCE
        try:
            frames = self._codec.decode(self._av.Packet(content))
            for frame in frames:
                frame.pts = None
            return b"".join(sample for frame in frames for sample in _samples(self._resampler.resample(frame)))
        except self._av.FFmpegError:
            self.damaged += 1
            return _SILENCE

    def end(self) -> bytes:
        return b"".join(_samples(self._resampler.resample(None)))


def _samples(frames: list[Any]) -> Iterator[bytes]:
    for frame in frames:
        yield bytes(frame.planes[0])[: frame.samples * 2]


def _filled(content: bytes, size: int) -> bytes:
    """FFmpeg aligns its buffers; what lies behind the samples is not looked at."""
    return content + bytes(size - len(content))


def _av() -> ModuleType:
    try:
        import av  # an extra
    except ImportError:
        raise KeepsakeError(
            "KS-SOUND-003",
            "sound that is not 16 kHz mono PCM needs PyAV to be decoded: pip install 'keepsake[speech]'",
        ) from None
    return av
