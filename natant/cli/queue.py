"""How commands reach the work queues of a plane: which plane, which NATS server."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

import click

from natant.cli.finding import NATS_FOLDER
from natant.cli.load import find_file, load_plane
from natant.errors import ClientError

if TYPE_CHECKING:
    from natant.fabric.nats.config import EngineSpec
    from natant.fabric.nats.engine import Engine

__all__ = ["Reach", "opened", "reach_options", "run"]

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What the options said.

    :ivar url: NATS servers; None: the embedded one of the data folder.
    :ivar data: the data folder; None: where ``natant run`` puts it.
    """

    url: str | None = None
    credentials: Path | None = None
    plane: str | None = None
    data: Path | None = None

    def spec(self, plane: str | None = None, beside: Path | None = None) -> EngineSpec:
        """What to connect with.

        :param plane: the plane's name as the caller knows it, and ``beside``: the file that declares it.
        :raises ClientError: ``NT-CLI-014`` where no server can be found.
        """
        from natant.fabric.nats.config import EngineSpec

        name = self.plane or plane
        if self.url is not None:
            if name is None:
                name = _of_file().name
            return EngineSpec(plane=name, url=self.url, credentials=self.credentials)
        if self.data is not None:
            folder = self.data
        elif name is not None and beside is not None:
            folder = _default_folder(name, beside)
        else:
            found = _of_file()
            name, folder = name or found.name, _default_folder(found.name, found.path)
        return _embedded(folder if (folder / "natant.json").exists() else folder / NATS_FOLDER, name)


@dataclass(frozen=True, slots=True)
class _Found:
    name: str
    path: Path


def _of_file() -> _Found:
    """The plane of the file that is here."""
    path, name = find_file(None)
    return _Found(load_plane(path, name).plane.name, path)


def _default_folder(plane: str, beside: Path) -> Path:
    from natant.cli.serving import folder_of

    return folder_of(plane, beside)


def _embedded(folder: Path, plane: str | None) -> EngineSpec:
    from natant.fabric.nats.config import EngineSpec
    from natant.fabric.nats.folder import read

    mark, ports, secrets = (read(folder / name) for name in ("natant.json", "ports.json", "secrets.json"))
    if mark is None or ports is None or secrets is None:
        raise ClientError(
            "NT-CLI-014",
            f"no NATS server was started in {folder} yet; start the plane (natant run), or name its server: --nats URL, or its "
            "data folder: --data DIR",
        )
    url = f"nats://engine:{quote(str(secrets['engine']), safe='')}@127.0.0.1:{ports['nats']}"
    return EngineSpec(plane=plane or str(mark["plane"]), url=url, partitions=int(mark["partitions"]))


def reach_options(command: F) -> F:
    """Decorator: the options; the function gets ``reach``, a :class:`Reach`."""

    @functools.wraps(command)
    def call(
        *arguments: Any, nats: str | None, creds: Path | None, plane: str | None, data: Path | None, **rest: Any
    ) -> Any:
        if nats is not None and data is not None:
            raise click.UsageError("--data names a plane with the embedded server; leave it out with --nats")
        return command(*arguments, reach=Reach(url=nats, credentials=creds, plane=plane, data=data), **rest)

    found: Any = call
    for option in (
        click.option(
            "--data",
            metavar="DIR",
            type=click.Path(path_type=Path, file_okay=False),
            help="The data folder of a plane with the embedded server. [default: .natant/PLANE beside its file]",
        ),
        click.option("--plane", metavar="NAME", help="The plane's name. [default: that of the file]"),
        click.option(
            "--creds",
            metavar="FILE",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="Credentials for --nats, a .creds file.",
        ),
        click.option(
            "--nats",
            metavar="URL",
            envvar="NATANT_NATS",
            help="The NATS servers of the plane, comma-separated; or $NATANT_NATS, which keeps passwords out of sight.",
        ),
    ):
        found = option(found)
    return found  # type: ignore[no-any-return]


@asynccontextmanager
async def opened(spec: EngineSpec) -> AsyncIterator[Engine]:
    """A connection.

    :raises FabricError: where it cannot be had.
    """
    from natant.fabric.nats.engine import Engine

    engine = await Engine.start(spec)
    try:
        yield engine
    finally:
        await engine.close()


def run(spec: EngineSpec, ask: Callable[[Engine], Coroutine[Any, Any, T]]) -> T:
    """The answer of ``ask(engine)``."""

    async def answer() -> T:
        async with opened(spec) as engine:
            return await ask(engine)

    return asyncio.run(answer())
