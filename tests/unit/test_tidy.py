"""House rules that no linter knows: sizes, docstrings, the error catalogue, words that do not belong here.

Each complaint names the file, the line and the rule.  The rules' reasons are in CONTRIBUTING.md.
"""

from __future__ import annotations

import ast
import os
import re
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

import natant

ROOT = Path(__file__).resolve().parents[2]

FILE_LINES = 500
FUNCTION_LINES = 70
PARAMETERS = 6
PAGE_LINES = range(6, 31)

#: Folders that are made, not written.
MADE = {".coverage", ".git", ".hypothesis", ".mypy_cache", ".natant", ".pytest_cache", ".ruff_cache", ".venv"}
MADE |= {"__pycache__", "build", "dist", "keepsake.egg-info", "natant.egg-info", "node_modules"}

MADE_FILE = re.compile(r"\.pyc$|\.so$|^\.coverage")

CODE = re.compile(r"NT-[A-Z]+-\d{3}")

#: Put together here, so that this file does not hold them itself.
FORBIDDEN = {
    "a path of somebody's machine": ["/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/"],
    "a registry's host": ["pypi" + ".org", "python" + "hosted", "npm" + "js.", "crates" + ".io", "deb." + "debian"],
    "a tool that wrote it": ["cla" + "ude", "anth" + "ropic", "open" + "ai", "cop" + "ilot", "chat" + "gpt"],
    "work left over": ["TO" + "DO", "FIX" + "ME", "XX" + "X", "raise NotImplemented" + "Error"],
}
FORBIDDEN_PATTERN = {
    rule: re.compile(
        "|".join(rf"(?<![\w.]){re.escape(word)}" for word in words), re.IGNORECASE if "tool" in rule else 0
    )
    for rule, words in FORBIDDEN.items()
}

#: Programs whose files and protocols an application reads and speaks.
SPOKEN_OF = re.compile("chat" + "gpt|open" + "ai", re.IGNORECASE)

Function = ast.FunctionDef | ast.AsyncFunctionDef
Documented = Function | ast.ClassDef


@cache
def written() -> tuple[Path, ...]:
    """All files that people write, relative to the root."""
    found = []
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [
            name for name in folders if name not in MADE
        ]  # what is made is large, and is not even looked into
        found += [Path(folder, name).relative_to(ROOT) for name in files if not MADE_FILE.search(name)]
    return tuple(sorted(path for path in found if MADE.isdisjoint(path.parts)))


@cache
def text(path: Path) -> str:
    return (ROOT / path).read_text("utf-8", errors="replace")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(text(path), str(path))


def python(*folders: str) -> list[Path]:
    return [path for path in written() if path.suffix == ".py" and (not folders or path.parts[0] in folders)]


def functions(path: Path) -> Iterator[Function]:
    yield from (node for node in ast.walk(tree(path)) if isinstance(node, Function))


def length(function: Function) -> int:
    """Lines of a function without its docstring."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function, clean=False) is not None:
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def positional(function: Function) -> int:
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    return len(names) - (names[:1] in (["self"], ["cls"], ["mcs"]))


def report(complaints: list[str]) -> None:
    assert not complaints, "\n" + "\n".join(complaints)


def test_files_are_short() -> None:
    report(
        [
            f"{path}: {lines} lines; at most {FILE_LINES}: split it by ideas"
            for path in python()
            if (lines := text(path).count("\n")) > FILE_LINES
        ]
    )


def test_functions_fit_a_screen() -> None:
    report(
        [
            f"{path}:{function.lineno}: {function.name} has {lines} lines without its docstring; at most {FUNCTION_LINES}"
            for path in python()
            for function in functions(path)
            if (lines := length(function)) > FUNCTION_LINES
        ]
    )


def test_parameters_are_few() -> None:
    report(
        [
            f"{path}:{function.lineno}: {function.name} takes {count} by position; at most {PARAMETERS}, then keyword-only"
            for path in python()
            for function in functions(path)
            if (count := positional(function)) > PARAMETERS
        ]
    )


def test_every_module_says_what_it_is() -> None:
    report([f"{path}:1: no docstring" for path in python() if text(path).strip() and not ast.get_docstring(tree(path))])


def is_inherited(owner: ast.ClassDef | None, name: str, contracts: dict[str, set[str]]) -> bool:
    """True for a method that a contract or base class documents: one of natant's, or of a library."""
    if owner is None:
        return False
    bases = {ast.unparse(base).partition("[")[0].rpartition(".")[2] for base in owner.bases}
    return bool(bases - set(contracts)) or any(name in methods for methods in contracts.values())


