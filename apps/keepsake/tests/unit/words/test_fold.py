"""Near duplicates: found, and only where they are the same thing said."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from keepsake.record import Kind, Memory
from keepsake.words.date import resolve
from keepsake.words.fold import APART_S, Folder, likeness, signature

TEXT = "We went camping by the lake with the children and saw a heron at dawn"


class Held:
    """Memories in a list."""

    def __init__(self) -> None:
        self.kept: list[Memory] = []

    def head(self) -> int:
        return self.kept[-1].seq if self.kept else 0

    def memory(self, memory: str) -> Memory | None:
        return next((one for one in self.kept if one.id == memory), None)

    def memories(self, *, after: int = 0, limit: int = 1000) -> list[Memory]:
        return [one for one in self.kept if one.seq > after][:limit]

    def put(self, memory: Memory, folder: Folder) -> str:
        into = folder.place(memory)
        self.kept.append(replace(memory, folds_into=into))
        return into


def memory(text: str, seq: int, at: float = 1e9, **more: object) -> Memory:
    made = Memory(f"s:{seq}#0", seq, 0, Kind.TEXT, text, at, meant=resolve(text, at))
    return replace(made, **more)  # type: ignore[arg-type]


def placed(*memories: Memory) -> list[str]:
    held = Held()
    folder = Folder(held)
    return [held.put(one, folder) for one in memories]


def test_the_same_twice_folds_into_the_first() -> None:
    assert placed(memory(TEXT, 1), memory(TEXT.upper() + "!!", 2), memory(TEXT + " today", 3))[:2] == ["", "s:1#0"]


def test_nearly_the_same_folds() -> None:
    assert placed(memory(TEXT, 1), memory(TEXT.replace("the lake", "a lake"), 2)) == ["", "s:1#0"]


def test_another_speaker_or_another_day_is_something_else() -> None:
    first = memory(TEXT, 1)
    assert placed(first, memory(TEXT, 2, speaker="Ann")) == ["", ""]
    assert placed(first, memory(TEXT, 2, 1e9 + APART_S + 60)) == ["", ""]


def test_yesterday_said_on_two_days_is_two_days() -> None:
    text = "Yesterday we went camping by the lake with the children"
    assert placed(memory(text, 1), memory(text, 2, 1e9 + 86_400)) == ["", ""]


def test_long_texts_that_are_the_same_fold_at_any_time() -> None:
    text = " ".join(f"word{number}" for number in range(60))
    assert placed(memory(text, 1), memory(text, 2, 2e9)) == ["", "s:1#0"]


def test_what_people_say_all_the_time_does_not_fold() -> None:
    assert placed(memory("thanks, see you", 1), memory("thanks, see you", 2)) == ["", ""]


def test_a_removed_memory_takes_nothing_in_and_a_new_folder_knows_what_is_stored() -> None:
    held = Held()
    held.put(memory(TEXT, 1), Folder(held))
    assert Folder(held).place(memory(TEXT, 2)) == "s:1#0"
    folder = Folder(held)
    assert folder.place(memory(TEXT, 2)) == "s:1#0"
    held.kept.append(memory(TEXT.replace("heron", "swan and her five young ones"), 4))
    folder.refresh()
    assert folder.place(replace(held.kept[-1], id="s:5#0")) == "s:4#0"
    held.kept.clear()
    assert folder.place(memory(TEXT, 3)) == ""


def test_placing_again_is_placing_once() -> None:
    held = Held()
    folder = Folder(held)
    one = memory(TEXT, 1)
    assert held.put(one, folder) == ""
    assert folder.place(one) == ""


@given(st.text(max_size=200))
def test_signatures_of_any_text(text: str) -> None:
    assert 0 <= signature(text) < 2**64
    assert likeness(text, text) == 1.0
