"""The command line: every command has its help, errors have codes and exit codes, people are added and given tokens."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest

from keepsake.cli.main import COMMANDS, cli, run
from keepsake.cli.option import address
from keepsake.key import Ring, Tokens


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("KEEPSAKE_DATA", "KEEPSAKE_AT", "KEEPSAKE_TOKEN", "TZ"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_holds_each_commands_own_first_line(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)

    assert command is not None
    assert (command.help or "").partition("\n")[0] == COMMANDS[name]


def test_a_wrong_command_line_is_a_coded_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["imprt"]) == 2
    assert "did you mean import" in capsys.readouterr().err
    assert run(["import", "ada"]) == 2
    assert run(["import", "ada", "x", "--at", "ftp://x"]) == 2
    assert "KS-CLI-007" in capsys.readouterr().err


def test_an_unforeseen_error_is_told_with_a_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def burst(*_: object) -> None:
        raise RuntimeError("burst")

    monkeypatch.setattr(Ring, "people", burst)

    assert run(["person", "ls"]) == 1
    assert "KS-CLI-002" in capsys.readouterr().err


def test_people_are_added_and_get_tokens(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["person", "add", "ada", "--data", "d", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert run(["person", "token", "ada", "--data", "d", "--device", "phone"]) == 0
    device = capsys.readouterr().out.strip()
    tokens = Tokens(Ring(tmp_path / "d" / "keys"))

    assert tokens.read(made["token"], now=0.0).person == "ada"
    assert tokens.read(device, now=0.0).role == "device"
    assert run(["person", "token", "ben", "--data", "d"]) == 1
    assert "KS-KEY-001" in capsys.readouterr().err
    assert run(["person", "add", "Ada!", "--data", "d"]) == 1
    assert "KS-KEY-003" in capsys.readouterr().err
    assert run(["person", "revoke", device, "--data", "d"]) == 0
    assert run(["person", "ls", "--data", "d"]) == 0
    assert capsys.readouterr().out == "ada\n"


def test_a_missing_or_foreign_token_is_a_coded_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "a.md").write_text("hello")
    assert run(["import", "ada", "a.md", "--notes", "n"]) == 1
    assert "KS-CLI-003" in capsys.readouterr().err
    Ring(tmp_path / "keys").make("ben")
    monkeypatch.setenv("KEEPSAKE_TOKEN", Tokens(Ring(tmp_path / "keys")).make("ben", "owner", until=2e9))
    assert run(["import", "ada", "a.md", "--notes", "n"]) == 1
    assert "KS-CLI-003" in capsys.readouterr().err


def test_the_catalogue_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["errors", "ks-source-001"]) == 0
    assert capsys.readouterr().out.startswith("# KS-SOURCE-001: ")
    assert run(["errors", "zone", "--json"]) == 0
    assert "KS-SOURCE-004" in capsys.readouterr().out
    assert run(["errors", "KS-NONE-999"]) == 1
    assert "KS-CLI-005" in capsys.readouterr().err


def test_an_import_can_be_tried(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "diary.md").write_text("## 14 May 2023\n\nHello\n\n## 15 May 2023\n\nAgain\n")
    (tmp_path / "d" / "chat.txt").write_text("[05/06/2023, 09:00:01] Ana: x\n[99/06/2023, 09:00:01] Ana: x\n")

    assert run(["import", "ada", "d", "--dry-run", "--json"]) == 0

    told = capsys.readouterr()
    assert [json.loads(line)["messages"] for line in told.out.splitlines()] == [1, 2]
    assert "chat.txt:2: no such time" in told.err
    assert run(["import", "--list"]) == 0
    assert "whatsapp" in capsys.readouterr().out


def test_addresses() -> None:
    assert address("warp://h") == "http://h:9001"
    assert address("h:7") == "http://h:7"
    assert address("wss://h") == "https://h:443"
    assert address("http://[::1]:8") == "http://[::1]:8"
