"""What an installation is made of: ``keepsake.toml`` in its data folder, and environment variables, which count more.

Everything has a default that needs no service.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Literal

import msgspec

from keepsake.errors import KeepsakeError
from keepsake.pipeline.house import Quota

__all__ = ["Endpoint", "Setting", "read_setting"]

FILE = "keepsake.toml"


class Endpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A service that speaks a known protocol.

    :ivar key: what it wants as a bearer token; ``$NAME`` takes it from the environment.
    """

    url: str
    model: str = ""
    key: str = ""

    def secret(self) -> str:
        """The key itself."""
        return os.environ.get(self.key[1:], "") if self.key.startswith("$") else self.key


class Setting(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The choices of an installation.

    :ivar store: ``sqlite``, or the URL of a PostgreSQL, MongoDB or OpenSearch.
    :ivar blobs: ``folder``, or the URL of an S3 bucket.
    :ivar recogniser: ``base`` or ``tiny.en`` (Whisper, here), ``none``, or an endpoint below.
    :ivar embedder: ``minilm`` (here), ``none`` (words only), or an endpoint below.
    :ivar names: whether spaCy looks for names; where it is not installed, rules alone do.
    """

    store: str = "sqlite"
    blobs: str = "folder"
    recogniser: Literal["base", "tiny.en", "none", "speechmatics", "transcriptions"] = "base"
    embedder: Literal["minilm", "none", "endpoint"] = "minilm"
    names: bool = True
    speechmatics: Endpoint | None = None
    transcriptions: Endpoint | None = None
    embeddings: Endpoint | None = None
    chat: Endpoint | None = None
    quota: Quota = msgspec.field(default_factory=Quota)


def read_setting(data: Path) -> Setting:
    """The choices of the installation in a folder.

    :raises KeepsakeError: ``KS-CLI-001`` where a name or value is none that is known.
    """
    file = data / FILE
    found: dict[str, object] = {}
    try:
        if file.exists():
            found = tomllib.loads(file.read_text("utf-8"))
        for name in ("store", "blobs", "recogniser", "embedder"):
            if value := os.environ.get(f"KEEPSAKE_{name.upper()}"):
                found[name] = value
        if value := os.environ.get("KEEPSAKE_NAMES"):
            found["names"] = value not in {"0", "false", "no"}
        return msgspec.convert(found, Setting)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise KeepsakeError(
            "KS-CLI-001", f"{file} (with KEEPSAKE_... of the environment) cannot be used: {error}"
        ) from None
