"""Vectors by a service that speaks the embeddings of OpenAI's interface (``POST /v1/embeddings``): vLLM, llama.cpp, Ollama, others."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

import numpy as np

from keepsake.asset.remote import Remote, odd
from keepsake.store.contract import Vectors

__all__ = ["EndpointEmbedder"]

#: texts in one request
_BATCH: Final = 64
#: characters of a text that are sent
_MAX_CHARACTERS: Final = 8_192
#: numbers of a vector at most
_MAX_DIMENSION: Final = 8_192


class EndpointEmbedder:
    """An embedder behind an address; asked once when it is made, for the length of its vectors.

    :param url: of the interface, ``http://127.0.0.1:8080/v1``; with or without ``/embeddings``.
    :param model: as the service calls it.
    :param key: sent as a bearer token; empty: none is sent.
    :param prefixes: what goes before a question and before a passage, for models that want it (E5: ``query: ``, ``passage: ``).
    :param wait: waits so many seconds, between attempts.
    :raises KeepsakeError: here and from `embed`: ``KS-ASSET-004`` where the service cannot be reached or refuses; ``KS-ASSET-005``
        where its answer has not the vectors that were asked for.
    """

    def __init__(
        self,
        url: str,
        model: str,
        key: str = "",
        *,
        prefixes: tuple[str, str] = ("", ""),
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._remote = Remote(url, "/embeddings", key, wait=wait)
        self._name = model
        self._prefixes = prefixes
        self.dimension = 0  # any, for the first request
        self.dimension = self._ask(["memory"]).shape[1]
        self.model = f"{model}/{self.dimension}"

    def embed(self, texts: Sequence[str], kind: Literal["question", "passage"] = "passage") -> Vectors:
        """Rows of unit length, float32, shape (texts, dimension)."""
        prefix = self._prefixes[kind == "passage"]
        # An empty text is refused by most services.
        sent = [f"{prefix}{text[:_MAX_CHARACTERS].encode(errors='replace').decode()}" or " " for text in texts]
        found = np.empty((len(texts), self.dimension), np.float32)
        for start in range(0, len(sent), _BATCH):
            found[start : start + _BATCH] = self._ask(sent[start : start + _BATCH])
        return found

    def _ask(self, texts: list[str]) -> Vectors:
        answer = self._remote.post(json={"model": self._name, "input": texts, "encoding_format": "float"})
        rows: list[Any] = [None] * len(texts)
        data = answer.get("data")
        for place, entry in enumerate(data if isinstance(data, list) else ()):
            index = entry.get("index", place) if isinstance(entry, Mapping) else -1
            if isinstance(index, int) and 0 <= index < len(rows):
                rows[index] = entry.get("embedding")
        try:
            found = np.asarray(rows, np.float32)
        except (TypeError, ValueError):
            raise odd(self._remote.url, f"{len(texts)} vectors were asked for, some are missing or odd") from None
        if found.ndim != 2 or not 0 < found.shape[1] <= _MAX_DIMENSION or not np.isfinite(found).all():
            raise odd(self._remote.url, f"vectors of the shape {found.shape}, or with numbers that are none")
        if self.dimension and found.shape[1] != self.dimension:
            raise odd(self._remote.url, f"vectors have {found.shape[1]} numbers, at first they had {self.dimension}")
        unit: Vectors = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)
        return unit
