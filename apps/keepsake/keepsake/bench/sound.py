"""How well and how fast speech is heard: recorded speech against its transcript, names with and without a person's lexicon, the time
from a sentence's end to its final, and what a process takes.

The recorded speech is that of Debian's ``pocketsphinx-testdata`` (LibriVox, *Sense and Sensibility*: 71 words, of which the transcript
has one that nobody says, so that the best possible error is 1.4 %): each file alone, and all joined with 1.5 s between.  The names are spoken by flite and espeak-ng.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np

from keepsake.errors import KeepsakeError
from keepsake.sound.contract import RATE, Heard, Recogniser
from keepsake.sound.decode import blocks, duration
from keepsake.sound.whisper import Whisper

__all__ = ["SPARING", "errors_of", "measure", "resident", "words_of"]

LIBRIVOX: Final = Path("/usr/share/pocketsphinx/test/data/librivox")
#: silence between recorded sentences, in seconds
_GAP: Final = 1.5
#: what a live stream's chunk is: 0.1 s
_CHUNK: Final = RATE // 10 * 2

NAMES: Final = (
    "Siobhan", "Quetzal", "Anneliese", "Thaddeus", "Oluwaseun", "Zbigniew", "Ksenia", "Tremaine",
    "Caoimhe", "Wojtek", "Ignacia", "Bartholomew", "Yevgenia", "Lindqvist", "Marigold", "Ptolemy",
    "Fiadh", "Mbali", "Rosalind", "Dagmar", "Evander", "Saoirse", "Xiomara", "Calliope",
)  # fmt: skip
#: the environment of a process that is to stay small
SPARING: Final = {**os.environ, "MALLOC_ARENA_MAX": "1", "OMP_NUM_THREADS": "1"}
_SENTENCES: Final = (
    "Yesterday I met {} at the harbour.",
    "Can you ask {} about the tickets?",
    "I think {} will be late again.",
    "Please send the photos to {} tonight.",
)
#: names in a list: a person's whole lexicon here, and those that a conversation is likely to need
_SHORT_LIST: Final = 8


def words_of(text: str) -> list[str]:
    """A text's words as they are compared: lower case, no punctuation, titles in full, compounds apart."""
    text = text.lower().replace("-", " ").replace("\u2019", "'")
    text = re.sub(r"\bmr\b\.?", "mister", re.sub(r"\bmrs\b\.?", "missus", text))
    return re.findall(r"[a-z0-9']+", text)


