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

__all__ = ["Bucket", "Endpoint", "Setting", "named", "read_setting"]

FILE = "keepsake.toml"


def named(text: str) -> str:
    """A secret as it stands, or what the variable ``$NAME`` of the environment holds."""
    return os.environ.get(text[1:], "") if text.startswith("$") else text


class Endpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A service that speaks a known protocol.

    :ivar key: what it wants as a bearer token; ``$NAME`` takes it from the environment.
    """

    url: str
    model: str = ""
    key: str = ""

    def secret(self) -> str:
        """The key itself."""
        return named(self.key)


class Bucket(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A bucket of an object store that speaks S3.

    :ivar secret: ``$NAME`` takes it from the environment.
    """

    url: str
    name: str
    access: str
    secret: str


class Setting(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The choices of an installation.

    :ivar store: ``sqlite``, or the URL of a PostgreSQL, MongoDB or OpenSearch.
    :ivar blobs: ``folder``, or ``s3``: the bucket below.
    :ivar recogniser: ``base`` or ``tiny.en`` (Whisper, here), ``none``, or an endpoint below.
    :ivar embedder: ``minilm`` (here), ``none`` (words only), or an endpoint below.
    :ivar names: whether spaCy looks for names; where it is not installed, rules alone do.
    :ivar language: of all that is written and said, ISO 639-1; empty: found out each time, which takes 90 MB.
    """

    store: str = "sqlite"
    blobs: Literal["folder", "s3"] = "folder"
    recogniser: Literal["base", "tiny.en", "none", "speechmatics", "transcriptions"] = "base"
    embedder: Literal["minilm", "none", "endpoint"] = "minilm"
    names: bool = True
    language: str = ""
    s3: Bucket | None = None
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
        for name in ("store", "blobs", "recogniser", "embedder", "language"):
            if value := os.environ.get(f"KEEPSAKE_{name.upper()}"):
                found[name] = value
        if value := os.environ.get("KEEPSAKE_NAMES"):
            found["names"] = value not in {"0", "false", "no"}
        return msgspec.convert(found, Setting)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise KeepsakeError(
            "KS-CLI-001", f"{file} (with KEEPSAKE_... of the environment) cannot be used: {error}"
        ) from None
