"""The reference of the command line as Markdown, from the commands' own help.

    python -m natant.cli.reference docs/reference/cli.md

writes it; a test compares.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from natant.cli.main import cli

__all__ = ["reference"]

#: so that the page does not depend on a terminal
WIDTH: Final = 100
_HEAD: Final = """\
# The command line

`natant COMMAND --help` prints the same. Data goes to stdout, talk to stderr; with `--json` each line of stdout is one JSON value.

| exit code | meaning |
|---|---|
| 0 | it went well; also where the reader of a pipe went away |
| 1 | refused or failed; the code in the message says why |
| 2 | the command line is wrong; nothing was done |
| 3 | the server cannot be reached, or gave no answer |
| 130 | interrupted by Ctrl-C; of `run`, `dev` and `hello`: stopped at once by a second signal |

Each failure prints `NT-AREA-NNN  message` on stderr; `natant errors NT-AREA-NNN` explains it.

| variable | meaning |
|---|---|
| `NATANT_URL` | the host for all commands that take `--at` |
| `NATANT_TOKEN` | a token for the host's authenticator, sent by all these commands |
| `NATANT_OPERATOR` | the operator's folder, for `tenant`, `user` and `run --tenant` |
| `NO_COLOR` | any text: no colours |

A VALUE is JSON where it begins with `{`, `[` or `"`, or is a number, `true`, `false` or `null`; everything else, and what is no valid JSON, is
[Recon](recon.md). `-` reads it from stdin.

`eval "$(_NATANT_COMPLETE=bash_source natant)"` lets bash complete commands and options; `zsh_source` and `fish_source` do so for those shells.
"""

_END: Final = """\
## Source and tests

`natant/cli`; `tests/integration/cli`, `tests/unit/cli`.
"""


def reference() -> str:
    """The whole page."""
    parts = [_HEAD]
    for path, command in _commands(cli, ("natant",)):
        context = click.Context(command, info_name=" ".join(path), terminal_width=WIDTH, max_content_width=WIDTH)
        context.help_option_names = ["-h", "--help"]
        parts.append(f"{'#' * len(path)} {' '.join(path)}\n\n```text\n{command.get_help(context)}\n```\n")
    return "\n".join([*parts, _END])


def _commands(group: click.Group, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """All commands below a group, each with the words that call it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(reference(), "utf-8")
