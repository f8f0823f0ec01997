"""Compiles natant's hot modules where that is possible; everything else about the package is in pyproject.toml.

``NATANT_COMPILE`` in the environment decides:

* unset: compile where Cython and a C compiler are found; else install the same files uncompiled and say so.
* ``0``: never compile.
* ``1``: compile, and fail where that fails.
"""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path
from typing import Any

from setuptools import setup

ROOT = Path(__file__).resolve().parent
CHOICE = os.environ.get("NATANT_COMPILE", "")
DIRECTIVES = {
    "language_level": 3,
    "binding": True,  # functions keep their signature, so documentation and type look-ups work
    "embedsignature": False,
    "annotation_typing": False,  # only cython.* types are C types: `x: int` stays any Python int
}


def extensions() -> list[Any]:
    """The extension modules to build; an empty list where nothing is to be or can be compiled."""
    if CHOICE == "0":
        return []
    if CHOICE not in ("", "1"):
        sys.exit(f'NATANT_COMPILE is "{CHOICE}"; it takes 0 (never compile), 1 (compile or fail) or nothing')
    build = runpy.run_path(str(ROOT / "natant" / "build.py"))
    sources = dict(zip(build["HOT_MODULES"], build["sources"](), strict=True))
    try:
        import Cython.Build
        from setuptools import Extension

        cythonize: Any = Cython.Build.cythonize
        built: list[Any] = cythonize(
            [
                Extension(name, [path], optional=CHOICE != "1")
                for name, path in sources.items()
                if (ROOT / path).exists()
            ],
            build_dir="build/cython",
            compiler_directives=DIRECTIVES,
            quiet=True,
        )
    except Exception as error:  # whatever stops Cython, the plain files still work
        if CHOICE == "1":
            raise
        print(f"natant: hot modules stay interpreted: {type(error).__name__}: {error}", file=sys.stderr)
        return []
    return built


setup(ext_modules=extensions())
