"""What a caller hands over, as a Recon value."""

from __future__ import annotations

from typing import Any, Final

from natant.codec.form import form
from natant.codec.recon.value import AbsentType, ExtantType, Record

__all__ = ["to_recon"]

_PLAIN: Final = (str, int, float, bytes, dict, list, tuple, Record, AbsentType, ExtantType)


def to_recon(value: Any) -> Any:
    """Plain Python and Recon values as they are, anything else by the form of its type.

    :raises FormError: where its type has no form.
    """
    if value is None or type(value) in _PLAIN or isinstance(value, (bool, int, Record)):
        return value
    return form(type(value)).encode(value)
