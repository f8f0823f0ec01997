"""How a command ends: exit codes, and the lines that tell of a failure.

A failure prints ``NT-...  message`` and ``more: natant errors NT-...`` on stderr.  Called by :mod:`natant.cli.main` and, for
failures that do not end the command, by the commands.
"""

from __future__ import annotations

from typing import Final

from natant.cli.show import paint, talk
from natant.errors import NatantError

__all__ = ["EXIT_FAILED", "EXIT_INTERRUPTED", "EXIT_OK", "EXIT_UNREACHABLE", "EXIT_USAGE", "exit_code", "tell"]

EXIT_OK: Final = 0
#: it was refused, or it failed
EXIT_FAILED: Final = 1
#: the command line is wrong
EXIT_USAGE: Final = 2
#: the server cannot be reached, or gave no answer
EXIT_UNREACHABLE: Final = 3
#: Ctrl-C
EXIT_INTERRUPTED: Final = 130

_EXITS: Final = {
    "NT-CLI-001": EXIT_USAGE,
    "NT-CLI-004": EXIT_UNREACHABLE,
    "NT-CLI-005": EXIT_UNREACHABLE,
    "NT-CLIENT-001": EXIT_UNREACHABLE,
    "NT-CLIENT-002": EXIT_USAGE,
    "NT-CLIENT-004": EXIT_UNREACHABLE,
    "NT-CLIENT-007": EXIT_UNREACHABLE,
}


def exit_code(error: NatantError) -> int:
    """The exit code of a command that ended with ``error``."""
    return _EXITS.get(error.code, EXIT_FAILED)


def tell(error: NatantError) -> None:
    """Print a failure on stderr."""
    talk(f"{paint(error.code, 'red', bold=True)}  {' '.join(error.message.split())}")
    hint = error.context.get("hint")
    if hint:
        talk(f"try: {hint}")
    talk(f"more: natant errors {error.code}")
