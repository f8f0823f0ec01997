"""natant.build: what is compiled, and what was changed since."""

from __future__ import annotations

import os
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec
from pathlib import Path

import pytest

from natant import build


@pytest.fixture
def hot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two hot modules of which ``one`` is compiled; the folder they are in."""
    compiled = tmp_path / f"one{EXTENSION_SUFFIXES[0]}"
    for path in (tmp_path / "one.py", tmp_path / "two.py", compiled):
        path.touch()
        os.utime(path, (100, 100))
    origins = {"pack.one": compiled, "pack.two": tmp_path / "two.py"}

    def find_spec(name: str) -> ModuleSpec | None:
        if name not in origins:
            raise ModuleNotFoundError(name)
        return ModuleSpec(name, None, origin=str(origins[name]))

    monkeypatch.setattr(build, "HOT_MODULES", ("pack.one", "pack.two", "pack.three"))
    monkeypatch.setattr(build, "find_spec", find_spec)
    return tmp_path


def test_tells_which_modules_are_compiled(hot: Path) -> None:
    assert build.compiled() == {"pack.one": True, "pack.two": False}
    assert build.summary() == "1 of 2 hot modules compiled"


def test_all_or_none_is_one_word(hot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "HOT_MODULES", ("pack.one",))
    assert build.summary() == "compiled"

    monkeypatch.setattr(build, "HOT_MODULES", ("pack.two",))
    assert build.summary() == "interpreted"


def test_a_module_that_was_compiled_after_its_last_change_is_not_stale(hot: Path) -> None:
    assert build.stale() == []


@pytest.mark.parametrize("changed", ["one.py", "one.pxd"])
def test_a_changed_source_makes_its_compiled_module_stale(hot: Path, changed: str) -> None:
    (hot / changed).touch()
    os.utime(hot / changed, (200, 200))

    assert build.stale() == ["pack.one"]


def test_every_hot_module_is_there() -> None:
    root = Path(__file__).resolve().parents[2]

    assert [path for path in build.sources() if not (root / path).is_file()] == []


def test_every_file_of_c_types_belongs_to_a_hot_module() -> None:
    """A compiled module that uses the C types of one that is not compiled would crash the interpreter."""
    root = Path(__file__).resolve().parents[2]
    typed = {str(path.relative_to(root).with_suffix(".py")) for path in (root / "natant").rglob("*.pxd")}
    inlined = {f"{name.replace('.', '/')}.py" for name in build.INLINED_MODULES}

    assert typed - inlined <= set(build.sources())
    for path in inlined:
        text = (root / path).with_suffix(".pxd").read_text("utf-8")
        assert "cdef extern from *:" in text
        assert "cdef class" not in text
