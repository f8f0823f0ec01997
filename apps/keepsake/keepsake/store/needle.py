"""Looking for a text in bytes, however they hold it: the proof of a deletion asks each store with it."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Iterator
from typing import Final

from keepsake.errors import KeepsakeError

__all__ = ["Needle"]

#: what is looked at of one packed file: what packs more than that is looked at up to there
UNPACKED_BYTES: Final = 1 << 28

_WIDE: Final = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")


class Needle:
    """A text that is looked for, small and capital letters alike.

    Bytes are looked at as UTF-8, UTF-16 and UTF-32 (as numpy keeps words), with the escapes of JSON, and unpacked where they are a
    zip (as numpy's files are) or deflated.

    :raises KeepsakeError: ``KS-STORE-009`` where it is empty.
    """

    def __init__(self, text: str) -> None:
        if not text.strip():
            raise KeepsakeError(
                "KS-STORE-009", "an empty text is everywhere; give the words that may not be found any more"
            )
        self._folded = text.casefold()
        self._escaped = json.dumps(self._folded)[1:-1]
        spellings = {text, text.lower(), text.upper(), text.title()}
        self._wide = {said.encode(name, "surrogatepass") for said in spellings for name in _WIDE}

    def is_in(self, data: bytes) -> bool:
        """Whether these bytes hold it."""
        return any(self._is_in_plain(part) for part in _layers(data))

    def is_in_text(self, text: str) -> bool:
        """Whether this text holds it."""
        return self._folded in text.casefold()

    def _is_in_plain(self, data: bytes) -> bool:
        text = data.decode("utf-8", "ignore").casefold()
        if self._folded in text or (self._escaped != self._folded and self._escaped in text):
            return True
        return b"\0" in data and any(form in data for form in self._wide)


def _layers(data: bytes) -> Iterator[bytes]:
    """The bytes, and what they hold where they are packed."""
    yield data
    if data[:4] == b"PK\x03\x04":
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as packed:
                for name in packed.namelist():
                    with packed.open(name) as file:
                        yield file.read(UNPACKED_BYTES)
        except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, EOFError, zlib.error):
            return
    elif data[:1] == b"\x78" or data[:2] == b"\x1f\x8b":
        try:
            yield zlib.decompressobj(47).decompress(data, UNPACKED_BYTES)
        except zlib.error:
            return
