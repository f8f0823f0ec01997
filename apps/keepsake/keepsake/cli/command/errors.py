"""``keepsake errors``: the catalogue of errors."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

import click

from keepsake.cli import option
from keepsake.cli.show import put, put_json, put_table
from keepsake.errors import KeepsakeError

__all__ = ["cli"]

_CATALOGUE: Final = files("keepsake") / "catalogue"


@click.command("errors", epilog=option.examples("keepsake errors KS-SOURCE-001", "keepsake errors key"))
@click.argument("code", required=False)
@option.as_json
def cli(code: str | None, is_json: bool) -> None:
    """Explain an error by its code.

    Prints what it means, the likely cause and the cure. Without CODE all errors are listed, with a word those that hold it.
    """
    titles = _titles()
    if code is not None and code.upper() in titles:
        name = code.upper()
        text = (_CATALOGUE / f"{name}.md").read_text("utf-8")
        if is_json:
            put_json({"code": name, "title": titles[name], "text": text})
        else:
            put(text.rstrip())
        return
    found = {name: title for name, title in titles.items() if code is None or code.lower() in f"{name} {title}".lower()}
    if not found:
        raise KeepsakeError(
            "KS-CLI-005", f"there is no error {code!r}, and no title holds that word; keepsake errors lists all"
        )
    if is_json:
        for name, title in found.items():
            put_json({"code": name, "title": title})
    else:
        put_table(["code", "what"], found.items())


def _titles() -> dict[str, str]:
    """The first lines of all pages, by code."""
    pages = sorted(page.name for page in _CATALOGUE.iterdir() if page.name.endswith(".md"))
    return {
        name.removesuffix(".md"): (_CATALOGUE / name).read_text("utf-8").partition("\n")[0].partition(": ")[2]
        for name in pages
    }
