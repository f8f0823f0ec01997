"""``natant new``: a new project from a template."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import click

from natant.cli import option
from natant.cli.show import put, put_json, talk
from natant.cli.template import TEMPLATES, about, render
from natant.errors import ClientError

__all__ = ["cli"]

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


@click.command("new", epilog=option.examples("natant new shop", "natant new fleet --template transit"))
@click.argument("name", required=False)
@click.option(
    "--template", type=click.Choice(TEMPLATES), default=TEMPLATES[0], show_default=True, help="What to begin with."
)
@click.option("--list", "is_list", is_flag=True, help="List the templates.")
@option.as_json
def cli(name: str | None, template: str, is_list: bool, is_json: bool) -> None:
    """Make a new project that runs at once.

    Writes a folder NAME with a plane, its test and a page. Never over files that are there.
    """
    if is_list:
        for known in TEMPLATES:
            if is_json:
                put_json({"template": known, "about": about(known)})
            else:
                put(f"{known:8}  {about(known)}")
        return
    if name is None:
        raise click.UsageError("which name has the new project? natant new NAME")
    folder = Path(name)
    if not _NAME.fullmatch(folder.name):
        raise click.UsageError(
            f"{folder.name!r} is no name for a project; take letters, digits, - and _, a letter first"
        )
    paths = _write(folder, render(template, folder.name))
    if is_json:
        put_json({"folder": str(folder), "template": template, "files": paths})
        return
    for path in paths:
        put(str(folder / path))
    talk(f"\nnow: cd {folder} && natant dev")


def _write(folder: Path, files: dict[str, str]) -> list[str]:
    """Write all files of the project, or none."""
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        if not folder.is_dir() or any(folder.iterdir()):
            raise ClientError("NT-CLI-009", f"{folder} is there already and not empty; nothing was written") from None
    except OSError as error:
        raise ClientError("NT-CLI-009", f"{folder} cannot be made: {error.strerror}; nothing was written") from None
    for path, text in files.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text, "utf-8")
    return list(files)
