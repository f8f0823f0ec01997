"""``natant new``: each template is made, tested and served."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from natant.cli.template import TEMPLATES
from tests.support.command import ROOT, here, natant, serve

#: files that a new project has at most
FILE_LIMIT = 5


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_new_project_passes_its_test_and_runs(tmp_path: Path, template: str) -> None:
    done = natant("new", "shop", "--template", template, folder=tmp_path)
    folder = tmp_path / "shop"

    assert done.code == 0, done.err
    assert 1 < len(done.lines()) <= FILE_LIMIT
    assert "cd shop && natant dev" in done.err
    assert all((tmp_path / line).is_file() for line in done.lines())
    for path in folder.rglob("*"):
        assert path.is_dir() or "$" not in path.read_text("utf-8").replace("${", ""), path

    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert tested.returncode == 0, tested.stdout

    process, facts = serve(folder=folder)
    with process:
        assert facts["plane"] == "shop"
        with urlopen(facts["url"]) as page:
            assert b"<title>shop</title>" in page.read()
        assert process.end().code == 0


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_new_project_is_tidy(tmp_path: Path, template: str) -> None:
    here("new", str(tmp_path / "shop"), "--template", template)

    for command in (
        [
            "ruff",
            "check",
            "--isolated",
            "--select",
            "E,F,I,D1,UP,B,ANN",
            "--line-length",
            "120",
            "--ignore",
            "D103",
            ".",
        ],
        ["ruff", "format", "--isolated", "--check", "--line-length", "120", "."],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *command], cwd=tmp_path / "shop", capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout


def test_templates_are_listed() -> None:
    done = here("new", "--list", "--json")

    assert [json.loads(line)["template"] for line in done.lines()] == list(TEMPLATES)
    assert len(here("new", "--list").lines()) == len(TEMPLATES)


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "plane.py").write_text("mine")

    done = here("new", str(tmp_path / "shop"))

    assert (done.code, done.err[:10]) == (1, "NT-CLI-009")
    assert [path.name for path in (tmp_path / "shop").iterdir()] == ["plane.py"]


@pytest.mark.parametrize("words", [("new",), ("new", "7up"), ("new", "a b"), ("new", "x", "--template", "nope")])
def test_a_wrong_name_is_wrong_usage(words: tuple[str, ...]) -> None:
    done = here(*words)

    assert (done.code, done.err[:10]) == (2, "NT-CLI-001")
