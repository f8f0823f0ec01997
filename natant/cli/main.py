"""``natant``: the commands put together, and how each of them ends.

Each command's module is imported when the command is called.  The one-line helps are here, so that ``natant --help`` imports none of
them; a test holds them to the commands' own.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import Final, NoReturn

import click

from natant.cli.fault import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK, EXIT_USAGE, exit_code, tell
from natant.cli.show import talk
from natant.errors import ClientError, NatantError

__all__ = ["COMMANDS", "cli", "main", "run"]

#: commands in the order of the help, each with the first line of its own help
COMMANDS: Final = {
    "hello": "Show natant at work: a year of flights, live on a map.",
    "new": "Make a new project that runs at once.",
    "dev": "Serve a plane, and load it anew when a file is saved; the state is kept.",
    "run": "Serve a plane.",
    "ls": "List the agents of a host.",
    "describe": "Tell what a node is: its agent, lanes and timers.",
    "get": "Print the state of a lane.",
    "set": "Set a lane, or one entry of a map.",
    "command": "Command a lane and wait until the effect is durable.",
    "link": "Follow a lane: its state, then every change.",
    "parked": "Look at work that failed; do it again, or drop it.",
    "edge": "At a hub: add edges, list them, remove them.",
    "tenant": "Keep tenants apart: an account of NATS each, with a quota.",
    "user": "Add and revoke users of a tenant; make tokens of their credentials.",
    "worker": "Do the jobs of a work queue.",
    "queue": "Look at work queues and their parked jobs; do those again, or drop them.",
    "errors": "Explain an error by its code.",
    "doctor": "Check this machine and installation.",
    "grow": "Bring the store of an embedded NATS server into a cluster.",
}

_EPILOG: Final = """\
Data goes to stdout, talk to stderr. Exit codes: 0 well, 1 refused or failed, 2 wrong usage, 3 the server
cannot be reached or gave no answer, 130 interrupted. $NATANT_URL names the host for all commands; NO_COLOR turns colours off.
"""


class Commands(click.Group):
    """The group of all commands; imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        found = import_module(f"natant.cli.command.{cmd_name}").cli
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
            meant = f"; did you mean {near[0]}?" if near else "; natant --help lists all"
            raise click.UsageError(f"there is no command {args[0]!r}{meant}", ctx) from None

    def invoke(self, ctx: click.Context) -> object:
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

    import natant
    from natant.build import summary

    click.echo(f"natant {natant.__version__} ({summary()}), Python {platform.python_version()}, {platform.system()}")
    ctx.exit()


@click.group(
    cls=Commands, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version and exit."
)
def cli() -> None:
    """Stateful services: web agents, durable, streamed to whoever links to them."""


def run(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command line; the exit code."""
    try:
        done = cli.main(None if arguments is None else list(arguments), prog_name="natant", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        talk(error.format_message())
        return EXIT_USAGE
    except click.ClickException as error:
        return _usage(error)
    except (click.Abort, KeyboardInterrupt):
        return EXIT_INTERRUPTED
    except NatantError as error:
        tell(error)
        return exit_code(error)
    except Exception as error:
        traceback.print_exc()
        tell(ClientError("NT-CLI-012", f"natant met an error of its own: {type(error).__name__}: {error}"))
        return EXIT_FAILED
    return done if isinstance(done, int) else EXIT_OK


def _usage(error: click.ClickException) -> int:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "natant"
    tell(ClientError("NT-CLI-001", error.format_message(), hint=f"{path} --help"))
    return EXIT_USAGE


def _silence() -> None:
    """Let what is still to be flushed go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def main() -> NoReturn:
    """The entry point of ``natant``."""
    code = run()
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _silence()
    sys.exit(code)
