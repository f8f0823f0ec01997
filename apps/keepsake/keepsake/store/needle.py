"""Looking for a text in bytes, however they hold it: the proof of a deletion asks each store with it."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from typing import Final

from keepsake.errors import KeepsakeError

__all__ = ["Needle"]

#: what is looked at of one packed file: what packs more than that is looked at up to there
UNPACKED_BYTES: Final = 1 << 28

#: small values are joined up to so much before they are looked at
TOGETHER_BYTES: Final = 1 << 20

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
        spellings = {text, text.lower(), text.upper(), text.title()}
        self._forms = {
            form for said in spellings for form in (_low(said, "utf-8"), json.dumps(said)[1:-1].encode().lower())
        }
        self._wide = {_low(said, name) for said in spellings for name in _WIDE}

    def is_in(self, data: bytes) -> bool:
        """Whether these bytes hold it."""
        return any(self._is_in_plain(part) for part in _layers(data))

    def is_in_text(self, text: str) -> bool:
        """Whether this text holds it."""
        return self._folded in text.casefold()

    def is_in_any(self, values: Iterable[object]) -> bool:
        """Whether any of these texts and bytes holds it; small ones are looked at together."""
        texts: list[str] = []
        datas: list[bytes] = []
        size = 0
        for value in values:
            if isinstance(value, str):
                texts.append(value)
            elif isinstance(value, bytes) and not is_packed(value):
                datas.append(value)
            elif isinstance(value, bytes):
                if self.is_in(value):
                    return True
                continue
            else:
                continue
            size += len(value)
            if size > TOGETHER_BYTES:
                if self._is_in_all(texts, datas):
                    return True
                texts, datas, size = [], [], 0
        return self._is_in_all(texts, datas)

    def _is_in_all(self, texts: list[str], datas: list[bytes]) -> bool:
        return self.is_in_text("\x1e".join(texts)) or self._is_in_plain(b"\x1e".join(datas))

    def _is_in_plain(self, data: bytes) -> bool:
        try:
            if self.is_in_text(data.decode()):
                return True
        except UnicodeDecodeError:
            pass
        low = data.lower()
        return any(form in low for form in self._forms) or (b"\0" in low and any(form in low for form in self._wide))


def _low(text: str, encoding: str) -> bytes:
    """A text as bytes, its ASCII letters small, as `bytes.lower` makes those that it is looked for in."""
    return text.encode(encoding, "surrogatepass").lower()


def is_packed(data: bytes) -> bool:
    """Whether these bytes may be a zip or deflated."""
    return data[:4] == b"PK\x03\x04" or data[:1] == b"\x78" or data[:2] == b"\x1f\x8b"


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
