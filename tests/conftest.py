"""What every test gets: coroutines run, slow folders are marked, and it is said which build is tested.

A test may be ``async def``: it runs in an event loop of its own (uvloop, as in production).  Fixtures are plain functions;
what needs closing in a loop is opened in the test with ``async with``.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import uvloop

from natant import build

TESTS = Path(__file__).resolve().parent

#: Tests in these folders start servers, browsers or kill processes; one of the two builds is enough for them.
SLOW_FOLDERS = ("integration", "chaos")

#: Set where all that a test may need is installed (.ci/run): a test that skips itself has then failed.
NO_SKIP = os.environ.get("NATANT_NO_SKIP") == "1"


def run_in_loop(function: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """``function`` as an ordinary one, which runs in a new event loop and ends what it left running."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(function(*args, **kwargs))

    return run


def pytest_configure(config: pytest.Config) -> None:
    stale = build.stale()
    if stale:
        raise pytest.UsageError(
            f"compiled modules are older than their sources: {', '.join(stale)}. "
            "Run scripts/compile (compiles them again) or scripts/clean (runs the plain files)."
        )


def pytest_report_header(config: pytest.Config) -> str:
    return f"natant hot modules: {build.summary()}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(TESTS) and item.path.relative_to(TESTS).parts[0] in SLOW_FOLDERS:
            item.add_marker(pytest.mark.slow)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    function = pyfuncitem.obj
    hypothesis = getattr(function, "hypothesis", None)
    if hypothesis is not None and inspect.iscoroutinefunction(hypothesis.inner_test):
        hypothesis.inner_test = run_in_loop(hypothesis.inner_test)
        return None
    if not inspect.iscoroutinefunction(function):
        return None
    names = inspect.signature(function).parameters
    run_in_loop(function)(**{name: pyfuncitem.funcargs[name] for name in names})
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    report = yield
    if NO_SKIP and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} skipped itself where nothing may be skipped: {report.longrepr[2]}"
    return report
