"""How the Recon reader words what is wrong with a text: line, column and what stands there."""

from __future__ import annotations

from natant.errors import CodecError

__all__ = ["expected", "fault"]

#: characters of the text that an error shows
_EXCERPT = 24


def fault(code: str, message: str, text: str, at: int) -> CodecError:
    """An error at offset ``at`` of ``text``."""
    line = text.count("\n", 0, at) + 1
    column = at - text.rfind("\n", 0, at)
    rest = text[at : at + _EXCERPT]
    shown = f"{rest!r}{'…' if len(text) > at + _EXCERPT else ''}" if rest else "the end of the text"
    return CodecError(code, f"line {line}, column {column}: {message}; found {shown}", line=line, column=column)


def expected(what: str, text: str, at: int) -> CodecError:
    """An error for text that does not go on as the grammar wants."""
    if text[at : at + 1] in tuple("$!+*/<>=&|^?~("):
        return fault("NT-RECON-008", f"expected {what}; this is an expression, which natant does not read", text, at)
    return fault("NT-RECON-001", f"expected {what}", text, at)
