"""The scripts tell what is wrong, and a build without a compiler goes on with the plain files."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = sorted(path for path in (ROOT / "scripts").iterdir() if path.name != "common")
TOOLS = ("cat", "cksum", "dirname", "find", "id", "rm", "sh", "wc")


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd="/", check=False)


@pytest.fixture
def old_machine(tmp_path: Path) -> Path:
    """A folder for PATH with a Python that is too old."""
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found, tool
        (tmp_path / tool).symlink_to(found)
    python = tmp_path / "python3"
    python.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.2" && exit\nexit 1\n')
    python.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_executable_and_plain_sh(script: Path) -> None:
    assert os.access(script, os.X_OK)
    assert script.read_text().startswith("#!/bin/sh\n# ")
    assert run("sh", "-n", script, PATH=os.environ["PATH"]).stderr == ""


@pytest.mark.parametrize("script", ["demo", "test", "install", "check"])
def test_an_old_python_is_named_with_what_is_needed(script: str, old_machine: Path, tmp_path: Path) -> None:
    done = run(ROOT / "scripts" / script, PATH=str(old_machine), NATANT_VENV=str(tmp_path / "venv"))

    assert done.returncode == 1
    assert "needs Python 3.11 or later. Found: Python 3.9.2." in done.stderr
    assert not (tmp_path / "venv").exists()


def wheel(tmp_path: Path, **environment: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Build a wheel from a copy of the sources; what pip said and the names in the wheel."""
    source = tmp_path / "source"
    shutil.copytree(ROOT / "natant", source / "natant", ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    for name in ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, source / name)
    command = (
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "-v",
        "-w",
        tmp_path / "out",
        source,
    )
    done = run(sys.executable, *command, PATH=os.environ["PATH"], **environment)
    built = list((tmp_path / "out").glob("*.whl")) if done.returncode == 0 else []
    return done, zipfile.ZipFile(built[0]).namelist() if built else []


def test_where_no_compiler_is_found_the_plain_files_are_installed(tmp_path: Path) -> None:
    done, names = wheel(tmp_path, CC="/there/is/no/compiler")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "hot modules stay interpreted" in done.stdout + done.stderr
    assert not [name for name in names if name.endswith(".so")]
    assert "natant/codec/recon/reader.py" in names
    assert "natant/py.typed" in names


def test_where_compiling_is_demanded_a_missing_compiler_is_an_error(tmp_path: Path) -> None:
    done, _ = wheel(tmp_path, CC="/there/is/no/compiler", NATANT_COMPILE="1")

    assert done.returncode != 0


def test_a_wrong_choice_is_named(tmp_path: Path) -> None:
    done, _ = wheel(tmp_path, NATANT_COMPILE="yes")

    assert done.returncode != 0
    assert 'NATANT_COMPILE is "yes"; it takes 0' in done.stdout + done.stderr
