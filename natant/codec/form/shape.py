"""The shape of a record class: which fields it has, how they are named, how an object is made of them.

Reads dataclasses, ``msgspec.Struct``, TypedDict and NamedTuple into one description, so that ``record.py`` need not know
which of them it serves.

A dataclass may set, as plain class attributes without annotation (or as ClassVar):

``__tag__ = "fix"``             always written with this attribute (``@fix{...}``), which then must match when it is there;
``__forbid_unknown__ = True``   slots of other names are refused instead of ignored.
"""

from __future__ import annotations

import dataclasses
import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from natant.codec.form.error import refuse, undeclarable
from natant.codec.form.hint import field_types
from natant.codec.form.plan import MISSING
from natant.errors import FormError

__all__ = ["Field", "Shape", "is_record", "read_shape"]

JSON_TAG = "@tag"
"""The member of a JSON object that tells a dataclass from others in a union."""


@dataclasses.dataclass(slots=True, frozen=True)
class Field:
    """One field.  ``label`` is its name in Recon and JSON, ``attribute`` that in Python."""

    label: str
    attribute: str
    kind: Any
    default: Any = MISSING
    factory: Callable[[], Any] | None = None
    is_optional: bool = False  # may be absent from the object itself: a TypedDict's NotRequired
    is_argument: bool = True  # an argument of the class; else set after the object is made


@dataclasses.dataclass(slots=True)
class Shape:
    """One record class."""

    kind: Any
    name: str
    fields: tuple[Field, ...]
    tag: str
    json_tag: str | int
    tag_field: str = JSON_TAG
    is_tagged: bool = False  # always, not only in unions
    is_strict: bool = False  # refuses unknown fields
    is_array: bool = False  # written by position
    omits_defaults: bool = False
    is_dict: bool = False
    is_hashable: bool = False
    is_clean: bool = True

    def make(self) -> Callable[[list[Any]], Any]:
        """The function that makes an object of the values of its fields, in order."""
        kind, fields = self.kind, self.fields
        if self.is_dict:
            labels = [field.attribute for field in fields]
            return lambda values: {
                label: value for label, value in zip(labels, values, strict=True) if value is not MISSING
            }
        if isinstance(kind, type) and issubclass(kind, tuple):
            return lambda values: kind(*values)
        by_place = all(field.is_argument for field in fields) and not _has_keywords(kind)
        given = [(place, field.attribute) for place, field in enumerate(fields) if field.is_argument]
        later = [(place, field.attribute) for place, field in enumerate(fields) if not field.is_argument]

        def refused(error: Exception) -> FormError:
            return refuse("NT-FORM-006", f"{self.name} refused its fields: {error}")

        def place(values: list[Any]) -> Any:
            try:
                return kind(*values)
            except FormError:
                raise
            except (TypeError, ValueError) as error:
                raise refused(error) from error

        def name(values: list[Any]) -> Any:
            try:
                obj = kind(**{attribute: values[index] for index, attribute in given})
                for index, attribute in later:
                    if values[index] is not MISSING:
                        object.__setattr__(obj, attribute, values[index])
            except FormError:
                raise
            except (TypeError, ValueError) as error:
                raise refused(error) from error
            return obj

        return place if by_place else name

    def is_plainly_made(self) -> bool:
        """Whether making an object is nothing but setting its fields: a dataclass with the ``__init__`` that it was given."""
        kind = self.kind
        if not dataclasses.is_dataclass(kind) or hasattr(kind, "__post_init__") or type(kind) is not type:
            return False
        code = getattr(kind.__init__, "__code__", None)
        if getattr(code, "co_qualname", "") != "__create_fn__.<locals>.__init__" or kind.__new__ is not object.__new__:
            return False
        if kind.__setattr__ is not object.__setattr__ and not self.kind.__dataclass_params__.frozen:
            return False
        names = [field.attribute for field in self.fields]
        return list(_arguments(kind)) == names and all(field.is_argument for field in self.fields)


def is_record(kind: Any) -> bool:
    """Whether ``kind`` (not an instance, not a parametrised generic) is a record class."""
    if not isinstance(kind, type):
        return False
    return (
        dataclasses.is_dataclass(kind)
        or issubclass(kind, msgspec.Struct)
        or typing.is_typeddict(kind)
        or (issubclass(kind, tuple) and hasattr(kind, "_fields"))
    )


