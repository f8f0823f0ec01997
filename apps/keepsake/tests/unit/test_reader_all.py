"""Reading many messages together gives what reading them one by one gives."""

from __future__ import annotations

from collections.abc import Sequence

from keepsake.bench.people import SyntheticPerson
from keepsake.record import Entity
from keepsake.words import Known, Reader


class Shouting:
    """Takes each word in capitals for an organisation, and notes how often it is asked."""

    languages = frozenset({"en"})

    def __init__(self) -> None:
        self.asked = 0

    def tag(self, text: str) -> list[Entity]:
        return self.tag_all([text])[0]

    def tag_all(self, texts: Sequence[str]) -> list[list[Entity]]:
        self.asked += 1
        return [
            [
                Entity("organisation", word, text.index(word), text.index(word) + len(word))
                for word in dict.fromkeys(text.split())
                if word[:1].isupper() and word.isalpha()
            ][:1]
            for text in texts
        ]


def test_together_is_one_by_one() -> None:
    messages = list(SyntheticPerson(size=120).messages())
    known = Known({"ilse": ("person", "Ilse")})
    one_by_one, together = Shouting(), Shouting()

    assert Reader(together).read_all(messages, known) == [Reader(one_by_one).read(one, known) for one in messages]
    assert together.asked == 1
    assert one_by_one.asked > 10
    assert Reader().read_all(messages[:5]) == [Reader().read(message) for message in messages[:5]]
