"""Parts of a model as bytes: arrays in NumPy's own format, compressed, and a JSON of the rest.  Nothing is ever unpickled."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from keepsake.errors import KeepsakeError

__all__ = ["pack", "unpack"]

#: the member that holds the JSON
REST: Final = "rest"


def pack(rest: Mapping[str, Any], **arrays: npt.NDArray[Any]) -> bytes:
    """One document of arrays and of what JSON can say; the same for the same content.

    The JSON is not compressed, so that a search for what should be deleted finds it.
    """
    out = io.BytesIO()
    text = json.dumps(rest, ensure_ascii=False, sort_keys=True).encode()
    members = {**arrays, REST: np.frombuffer(text, np.uint8)}
    with zipfile.ZipFile(out, "w") as archive:
        for name in sorted(members):
            # A fixed date, so that the same model is the same bytes.
            info = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_STORED if name == REST else zipfile.ZIP_DEFLATED
            with archive.open(info, "w") as member:
                np.lib.format.write_array(member, np.ascontiguousarray(members[name]), allow_pickle=False)
    return out.getvalue()


def unpack(data: bytes, about: str) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """What `pack` made.

    :raises KeepsakeError: ``KS-MODEL-003`` where it is damaged.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        rest: dict[str, Any] = json.loads(arrays.pop(REST).tobytes())
    except (ValueError, KeyError, OSError, zipfile.BadZipFile, EOFError) as error:
        raise KeepsakeError(
            "KS-MODEL-003", f"{about} is damaged ({error}); learn anew from the person's messages"
        ) from None
    return rest, arrays
