"""An utterance that was heard, and what hears it: the part that recognisers of whole utterances have to bring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from keepsake.sound.contract import Word
from keepsake.sound.mel import Samples

__all__ = ["Hearer", "Utterance"]


@dataclass(frozen=True, slots=True)
class Utterance:
    """What was heard.

    :ivar words: with times from the utterance's beginning; empty where they were not asked for.
    :ivar language: ISO 639-1.
    """

    text: str
    words: tuple[Word, ...] = ()
    language: str = ""


class Hearer(Protocol):
    """Hears whole utterances of up to 25 s."""

    model: str

    def hear(
        self, samples: Samples, *, names: Sequence[str] = (), language: str = "", is_quick: bool = False
    ) -> Utterance:
        """Make text of an utterance.  Blocks; may be called from several threads.

        :param names: words that are likely.
        :param language: that it is in; empty: find out.
        :param is_quick: a guess is enough, and words' times are not wanted.
        """
        ...
