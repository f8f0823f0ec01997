"""Voice activity: how likely it is, frame by frame, that somebody speaks.

`Voice` is silero VAD 6 by onnxruntime; on small machines `Gate` (WebRTC's detector, forty times cheaper and easier to fool) decides
when silero has to listen at all.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Protocol

import numpy as np
import onnxruntime

from keepsake.asset import find
from keepsake.errors import KeepsakeError
from keepsake.sound.contract import RATE
from keepsake.sound.mel import Samples

__all__ = ["FRAME", "Follower", "Gate", "Voice"]

#: samples of a frame: 32 ms
FRAME: Final = 512
#: samples of the frame before that the model wants to see again
_CONTEXT: Final = 64
#: frames that silero listens on after the gate closed, about 1 s, and before it opened
_LINGER: Final = 32
_LEAD: Final = 8
#: samples of a frame of WebRTC's detector: 10 ms
_GATE_FRAME: Final = 160


class Follower(Protocol):
    """Follows one stream."""

    def feed(self, samples: Samples) -> Samples:
        """Likelihoods, 0 to 1, of the frames that these samples complete."""
        ...


class Voice:
    """Silero, loaded once for all streams.

    :param folder: with ``silero_vad_v6.onnx``; None: the verified file that `keepsake.asset` finds.
    :param is_gated: put WebRTC's detector in front.
    """

    def __init__(self, folder: Path | None = None, *, is_gated: bool = False) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 3
        path = (folder or find("silero")) / "silero_vad_v6.onnx"
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._is_gated = is_gated

    def follow(self) -> Follower:
        """Begin with a stream."""
        follower = _Silero(self._session)
        return Gate(follower) if self._is_gated else follower


class _Silero:
    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session
        self._hidden = np.zeros((1, 1, 128), np.float32)
        self._cell = np.zeros((1, 1, 128), np.float32)
        self._rest = np.zeros(_CONTEXT, np.float32)  # the context, then samples of a frame that is not complete

    def feed(self, samples: Samples) -> Samples:
        samples = np.concatenate([self._rest, samples])
        count = (len(samples) - _CONTEXT) // FRAME
        self._rest = samples[count * FRAME :]
        if not count:
            return np.empty(0, np.float32)
        frames = np.lib.stride_tricks.sliding_window_view(samples, _CONTEXT + FRAME)[: count * FRAME : FRAME]
        inputs = {"input": np.ascontiguousarray(frames), "h": self._hidden, "c": self._cell}
        likely, self._hidden, self._cell = self._session.run(None, inputs)
        found: Samples = np.asarray(likely, np.float32).reshape(-1)
        return found


class Gate:
    """Asks a follower only about sound in which WebRTC's detector (mode 2) hears something; all else is silence.

    :raises KeepsakeError: ``KS-SOUND-003`` where the detector is not installed.
    """

    def __init__(self, follower: Follower) -> None:
        try:
            import webrtcvad  # an extra
        except ImportError:
            raise KeepsakeError(
                "KS-SOUND-003", "the gate for small machines needs webrtcvad: pip install 'keepsake[speech]'"
            ) from None
        self._detector = webrtcvad.Vad(2)
        self._follower = follower
        self._rest = np.empty(0, np.float32)
        self._lead = np.empty(0, np.float32)
        self._open = 0  # frames that the gate stays open
        self.frames = 0
        self.frames_passed = 0

    def feed(self, samples: Samples) -> Samples:
        samples = np.concatenate([self._rest, samples])
        count = len(samples) // FRAME
        self._rest = samples[count * FRAME :]
        found = np.zeros(count, np.float32)
        for index in range(count):
            frame = samples[index * FRAME : (index + 1) * FRAME]
            self._open = _LINGER if self._hears(frame) else max(0, self._open - 1)
            if self._open:
                likely = self._follower.feed(np.concatenate([self._lead, frame]))
                found[index] = likely[-1] if len(likely) else 0.0
                self._lead = self._lead[:0]
                self.frames_passed += 1
            else:
                self._lead = np.concatenate([self._lead, frame])[-_LEAD * FRAME :]
        self.frames += count
        return found

    def _hears(self, frame: Samples) -> bool:
        whole = np.clip(frame * 32768.0, -32768, 32767).astype("<i2")
        starts = range(0, FRAME - _GATE_FRAME + 1, _GATE_FRAME)
        return any(self._detector.is_speech(whole[at : at + _GATE_FRAME].tobytes(), RATE) for at in starts)
