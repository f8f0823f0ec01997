"""Calling a method by name with arguments that were stored: each is decoded to its annotated type."""

from __future__ import annotations

import inspect
from functools import lru_cache
from typing import Any

from natant.codec.form import Form, form, hints

__all__ = ["call"]


@lru_cache(maxsize=1024)
def _forms(function: Any) -> tuple[Form[Any] | None, ...]:
    types = hints(function)
    names = list(inspect.signature(function).parameters)[1:]
    return tuple(form(types[name]) if name in types else None for name in names)


def call(cell: Any, name: str, arguments: tuple[Any, ...]) -> Any:
    """``cell.NAME(*arguments)``, with Recon values in the place of typed ones.

    :raises FormError: where a stored argument does not fit the type that the program declares now.
    """
    method = getattr(cell, name)
    if not arguments:
        return method()
    forms = _forms(method.__func__)
    typed = [
        value if at >= len(forms) or (known := forms[at]) is None or known.is_any else known.decode(value)
        for at, value in enumerate(arguments)
    ]
    return method(*typed)
