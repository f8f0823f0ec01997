"""The rules of one session of Speechmatics' real-time protocol, version 2, from the client's side: messages in, pieces out.

A service tells finals a few words at a time.  They are joined into sentences here, since a final is what is stored and quoted: a
sentence ends where the service says so (``is_eos``, ``EndOfUtterance``), or after 20 s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from keepsake.sound.contract import RATE, Heard, Word

__all__ = ["Refused", "Session"]

#: seconds after which words are told without a sentence's end, and silence is told
_LONGEST_S: Final = 20.0
_SILENCE_S: Final = 5.0
#: seconds by which a final may begin before the last one's end
_OVERLAP_S: Final = 0.05
#: names that a service is told, as its documentation allows
_MAX_NAMES: Final = 1000
#: seconds of silence after which a service tells that an utterance is over, and in which its finals come
_PAUSE_S: Final = 0.5
_MAX_DELAY_S: Final = 1.0
#: a service's errors that another attempt may mend (docs: "Error", type)
_PASSING: Final = frozenset({"job_error", "buffer_error", "timelimit_exceeded", "idle_timeout", "unknown_error"})


class Refused(Exception):
    """The service will not do it, now or later."""


class Session:
    """One session.

    :ivar first: the stream's sample that is the session's first one.
    :ivar is_started: sound may be sent.
    :ivar is_over: all is told.
    """

    def __init__(self, first: int, *, language: str, names: Sequence[str]) -> None:
        self.first = first
        self.is_started = False
        self.is_over = False
        self._language = language
        self._names = [name for name in names if name.strip()][:_MAX_NAMES]
        self._is_ended = False
        self._messages = 0
        self._confirmed = 0
        self._samples = 0
        self._told = 0.0  # seconds of the session that finals cover, as they were told
        self._heard = 0.0  # and as they came
        self._words: list[Word] = []
        self._text = ""

    @property
    def unconfirmed(self) -> int:
        """Messages of sound that the service has not confirmed."""
        return self._messages - self._confirmed

    @property
    def is_idle(self) -> bool:
        """Whether the service owes nothing."""
        return self.is_started and self._samples <= self._heard * RATE + RATE * _SILENCE_S and not self.unconfirmed

    def start(self) -> dict[str, Any]:
        """``StartRecognition``."""
        config: dict[str, Any] = {
            "language": self._language,
            "enable_partials": True,
            "max_delay": _MAX_DELAY_S,
            "conversation_config": {"end_of_utterance_silence_trigger": _PAUSE_S},
        }
        if self._names:
            config["additional_vocab"] = [{"content": name} for name in self._names]
        return {
            "message": "StartRecognition",
            "audio_format": {"type": "raw", "encoding": "pcm_s16le", "sample_rate": RATE},
            "transcription_config": config,
        }

    def sent(self, samples: int) -> None:
        """A message of sound was sent."""
        self._messages += 1
        self._samples += samples

    def end(self) -> dict[str, Any]:
        """``EndOfStream``."""
        self._is_ended = True
        return {"message": "EndOfStream", "last_seq_no": self._messages}

    def take(self, message: Mapping[str, Any]) -> list[Heard]:
        """A message of the service.  What is stale (partials and finals before the last final's end) tells nothing.

        :raises Refused: for an error that will not pass.
        :raises ConnectionError: for one that may.
        """
        match message.get("message"):
            case "RecognitionStarted":
                self.is_started = True
            case "AudioAdded":
                self._confirmed = max(self._confirmed, _number(message, "seq_no", int))
            case "AddPartialTranscript":
                return self._partial(message)
            case "AddTranscript":
                return self._final(message)
            case "EndOfUtterance":
                return self._tell() if self._words else []
            case "EndOfTranscript":
                if not self._is_ended:
                    raise ConnectionError("the service ended the session before the stream's end")
                self.is_over = True
                self._heard = max(self._heard, self._samples / RATE)
                return self._tell() if self._heard > self._told else []
            case "Error":
                self._fail(message)
        return []

    @staticmethod
    def _fail(message: Mapping[str, Any]) -> None:
        reason = f"{message.get('type', '')}: {message.get('reason', '')}"[:300]
        if message.get("type") in _PASSING:
            raise ConnectionError(reason)
        raise Refused(reason)

    def _partial(self, message: Mapping[str, Any]) -> list[Heard]:
        start, end, text = _told(message)
        if end <= self._heard or not text.strip():
            return []
        start = self._words[0].start if self._words else self._at(max(start, self._told))
        return [Heard(_join(self._text, text), start, self._at(end), is_final=False, language=self._language)]

    def _final(self, message: Mapping[str, Any]) -> list[Heard]:
        start, end, text = _told(message)
        if end <= self._heard:
            return []
        results = [result for result in message.get("results", ()) if isinstance(result, Mapping)]
        if start < self._heard - _OVERLAP_S:  # some of it is known: its new words are taken
            results = [result for result in results if _number(result, "start_time") >= self._heard - _OVERLAP_S]
            text = " ".join(content for result in results if (content := str(_best(result).get("content", ""))))
        self._heard = min(end, max(self._samples / RATE, self._heard))  # no service hears what it was not sent
        self._text = _join(self._text, text)
        for result in results:
            self._result(result)
        is_sentence = bool(results) and bool(results[-1].get("is_eos"))
        length = self._heard - self._told
        if (self._words and (is_sentence or length > _LONGEST_S)) or (not self._words and length > _SILENCE_S):
            return self._tell()
        return []

    def _result(self, result: Mapping[str, Any]) -> None:
        best = _best(result)
        content = str(best.get("content", ""))
        if result.get("type") == "punctuation" and self._words:
            last = self._words[-1]
            self._words[-1] = Word(last.text + content, last.start, last.end, last.sureness)
        elif content:
            start, end = self._at(_number(result, "start_time")), self._at(_number(result, "end_time"))
            self._words.append(Word(content, start, max(start, end), _number(best, "confidence")))

    def _tell(self) -> list[Heard]:
        """The final of what has come."""
        start = max(self._at(self._told), self._words[0].start if self._words else 0.0)
        language = self._language if self._words else ""
        final = Heard(
            self._text.strip(), start, self._at(self._heard), is_final=True, words=tuple(self._words), language=language
        )
        self._told, self._words, self._text = self._heard, [], ""
        return [final]

    def _at(self, seconds: float) -> float:
        """From the stream's beginning."""
        return round(self.first / RATE + seconds, 6)


def _told(message: Mapping[str, Any]) -> tuple[float, float, str]:
    metadata = message.get("metadata")
    if not isinstance(metadata, Mapping):
        raise Refused("a transcript without metadata")
    return _number(metadata, "start_time"), _number(metadata, "end_time"), str(metadata.get("transcript", ""))


def _best(result: Mapping[str, Any]) -> Mapping[str, Any]:
    found: object = next(iter(result.get("alternatives", ())), {})
    return found if isinstance(found, Mapping) else {}


def _number(content: Mapping[str, Any], name: str, kind: type = float) -> Any:
    try:
        return kind(content[name])
    except (KeyError, TypeError, ValueError):
        raise Refused(f"{name} is missing or no number in {str(content)[:200]}") from None


def _join(before: str, text: str) -> str:
    return f"{before.rstrip()} {text.strip()}".strip() if text.strip() else before
