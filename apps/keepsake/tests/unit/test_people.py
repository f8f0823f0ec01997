"""The synthetic person is the same each time, in order, and knows the answers to its questions."""

from __future__ import annotations

from itertools import pairwise

from keepsake.bench.people import SyntheticPerson


def test_a_message_follows_from_seed_and_number_alone() -> None:
    person = SyntheticPerson(size=300)

    assert list(person.messages())[99:120] == list(SyntheticPerson(size=500).messages(100, 121))
    assert person.message(7) != SyntheticPerson(2).message(7)


def test_messages_have_their_own_ids_and_come_in_order() -> None:
    messages = list(SyntheticPerson(size=2000).messages())

    assert len({message.id for message in messages}) == 2000
    assert all(earlier.said_at < later.said_at for earlier, later in pairwise(messages))
    assert all(message.body for message in messages)
    assert {message.kind.value for message in messages} == {"text", "audio", "web"}


def test_an_answer_is_in_each_message_that_is_said_to_answer() -> None:
    person = SyntheticPerson(size=2000)
    bodies = {message.id: message.body for message in person.messages()}
    asked = person.questions(100)

    assert sum(not question.gold for question in asked) in range(10, 45)
    for question in asked:
        if question.gold:
            assert question.answer in bodies[question.gold[0]]
