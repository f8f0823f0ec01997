"""The log-mel spectrogram that Whisper hears (Radford et al. 2022, section 2.2), by numpy.

Windows of 25 ms every 10 ms, 80 bands on Slaney's mel scale, magnitudes as base-10 logarithms within 8 of the loudest.
"""

from __future__ import annotations

from functools import cache
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from keepsake.sound.contract import RATE

__all__ = ["FRAMES_A_SECOND", "Samples", "mel"]

#: samples from -1 to 1
Samples: TypeAlias = npt.NDArray[np.float32]

FRAMES_A_SECOND: Final = 100

_WINDOW: Final = 400
_HOP: Final = RATE // FRAMES_A_SECOND
_BANDS: Final = 80


def mel(samples: Samples, frames: int) -> Samples:
    """The spectrogram of samples with silence behind them, or cut, to a number of frames; shape (80, frames)."""
    padded = np.zeros(frames * _HOP, np.float32)
    padded[: len(samples)] = samples[: len(padded)]
    padded = np.pad(padded, _WINDOW // 2, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP][:frames]
    power = np.abs(np.fft.rfft(windows * _hann(), axis=1)).astype(np.float32) ** 2
    loud = np.log10(np.maximum(_filters() @ power.T, 1e-10))
    found: Samples = ((np.maximum(loud, loud.max() - 8.0) + 4.0) / 4.0).astype(np.float32)
    return found


@cache
def _hann() -> Samples:
    return np.hanning(_WINDOW + 1)[:-1].astype(np.float32)


def _hertz(mels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Slaney's scale: linear to 1000 Hz, logarithmic above."""
    return np.where(mels < 15.0, mels * 200.0 / 3.0, 1000.0 * np.exp((mels - 15.0) * np.log(6.4) / 27.0))


@cache
def _filters() -> Samples:
    """Triangles of equal area, shape (80, 201)."""
    top = 15.0 + np.log(RATE / 2 / 1000.0) * 27.0 / np.log(6.4)
    edges = _hertz(np.linspace(0.0, top, _BANDS + 2))
    bins = np.fft.rfftfreq(_WINDOW, 1 / RATE)
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    found: Samples = (triangles * (2.0 / (edges[2:] - edges[:-2]))[:, None]).astype(np.float32)
    return found
