"""A voice tells the person's wording from that of those who talk to them."""

from __future__ import annotations

import random

from support.person import OTHERS, OWN, PEOPLE, THINGS

from keepsake.model.voice import LEAST_CHARACTERS, Voice
from keepsake.record import Kind, Memory


def said(count: int) -> list[Memory]:
    found = []
    for seq in range(1, count + 1):
        rng = random.Random(seq)
        own = seq % 2 == 0
        text = rng.choice(OWN if own else OTHERS).format(who=rng.choice(PEOPLE), thing=rng.choice(THINGS))
        found.append(Memory(f"d:{seq}#0", seq, 0, Kind.TEXT, text, 1e9, "" if own else "Kasimir"))
    return found


def test_the_persons_own_wording_is_told_from_others() -> None:
    voice = Voice()
    voice.count(said(300))

    assert voice.is_known
    assert voice.likeness("Reckon Ilse was grand about the knee, mind you.") > 0.5
    assert voice.likeness("Kindly confirm the knee with Ilse urgently.") < -0.5
    assert voice.rank(["Kindly confirm the boat.", "Reckon the boat was grand, mind you."]) == [1, 0]


def test_with_little_said_no_voice_is_claimed() -> None:
    voice = Voice()
    voice.count(said(4))

    assert voice.characters < LEAST_CHARACTERS
    assert voice.likeness("Reckon so.") == 0.0
    assert voice.rank(["b", "a"]) == [0, 1]


def test_counting_in_parts_is_counting_at_once() -> None:
    at_once, in_parts = Voice(), Voice()
    memories = said(101)
    at_once.count(memories)
    for start in range(0, 101, 17):
        in_parts.count(memories[: start + 17])

    assert in_parts.pack() == at_once.pack()
    assert Voice.unpack(at_once.pack()).bits("Mind you.") == at_once.bits("Mind you.")


def test_what_was_sent_for_a_suggestion_is_the_persons_own_too() -> None:
    voice = Voice()
    voice.count(said(300))
    before = voice.bits("Toodle-pip, old bean!")
    sent = [(f"{number:015.3f}-00-worded", "Toodle-pip, old chap!") for number in range(5)]
    voice.hear(sent)
    counted = voice.characters
    voice.hear(sent)

    assert voice.bits("Toodle-pip, old bean!") < before - 0.5
    assert voice.characters == counted
    assert Voice.unpack(voice.pack()).last == sent[-1][0]


def test_a_page_of_the_web_is_nobodys_voice_and_any_text_can_be_judged() -> None:
    voice = Voice()
    voice.count([Memory("w:1#0", 1, 0, Kind.WEB, "Buy now!" * 400, 1e9)])

    assert voice.characters == 0
    assert voice.bits("") > 0
    assert voice.bits("\udc80 \u2603" * 5000) > 0
