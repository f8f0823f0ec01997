"""Vectors by all-MiniLM-L6-v2, on this machine.

The mean of the last layer over a text's tokens, of unit length, as its authors have it (sentence-transformers, model card of
all-MiniLM-L6-v2: at most 256 tokens, what is beyond them is not seen).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import numpy as np
import onnxruntime
from tokenizers import Encoding, Tokenizer

from keepsake.asset import find
from keepsake.store.contract import Vectors

__all__ = ["MiniLM"]

#: tokens of a text that the model sees
_MAX_TOKENS: Final = 256
#: characters of a text that are looked at: far more than 256 tokens have
_MAX_CHARACTERS: Final = 16_384
#: texts that go through the model at once: more is no faster on a CPU, and takes memory
_BATCH: Final = 16


class MiniLM:
    """The default embedder.  Questions and passages are treated alike.

    :param folder: with ``model.onnx`` and ``tokenizer.json``; None: the verified files that `keepsake.asset` finds.
    :param threads: that one call may use; 0: one for each core.
    """

    model: str = "minilm-l6-v2-int8"
    dimension: int = 384

    def __init__(self, folder: Path | None = None, *, threads: int = 0) -> None:
        folder = folder or find("minilm")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # An arena keeps the largest batch there ever was for good; without it a text is 2 % slower.
        options.enable_cpu_mem_arena = False
        # Threads that spin while they wait take the other core from whoever has work: a text then costs half as much again.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(_MAX_TOKENS)

    def embed(self, texts: Sequence[str], kind: Literal["question", "passage"] = "passage") -> Vectors:
        """Rows of unit length, float32, shape (texts, 384)."""
        found = np.empty((len(texts), self.dimension), np.float32)
        tokens = [self._tokenizer.encode(_clean(text)) for text in texts]
        # Texts of about one length go together, so that little is spent on padding.
        order = sorted(range(len(tokens)), key=lambda index: len(tokens[index].ids))
        for start in range(0, len(order), _BATCH):
            rows = order[start : start + _BATCH]
            found[rows] = self._run([tokens[row] for row in rows])
        return found

    def _run(self, tokens: Sequence[Encoding]) -> Vectors:
        longest = max(len(text.ids) for text in tokens)
        ids = np.zeros((len(tokens), longest), np.int64)
        mask = np.zeros_like(ids)
        for row, text in enumerate(tokens):
            ids[row, : len(text.ids)] = text.ids
            mask[row, : len(text.ids)] = 1
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        hidden = self._session.run(None, inputs)[0]
        weight = mask[..., None].astype(np.float32)
        mean = (hidden * weight).sum(axis=1) / weight.sum(axis=1)
        unit: Vectors = mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-12)
        return unit


def _clean(text: str) -> str:
    """The text's beginning, as valid Unicode: half a surrogate pair becomes a question mark."""
    return text[:_MAX_CHARACTERS].encode("utf-8", "replace").decode()
