"""Type hints of functions and classes, resolved safely: what cannot be resolved is named.

Works with ``from __future__ import annotations``, forward references and classes that are declared inside functions.
Called by the record plans, and by the agent surface for the arguments of handlers.
"""

from __future__ import annotations

import inspect
import sys
import typing
from collections.abc import Container, Mapping
from typing import Any, TypeVar

from natant.codec.form.error import refuse

__all__ = ["field_types", "hints", "substitute"]


def hints(
    owner: Any, *, only: Container[str] | None = None, namespace: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The resolved annotations of a function or class (with those of its bases), ``Annotated`` kept.

    :param only: the names that are wanted; others are left out, resolved or not.  ``"return"`` is the result's name.
    :param namespace: further names, for example the locals of the function that declares the class.
    :raises FormError: NT-FORM-011, naming the owner, the parameter or field, and what was not found.
    """
    if not isinstance(owner, type):
        wrapped = owner
        while hasattr(wrapped, "__wrapped__"):
            wrapped = wrapped.__wrapped__
        wrapped = getattr(wrapped, "__func__", wrapped)
        return _resolve(
            wrapped, getattr(wrapped, "__annotations__", {}), getattr(wrapped, "__globals__", {}), only, namespace
        )
    out: dict[str, Any] = {}
    for base in reversed(owner.__mro__):
        out |= _own(base, owner, only, namespace)
    return out


def field_types(kind: Any) -> dict[str, Any]:
    """The resolved annotations of a class or parametrised generic class, its type variables replaced.

    A variable without an argument becomes its bound, else Any.  The same variable may mean different things in a class
    and in its base, so each class has its own replacements.
    """
    origin = typing.get_origin(kind) or kind
    bound: dict[Any, dict[Any, Any]] = {}
    _bind(kind, {}, bound)
    if typing.is_typeddict(origin):  # it has the annotations of its bases, but not the bases
        everything = {variable: hint for own in bound.values() for variable, hint in own.items()}
        bound = {origin: everything | bound.get(origin, {})}
    out: dict[str, Any] = {}
    for base in reversed(origin.__mro__):
        own = bound.get(base, {})
        out |= {name: substitute(hint, own) for name, hint in _own(base, origin, None, None).items()}
    return out


def _bind(kind: Any, outer: Mapping[Any, Any], out: dict[Any, dict[Any, Any]]) -> None:
    """Note what the type variables of a class and its bases stand for; ``outer`` is that of the class it is a base of."""
    origin = typing.get_origin(kind) or kind
    if not isinstance(origin, type) or origin in out:
        return
    arguments = [substitute(argument, outer) for argument in typing.get_args(kind)]
    own = out[origin] = dict(zip(getattr(origin, "__parameters__", ()), arguments, strict=False))
    for base in origin.__dict__.get("__orig_bases__", origin.__bases__):
        _bind(base, own, out)


def _own(base: type, owner: type, only: Container[str] | None, namespace: Mapping[str, Any] | None) -> dict[str, Any]:
    """The resolved annotations that stand in ``base`` itself, a base of ``owner``."""
    scope = vars(sys.modules[base.__module__]) if base.__module__ in sys.modules else {}
    known = {base.__name__: base, owner.__name__: owner} | dict(namespace or {})
    return _resolve(base, inspect.get_annotations(base), scope, only, known)


def _resolve(
    owner: Any,
    annotations: Mapping[str, Any],
    scope: dict[str, Any],
    only: Container[str] | None,
    namespace: Mapping[str, Any] | None,
) -> dict[str, Any]:
    out: dict[str, Any] = {}
    local = dict(namespace or {})
    for name, annotation in annotations.items():
        if only is not None and name not in only:
            continue
        holder = type("holder", (), {"__annotations__": {name: annotation}})
        try:
            out[name] = typing.get_type_hints(holder, scope, local, include_extras=True)[name]
        except Exception as error:
            raise _unresolved(owner, name, annotation, error) from error
    return out


def _unresolved(owner: Any, name: str, annotation: Any, error: Exception) -> Exception:
    label = getattr(owner, "__qualname__", str(owner))
    told = annotation if isinstance(annotation, str) else getattr(annotation, "__forward_arg__", str(annotation))
    if isinstance(error, NameError):
        missing = getattr(error, "name", None) or told
        cure = f"the name {missing!r} is not known in {getattr(owner, '__module__', '?')}; import or define it there at module level, outside TYPE_CHECKING"
    else:
        cure = f"{type(error).__name__}: {error}"
    return refuse("NT-FORM-011", f"the type {told} of {name!r} in {label} cannot be resolved: {cure}", http_status=None)


def substitute(hint: Any, bound: Mapping[Any, Any]) -> Any:
    """``hint`` with its type variables replaced; one without a binding becomes its bound, else Any."""
    if isinstance(hint, TypeVar):
        if hint in bound:
            return bound[hint]
        if hint.__constraints__:
            return typing.Union[hint.__constraints__]  # noqa: UP007  (the members are only known at run time)
        return Any if hint.__bound__ is None else hint.__bound__
    parameters = getattr(hint, "__parameters__", ())
    if not parameters or isinstance(hint, type):
        return hint
    return hint[tuple(substitute(parameter, bound) for parameter in parameters)]
