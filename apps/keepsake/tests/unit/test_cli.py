"""The command line: every command has its help, errors have codes and exit codes, people are added and given tokens."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import click
import pytest

from keepsake.cli.main import COMMANDS, cli, run
from keepsake.cli.moment import moment
from keepsake.cli.option import address
from keepsake.key import Ring, Tokens
from keepsake.record import Kind, Message
from keepsake.store.sqlite import SqliteStores


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


def test_times_on_the_command_line() -> None:
    assert moment("2d", 100.0) == 172_900.0
    assert moment("1970-01-02", 0.0) == 86_400.0
    assert moment("1970-01-01T01:00:00+01:00", 5.0) == 0.0
    with pytest.raises(click.UsageError, match="2025-12-24"):
        moment("soon", 0.0)


def test_what_cannot_be_restored_verified_or_found_is_a_coded_error(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "x.json").write_text("{}")
    Ring(tmp_path / "d" / "keys").make("ada")

    for arguments, code in (
        (["export", "ada", "--data", "none"], "KS-CLI-011"),
        (["backup", "restore", "x.json", "ada", "--data", "d"], "KS-CLI-012"),
        (["verify", "x.json"], "KS-CUSTODY-010"),
        (["bench", "locomo", "--folder", "d"], "KS-CLI-020"),
    ):
        assert run(arguments) == 1
        assert code in capsys.readouterr().err

    (tmp_path / "receipt.json").write_text('{"proof": [], "key": ""}')
    assert run(["verify", "receipt.json"]) == 1
    assert "KS-CLI-010" in capsys.readouterr().err


def test_a_person_is_exported_and_brought_back_elsewhere(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for data in ("here", "there"):
        Ring(tmp_path / data / "keys").make("ada")
    stores = SqliteStores(tmp_path / "here" / "people", Ring(tmp_path / "here" / "keys"))
    store = stores.open("ada")
    with store.write() as writer:
        writer.add_message(Message("notes:0", Kind.TEXT, 1.0, 2.0, "The lemon tree belongs to everybody."))
    store.close()

    assert run(["export", "ada", "--data", "here", "--out", "ada.zip"]) == 0
    assert run(["verify", "ada.zip"]) == 0
    assert "1 records of keepsake/person/ada are the ones that were signed" in capsys.readouterr().out
    assert run(["receipt", "ada", "--data", "here"]) == 0
    assert "exported" in capsys.readouterr().out
    assert run(["receipt", "ada", "0", "--data", "here", "--out", "receipt.json"]) == 0
    assert run(["verify", "receipt.json"]) == 0
    assert "record 0 of 1" in capsys.readouterr().out
    assert run(["backup", "restore", "ada.zip", "ada", "--data", "there"]) == 0
    assert run(["backup", "write", "kept", "--data", "there"]) == 0

    there = SqliteStores(tmp_path / "there" / "people", Ring(tmp_path / "there" / "keys")).open("ada")
    assert [message.body for message in there.messages()] == ["The lemon tree belongs to everybody."]
    there.close()
    assert len(list((tmp_path / "kept").iterdir())) == 1
    assert (tmp_path / "ada.zip").stat().st_mode & 0o077 == 0


def test_the_doctor_tells_what_is_bad(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    Ring(tmp_path / "d" / "keys").make("ada")
    assert run(["doctor", "--data", "d", "--json"]) == 0
    (tmp_path / "d" / "keys" / "master.key").chmod(0o644)
    assert run(["doctor", "--data", "d"]) == 1
    assert "others may read" in capsys.readouterr().out


def test_an_export_that_was_changed_is_not_proved(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    Ring(tmp_path / "here" / "keys").make("ada")
    assert run(["export", "ada", "--data", "here", "--out", "ada.zip"]) == 0
    for name in ("README.txt", "custody/record.jsonl", "custody/checkpoint.txt"):
        with zipfile.ZipFile("ada.zip") as old, zipfile.ZipFile("bad.zip", "w") as new:
            for info in old.infolist():
                content = old.read(info)
                new.writestr(info.filename, content.replace(b"a", b"b") if info.filename == name else content)
        assert run(["verify", "bad.zip"]) == 1
        assert "KS-CLI-010" in capsys.readouterr().err
