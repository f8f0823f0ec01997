"""Compiles natant's hot modules where that is possible; everything else about the package is in pyproject.toml.

``NATANT_COMPILE`` in the environment decides:

* unset: compile where Cython and a C compiler are found; else install the same files uncompiled and say so.
* ``0``: never compile.
* ``1``: compile, and fail where that fails.

All hot modules are compiled or none: compiled ones use each other's C types, so a mixture would not run.
"""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path
from typing import Any

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent
CHOICE = os.environ.get("NATANT_COMPILE", "")
DIRECTIVES = {
    "language_level": 3,
    "binding": True,  # functions keep their signature, so documentation and type look-ups work
    "embedsignature": False,
    "annotation_typing": False,  # only cython.* types are C types: `x: int` stays any Python int
}
#: No symbols for a debugger: half of the compiler's time.
ARGUMENTS = [] if sys.platform == "win32" else ["-g0"]


def stay_interpreted(error: Exception) -> None:
    """Tell why nothing is compiled, and go on.

    :raises Exception: ``error`` itself, where compiling was demanded.
    """
    if CHOICE == "1":
        raise error
    print(f"natant: hot modules stay interpreted: {type(error).__name__}: {error}", file=sys.stderr)


def extensions() -> list[Any]:
    """The extension modules to build; an empty list where nothing is to be or can be compiled."""
    if CHOICE == "0":
        return []
    if CHOICE not in ("", "1"):
        sys.exit(f'NATANT_COMPILE is "{CHOICE}"; it takes 0 (never compile), 1 (compile or fail) or nothing')
    build = runpy.run_path(str(ROOT / "natant" / "build.py"))
    modules = [
        Extension(name, [path], extra_compile_args=ARGUMENTS)
        for name, path in zip(build["HOT_MODULES"], build["sources"](), strict=True)
        if (ROOT / path).exists()
    ]
    try:
        import Cython.Build
        import Cython.Compiler.Options

        # Objects of each class that wait to be used again, as most live no longer than one message.  A directive for classes
        # that only a decorator could give otherwise, and natant does not import cython where it runs.
        options: Any = Cython.Compiler.Options
        options.get_directive_defaults()["freelist"] = 64
        cythonize: Any = Cython.Build.cythonize
        built: list[Any] = cythonize(modules, build_dir="build/cython", compiler_directives=DIRECTIVES, quiet=True)
    except Exception as error:  # whatever stops Cython, the plain files still work
        stay_interpreted(error)
        return []
    return built


class BuildAllOrNone(build_ext):  # type: ignore[misc]  # distutils has no types
    """Builds every extension, or takes away those that were built where one fails."""

    extensions: list[Extension]
    inplace: bool
    parallel: int | None

    def run(self) -> None:
        """Build; called by setuptools."""
        self.parallel = self.parallel or os.cpu_count()
        try:
            super().run()
        except Exception as error:  # no compiler, no headers, a full disk: the plain files still work
            stay_interpreted(error)
            inplace, self.inplace = self.inplace, False
            for extension in self.extensions:
                for path in (Path(self.get_ext_fullpath(extension.name)), ROOT / self.get_ext_filename(extension.name)):
                    path.unlink(missing_ok=True)
            self.inplace = inplace
            self.extensions = []


setup(ext_modules=extensions(), cmdclass={"build_ext": BuildAllOrNone})
