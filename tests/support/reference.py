"""Pages of the reference that are made from the source: ``scripts/docs`` writes them, ``tests/unit/test_reference.py`` compares.

``errors.md`` comes from the catalogue; ``limits.md`` from the fields of the classes that hold settings and from all public numbers
that the modules name, with what their comments and docstrings say.
"""

from __future__ import annotations

import ast
import dataclasses
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.support.document import ROOT

__all__ = ["PAGES", "errors", "limits"]

_AREAS: Final = {
    "TURN": "Turns",
    "LANE": "Lanes",
    "PLANE": "Planes, routes and timers",
    "FORM": "Forms: values and types",
    "LINK": "Links and downlinks",
    "STORE": "Stores",
    "SOURCE": "Sources",
    "FABRIC": "The fabric: cluster, journals, NATS",
    "TENANT": "Tenants and users",
    "QUEUE": "Work queues",
    "EDGE": "Edges",
    "SERVER": "The server",
    "CLIENT": "The client",
    "CLI": "The command line",
    "WARP": "WARP envelopes",
    "RECON": "Recon",
    "DEMO": "The demonstration",
}

#: classes of settings, each with what a reader wants to know first
_SETTINGS: Final = (
    (
        "natant.kernel.config",
        "Config",
        "A plane",
        "Fields of `natant.Config`: `Plane(..., config=Config(idle_timeout_s=60))`.",
    ),
    (
        "natant.server.limit",
        "Limit",
        "The server",
        "Fields of `natant.server.Limit`, for `Server(host, limit=Limit(...))`.",
    ),
    (
        "natant.server.nats.limit",
        "NatsLimit",
        "The NATS door",
        "Fields of `natant.server.nats.NatsLimit`, for `NatsDoor(..., limit=NatsLimit(...))`.",
    ),
    (
        "natant.codec.recon.limit",
        "Limits",
        "Reading Recon",
        "Fields of `natant.codec.recon.Limits`, for `decode(text, limits=Limits(...))`.",
    ),
)
#: packages whose public numbers are bounds, with the heading they stand under
_FIXED: Final = {
    "host.py": "The host",
    "kernel": "Turns, timers, commits",
    "link": "Links",
    "ingress": "Sources",
    "egress": "Lanes shown in buckets, large values",
    "server": "The server, further",
    "store": "The store",
    "client": "The client",
    "observe": "Watching",
    "tenant": "Tenants",
    "fabric": "The fabric",
    "codec/recon/limit.py": "Recon, further",
    "loop.py": "Threads",
}
#: numbers that bound nothing
_OTHERS: Final = frozenset(
    {
        "SET", "UPDATE", "REMOVE", "CLEAR", "TAKE", "DROP", "PUSH", "MOVE", "CUE", "PUT", "DELETE", "DELETE_PREFIX",
        "CUT_SHORT", "FORMAT", "HEAD_SIZE", "IDENTITY_SIZE", "IS_THERE", "LEVEL", "NO_MESSAGE", "NO_STREAM", "UNLIMITED", "WRONG_LAST", "HIGHEST_PORT", "MIB", "SEAL_SIZE", "TRACE", "TICKS", "CLOSE_REASON_BYTES", "SIGNAL",
    }
)  # fmt: skip
_KIB: Final = 1024


class _Bound(NamedTuple):
    name: str
    value: Any
    text: str


def errors() -> str:
    """The list of all errors."""
    lines = [
        "# Errors",
        "",
        "Every error has a code that stays. `natant errors CODE` prints its page: what it means, the likely cause, the cure.",
        'Over HTTP an error is `{"code":...,"message":...}`; [its status](http.md) tells what kind it is. In Python all of them',
        "are subclasses of `natant.NatantError`, with `code`, `message` and `context`.",
    ]
    pages: dict[str, list[tuple[str, str]]] = {area: [] for area in _AREAS}
    for path in sorted((ROOT / "natant" / "catalogue").glob("*.md")):
        title = path.read_text("utf-8").partition("\n")[0].partition(": ")[2]
        pages[path.stem.split("-")[1]].append((path.stem, title))
    for area, found in pages.items():
        lines += ["", f"## {_AREAS[area]}", "", "| code | what |", "|---|---|"]
        lines += [f"| [`{code}`](../../natant/catalogue/{code}.md) | {title} |" for code, title in found]
    lines += ["", "## Source and tests", ""]
    lines += [
        "`natant/errors.py`, `natant/catalogue`; `tests/unit/test_tidy.py` holds that each code has a page and a test."
    ]
    return "\n".join(lines) + "\n"


