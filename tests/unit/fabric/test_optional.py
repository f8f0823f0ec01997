"""A plane without NATS starts without its packages: no module needs them to be imported."""

from __future__ import annotations

import subprocess
import sys

from tests.support.document import ROOT

PROGRAM = """
import importlib, pkgutil, sys
for name in ("aiohttp", "cryptography", "nats", "paho"):
    sys.modules[name] = None  # as if it were not installed
import natant
for module in pkgutil.walk_packages(natant.__path__, "natant."):
    if not module.name.endswith("__main__") and ".template" not in module.name:
        importlib.import_module(module.name)
"""


def test_no_module_needs_the_packages_of_nats() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], check=False, capture_output=True, text=True, cwd=ROOT)

    assert done.returncode == 0, done.stderr
