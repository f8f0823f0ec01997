"""What every test gets: coroutines run, slow folders are marked, and where all is installed none may skip itself."""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
from collections.abc import Callable, Coroutine, Generator
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).resolve().parent

#: Tests in these folders start servers, load models or kill processes.
SLOW_FOLDERS = ("integration", "chaos")

#: Set where all that a test may need is installed (.ci/run): a test that skips itself has then failed.
NO_SKIP = os.environ.get("KEEPSAKE_NO_SKIP") == "1"


def run_in_loop(function: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """``function`` as an ordinary one, which runs in a new event loop and ends what it left running."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> None:
        with asyncio.Runner() as runner:
            runner.run(function(*args, **kwargs))

    return run


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(TESTS) and item.path.relative_to(TESTS).parts[0] in SLOW_FOLDERS:
            item.add_marker(pytest.mark.slow)
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
            item.obj = run_in_loop(item.obj)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if NO_SKIP and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped where all it needs can be had: {report.longrepr}"
    return report
