"""Recognition by a service that speaks the transcriptions of OpenAI's interface (``POST /v1/audio/transcriptions``).

Such a service hears whole recordings; utterances are cut here, by silero, and sent one by one when they are over.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from keepsake.asset.remote import Remote, odd
from keepsake.sound.contract import Heard, Word
from keepsake.sound.decode import wav
from keepsake.sound.follow import Recording, follow
from keepsake.sound.mel import Samples
from keepsake.sound.utterance import Utterance
from keepsake.sound.voice import Voice

__all__ = ["TranscriptionEndpoint"]

#: characters of names in a prompt: services look at the last 224 tokens
_MAX_PROMPT: Final = 600
#: languages by their English names, as some services tell them (ISO 639-1 is passed on)
_LANGUAGES: Final = {
    "english": "en", "german": "de", "french": "fr", "spanish": "es", "italian": "it", "portuguese": "pt", "dutch": "nl",
    "polish": "pl", "russian": "ru", "ukrainian": "uk", "turkish": "tr", "arabic": "ar", "hindi": "hi", "japanese": "ja",
    "korean": "ko", "chinese": "zh", "swedish": "sv", "danish": "da", "norwegian": "no", "finnish": "fi", "czech": "cs",
}  # fmt: skip


class TranscriptionEndpoint:
    """A recogniser behind an address.  It tells finals only.

    :param url: of the interface, ``http://127.0.0.1:8080/v1``; with or without ``/audio/transcriptions``.
    :param model: as the service calls it.
    :param key: sent as a bearer token; empty: none is sent.
    :param voice: where somebody speaks; None: silero, loaded for this recogniser.
    :param wait: waits so many seconds, between attempts.
    """

    def __init__(
        self,
        url: str,
        model: str,
        key: str = "",
        *,
        voice: Voice | None = None,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self.model = model
        self._remote = Remote(url, "/audio/transcriptions", key, wait=wait)
        self._voice = voice or Voice()

    def stream(
        self, chunks: AsyncIterator[bytes], *, names: Sequence[str] = (), start: float = 0.0
    ) -> AsyncIterator[Heard]:
        """Follow a stream (`keepsake.sound.follow`)."""
        return follow(self, self._voice.follow(), chunks, names=names, start=start, partial_s=0)

    def transcribe(self, samples: bytes, *, names: Sequence[str] = ()) -> list[Heard]:
        """A whole recording."""
        recording = Recording(self, self._voice.follow(), names=names)
        return [*recording.feed(samples), *recording.end()]

    def hear(
        self, samples: Samples, *, names: Sequence[str] = (), language: str = "", is_quick: bool = False
    ) -> Utterance:
        """One utterance.

        :raises KeepsakeError: ``KS-ASSET-004`` where the service cannot be reached or refuses; ``KS-ASSET-005`` where it answers
            something else than a transcription.
        """
        whole = np.clip(samples * 32768.0, -32768, 32767).astype("<i2").tobytes()
        form: dict[str, Any] = {
            "model": self.model,
            "response_format": "verbose_json",
            "temperature": "0",
            "timestamp_granularities[]": ["word", "segment"],
        }
        if names:
            form["prompt"] = ", ".join(names)[:_MAX_PROMPT]
        if language:
            form["language"] = language
        answer = self._remote.post(data=form, files={"file": ("said.wav", wav(whole), "audio/wav")})
        text = answer.get("text")
        if not isinstance(text, str):
            raise odd(self._remote.url, "the answer has no text")
        told = str(answer.get("language") or "").lower()
        return Utterance(text.strip(), self._words(answer), _LANGUAGES.get(told, told if len(told) <= 3 else ""))

    def _words(self, answer: Mapping[str, Any]) -> tuple[Word, ...]:
        try:
            return tuple(
                Word(
                    str(word["word"]).strip(),
                    float(word["start"]),
                    float(word["end"]),
                    float(word.get("probability", 1)),
                )
                for word in answer.get("words") or ()
            )
        except (AttributeError, KeyError, TypeError, ValueError):
            raise odd(self._remote.url, "its words have no times") from None
