"""Which files of a project changed, and what that does to its lanes."""

from __future__ import annotations

from pathlib import Path

from natant import Agent, Plane, command, lane
from natant.cli.lanes import compare, lanes_of
from natant.cli.watch import Watch


def test_saved_added_and_removed_files_are_told_once(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("1")
    (tmp_path / "b.py").write_text("1")
    watch = Watch(tmp_path)
    assert watch.changed() == []

    (tmp_path / "a.py").write_text("22")
    (tmp_path / "b.py").unlink()
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "c.py").write_text("1")
    (tmp_path / "page.html").write_text("1")

    assert watch.changed() == ["a.py", "b.py", "sub/c.py"]
    assert watch.changed() == []


def test_what_is_made_and_not_written_is_left_out(tmp_path: Path) -> None:
    watch = Watch(tmp_path)
    for folder in (".natant", "__pycache__", "node_modules", "env"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.py").write_text("1")
    (tmp_path / "env" / "pyvenv.cfg").write_text("")

    assert watch.changed() == []


def test_a_folder_that_is_not_there_has_no_files(tmp_path: Path) -> None:
    assert Watch(tmp_path / "gone").changed() == []


class Thing(Agent, route="/thing/{id}"):
    total = lane.value(int, default=0)
    seen = lane.map(str, int, volatile=True)

    @command
    def add(self, amount: int) -> None:
        self.total += amount


def test_the_lanes_of_a_plane_have_words() -> None:
    assert lanes_of(Plane("x", [Thing])) == {
        "Thing.total": "value(int)",
        "Thing.seen": "map(str, int) volatile",
        "Thing.add": "command(int)",
    }


def test_two_versions_are_compared() -> None:
    difference = compare(
        {"A.x": "value(int)", "A.y": "value(int)", "A.z": "map(str, int)"},
        {"A.x": "value(int)", "A.y": "value(str)", "A.n": "list(int)"},
    )

    assert difference.lines() == [
        "1 lanes kept, 1 added, 1 dropped, 1 changed",
        "+ A.n",
        "- A.z  (what it held stays in the data folder)",
        "~ A.y  value(int) -> value(str)",
    ]
    assert compare({"A.x": "value(int)"}, {"A.x": "value(int)"}).lines() == ["1 lanes kept"]
