"""The lexicon knows who is named, how that is spelt, and who is likely to be named next."""

from __future__ import annotations

from keepsake.model import Named
from keepsake.model.lexicon import HALF_LIFE_S, NAME_LIMIT, Lexicon
from keepsake.record import Entity, Kind, Memory


def memory(seq: int, text: str, *names: tuple[str, str], said_at: float = 1e9, speaker: str = "") -> Memory:
    """A memory in which the spellings of names stand; a name's spelling comes first."""
    entities = tuple(Entity("person", name, text.index(spelt), text.index(spelt) + len(spelt)) for spelt, name in names)
    return Memory(f"d:{seq}#0", seq, 0, Kind.TEXT, text, said_at, speaker, entities=entities)


def test_all_spellings_of_a_name_stand_for_it() -> None:
    lexicon = Lexicon()
    lexicon.count([memory(1, "Met rob today", ("rob", "Robert")), memory(2, "Then ROBERT rang", ("ROBERT", "Robert"))])

    assert lexicon.spellings() == {"rob": ("person", "Robert"), "robert": ("person", "Robert")}


def test_what_the_person_says_counts_before_what_was_read() -> None:
    lexicon = Lexicon()
    lexicon.count(
        [memory(1, "Then Shavon came", ("Shavon", "Shavon")), memory(2, "So Monday came", ("Monday", "Monday"))]
    )
    lexicon.correct([Named(1.0, "shavon", "Siobhán"), Named(2.0, "Monday", "")])

    assert lexicon.spellings() == {"shavon": ("person", "Siobhán"), "siobhán": ("person", "Siobhán")}
    assert lexicon.likely(10) == ["Siobhán"]

    lexicon.correct(
        [Named(1.0, "shavon", "Siobhán"), Named(2.0, "Monday", ""), Named(3.0, "monday", "Monday", "event")]
    )

    assert lexicon.spellings()["monday"] == ("event", "Monday")


def test_who_is_named_often_and_lately_is_likely() -> None:
    long_ago = 1e9 - 10 * HALF_LIFE_S
    lexicon = Lexicon()
    lexicon.count([memory(seq, "my Ilse", ("Ilse", "Ilse"), said_at=long_ago) for seq in range(1, 10)])
    lexicon.count([memory(20, "my Oisin", ("Oisin", "Oisin")), memory(21, "hello", speaker="Xanthe")])
    lexicon.count([memory(22, "my Oisin", ("Oisin", "Oisin"))])

    assert lexicon.likely(3) == ["Oisin", "Xanthe", "Ilse"]
    assert lexicon.likely(1) == ["Oisin"]


def test_a_word_that_only_begins_sentences_is_no_name() -> None:
    lexicon = Lexicon()
    lexicon.count([memory(seq, "Well. Anyway, off to bed", ("Anyway", "Anyway")) for seq in range(1, 9)])
    lexicon.count([memory(10, "Rex barked", ("Rex", "Rex")), memory(11, "walked Rex", ("Rex", "Rex"))])
    lexicon.count([memory(12, "Mary Ann called", ("Mary Ann", "Mary Ann"))])

    assert set(lexicon.spellings()) == {"rex", "mary ann"}
    assert set(lexicon.likely(9)) == {"Rex", "Mary Ann"}


def test_people_are_told_by_their_right_names() -> None:
    lexicon = Lexicon()
    lexicon.count([memory(1, "saw Shavon", ("Shavon", "Shavon")), memory(2, "Siobhan came", ("Siobhan", "Siobhan"))])
    lexicon.count(
        [memory(3, "with Siobhan", ("Siobhan", "Siobhan"), said_at=2e9), memory(4, "on Monday", ("Monday", "Monday"))]
    )
    lexicon.correct([Named(1.0, "Shavon", "Siobhan"), Named(2.0, "Monday", "")])

    assert lexicon.copy().tallies("person", 5) == {"Siobhan": (3, 2e9)}
    assert lexicon.tallies("person", 0) == lexicon.tallies("place", 5) == {}


def test_what_was_counted_is_not_counted_again() -> None:
    lexicon = Lexicon()
    memories = [memory(seq, "Ilse", ("Ilse", "Ilse")) for seq in range(1, 6)]
    lexicon.count(memories)
    lexicon.count(memories)

    assert lexicon.names["Ilse"].count == 5
    assert Lexicon.unpack(lexicon.pack()).pack() == lexicon.pack()


def test_no_more_names_are_kept_than_the_bound() -> None:
    lexicon = Lexicon()
    lexicon.count([memory(1, "Ilse", ("Ilse", "Ilse")), memory(2, "Ilse", ("Ilse", "Ilse"))])
    lexicon.count(memory(seq + 3, f"N{seq}", (f"N{seq}", f"N{seq}")) for seq in range(NAME_LIMIT + 10))

    assert len(lexicon.names) == NAME_LIMIT
    assert lexicon.names["Ilse"].count == 2
