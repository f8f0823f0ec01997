"""Whisper's tokens: what a decoder begins with, and words from what it gives.

The order of a prompt is that of the paper (Radford et al. 2022, figure 1): what was said before, start, language, task.  The decoder
then tells times among the words; they are passed over, since the alignment's are better, but it slips less often when it tells them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tokenizers import Tokenizer

__all__ = ["Tokens"]

#: tokens of names in a prompt: half of what a decoder sees is for the prompt, and the more names, the less each helps
_MAX_NAMES: Final = 160
#: what a decoder sees, as Whisper was trained
_WINDOW: Final = 448
#: tokens that a second of speech may have: fast talkers say 5 words a second
_TOKENS_A_SECOND: Final = 12
#: languages that are written without spaces between words
_NO_SPACES: Final = frozenset({"zh", "ja", "th", "lo", "my", "yue"})


class Tokens:
    """The vocabulary of one model.

    :ivar is_multilingual: else it is English only.
    """

    def __init__(self, folder: Path, *, is_multilingual: bool) -> None:
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.is_multilingual = is_multilingual
        self._text_end = self._id("<|endoftext|>")

    def _id(self, token: str) -> int:
        found = self._tokenizer.token_to_id(token)
        if found is None:
            raise ValueError(f"the vocabulary has no {token}")
        return int(found)

    def start(self, language: str) -> list[int]:
        """What a decoder begins with, without the prompt."""
        begin = [self._id("<|startoftranscript|>")]
        if self.is_multilingual:
            begin += [self._id(f"<|{language}|>"), self._id("<|transcribe|>")]
        return begin

    def prompt(self, language: str, names: Sequence[str]) -> list[int]:
        """All that a decoder begins with; as many names as there is room for, the first ones first."""
        said: list[int] = []
        for name in names:
            tokens = self._tokenizer.encode((", " if said else " ") + name.strip(), add_special_tokens=False).ids
            if len(said) + len(tokens) > _MAX_NAMES:
                break
            said += tokens
        before = [self._id("<|startofprev|>"), *said] if said else []
        return [*before, *self.start(language)]

    @staticmethod
    def most(prompt: Sequence[int], seconds: float) -> int:
        """How long a decoder's output with its prompt may get: a loop ends soon, a fast talker is not cut."""
        return min(_WINDOW, len(prompt) + 16 + int(seconds * _TOKENS_A_SECOND))

    def spoken(self, tokens: Sequence[int]) -> list[int]:
        """The tokens of text."""
        return [token for token in tokens if token < self._text_end]

    def text(self, tokens: Sequence[int]) -> str:
        """What they read."""
        return str(self._tokenizer.decode(list(tokens))).strip()

    def words(self, tokens: Sequence[int], language: str) -> list[tuple[str, int]]:
        """Words, each with the number of its tokens; punctuation goes with the word before it."""
        found: list[tuple[str, int]] = []
        for piece, count in self._characters(tokens):
            is_new = piece.startswith(" ") or language in _NO_SPACES
            if found and (not is_new or _is_punctuation(piece.strip())):
                found[-1] = (found[-1][0] + piece, found[-1][1] + count)
            else:
                found.append((piece, count))
        return [(word.strip(), count) for word, count in found]

    def _characters(self, tokens: Sequence[int]) -> list[tuple[str, int]]:
        """Tokens as text, joined where several make one character."""
        found: list[tuple[str, int]] = []
        waiting: list[int] = []
        for token in tokens:
            waiting.append(token)
            piece = str(self._tokenizer.decode(waiting))
            if "\ufffd" not in piece:
                found.append((piece, len(waiting)))
                waiting = []
        if waiting:
            found.append((str(self._tokenizer.decode(waiting)), len(waiting)))
        return found


def _is_punctuation(text: str) -> bool:
    return bool(text) and all(unicodedata.category(character)[0] in "PS" for character in text)
