"""How a form says that something does not fit: what came, where, what was expected.

The innermost plan raises :func:`misfit`; each record, sequence or mapping on the way out adds its own step with
:func:`at`, so the path costs nothing until something is wrong.  Every other module of this package raises through here.

======================== ===========================================================
code                     raised when
======================== ===========================================================
``NT-FORM-001``          a type is declared that has no form
``NT-FORM-002``          a value does not fit the declared type
``NT-FORM-003``          a record lacks a field that has no default
``NT-FORM-004``          a record has a field that its class forbids
``NT-FORM-005``          a value breaks a constraint (``msgspec.Meta``)
``NT-FORM-006``          the class itself refuses its fields (``__post_init__``)
``NT-FORM-007``          the tag of a record names no member of the union
``NT-FORM-008``          a Python object does not fit the declared type
``NT-FORM-009``          bytes that are not JSON
``NT-FORM-010``          a value is nested too deeply
``NT-FORM-011``          a type hint that cannot be resolved
======================== ===========================================================
"""

from __future__ import annotations

from typing import Any, Final

from natant.codec.recon.value import AbsentType, Attr, ExtantType, Record, Slot
from natant.errors import FormError

__all__ = ["SHORT_LIMIT", "at", "describe", "misfit", "refuse", "short", "undeclarable", "unfit"]

SHORT_LIMIT: Final = 60
"""Most characters of a value that a message quotes."""

_BITS: Final = 3 * SHORT_LIMIT

_KIND: Final[dict[type, str]] = {
    str: "text",
    bool: "bool",
    bytes: "data",
    Record: "record",
    Attr: "attribute",
    Slot: "slot",
    dict: "object",
    list: "array",
}


def refuse(code: str, what: str, *, http_status: int | None = 400) -> FormError:
    """A FormError whose path can still grow: :func:`at` puts the place before ``what``."""
    if http_status is None:
        return FormError(code, what, path="", what=what)
    return FormError(code, what, path="", what=what, http_status=http_status)


def misfit(got: object, expected: str, code: str = "NT-FORM-002") -> FormError:
    """``got "x" (text); it takes float``: a value from outside that does not fit."""
    return refuse(code, f"got {describe(got)}; it takes {expected}")


def unfit(got: object, expected: str) -> FormError:
    """A Python object that does not fit its declared type: the program's own fault, so no HTTP status."""
    kind = type(got)
    told = "None" if got is None else f"{_shown(got)} ({kind.__qualname__})"
    return refuse("NT-FORM-008", f"got {told}; it takes {expected}", http_status=None)


def undeclarable(kind: object, advice: str) -> FormError:
    """A type that cannot be mapped, and what to do instead."""
    name = kind.__qualname__ if isinstance(kind, type) else str(kind)
    return refuse("NT-FORM-001", f"the type {name} has no form: {advice}", http_status=None)


def at(error: FormError, step: str | int) -> FormError:
    """Put a step before the path of ``error`` (a field's name or an item's index) and give it back to be raised."""
    what = error.context.get("what")
    if what is None:  # raised by a class's own code, which knows nothing of paths
        what = error.message
        error.context["what"] = what
    path = error.context.get("path", "")
    if isinstance(step, str) and step[:1] == '"' and step[1:-1].isidentifier():
        step = step[1:-1]
    head = step if isinstance(step, str) and step.isidentifier() else f"[{step}]"
    path = f"{head}.{path}" if path and not path.startswith("[") else head + path
    error.context["path"] = path
    error.message = f"at {path} {what}"
    error.args = (error.code, error.message)
    return error


def describe(value: object) -> str:
    """``"x" (text)``, ``5 (int)``, ``{lat:1.5} (record)``, ``nothing``: what came, in few words."""
    if value is None or isinstance(value, ExtantType | AbsentType):
        return "nothing"
    kind = type(value)
    return f"{short(value)} ({_KIND.get(kind, kind.__name__)})"


def short(value: object) -> str:
    """A value in Recon-like notation, at most :data:`SHORT_LIMIT` characters."""
    out: list[str] = []
    _write(value, out, SHORT_LIMIT)
    return _clip("".join(out))


def _shown(obj: object) -> str:
    """A Python object as it prints itself, where it can."""
    if isinstance(obj, int) and obj.bit_length() > _BITS:
        return _scalar(obj)
    try:
        return _clip(repr(obj))
    except Exception:
        return "an object"


def _clip(text: str) -> str:
    return text if len(text) <= SHORT_LIMIT else text[: SHORT_LIMIT - 1] + "…"


def _write(value: object, out: list[str], room: int) -> int:
    """Append ``value`` to ``out`` while there is room; the room that is left."""
    if room <= 0:
        return room
    if isinstance(value, Record | list | tuple):
        return _write_all(value.items if isinstance(value, Record) else value, out, room)
    if isinstance(value, dict):
        return _write_all((Slot(key, part) for key, part in value.items()), out, room)
    if isinstance(value, Slot):
        key = value.key
        if isinstance(key, str) and key.replace("-", "_").isidentifier():
            room = _put(f"{key[:SHORT_LIMIT]}:", out, room)
        else:
            room = _put(":", out, _write(key, out, room))
        return _write(value.value, out, room)
    if isinstance(value, Attr):
        room = _put(f"@{value.name}", out, room)
        if isinstance(value.value, ExtantType):
            return room
        return _put(")", out, _write(value.value, out, _put("(", out, room)))
    return _put(_scalar(value), out, room)


def _write_all(items: Any, out: list[str], room: int) -> int:
    room = _put("{", out, room)
    for count, item in enumerate(items):
        if count:
            room = _put(",", out, room)
        room = _write(item, out, room)
        if room <= 0:
            return room
    return _put("}", out, room)


def _put(text: str, out: list[str], room: int) -> int:
    out.append(text)
    return room - len(text)


def _scalar(value: object) -> str:
    if value is None or isinstance(value, ExtantType | AbsentType):
        return ""
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, str):
        text = value[:SHORT_LIMIT]
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    if isinstance(value, bytes):
        return f"%{value[:SHORT_LIMIT].hex()}"
    if isinstance(value, int) and value.bit_length() > _BITS:
        return f"an integer of {value.bit_length()} bits"
    return repr(value)
