"""Which characters make a Recon identifier: text that needs no quotes (reference, section 3.2).

The ranges beyond ASCII are XML's NameStartChar and NameChar ranges from U+00C0 on.  The reader and the writer must agree
on them, so both ask here.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["is_ident", "is_ident_part", "is_ident_start"]

_START: Final = (
    "A-Za-z_\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c-\u200d\u2070-\u218f"
    "\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_PART: Final = _START + "\\-0-9\u00b7\u0300-\u036f\u203f-\u2040"

_starts = re.compile(f"[{_START}]").match
_parts = re.compile(f"[{_PART}]").match
_idents = re.compile(f"[{_START}][{_PART}]*").fullmatch


def is_ident_start(char: str) -> bool:
    """True where an identifier may begin with ``char``."""
    return _starts(char) is not None


def is_ident_part(char: str) -> bool:
    """True where ``char`` may stand inside an identifier."""
    return _parts(char) is not None


def is_ident(text: str) -> bool:
    """True where all of ``text`` is one identifier."""
    return _idents(text) is not None
