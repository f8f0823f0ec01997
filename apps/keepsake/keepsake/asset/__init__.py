"""Files of models: which are known, where they are, and that they are what they say."""

from keepsake.asset.known import KNOWN, Asset, File
from keepsake.asset.search import find, is_there

__all__ = ["KNOWN", "Asset", "File", "find", "is_there"]
