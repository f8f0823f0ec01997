"""Whisper by CTranslate2, on this machine.

Whisper was made for windows of 30 s, and most of a short utterance's cost is silence that it is padded with.  Here an utterance gets
a window of its own length, 1.5 s more and 8 s at least (tiny.en: 15 s): measured on recorded speech the words are the same, at a
third of the cost.  What a short window brings now and then is a sentence said twice; such a text is recognised again in a whole window.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from keepsake.asset import find
from keepsake.errors import KeepsakeError
from keepsake.sound.contract import RATE, Heard, Word
from keepsake.sound.follow import Recording, follow
from keepsake.sound.mel import FRAMES_A_SECOND, Samples, mel
from keepsake.sound.token import Tokens
from keepsake.sound.utterance import Utterance
from keepsake.sound.voice import Voice

__all__ = ["Whisper"]

#: frames of a window: at least (the smaller a model, the more it needs), at most, and silence behind what was said
_WINDOW_MIN: Final = 800
_WINDOW_MIN_TINY: Final = 1500
_WINDOW_MAX: Final = 3000
_SILENCE: Final = 150
#: seconds that a step of an alignment is
_STEP: Final = 0.02
#: text that compresses better than this repeats itself (Whisper's own bound)
_REPEATS: Final = 2.4
#: words that nobody says twice without a pause
_TWICE: Final = 3
#: mean log-likelihood of a token below which a text is doubted (Whisper's own bound)
_DOUBT: Final = -1.0
#: likelihood that nothing was said at all, beyond which a doubted text is dropped (Whisper's own bound)
_NOTHING: Final = 0.6
#: seconds of an utterance, and how sure it is, that a language is believed
_LANGUAGE_SECONDS: Final = 1.0
_LANGUAGE_SURE: Final = 0.6


class Whisper:
    """The default recogniser.

    :ivar model: ``whisper-base`` or ``whisper-tiny.en``, or the folder's name.
    :param folder: with CTranslate2's files; None: the verified ones of ``name``.
    :param threads: that one utterance may use; 0: CTranslate2's choice.
    :param voice: where somebody speaks; None: silero, loaded for this recogniser.
    :param beam: how many texts are pursued at once; 1 is a fifth faster and a little worse.
    :param language: ISO 639-1 of all that is said; empty: found out for each utterance.
    :param partial_s: seconds of new speech after which a live stream tells a partial; 0: none.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        name: str = "whisper-base",
        threads: int = 1,
        voice: Voice | None = None,
        beam: int = 5,
        language: str = "",
        partial_s: float = 1.0,
    ) -> None:
        self._engine: Any = _engine()
        self.model = name if folder is None else folder.name
        folder = folder or find(name)
        self._whisper = self._engine.models.Whisper(
            str(folder), device="cpu", compute_type="int8", intra_threads=threads
        )
        self._tokens = Tokens(folder, is_multilingual=self._whisper.is_multilingual)
        self._voice = voice or Voice()
        self._window_min = _WINDOW_MIN_TINY if "tiny" in self.model else _WINDOW_MIN
        self._beam = beam
        self._partial_s = partial_s
        self._language = language if self._whisper.is_multilingual else "en"

    def stream(
        self, chunks: AsyncIterator[bytes], *, names: Sequence[str] = (), start: float = 0.0
    ) -> AsyncIterator[Heard]:
        """Follow a stream (`keepsake.sound.follow`)."""
        return follow(self, self._voice.follow(), chunks, names=names, start=start, partial_s=self._partial_s)

    def transcribe(self, samples: bytes, *, names: Sequence[str] = ()) -> list[Heard]:
        """A whole recording."""
        recording = Recording(self, self._voice.follow(), names=names)
        return [*recording.feed(samples), *recording.end()]

    def hear(
        self, samples: Samples, *, names: Sequence[str] = (), language: str = "", is_quick: bool = False
    ) -> Utterance:
        """One utterance of up to 30 s; what is beyond is not heard."""
        count = min(len(samples) * FRAMES_A_SECOND // RATE, _WINDOW_MAX)
        frames = min(max(count + _SILENCE, self._window_min), _WINDOW_MAX)
        encoded = self._encode(samples, frames)
        language = self._language or self._spoken_language(encoded, count / FRAMES_A_SECOND, language)
        prompt = self._tokens.prompt(language, names)
        tokens = self._decode(encoded, prompt, count / FRAMES_A_SECOND, 1 if is_quick else self._beam)
        if not is_quick and frames < _WINDOW_MAX and is_said_twice(self._tokens.text(tokens)):
            encoded = self._encode(samples, _WINDOW_MAX)
            tokens = self._decode(encoded, prompt, count / FRAMES_A_SECOND, self._beam)
        words = () if is_quick else self._words(encoded, tokens, language, count)
        return Utterance(self._tokens.text(tokens), words, language)

    def _encode(self, samples: Samples, frames: int) -> object:
        window = np.ascontiguousarray(mel(samples, frames + frames % 2)[None])
        return self._whisper.encode(self._engine.StorageView.from_array(window))

    def _spoken_language(self, encoded: object, seconds: float, likely: str) -> str:
        """The language heard, where that is sure; else the one that is likely."""
        if likely and seconds < _LANGUAGE_SECONDS:
            return likely
        heard, sureness = self._whisper.detect_language(encoded)[0][0]
        return str(heard).strip("<|>") if sureness >= _LANGUAGE_SURE or not likely else likely

    def _decode(self, encoded: object, prompt: list[int], seconds: float, beam: int) -> list[int]:
        """The tokens of what was said, empty where probably nothing was."""
        for settings in ({}, {"repetition_penalty": 1.2, "no_repeat_ngram_size": 3}):
            result = self._whisper.generate(
                encoded,
                [prompt],
                beam_size=beam,
                max_length=self._tokens.most(prompt, seconds),
                return_scores=True,
                return_no_speech_prob=True,
                **settings,
            )[0]
            tokens = self._tokens.spoken(result.sequences_ids[0])
            text = self._tokens.text(tokens).encode()
            if len(text) <= _REPEATS * len(zlib.compress(text)):
                break  # else once more, and it may not repeat itself
        is_doubtful = result.scores[0] < _DOUBT
        return [] if is_doubtful and result.no_speech_prob > _NOTHING else tokens

    def _words(self, encoded: object, tokens: list[int], language: str, frames: int) -> tuple[Word, ...]:
        if not tokens:
            return ()
        aligned = self._whisper.align(encoded, self._tokens.start(language), [tokens], frames)[0]
        begins: dict[int, int] = {}
        for token, step in aligned.alignments:
            begins.setdefault(token, step)
        last = frames / FRAMES_A_SECOND
        words, place = [], 0
        for text, count in self._tokens.words(tokens, language):
            start = min(begins.get(place, 0) * _STEP, last)
            end = min(begins.get(place + count, int(last / _STEP)) * _STEP, last)
            likely = aligned.text_token_probs[place : place + count]
            words.append(Word(text, round(start, 2), round(max(start, end), 2), round(sum(likely) / count, 3)))
            place += count
        return tuple(words)


def is_said_twice(text: str) -> bool:
    """Whether some words come twice in a row, or begin again at the end, as a recogniser's slip has it."""
    words = re.findall(r"\w+", text.lower())
    starts = range(len(words) - 2 * _TWICE + 1)
    return any(
        words[start : start + size] == words[start + size : start + 2 * size]
        for start in starts
        for size in range(_TWICE, (len(words) - start) // 2 + 1)
    )


def _engine() -> Any:
    try:
        import ctranslate2  # an extra
    except ImportError:
        raise KeepsakeError(
            "KS-SOUND-003", "speech on this machine needs CTranslate2: pip install 'keepsake[speech,models]'"
        ) from None
    return ctranslate2
