"""Contents of large values in the JetStream object store of a plane; a :class:`natant.kernel.blob.BlobPort`.

Objects are named ``SOURCE.DIGEST``: a store owns those of its name, so that one partition's sweep removes nothing of another's.
"""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from natant.fabric.nats.api import unanswered

if TYPE_CHECKING:
    from natant.errors import FabricError
    from natant.fabric.nats.engine import Engine

__all__ = ["ObjectBlobs"]

#: the object store's name within the plane
NAME: Final = "values"
#: time for reading one content
READ_S: Final = 60.0


class ObjectBlobs:
    """The contents of one store.

    :param source: the name of the store whose records refer to them.
    """

    def __init__(self, engine: Engine, source: str) -> None:
        self._engine = engine
        self._source = source
        self._name = engine.subjects.object_bucket(NAME)
        self._store: Any = None

    async def put(self, digest: str, content: bytes) -> str:
        from nats.js.errors import ObjectNotFoundError

        name = f"{self._source}.{digest}"
        try:
            store = await self._opened()
            try:
                found = await store.get_info(name)
                if found.size == len(content):
                    return name
            except ObjectNotFoundError:
                pass
            await store.put(name, content)
        except Exception as error:
            raise self._failed(f"keeping {len(content)} bytes", error) from error
        return name

    async def get(self, digest: str) -> bytes | None:
        from nats.js.errors import DigestMismatchError, NotFoundError, ObjectNotFoundError

        try:
            async with asyncio.timeout(READ_S):  # it waits for chunks that are not there
                store = await self._opened()
                found = await store.get(f"{self._source}.{digest}")
        except DigestMismatchError:
            return b""  # the caller compares, and says that it is damaged
        except (ObjectNotFoundError, NotFoundError):
            return None
        except Exception as error:
            raise self._failed("reading", error) from error
        data: bytes = found.data or b""
        return data

    async def drop(self, digest: str) -> None:
        from nats.js.errors import NotFoundError, ObjectNotFoundError

        try:
            store = await self._opened()
            await store.delete(f"{self._source}.{digest}")
        except (ObjectNotFoundError, NotFoundError):
            return
        except Exception as error:
            raise self._failed("removing", error) from error

    async def list(self) -> dict[str, float]:
        from nats.js.errors import NotFoundError

        prefix = f"{self._source}."
        try:
            store = await self._opened()
            found = await store.list(ignore_deletes=True)
        except NotFoundError:
            return {}
        except Exception as error:
            raise self._failed("listing", error) from error
        return {info.name.removeprefix(prefix): _seconds(info.mtime) for info in found if info.name.startswith(prefix)}

    async def _opened(self) -> Any:
        """The object store, made where it is not there."""
        if self._store is None:
            from nats.js.api import ObjectStoreConfig, StorageType
            from nats.js.errors import BucketNotFoundError, NotFoundError

            js = self._engine.js
            try:
                self._store = await js.object_store(self._name)
            except (BucketNotFoundError, NotFoundError):
                config = ObjectStoreConfig(storage=StorageType.FILE, replicas=self._engine.replicas)
                self._store = await js.create_object_store(self._name, config=config)
        return self._store

    def _failed(self, what: str, error: Exception) -> FabricError:
        self._store = None
        return unanswered(f"{what} in object store {self._name}", f"{type(error).__name__}: {error}")


def _seconds(when: Any) -> float:
    """The time of an upload; now where it is not known, so that nothing is removed too early."""
    try:
        return (datetime.fromisoformat(when) if isinstance(when, str) else when).timestamp()
    except (AttributeError, ValueError):
        return time.time()
