"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from natant.cli.target import DEFAULT_URL, VARIABLE

__all__ = ["TAKES_VALUE", "as_json", "at", "examples", "notation", "yes"]

F = TypeVar("F", bound=Callable[..., Any])

#: settings of a command whose words may be negative numbers
TAKES_VALUE: Final[dict[str, Any]] = {"ignore_unknown_options": True}

#: where the host is
at = click.option("--at", metavar="URL", help=f"The host; ${VARIABLE} or {DEFAULT_URL} where it is not given.")
#: output for programs
as_json = click.option("--json", "is_json", is_flag=True, help="Print JSON, one value a line.")
#: a destructive command does not ask
yes = click.option("--yes", "-y", is_flag=True, help="Do not ask.")


def notation(function: F) -> F:
    """How a VALUE is written, where one cannot tell."""
    function = click.option(
        "--recon", "value_notation", flag_value="recon", help="The value is Recon, whatever it looks like."
    )(function)
    return click.option(
        "--json-in", "value_notation", flag_value="json", help="The value is JSON, whatever it looks like."
    )(function)


def examples(*lines: str) -> str:
    """The end of a command's help: lines to copy."""
    return "\b\nExamples:\n" + "\n".join(
        f"  {line}" for line in lines
    )  # click leaves a paragraph that begins so as it is