def read_shape(kind: Any, name: str) -> Shape:
    """The shape of a record class, or of a parametrised generic one (``Box[int]``)."""
    origin = typing.get_origin(kind) or kind
    types = field_types(kind)
    if dataclasses.is_dataclass(origin):
        return _dataclass(origin, name, types)
    if issubclass(origin, msgspec.Struct):
        return _struct(origin, name, types)
    if typing.is_typeddict(origin):
        return _typed_dict(origin, name, types)
    return _named_tuple(origin, name, types)


def _dataclass(kind: Any, name: str, types: dict[str, Any]) -> Shape:
    parameters = kind.__dataclass_params__
    if not parameters.init:
        raise undeclarable(kind, "it is a dataclass with init=False; let dataclass make its __init__")
    fields = []
    for field in dataclasses.fields(kind):
        default = MISSING if field.default is dataclasses.MISSING else field.default
        factory = None if field.default_factory is dataclasses.MISSING else field.default_factory
        fields.append(Field(field.name, field.name, types[field.name], default, factory, not field.init, field.init))
    names = {field.label for field in fields}
    own = [argument for argument in _arguments(kind).values() if argument.name not in names]
    for argument in own:
        if argument.default is inspect.Parameter.empty:
            raise undeclarable(kind, f"its InitVar {argument.name!r} is not kept in the object; give it a default")
    tag = kind.__dict__.get("__tag__")  # its own: a derived class has another name
    if tag is not None and not isinstance(tag, str):
        raise undeclarable(kind, f"its __tag__ is {tag!r}; it takes text")
    return Shape(
        kind,
        name,
        tuple(fields),
        tag or kind.__name__,
        tag or kind.__name__,
        is_tagged=tag is not None,
        is_strict=bool(getattr(kind, "__forbid_unknown__", False)),
        is_hashable=kind.__hash__ is not None,
        is_clean=tag is None
        and not own
        and "__dataclass_fields__" in kind.__dict__
        and not getattr(kind, "__forbid_unknown__", False),
    )


def _struct(kind: Any, name: str, types: dict[str, Any]) -> Shape:
    config = kind.__struct_config__
    fields = []
    defaults: tuple[Any, ...] = kind.__struct_defaults__
    attributes, labels = kind.__struct_fields__, kind.__struct_encode_fields__
    defaults = (msgspec.NODEFAULT,) * (len(attributes) - len(defaults)) + defaults
    for attribute, label, default in zip(attributes, labels, defaults, strict=True):
        factory = getattr(default, "factory", None) if type(default).__module__ == "msgspec._core" else None
        has_value = default is not msgspec.NODEFAULT and factory is None
        fields.append(Field(label, attribute, types[attribute], default if has_value else MISSING, factory))
    tag = config.tag
    return Shape(
        kind,
        name,
        tuple(fields),
        kind.__name__ if tag is None else str(tag),
        kind.__name__ if tag is None else tag,
        tag_field=config.tag_field or JSON_TAG,
        is_tagged=tag is not None,
        is_strict=config.forbid_unknown_fields,
        is_array=config.array_like,
        omits_defaults=config.omit_defaults,
        is_hashable=kind.__hash__ is not None and (config.frozen or not config.eq),
    )


def _typed_dict(kind: Any, name: str, types: dict[str, Any]) -> Shape:
    fields = []
    for label, hint in types.items():
        is_required = label in kind.__required_keys__
        while typing.get_origin(hint) in _QUALIFIERS or getattr(typing.get_origin(hint), "__name__", "") == "ReadOnly":
            is_required = _QUALIFIERS.get(typing.get_origin(hint), is_required)
            hint = typing.get_args(hint)[0]
        fields.append(Field(label, label, hint, is_optional=not is_required))
    return Shape(kind, name, tuple(fields), kind.__name__, kind.__name__, is_dict=True)


_QUALIFIERS: dict[Any, bool] = {typing.Required: True, typing.NotRequired: False}


def _named_tuple(kind: Any, name: str, types: dict[str, Any]) -> Shape:
    defaults = kind._field_defaults
    fields = tuple(Field(label, label, types.get(label, Any), defaults.get(label, MISSING)) for label in kind._fields)
    return Shape(kind, name, fields, kind.__name__, kind.__name__, is_array=True, is_hashable=True)


def _arguments(kind: Any) -> Mapping[str, inspect.Parameter]:
    """The arguments of a class."""
    return inspect.signature(kind).parameters


def _has_keywords(kind: Any) -> bool:
    """Whether some argument of the class goes by name only, or is no field."""
    names = [field.name for field in dataclasses.fields(kind)] if dataclasses.is_dataclass(kind) else None
    arguments = _arguments(kind)
    if names is not None and list(arguments) != names:
        return True
    return any(argument.kind is inspect.Parameter.KEYWORD_ONLY for argument in arguments.values())
