"""The commands put together: helps, versions, failures, exit codes, the reference."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

import natant
from natant.cli import main
from natant.cli.fault import exit_code
from natant.cli.reference import reference
from natant.cli.show import talk
from natant.errors import ClientError
from tests.support.command import here

ROOT = Path(__file__).resolve().parents[3]


def test_the_short_helps_are_those_of_the_commands() -> None:
    context = click.Context(main.cli)
    for name, line in main.COMMANDS.items():
        command = main.cli.get_command(context, name)
        assert command is not None
        assert (command.help or "").splitlines()[0] == line, name


def test_the_help_names_every_command_without_importing_one() -> None:
    done = here("--help")

    assert done.code == 0
    assert all(f"  {name} " in done.out for name in main.COMMANDS)


def test_every_command_explains_itself() -> None:
    for name in main.COMMANDS:
        assert here(name, "--help").out.startswith(f"Usage: natant {name} "), name


def test_the_version_tells_which_build_runs() -> None:
    done = here("--version")

    assert done.code == 0
    assert done.out.startswith(f"natant {natant.__version__} (")


def test_no_command_is_wrong_usage_and_shows_the_help() -> None:
    done = here()

    assert (done.code, done.out) == (2, "")
    assert "Commands:" in done.err


def test_a_mistyped_command_is_guessed() -> None:
    done = here("descibe", "/room/1")

    assert done.code == 2
    assert done.err.splitlines() == [
        "NT-CLI-001  there is no command 'descibe'; did you mean describe?",
        "try: natant --help",
        "more: natant errors NT-CLI-001",
    ]


def failing(error: BaseException) -> click.Command:
    @click.command("ls")
    def fail() -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (
            ZeroDivisionError("by nothing"),
            1,
            "NT-CLI-012  natant met an error of its own: ZeroDivisionError: by nothing",
        ),
        (ClientError("NT-CLI-004", "no connection"), 3, "NT-CLI-004  no connection"),
        (KeyboardInterrupt(), 130, ""),
        (click.Abort(), 130, ""),
    ],
)
def test_each_end_has_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, words: str
) -> None:
    monkeypatch.setattr(main.Commands, "get_command", lambda self, context, name: failing(error))

    done = here("ls")

    assert done.code == code
    assert words in done.err
    if isinstance(error, ZeroDivisionError):
        assert "Traceback" in done.err


def test_codes_of_a_host_are_refusals() -> None:
    assert exit_code(ClientError("NT-LINK-001", "")) == 1
    assert exit_code(ClientError("NT-CLIENT-001", "")) == 3


def test_talk_goes_to_stderr_without_colours_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    talk(click.style("hello", fg="red"))

    assert capsys.readouterr() == ("", "hello\n")


def test_the_reference_is_what_the_commands_say() -> None:
    written = (ROOT / "docs" / "reference" / "cli.md").read_text("utf-8")

    assert written == reference(), "run: python -m natant.cli.reference docs/reference/cli.md"
