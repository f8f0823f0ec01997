"""The installation itself, for commands of whoever runs it: they work on the data folder and need no service."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from keepsake.errors import KeepsakeError

if TYPE_CHECKING:
    from keepsake.pipeline.house import House

__all__ = ["open_house"]


def open_house(data: Path) -> House:
    """The stores and keys of a data folder, without models.

    :raises KeepsakeError: ``KS-CLI-011`` where there is no installation.
    """
    from keepsake.pipeline.setting import read_setting
    from keepsake.pipeline.setup import make_house

    if not (data / "keys" / "master.key").exists():
        raise KeepsakeError(
            "KS-CLI-011",
            f"{data} is no data folder of Keepsake: it has no keys; name one with --data, or $KEEPSAKE_DATA",
        )
    return make_house(data, msgspec.structs.replace(read_setting(data), embedder="none", names=False))
