"""``form(T)``: the two-way mapping between a Python type and Recon values, and the same type and JSON.

A form is made once for each type and kept; lanes, commands and the HTTP side hold on to theirs.  For scalars its ``decode``
and ``encode`` are the plain functions of ``scalar.py``, nothing around them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, Generic, TypeVar, overload

import msgspec

from natant.codec import recon
from natant.codec.form import free
from natant.codec.form.build import Builder
from natant.codec.form.error import unfit
from natant.codec.form.plan import DEPTH_LIMIT, Convert, Definitions
from natant.codec.recon.value import Attr, Record, Slot
from natant.errors import FormError

__all__ = ["FORM_LIMIT", "Form", "form"]

FORM_LIMIT: Final = 4096
"""Most forms that are kept; beyond it the one that was asked for least recently is made again when needed."""

T = TypeVar("T")


class Form(Generic[T]):
    """How objects of one type are written in Recon and in JSON.  Made by :func:`form`.

    All four directions check what they are given and raise :class:`~natant.errors.FormError`, whose message names the field;
    what ``encode`` or ``to_json`` wrote, ``decode`` or ``from_json`` reads back equal.

    ``decode(value)``   the object of a Recon value, also of one that stood alone in a message body (where Recon drops the
                        braces around a single item)
    ``encode(obj)``     the Recon value of an object
    ``texts(obj)``      the body of an object for links and its exact text, as ``recon.encode_pair`` gives them for its value
    ``check(obj)``      raises what ``texts`` would raise, and writes nothing
    ``name``            the readable name of the type
    ``is_any``          whether values pass unchanged (Any): such a form can be left out
    ``type``            the declared type
    """

    __slots__ = ("_lift", "_lower", "_plan", "_reader", "check", "decode", "encode", "is_any", "name", "texts", "type")

    def __init__(self, kind: Any) -> None:
        builder = Builder(_free_encode)
        plan = builder.build(kind)
        self.type = kind
        self.name = plan.name
        self.is_any = plan.is_any
        self._plan = plan
        self._reader: msgspec.json.Decoder[Any] | None = None
        self.decode: Convert = plan.decode if plan.top is None else plan.top
        self.encode: Convert = plan.encode
        self._lift: Convert = plan.lift
        self._lower: Convert = plan.lower
        if builder.is_recursive:
            self.decode, self.encode = _shallow_in(self.decode), _shallow_out(plan.encode)
            self._lift, self._lower = _shallow_in(plan.lift), _shallow_out(plan.lower)
        elif plan.is_clean:
            self._reader = _typed_reader(kind)
        layout = None if builder.is_recursive else plan.layout
        self.texts: Callable[[Any], tuple[str, str]]
        self.check: Callable[[Any], None]
        if self.is_any:
            self.texts, self.check = recon.encode_pair, recon.check
        elif layout is not None:
            self.texts, self.check = layout.texts, layout.check
        else:
            self.texts, self.check = _texts(self.encode), _check(self.encode)

    def from_json(self, data: bytes | str) -> T:
        """The object of some JSON.

        :raises FormError: NT-FORM-009 when it is not JSON, else as ``decode``.
        """
        if self._reader is not None:
            try:
                return self._reader.decode(data)  # type: ignore[no-any-return]
            except (msgspec.MsgspecError, UnicodeError, RecursionError):
                pass  # what is wrong, or what we take and msgspec does not, is for the plan to say
        return self._lift(free.parse_json(data))  # type: ignore[no-any-return]

    def to_json(self, obj: T) -> bytes:
        """The JSON of an object, in UTF-8."""
        return free.write_json(self._lower(obj))

    def from_key(self, text: str) -> T:
        """The object of a key as JSON objects and URLs write it: text for scalars, JSON for all else."""
        key = self._plan.key
        if key is None:
            return self.from_json(text)
        return key[0](text)  # type: ignore[no-any-return]

    def to_key(self, obj: T) -> str:
        """The reverse of :meth:`from_key`."""
        key = self._plan.key
        if key is None:
            return self.to_json(obj).decode()
        return key[1](obj)

    def schema(self, ref: str = "#/$defs/{name}") -> dict[str, Any]:
        """The JSON Schema (2020-12) of the JSON side.

        :param ref: how a class among the ``$defs`` is referred to; OpenAPI wants ``#/components/schemas/{name}``.
        """
        definitions = Definitions(ref)
        out = dict(self._plan.schema(definitions))
        if definitions.parts:
            out["$defs"] = definitions.parts
        return out

    def __repr__(self) -> str:
        return f"form({self.name})"


@overload
def form(kind: type[T]) -> Form[T]: ...


@overload
def form(kind: Any) -> Form[Any]: ...


def form(kind: Any) -> Form[Any]:
    """The form of a type: builtin types, dataclasses, ``msgspec.Struct``, unions and more (docs/reference/form.md).

    :raises FormError: NT-FORM-001 for a type that cannot be mapped, NT-FORM-011 for a hint that cannot be resolved.
    """
    try:
        hash(kind)
    except TypeError:  # Annotated with something that can change
        return Form(kind)
    return _kept(kind)


@lru_cache(maxsize=FORM_LIMIT, typed=True)
def _kept(kind: Any) -> Form[Any]:
    return Form(kind)


def _free_encode(obj: Any) -> Any:
    """The Recon value of an object where no type is declared: by the form of its own class."""
    kind = type(obj)
    if isinstance(obj, dict):
        return form(dict).encode(dict(obj))
    if isinstance(obj, list) or (isinstance(obj, tuple) and not hasattr(obj, "_fields")):
        return form(list).encode(list(obj))
    if isinstance(obj, set | frozenset):
        return form(frozenset).encode(obj)
    for base in (str, bool, int, float):
        if isinstance(obj, base) and kind is not base:
            return form(base).encode(obj)
    try:
        known = form(kind)
    except FormError:
        known = None
    if known is None or known.is_any:
        raise unfit(obj, "a Recon value, plain Python, or an object of a class that has a form")
    return known.encode(obj)


def _typed_reader(kind: Any) -> msgspec.json.Decoder[Any] | None:
    """msgspec's reader of a type, where it has one."""
    try:
        return msgspec.json.Decoder(kind)
    except Exception:
        return None


def _texts(encode: Convert) -> Callable[[Any], tuple[str, str]]:
    pair = recon.encode_pair
    return lambda obj: pair(encode(obj))


def _check(encode: Convert) -> Callable[[Any], None]:
    check = recon.check
    return lambda obj: check(encode(obj))


def _check_depth(value: Any) -> None:
    """Refuse a value nested deeper than the limit; only types that contain themselves need this."""
    level = [value]
    for _ in range(DEPTH_LIMIT):
        level = [part for outer in level for part in _parts(outer)]
        if not level:
            return
    raise free.too_deep()


def _parts(value: Any) -> list[Any]:
    """The records, objects and arrays directly in one."""
    if isinstance(value, Record):
        found = [item.value if type(item) is Slot or type(item) is Attr else item for item in value.items]
    else:
        found = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return [part for part in found if isinstance(part, Record | dict | list)]


def _shallow_in(convert: Convert) -> Convert:
    def call(value: Any) -> Any:
        _check_depth(value)
        return convert(value)

    return call


def _shallow_out(convert: Convert) -> Convert:
    def call(obj: Any) -> Any:
        try:
            value = convert(obj)
        except RecursionError as error:
            raise free.too_deep() from error
        _check_depth(value)
        return value

    return call