def undocumented(path: Path, contracts: dict[str, set[str]]) -> Iterator[str]:
    """Public classes, functions and methods without a docstring."""
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
            if not is_told and not is_inherited(owner, node.name, contracts):
                yield f"{path}:{node.lineno}: {owner.name + '.' if owner else ''}{node.name} is public and has no docstring"
            if isinstance(node, ast.ClassDef):
                scopes.append((node, node))


def test_public_things_are_documented() -> None:
    classes = [node for path in python("natant") for node in ast.walk(tree(path)) if isinstance(node, ast.ClassDef)]
    contracts = {
        found.name: {node.name for node in found.body if isinstance(node, Function) and ast.get_docstring(node)}
        for found in classes
    }

    report([line for path in python("natant") for line in undocumented(path, contracts)])


@pytest.mark.parametrize("rule", FORBIDDEN)
def test_nothing_is_left_that_does_not_belong_here(rule: str) -> None:
    found = []
    for path in written():
        if path.name in {"LICENSE"} or "data" in path.parts:
            continue
        for number, line in enumerate(text(path).splitlines(), 1):
            if path.parts[0] == "apps" and "tool" in rule:
                line = SPOKEN_OF.sub("", line)
            if match := FORBIDDEN_PATTERN[rule].search(line):
                found.append(f"{path}:{number}: {match.group()!r} is {rule}")

    report(found)


def constants(path: Path) -> Iterator[tuple[str, int]]:
    """Error codes in strings that are no docstrings: what is raised, logged or told to a peer."""
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
    return {path.stem: path for path in written() if path.parts[:2] == ("natant", "catalogue") and path.suffix == ".md"}


def test_every_error_code_has_a_page_and_every_page_a_code() -> None:
    raised = {code: f"{path}:{line}" for path in python("natant") for code, line in constants(path)}
    known = set(pages())

    report(
        [f"{raised[code]}: {code} has no page natant/catalogue/{code}.md" for code in sorted(set(raised) - known)]
        + [f"{pages()[code]}: no code in natant/ raises {code}" for code in sorted(known - set(raised))]
    )


def test_every_code_spoken_of_exists() -> None:
    spoken = {
        (code, f"{path}:{number}")
        for path in written()
        if path.suffix in {".py", ".md"}
        and path.parts[0] in {"natant", "docs", "examples", "README.md", "ARCHITECTURE.md"}
        for number, line in enumerate(text(path).splitlines(), 1)
        for code in CODE.findall(line)
    }
    known = set(pages()) | {code for path in python("natant") for code, _ in constants(path)}

    report([f"{where}: there is no {code}" for code, where in sorted(spoken) if code not in known])


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

    report([f"{pages()[code]}: no test raises {code}" for code in sorted(set(pages()) - tested)])


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
    still = [path for path in python("tests") if path.parts[1] in {"unit", "contract", "simulation"}]

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


def test_lock_files_hold_hashes_and_no_hosts() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        content = path.read_text("utf-8")
        packages = re.findall(r"^[\w.-]+(?:\[[\w,]+\])?==.*\\$", content, re.MULTILINE)

        assert packages, path
        assert len(packages) == len(re.findall(r"^[\w.-]+(?:\[[\w,]+\])?==", content, re.MULTILINE)), path
        assert "://" not in content, path
        assert "--index-url" not in content, path


def test_both_places_tell_the_same_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

    assert natant.__version__ == project["version"]
