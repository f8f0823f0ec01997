"""Finding the plane in an author's file, and saying what is wrong where there is none.

``FILE`` is imported as a module of its own; its folder is put first on ``sys.path``, so files beside it can be imported.  A file
inside a package is imported by its dotted name, with the folder above the package on the path.  The plane is what
``FILE:NAME`` names, else the module's ``plane``, else its only plane.
"""

from __future__ import annotations

import sys
import traceback
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Final, NamedTuple

import click

from natant.errors import ClientError, NatantError

if TYPE_CHECKING:
    from natant.plane import Plane

__all__ = ["GUESSES", "Found", "ImportFault", "find_file", "load_module", "load_plane"]

#: where a plane is looked for when no file is named
GUESSES: Final = ("plane.py", "app.py", "main.py")
#: names that are shown where there is no plane
SHOWN_NAMES: Final = 12


class Found(NamedTuple):
    """A plane and where it was found."""

    plane: Plane
    path: Path
    name: str


class ImportFault(ClientError):
    """A file that raised while it was imported (``NT-CLI-003``); :attr:`trace` shows the author's frames."""

    def __init__(self, message: str, trace: str) -> None:
        super().__init__("NT-CLI-003", message)
        self.trace = trace


def find_file(spec: str | None) -> tuple[Path, str]:
    """The file that ``FILE[:NAME]`` names, and the name ("" where none is given); ``package.module`` is taken for a file too.

    :raises click.UsageError: where there is no such file.
    """
    if spec is None:
        for guess in GUESSES:
            if Path(guess).is_file():
                return Path(guess).resolve(), ""
        raise click.UsageError(
            f"which file holds the plane? There is no {', '.join(GUESSES)} here; name it: natant run FILE"
        )
    name = ""
    path = Path(spec)
    if not path.exists():
        before, colon, after = spec.rpartition(":")
        if colon and after.isidentifier():
            path, name = Path(before), after
    if not path.exists() and (origin := _origin(str(path))) is not None:
        return origin, name
    if path.is_dir():
        for guess in GUESSES:
            if (path / guess).is_file():
                return (path / guess).resolve(), name
        raise click.UsageError(f"{path} is a folder without {', '.join(GUESSES)}; name the file that holds the plane")
    if not path.is_file():
        raise click.UsageError(f"there is no file {path}")
    return path.resolve(), name


def _origin(dotted: str) -> Path | None:
    """The file of a module that is named as in ``python -m``."""
    from importlib.util import find_spec

    if "." not in dotted or not all(part.isidentifier() for part in dotted.split(".")):
        return None
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        spec = find_spec(dotted)
    except ImportError:
        return None
    return Path(spec.origin).resolve() if spec is not None and spec.origin is not None else None


def load_plane(path: Path, name: str = "") -> Found:
    """Import ``path`` and find its plane.

    :raises ImportFault: ``NT-CLI-003`` where it raises.
    :raises ClientError: ``NT-CLI-002`` where it has no plane, or several and none of them is ``plane``.
    """
    module = load_module(path)
    from natant.plane import Plane

    planes = {key: thing for key, thing in vars(module).items() if isinstance(thing, Plane)}
    if name:
        if name in planes:
            return Found(planes[name], path, name)
        thing = vars(module).get(name)
        what = f"is {type(thing).__name__}, no Plane" if name in vars(module) else "is not there"
        raise ClientError("NT-CLI-002", f"{name!r} of {path} {what}; {_told(planes, module)}")
    if "plane" in planes:
        return Found(planes["plane"], path, "plane")
    different = {id(plane): key for key, plane in planes.items()}
    if len(different) == 1:
        key = next(iter(different.values()))
        return Found(planes[key], path, key)
    if planes:
        raise ClientError(
            "NT-CLI-002",
            f"{path} has several planes and none is called plane: {', '.join(planes)}. Name one: {path.name}:NAME",
        )
    raise ClientError(
        "NT-CLI-002", f'{path} has no plane; {_told(planes, module)}. Write: plane = Plane("name", [AgentClass])'
    )


def _told(planes: dict[str, Plane], module: ModuleType) -> str:
    if planes:
        return f"its planes are {', '.join(planes)}"
    from natant.agent import Agent

    agents = [
        key
        for key, thing in vars(module).items()
        if isinstance(thing, type) and issubclass(thing, Agent) and thing.__module__ == module.__name__
    ]
    if agents:
        return f"it has the agent {'class' if len(agents) == 1 else 'classes'} {', '.join(agents[:SHOWN_NAMES])}"
    names = [key for key in vars(module) if not key.startswith("_")]
    return f"it defines {', '.join(names[:SHOWN_NAMES])}" if names else "it defines nothing"


def load_module(path: Path) -> ModuleType:
    """Import a file.

    :raises ImportFault: ``NT-CLI-003`` where it raises.
    """
    package, folder = "", path.parent
    while (folder / "__init__.py").is_file():
        package = f"{folder.name}.{package}"
        folder = folder.parent
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    try:
        if package:
            return import_module(f"{package}{path.stem}")
        return _import_file(path)
    except NatantError as error:
        where = _last_frame(error)
        raise NatantError(error.code, f"{error.message} ({where})", **error.context) from None
    except (Exception, SystemExit) as error:
        frames = "".join(traceback.format_exception(type(error), error, _own_frames(error.__traceback__)))
        words = error.msg if isinstance(error, SyntaxError) else error
        text = f"{type(error).__name__}: {words}".rstrip(": ")
        raise ImportFault(f"{path} could not be imported: {text} ({_last_frame(error)})", frames) from None


def _import_file(path: Path) -> ModuleType:
    name = path.stem if path.stem not in sys.modules else f"natant_author_{path.stem}"
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None or path.suffix != ".py":
        raise ImportFault(f"{path} is no Python file: its name must end with .py", "")
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


def _own_frames(trace: TracebackType | None) -> TracebackType | None:
    """The traceback without our frames and those of the import system at its beginning."""
    while trace is not None and _is_ours(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    return trace


def _is_ours(name: str) -> bool:
    return name == __file__ or name.startswith("<frozen importlib")


def _last_frame(error: BaseException) -> str:
    """Where the author's code is that raised: the last frame outside of natant."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    ours = str(Path(__file__).resolve().parents[1])
    frames = [frame for frame in traceback.extract_tb(_own_frames(error.__traceback__)) if frame.filename[0] != "<"]
    authors = [frame for frame in frames if not frame.filename.startswith(ours)] or frames
    return f"{authors[-1].filename}:{authors[-1].lineno}" if authors else "before its first line"
