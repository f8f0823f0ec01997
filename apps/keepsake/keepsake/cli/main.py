"""``keepsake``: the commands put together, and how each of them ends.

Each command's module is imported when the command is called. The one-line helps are here, so that ``keepsake --help`` imports none of
them; a test holds them to the commands' own.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final, NoReturn

import click

from keepsake.cli.show import talk, tell
from keepsake.errors import KeepsakeError

__all__ = ["COMMANDS", "cli", "main", "run"]

EXIT_OK: Final = 0
#: it was refused, or it failed
EXIT_FAILED: Final = 1
#: the command line is wrong
EXIT_USAGE: Final = 2
#: the service cannot be reached, or gave no answer
EXIT_UNREACHABLE: Final = 3
#: Ctrl-C
EXIT_INTERRUPTED: Final = 130

#: commands in the order of the help, each with the first line of its own help
COMMANDS: Final = {
    "demo": "Show Keepsake at work: two people, their diaries and voices.",
    "serve": "Serve people's memories.",
    "worker": "Read, hear, learn and forget: do the jobs of the service.",
    "edge": "Capture, hear and answer without the service; bring it what was captured.",
    "person": "Add people, list them, make their tokens, remove them.",
    "import": "Import chats, mail, diaries and recordings.",
    "ask": "Ask a person's memories.",
    "timeline": "List a person's memories, the newest first.",
    "learn": "Have a person's model learn, and tell how good it is.",
    "forget": "Delete messages, a stream or a whole person, and prove it.",
    "grant": "Give others leave to ask, list what was given, take it back.",
    "capsule": "Seal a message until a day or an event.",
    "export": "Export everything of a person in open formats.",
    "backup": "Back people up, sealed, and bring them back; never what was deleted.",
    "receipt": "Prove a record of a person's log, or list the newest records.",
    "verify": "Check a receipt or an export, with no service.",
    "bench": "Measure recall, sound, models and loads.",
    "errors": "Explain an error by its code.",
    "doctor": "Check this machine and installation.",
}

_EPILOG: Final = """\
Data goes to stdout, talk to stderr. Exit codes: 0 well, 1 refused or failed, 2 wrong usage, 3 the service cannot be
reached, 130 interrupted. $KEEPSAKE_DATA names the data folder, $KEEPSAKE_AT the service, $KEEPSAKE_TOKEN is a person's token.
"""


class Commands(click.Group):
    """The group of all commands; imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = "importing" if cmd_name == "import" else cmd_name
        found = import_module(f"keepsake.cli.command.{module}").cli
        assert isinstance(found, click.Command)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, 1)
            meant = f"; did you mean {near[0]}?" if near else "; keepsake --help lists all"
            raise click.UsageError(f"there is no command {args[0]!r}{meant}", ctx) from None

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # whoever read our output has gone: that is no failure
            _silence()
            raise click.exceptions.Exit(EXIT_OK) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _version(ctx: click.Context, _parameter: click.Parameter, is_asked: bool) -> None:
    if not is_asked or ctx.resilient_parsing:
        return
    import platform
    from importlib.metadata import version

    click.echo(f"keepsake {version('keepsake')}, natant {version('natant')}, Python {platform.python_version()}")
    ctx.exit()


@click.group(
    cls=Commands, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version and exit."
)
def cli() -> None:
    """A memory of one's own: captures, understands, answers, and proves what became of it."""


def run(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command line; the exit code."""
    from natant import NatantError

    try:
        done = cli.main(None if arguments is None else list(arguments), prog_name="keepsake", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        talk(error.format_message())
        return EXIT_USAGE
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        path = context.command_path if context is not None else "keepsake"
        tell("KS-CLI-007", error.format_message(), f"{path} --help")
        return EXIT_USAGE
    except (click.Abort, KeyboardInterrupt):
        return EXIT_INTERRUPTED
    except KeepsakeError as error:
        tell(error.code, error.message)
        return EXIT_UNREACHABLE if error.code == "KS-CLI-004" else EXIT_FAILED
    except NatantError as error:
        return _natant(error)
    except Exception as error:
        traceback.print_exc()
        tell("KS-CLI-002", f"keepsake met an error of its own: {type(error).__name__}: {error}")
        return EXIT_FAILED
    return done if isinstance(done, int) else EXIT_OK


def _natant(error: Any) -> int:
    """What natant says.  Where it passes on an error of ours, that one is told."""
    code, _, message = error.message.partition("  ")
    if code.startswith("KS-"):
        tell(code, message)
        return EXIT_FAILED
    if error.code in ("NT-CLIENT-001", "NT-CLIENT-004", "NT-CLIENT-007"):
        tell("KS-CLI-004", f"the service cannot be reached: {error.message}", "keepsake serve")
        return EXIT_UNREACHABLE
    tell(error.code, error.message)
    return EXIT_FAILED


def _silence() -> None:
    """Let what is still to be flushed go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def main() -> NoReturn:
    """The entry point of ``keepsake``."""
    code = run()
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _silence()
    sys.exit(code)
