"""Makes the house of a process from the choices of its installation."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from keepsake.errors import KeepsakeError
from keepsake.key import Ring
from keepsake.pipeline.house import House
from keepsake.pipeline.setting import Endpoint, Setting, named, read_setting
from keepsake.pipeline.shelf import Shelf
from keepsake.sound.contract import Recogniser
from keepsake.store.contract import Blobs, Stores
from keepsake.store.folder import FolderBlobs
from keepsake.store.sqlite import SqliteStores
from keepsake.vector.contract import Embedder
from keepsake.words import Reader
from keepsake.words.entity import Tagger

if TYPE_CHECKING:
    from keepsake.answer.contract import Generator

__all__ = ["DATA", "house", "make_house"]

#: where an installation is that nobody named
DATA: Final = ".keepsake"


@cache
def house() -> House:
    """The house of this process: what ``KEEPSAKE_DATA`` names."""
    return make_house(Path(os.environ.get("KEEPSAKE_DATA", DATA)))


def make_house(data: Path, setting: Setting | None = None) -> House:
    """The services of an installation.  Models are loaded when they are first needed.

    :raises KeepsakeError: ``KS-CLI-001`` for choices that make no sense, ``KS-ASSET-001`` where a model is not there.
    """
    setting = setting or read_setting(data)
    ring = Ring(data / "keys")
    embedder = _embedder(setting)
    stores = _stores(setting, data, ring)
    return House(
        data=data,
        ring=ring,
        stores=stores,
        blobs=_blobs(setting, data),
        reader=Reader(_tagger(setting), setting.language),
        embedder=embedder,
        recogniser=cache(lambda: _recogniser(setting)),
        shelf=Shelf(ring, stores, embedder),
        generator=_generator(setting),
        quota=setting.quota,
        edge=os.environ.get("KEEPSAKE_EDGE", ""),
    )


def _tagger(setting: Setting) -> Tagger | None:
    if not setting.names:
        return None
    from keepsake.words.tagger import english

    return english()


def _stores(setting: Setting, data: Path, ring: Ring) -> Stores:
    if setting.store == "sqlite":
        return SqliteStores(data / "people", ring)
    kind = setting.store.partition(":")[0]
    if kind in {"postgresql", "postgres"}:
        from keepsake.store.postgres import PostgresStores

        return PostgresStores(setting.store, ring)
    if kind.startswith("mongodb"):
        from keepsake.store.mongo import MongoStores

        return MongoStores(setting.store, ring)
    if kind.startswith("opensearch"):
        from keepsake.store.opensearch import OpenSearchStores

        return OpenSearchStores(setting.store, ring)
    raise KeepsakeError(
        "KS-CLI-001",
        f"store = {setting.store!r} is none that is known; sqlite, or the URL of a PostgreSQL, MongoDB or OpenSearch",
    )


def _blobs(setting: Setting, data: Path) -> Blobs:
    if setting.blobs == "folder":
        return FolderBlobs(data / "blobs")
    from keepsake.store.s3 import S3Blobs

    if setting.s3 is None:
        raise KeepsakeError("KS-CLI-001", "[s3] with url, name, access and secret is missing in keepsake.toml")
    return S3Blobs(setting.s3.url, setting.s3.name, setting.s3.access, named(setting.s3.secret))


def _embedder(setting: Setting) -> Embedder | None:
    if setting.embedder == "none":
        return None
    if setting.embedder == "endpoint":
        from keepsake.vector.endpoint import EndpointEmbedder

        at = _required(setting.embeddings, "embeddings")
        return EndpointEmbedder(at.url, at.model, at.secret())
    from keepsake.vector.minilm import MiniLM

    return MiniLM()


def _required(endpoint: Endpoint | None, name: str) -> Endpoint:
    if endpoint is None:
        raise KeepsakeError("KS-CLI-001", f"[{name}] with url, model and key is missing in keepsake.toml")
    return endpoint


def _recogniser(setting: Setting) -> Recogniser:
    makers: dict[str, Callable[[], Recogniser]] = {
        "base": lambda: _whisper("whisper-base", setting.language),
        "tiny.en": lambda: _whisper("whisper-tiny.en", setting.language),
        "speechmatics": lambda: _speechmatics(_required(setting.speechmatics, "speechmatics"), setting.language),
        "transcriptions": lambda: _transcriptions(_required(setting.transcriptions, "transcriptions")),
    }
    maker = makers.get(setting.recogniser)
    if maker is None:
        raise KeepsakeError("KS-CLI-001", "recogniser = none: this installation hears nothing")
    return maker()


def _whisper(name: str, language: str) -> Recogniser:
    from keepsake.sound.whisper import Whisper

    return Whisper(name=name, language=language)


def _speechmatics(at: Endpoint, language: str) -> Recogniser:
    from keepsake.sound.speechmatics import Speechmatics

    return Speechmatics(at.url, at.secret(), language=language or "en")


def _transcriptions(at: Endpoint) -> Recogniser:
    from keepsake.sound.endpoint import TranscriptionEndpoint

    return TranscriptionEndpoint(at.url, at.model, at.secret())


def _generator(setting: Setting) -> Generator | None:
    if setting.chat is None:
        return None
    from keepsake.answer.generate import ChatEndpoint

    return ChatEndpoint(setting.chat.url, setting.chat.model, setting.chat.secret())
