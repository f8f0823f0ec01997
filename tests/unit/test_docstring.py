"""The examples in docstrings do what they say."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import natant

MODULES = sorted(
    found.name for found in pkgutil.walk_packages(natant.__path__, "natant.") if "__main__" not in found.name
)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_docstrings_are_true(name: str) -> None:
    failed, _ = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)

    assert failed == 0, "see the captured output"
