"""Asking before something is destroyed."""

from __future__ import annotations

import sys

import click

from natant.errors import ClientError

__all__ = ["confirm"]


def confirm(question: str, *, is_yes: bool) -> None:
    """Go on only where the person says so.

    :param is_yes: they have said so already.
    :raises ClientError: ``NT-CLI-008`` where they do not, or nobody can be asked.
    """
    if is_yes:
        return
    if not sys.stdin.isatty():
        raise ClientError("NT-CLI-008", f"nothing was done: {question} Nobody can be asked here; say yes with --yes")
    if not click.confirm(question, err=True):
        raise ClientError("NT-CLI-008", f"nothing was done: {question} The answer was no")