def errors_of(expected: Sequence[str], heard: Sequence[str]) -> int:
    """Words that have to be changed, added or taken away (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for place, word in enumerate(expected, 1):
        above, row[0] = row[0], place
        for column, other in enumerate(heard, 1):
            above, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, above + (word != other))
    return row[-1]


def measure(model: str, folder: Path = LIBRIVOX, tell: Callable[[str], None] = lambda what: None) -> dict[str, Any]:
    """All figures of one of Whisper's models, with one thread.

    :param tell: is told what is being measured.
    :raises KeepsakeError: ``KS-SOUND-006`` where there is no recorded speech.
    """
    tell("recorded speech")
    whisper = Whisper(name=model, threads=1)
    sentences = _recorded(folder)
    sound = b"".join(samples + bytes(round(_GAP * RATE) * 2) for _, samples in sentences)
    whisper.transcribe(sentences[0][1])  # once, so that all is loaded
    begun = time.process_time()
    heard = [" ".join(piece.text for piece in whisper.transcribe(samples)) for _, samples in sentences]
    seconds = time.process_time() - begun
    expected = [words_of(text) for text, _ in sentences]
    wrong = sum(errors_of(words, words_of(text)) for words, text in zip(expected, heard, strict=True))
    together = errors_of(list(chain(*expected)), words_of(" ".join(piece.text for piece in whisper.transcribe(sound))))
    count = sum(map(len, expected))
    tell("a live stream, in real time")
    after, partials = asyncio.run(_live(whisper, sound))
    tell("names")
    figures: dict[str, Any] = {
        "model": model,
        "words": count,
        "word_error_rate": round(100 * wrong / count, 2),
        "word_error_rate_joined": round(100 * together / count, 2),
        "processor_seconds_per_second": round(seconds / sum(duration(samples) for _, samples in sentences), 3),
        "final_after_sentence_s": {"median": round(float(np.median(after)), 2), "most": round(max(after), 2)},
        "partials_per_sentence": round(partials / len(sentences), 1),
        "names_right": {voice: _names(whisper, say) for voice, say in _VOICES.items() if shutil.which(say[0])},
    }
    tell("memory")
    figures["resident_mb"] = resident(model, folder)
    return figures


def _recorded(folder: Path) -> list[tuple[str, bytes]]:
    """Sentences and their samples."""
    path = folder / "transcription"
    if not path.exists():
        raise KeepsakeError(
            "KS-SOUND-006", f"there is no recorded speech in {folder}: apt-get install pocketsphinx-testdata"
        )
    found = re.findall(r"<s>(.*)</s>\s*\(([\w.-]+)\)", path.read_text())
    return [(text.strip(), b"".join(blocks(folder / f"{name}.wav"))) for text, name in found]


async def _live(recogniser: Recogniser, sound: bytes) -> tuple[list[float], int]:
    """Seconds from each sentence's last word to its final, and how many partials came."""
    begun = time.monotonic()

    async def microphone() -> AsyncIterator[bytes]:
        for start in range(0, len(sound), _CHUNK):
            chunk = sound[start : start + _CHUNK]
            await asyncio.sleep(begun + (start + len(chunk)) / 2 / RATE - time.monotonic())
            yield chunk

    after, partials = [], 0
    async for heard in recogniser.stream(microphone()):
        if heard.is_final and heard.words:
            after.append(time.monotonic() - begun - heard.words[-1].end)
        partials += not heard.is_final
    return after, partials


def _names(whisper: Whisper, command: Sequence[str]) -> dict[str, int]:
    """How many of 24 names are written right: alone, and with lists of names to choose from."""
    right = {"of": len(NAMES), "without": 0, f"of_a_list_of_{len(NAMES)}": 0, f"of_a_list_of_{_SHORT_LIST}": 0}
    with tempfile.TemporaryDirectory() as folder:
        for place, name in enumerate(NAMES):
            first = place // _SHORT_LIST * _SHORT_LIST
            samples = _spoken(command, _SENTENCES[place % len(_SENTENCES)].format(name), Path(folder, "said.wav"))
            lists = ((), NAMES, NAMES[first : first + _SHORT_LIST])
            for key, names in zip(list(right)[1:], lists, strict=True):
                text = " ".join(piece.text for piece in whisper.transcribe(samples, names=names))
                right[key] += name.lower() in words_of(text)
    return right


_VOICES: Final = {
    "flite slt": ("flite", "-voice", "slt", "-o", "{path}", "-t", "{text}"),
    "espeak-ng": ("espeak-ng", "-v", "en-us", "-s", "150", "-w", "{path}", "{text}"),
}


def _spoken(command: Sequence[str], text: str, path: Path) -> bytes:
    filled = [part.format(path=path, text=text) for part in command]
    subprocess.run(filled, check=True, capture_output=True)  # noqa: S603 (a voice, with our own sentences)
    return bytes(RATE) + b"".join(blocks(path)) + bytes(RATE)


def resident(model: str, folder: Path = LIBRIVOX) -> int:
    """Megabytes that a process takes at most which does nothing but hear with a model."""
    code = f"from keepsake.bench.sound import hear_alone; hear_alone({model!r}, {str(folder)!r})"
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=SPARING)  # noqa: S603 (ourselves)
    return int(json.loads(told.stdout))


def hear_alone(model: str, folder: str) -> None:
    """What `resident` starts: hears all that is recorded, live and as a recording, and prints its greatest size."""
    sound = b"".join(samples for _, samples in _recorded(Path(folder)))
    whisper = Whisper(name=model, threads=1)
    whisper.transcribe(sound, names=NAMES)

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(sound), _CHUNK):
            yield sound[start : start + _CHUNK]

    async def run() -> list[Heard]:
        return [heard async for heard in whisper.stream(chunks())]

    asyncio.run(run())
    sys.stdout.write(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024))
