"""Which modules are hot, and whether this installation runs them compiled.

The hot modules are ordinary Python files with Cython's types in them.  ``setup.py`` reads :data:`HOT_MODULES` and
compiles them where a C compiler is found; where none is, the very same files run interpreted.  Behaviour is the same
both ways, so nothing in natant asks this module how to act: ``natant --version`` and the tests' header show what it says.

Invariant: this file imports the standard library only, so that ``setup.py`` can run it before natant is installed.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec
from pathlib import Path
from typing import Final

__all__ = ["HOT_MODULES", "INLINED_MODULES", "compiled", "sources", "stale", "summary"]

#: The modules that are compiled at install, by their dotted names.
HOT_MODULES: Final = (
    "natant.codec.recon.value",
    "natant.codec.recon.string",
    "natant.codec.recon.number",
    "natant.codec.recon.reader",
    "natant.codec.recon.parse",
    "natant.codec.recon.writer",
    "natant.codec.recon.check",
    "natant.codec.warp.envelope",
    "natant.codec.form.layout",
    "natant.codec.warp.frame",
    "natant.kernel.counter",
    "natant.kernel.change",
    "natant.kernel.lanekind",
    "natant.kernel.cell",
    "natant.kernel.turn",
    "natant.kernel.route",
    "natant.kernel.run",
    "natant.kernel.batch",
    "natant.kernel.journal",
    "natant.lane.base",
    "natant.lane.exact_dict",
    "natant.lane.value_base",
    "natant.lane.map_base",
    "natant.lane.reader",
    "natant.lane.command_lane",
    "natant.store.entry",
    "natant.store.window",
    "natant.link.hub",
    "natant.link.uplink",
    "natant.link.session",
    "natant.server.inlet",
    "natant.server.outflow",
)

#: Modules whose ``.pxd`` is nothing but C functions, which are put into the hot modules that call them; the Python file is
#: what those call where they are not compiled.
INLINED_MODULES: Final = (
    "natant.codec.recon.raw",
    "natant.codec.recon.sheet",
    "natant.server.mask",
    "natant.server.send",
)


def compiled() -> Mapping[str, bool]:
    """For each hot module that exists: does it run compiled?"""
    return {name: is_extension(origin) for name in HOT_MODULES if (origin := _origin(name)) is not None}


def stale() -> list[str]:
    """The compiled hot modules of a checkout whose source was changed since; ``scripts/compile`` renews them."""
    older = []
    for name in HOT_MODULES:
        origin = _origin(name)
        if origin is None or not is_extension(origin):
            continue
        stem = origin.parent / name.rpartition(".")[2]
        texts = [path for suffix in (".py", ".pxd") if (path := stem.with_suffix(suffix)).exists()]
        if any(path.stat().st_mtime > origin.stat().st_mtime for path in texts):
            older.append(name)
    return older


def summary() -> str:
    """One line for people: ``compiled``, ``interpreted`` or how many of the hot modules are compiled."""
    state = compiled()
    done = sum(state.values())
    if done == len(state):
        return "compiled" if done else "interpreted"
    return f"{done} of {len(state)} hot modules compiled" if done else "interpreted"


def sources() -> list[str]:
    """The files of the hot modules, relative to the checkout, in the order of :data:`HOT_MODULES`."""
    return [f"{name.replace('.', '/')}.py" for name in HOT_MODULES]


def is_extension(path: Path) -> bool:
    """True where ``path`` is a compiled module and no Python file."""
    return path.name.endswith(tuple(EXTENSION_SUFFIXES))


def _origin(name: str) -> Path | None:
    try:
        spec = find_spec(name)
    except ModuleNotFoundError:
        return None
    return None if spec is None or spec.origin is None else Path(spec.origin)


if __name__ == "__main__":  # scripts/compile asks so, from the checkout
    print("\n".join(path for path in sources() if Path(path).exists()))