def limits() -> str:
    """All bounds and durations."""
    lines = [
        "# Limits",
        "",
        "Everything that can grow or wait has a bound with a name. Units are last in each name: `_s` seconds, `_ms` milliseconds.",
    ]
    for module, name, heading, how in _SETTINGS:
        lines += ["", f"## {heading}", "", how]
        lines += _table(_fields(getattr(import_module(module), name)))
    lines += ["", "## Fixed", "", "These are constants of their modules: no setting changes them."]
    for place, heading in _FIXED.items():
        lines += ["", f"### {heading}"]
        path = ROOT / "natant" / place
        files = [path] if path.is_file() else sorted(path.rglob("*.py"))
        lines += _table([bound for file in files for bound in _constants(file)])
    lines += [
        "",
        "## Source and tests",
        "",
        "The modules named here; `tests/unit/test_reference.py` compares the numbers.",
    ]
    return "\n".join(lines) + "\n"


PAGES: Final = {"errors.md": errors, "limits.md": limits}


def _table(bounds: list[_Bound]) -> list[str]:
    lines = ["", "| name | value | what it bounds |", "|---|---|---|"]
    return lines + [f"| `{bound.name}` | {_shown(bound.name, bound.value)} | {bound.text} |" for bound in bounds]


def _fields(kind: Any) -> list[_Bound]:
    """The fields of a class of settings with what its docstring says of them."""
    said = dict(re.findall(r":(?:ivar|param) (\w+): (.*?)(?=\n *:|\Z)", kind.__doc__, re.DOTALL))
    return [_Bound(field.name, field.default, _plain(said[field.name])) for field in dataclasses.fields(kind)]


def _constants(path: Path) -> Iterator[_Bound]:
    """The public numbers of a module, each with the comment above it (or above the first of its group)."""
    lines = path.read_text("utf-8").splitlines()
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    last, text = 0, ""
    for node in ast.parse("\n".join(lines)).body:
        target = (
            node.target
            if isinstance(node, ast.AnnAssign)
            else node.targets[0]
            if isinstance(node, ast.Assign)
            else None
        )
        if not isinstance(target, ast.Name) or not re.fullmatch(r"[A-Z][A-Z0-9_]*", target.id) or target.id in _OTHERS:
            continue
        value = getattr(import_module(module), target.id)
        if isinstance(value, bool) or not (isinstance(value, int | float) or _is_span(value)):
            continue
        comment = _comment(lines, node.lineno)
        if comment or node.lineno != last + 1:
            text = comment
        last = node.end_lineno or node.lineno
        assert text, (
            f"{path.name}:{node.lineno}: {target.id} is on the page of limits, so a comment above it says what it bounds"
        )
        yield _Bound(f"{module.removeprefix('natant.')}.{target.id}", value, _plain(text))


def _is_span(value: Any) -> bool:
    return isinstance(value, tuple) and bool(value) and all(isinstance(part, float) for part in value)


def _comment(lines: list[str], number: int) -> str:
    """The lines of comment right above line ``number``."""
    found: list[str] = []
    for line in reversed(lines[: number - 1]):
        if not line.startswith("#"):
            break
        found.insert(0, line.lstrip("#: "))
    return " ".join(found)


def _plain(text: str) -> str:
    """A docstring's words as Markdown."""
    text = re.sub(r":\w+:`~?([^`]+)`", r"`\1`", " ".join(text.split())).replace("``", "`").replace("|", "\\|")
    return text.rstrip(".")


def _shown(name: str, value: Any) -> str:
    unit = "ms" if name.endswith("_MS") else "s" if name.lower().endswith("_s") else ""
    if isinstance(value, tuple):
        return " to ".join(f"{part:g}" for part in value) + f" {unit}".rstrip()
    if "bytes" in name.lower() and value >= _KIB and value % _KIB == 0:
        return f"{value // _KIB**2:,} MiB" if value % _KIB**2 == 0 else f"{value // _KIB:,} KiB"
    number = f"{value:,}" if isinstance(value, int) else f"{value:g}"
    return f"{number} {unit}".rstrip()


if __name__ == "__main__":
    for page, make in PAGES.items():
        (ROOT / "docs" / "reference" / page).write_text(make(), "utf-8")
