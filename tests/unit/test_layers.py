"""Imports point only inward: each file of natant is held to the layers of ARCHITECTURE.md.

Every import counts: at the top, inside a function, under ``TYPE_CHECKING``.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]

#: The layers from the inside out.  A module may import its own layer and those before it.  The longest name that fits counts.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("natant.errors", "natant.build", "natant.codec", "natant.store.contract"),
    ("natant.kernel",),
    ("natant.lane", "natant.queue.message"),
    ("natant.link",),
    ("natant.agent", "natant.lanes", "natant.plane", "natant.schedule", "natant.queue.policy"),
    ("natant.store", "natant.fabric"),
    # "natant" is its __init__ alone: it names the author's surface for those outside, nothing inside imports it.
    (
        "natant.host",
        "natant.loop",
        "natant.server",
        "natant.ingress",
        "natant.egress",
        "natant.edge",
        "natant.observe",
        "natant.cluster",
        "natant.tenant",
        "natant.client",
        "natant.queue",
        "natant",
    ),
    ("natant.portal", "natant.cli", "natant.demo", "natant.testing"),
)

#: Within and across layers: what the first may not import, and why.
STRANGERS: tuple[tuple[str, str, str], ...] = (
    ("natant.codec", "natant.store", "the codec knows only errors"),
    ("natant.codec", "natant.build", "the codec knows only errors"),
    ("natant.store", "natant.kernel.host", "a store knows bytes, not agents"),
    ("natant.store", "natant.agent", "a store knows bytes, not agents"),
    ("natant.store", "natant.plane", "a store knows bytes, not agents"),
    ("natant.fabric", "natant.lane", "a fabric knows where an agent lives, not what it holds"),
    ("natant.client", "natant.server", "a client needs no server"),
    ("natant.client", "natant.kernel", "a client needs no server"),
    *(
        ("natant.demo", f"natant.{inner}", "the demo is written as anybody's program is, with natant's public names")
        for inner in ("codec", "host", "kernel", "lane.base", "link", "server", "store")
    ),
    ("natant.ingress", "natant.egress", "connectors do not know each other"),
    ("natant.egress", "natant.ingress", "connectors do not know each other"),
)

IO = (
    "aiohttp",
    "http",
    "httptools",
    "httpx",
    "picows",
    "select",
    "socket",
    "ssl",
    "starlette",
    "uvicorn",
    "uvloop",
    "websockets",
)
CHANCE = ("random", "secrets", "time", "uuid")
FILES = ("io", "os", "pathlib", "shutil", "tempfile")
EXECUTION = ("asyncio", "concurrent", "multiprocessing", "threading")

#: What a package may not import from outside natant, and why; the exceptions are where those things come in.
OUTSIDE: tuple[tuple[str, tuple[str, ...], str], ...] = (
    (
        "natant.codec",
        (*IO, *FILES, *EXECUTION, "random", "time"),
        "the codec is sans-io: no sockets, no clock, no asyncio",
    ),
    ("natant.kernel", (*IO, *FILES, *CHANCE), "time, chance and execution come into the kernel through env.py"),
    ("natant.lane", (*IO, *FILES, *CHANCE, *EXECUTION), "a lane is data: it does no I/O and asks no clock"),
    ("natant.link", (*IO, *FILES), "links are sans-io: sockets belong to the server and the client"),
)
#: The exceptions: where time and chance come in, and a default that a test replaces (the token of a channel's ids).
EXEMPT = {("natant.link.channel", "os"), *(("natant.kernel.env", name) for name in (*CHANCE, *FILES))}


class Import(NamedTuple):
    """One import in the source."""

    module: str
    line: int
    target: str


def modules() -> dict[str, Path]:
    found = {}
    for path in sorted((ROOT / "natant").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imports_of(module: str, path: Path) -> Iterator[Import]:
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text("utf-8"), str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(module, node.lineno, alias.name)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parent = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parent, base] if base else parent)
            for alias in node.names:
                full = f"{base}.{alias.name}"
                yield Import(module, node.lineno, full if full in MODULES else base)


def is_within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def layer_of(module: str) -> int:
    fits = [(len(name), rank) for rank, layer in enumerate(LAYERS) for name in layer if is_within(module, name)]
    return max(fits)[1]


def complaint(found: Import) -> str | None:
    """What is wrong with an import, or None."""
    importer, line, target = found
    where = f"{MODULES[importer].relative_to(ROOT)}:{line}: {importer} imports {target}"
    if not is_within(target, "natant"):
        for package, banned, reason in OUTSIDE:
            root = target.partition(".")[0]
            if is_within(importer, package) and root in banned and (importer, root) not in EXEMPT:
                return f"{where}; {reason}"
        return None
    mine, its = layer_of(importer), layer_of(target)
    if its > mine:
        return (
            f"{where}, which lies further out ({' '.join(LAYERS[its])}) than its own layer ({' '.join(LAYERS[mine])}); "
            "imports point inward, see ARCHITECTURE.md"
        )
    for package, stranger, reason in STRANGERS:
        if is_within(importer, package) and is_within(target, stranger) and target != "natant.store.contract":
            return f"{where}; {reason}"
    return None


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_inward(module: str) -> None:
    complaints = [text for found in imports_of(module, MODULES[module]) if (text := complaint(found))]

    assert not complaints, "\n" + "\n".join(complaints)


def test_every_package_has_a_layer() -> None:
    outermost = {name for layer in LAYERS for name in layer}
    unplaced = {
        name
        for name in MODULES
        if name.count(".") == 1 and not any(is_within(name, known) for known in outermost - {"natant"})
    }

    assert not unplaced, f"these have no layer in LAYERS: {sorted(unplaced)}"


@pytest.mark.parametrize(
    ("importer", "target", "words"),
    [
        ("natant.codec.recon.value", "natant.kernel", "further out"),
        ("natant.codec.recon.value", "asyncio", "sans-io"),
        ("natant.codec.recon.value", "natant", "further out"),
        ("natant.kernel", "time", "env.py"),
    ],
)
def test_a_bad_import_is_named_with_its_rule(importer: str, target: str, words: str) -> None:
    text = complaint(Import(importer, 7, target))

    assert text is not None
    assert ":7: " in text
    assert target in text
    assert words in text


def test_all_that_natant_imports_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    lines = [*project["dependencies"], *extras["nats"], *extras["mount"]]
    declared = {re.split(r"[^\w-]", line)[0].lower().replace("-", "_") for line in lines} | {"nats"}  # of nats-py
    allowed = declared | set(sys.stdlib_module_names) | {"natant"}
    foreign = [
        f"{path.relative_to(ROOT)}:{found.line}: {found.target}"
        for module, path in MODULES.items()
        for found in imports_of(module, path)
        if found.target.partition(".")[0].lower() not in allowed
    ]

    assert not foreign, "imports that pyproject.toml does not declare:\n" + "\n".join(foreign)


def test_a_good_import_passes() -> None:
    assert complaint(Import("natant.kernel", 1, "natant.codec.recon.value")) is None
