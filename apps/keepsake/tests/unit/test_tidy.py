"""House rules of Keepsake that natant's own tidy test does not look at: docstrings, the catalogue of errors, clocks in tests.

Sizes and words that do not belong here are looked at by natant's test for the whole repository.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

PAGE_LINES = range(6, 31)

CODE = re.compile(r"KS-[A-Z]+-\d{3}")

#: what an error may be about
AREAS = {
    *("KEY", "STORE", "WORDS", "ASSET", "SOUND", "RECALL", "MODEL", "ANSWER", "CUSTODY", "GRANT"),
    *("AGENT", "DOOR", "SOURCE", "CLI", "VECTOR", "BENCH"),
}

MADE = {"__pycache__", ".venv", "build", "node_modules", "keepsake.egg-info"}

Function = ast.FunctionDef | ast.AsyncFunctionDef
Documented = Function | ast.ClassDef


@cache
def written() -> tuple[Path, ...]:
    found = [
        path.relative_to(ROOT)
        for folder in ("keepsake", "tests", "docs", "bench")
        for path in (ROOT / folder).rglob("*")
    ]
    return tuple(sorted(path for path in found if MADE.isdisjoint(path.parts) and (ROOT / path).is_file()))


@cache
def text(path: Path) -> str:
    return (ROOT / path).read_text("utf-8", errors="replace")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(text(path), str(path))


def python(folder: str) -> list[Path]:
    return [path for path in written() if path.suffix == ".py" and path.parts[0] == folder]


def report(complaints: list[str]) -> None:
    assert not complaints, "\n" + "\n".join(complaints)


def undocumented(path: Path, contracts: set[str]) -> Iterator[str]:
    """Public classes, functions and methods without a docstring; a method that a contract documents needs none."""
    scopes: list[tuple[ast.ClassDef | None, ast.AST]] = [(None, tree(path))]
    while scopes:
        owner, scope = scopes.pop()
        for node in ast.iter_child_nodes(scope):
            if isinstance(node, ast.If | ast.Try):
                scopes.append((owner, node))
            if not isinstance(node, Documented) or node.name.startswith("_"):
                continue
            decorators = {ast.unparse(decorator).rpartition(".")[2] for decorator in node.decorator_list}
            is_told = ast.get_docstring(node) or decorators & {"overload", "override", "setter", "deleter"}
            is_inherited = owner is not None and (bool(owner.bases) or node.name in contracts)
            if not is_told and not is_inherited:
                yield f"{path}:{node.lineno}: {owner.name + '.' if owner else ''}{node.name} is public and has no docstring"
            if isinstance(node, ast.ClassDef):
                scopes.append((node, node))


def test_public_things_are_documented() -> None:
    contracts = {
        method.name
        for path in python("keepsake")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef) and any("Protocol" in ast.unparse(base) for base in node.bases)
        for method in node.body
        if isinstance(method, Function) and ast.get_docstring(method)
    }

    report([line for path in python("keepsake") for line in undocumented(path, contracts)])


def codes_of(path: Path) -> Iterator[tuple[str, int]]:
    """Error codes in strings that are no docstrings: what is raised, logged or told."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree(path))
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            for code in CODE.findall(node.value):
                yield code, node.lineno


def pages() -> dict[str, Path]:
    return {
        path.stem: path for path in written() if path.parts[:2] == ("keepsake", "catalogue") and path.suffix == ".md"
    }


def raised() -> dict[str, str]:
    return {code: f"{path}:{line}" for path in python("keepsake") for code, line in codes_of(path)}


def test_every_error_code_has_a_page_and_every_page_a_code() -> None:
    codes, known = raised(), pages()

    report(
        [f"{codes[code]}: {code} has no page keepsake/catalogue/{code}.md" for code in sorted(set(codes) - set(known))]
        + [f"{known[code]}: no code in keepsake/ raises {code}" for code in sorted(set(known) - set(codes))]
    )


def test_every_code_is_of_a_known_area() -> None:
    report([f"{where}: {code}" for code, where in sorted(raised().items()) if code.split("-")[1] not in AREAS])


def test_every_code_spoken_of_exists() -> None:
    known = set(pages()) | set(raised())

    report(
        [
            f"{path}:{number}: there is no {code}"
            for path in written()
            if path.suffix in {".py", ".md"} and path.parts[0] in {"keepsake", "docs"}
            for number, line in enumerate(text(path).splitlines(), 1)
            for code in CODE.findall(line)
            if code not in known and code not in {"KS-AREA-123", "KS-AREA-nnn"}
        ]
    )


def test_every_page_of_the_catalogue_has_a_title_and_a_size() -> None:
    found = []
    for code, path in pages().items():
        lines = text(path).splitlines()
        if not lines or not re.fullmatch(rf"# {code}: \S.*", lines[0]):
            found.append(f'{path}:1: begins with "# {code}: " and a short title')
        if len(lines) not in PAGE_LINES:
            found.append(f"{path}: {len(lines)} lines; a page has {PAGE_LINES.start} to {PAGE_LINES.stop - 1}")

    report(found)


def test_every_error_is_raised_by_a_test() -> None:
    me = Path(__file__).relative_to(ROOT)
    tested = {code for path in python("tests") if path != me for code in CODE.findall(text(path))}

    report([f"{path}: no test raises {code}" for code, path in sorted(pages().items()) if code not in tested])


def test_arrays_are_loaded_without_pickles() -> None:
    report(
        [
            f"{path}:{node.lineno}: np.load without allow_pickle=False"
            for path in python("keepsake")
            for node in ast.walk(tree(path))
            if isinstance(node, ast.Call)
            and ast.unparse(node.func) in {"np.load", "numpy.load"}
            and "allow_pickle=False" not in ast.unparse(node)
        ]
    )


def waits(node: ast.AST) -> bool:
    """True for ``sleep(x)`` where x is not 0: giving way to other tasks is no waiting."""
    if not isinstance(node, ast.Call) or not ast.unparse(node.func).endswith("sleep"):
        return False
    return not (node.args and isinstance(node.args[0], ast.Constant) and node.args[0].value == 0)


def asks_the_clock(node: ast.AST) -> bool:
    clocks = {"time.time", "time.monotonic", "time.perf_counter", "datetime.now", "datetime.utcnow"}
    return isinstance(node, ast.Call) and ast.unparse(node.func).removeprefix("datetime.datetime") in clocks


@pytest.mark.parametrize(
    ("is_bad", "rule"),
    [(waits, "sleeps; wait for an event or move a virtual clock"), (asks_the_clock, "asks the wall clock")],
)
def test_unit_tests_neither_sleep_nor_measure_time(is_bad: Callable[[ast.AST], bool], rule: str) -> None:
    # a conftest of contracts starts real servers, and waits for them
    still = [path for path in python("tests") if path.parts[1] == "unit" or path.match("contract/test_*.py")]

    report([f"{path}:{node.lineno}: {rule}" for path in still for node in ast.walk(tree(path)) if is_bad(node)])  # type: ignore[attr-defined]


def test_tests_are_not_skipped_by_hand() -> None:
    pattern = re.compile(r"pytest\.mark\.(skip|xfail)\b|@unittest\.skip")
    me = Path(__file__).relative_to(ROOT)

    report(
        [
            f"{path}:{number}: a test that cannot run here says so by pytest.skip(reason) or skipif, none is put aside"
            for path in python("tests")
            if path != me
            for number, line in enumerate(text(path).splitlines(), 1)
            if pattern.search(line)
        ]
    )
