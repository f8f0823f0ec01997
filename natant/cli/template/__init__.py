"""What ``natant new`` starts a project with: one template a folder, and how its files are written.

A template is a package whose docstring says in one line what it is, with files that end with ``.tmpl``: ``$name`` in them becomes the
name of the project, ``__`` in a file's name a folder.  A test makes each of them, runs its test and serves it.
"""

from __future__ import annotations

from importlib import import_module
from importlib.resources import files
from string import Template
from typing import Final

__all__ = ["TEMPLATES", "about", "render"]

TEMPLATES: Final = ("counter", "chat", "transit")
_ENDING: Final = ".tmpl"


def about(template: str) -> str:
    """What a template is, in one line."""
    return (import_module(f"{__name__}.{template}").__doc__ or "").partition("\n")[0].strip()


def render(template: str, name: str) -> dict[str, str]:
    """The files of a new project: their paths and texts."""
    folder = files(__name__) / template
    return {
        entry.name.removesuffix(_ENDING).replace("__", "/"): Template(entry.read_text("utf-8")).substitute(name=name)
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(_ENDING)
    }
